"""OVAs, specials, films and openings that are released under a series' name."""

from collections.abc import Mapping

from feeds.releases.release import Special
from feeds.rules import Reason
from watchlist.matching import CatalogueShow, Match, Outcome
from watchlist.matching.index import TitleIndex
from watchlist.matching.seasons import UNRELATED, Lines
from watchlist.matching.titles import Title
from watchlist.matching.wanted import Wanted

_THEMES = frozenset(
    (Special.NCOP, Special.NCED, Special.OP, Special.ED, Special.PV, Special.CM, Special.MENU)
)
_FORMATS = {
    Special.OVA: frozenset(("OVA", "SPECIAL")),
    Special.OAD: frozenset(("OVA", "SPECIAL")),
    Special.SP: frozenset(("OVA", "SPECIAL")),
    Special.ONA: frozenset(("ONA",)),
    Special.MOVIE: frozenset(("MOVIE",)),
}
_ALL_FORMATS = frozenset(("OVA", "SPECIAL", "MOVIE"))  # what others number as season 0
# As titles say it.
_NAMES = {
    Special.OVA: ("ova", "ovas", "oad"),
    Special.OAD: ("oad", "ova"),
    Special.SP: ("special", "specials", "sp"),
    Special.ONA: ("ona",),
    Special.MOVIE: ("movie", "film"),
}


class Specials:
    def __init__(self, shows: Mapping[int, CatalogueShow], index: TitleIndex, lines: Lines) -> None:
        self._shows = shows
        self._index = index
        self._lines = lines

    def by_title(self, title: Title, said: Wanted) -> Match | None:
        """The show that is called so, with the word for the special behind."""
        assert said.special is not None
        season = title.season if title.season is not None else said.season
        for word in _NAMES.get(said.special, ()):
            if said.special is Special.MOVIE and said.episodes:
                word = f"{word}{said.episodes[0]}"
            called = Title(f"{title.stem}{word}")
            shows = {
                entry.show
                for entry in (*self._index.exact(called.stem), *self._index.named_with_subtitle(called))
                if (entry.title.season or 1) == (season or 1) and entry.title.part == title.part
            }
            if len(shows) == 1 and _holds(show := self._shows[shows.pop()], said):
                return _found(show, said)
        return None

    def of(self, show: CatalogueShow, said: Wanted) -> Match | None:
        """What of `show`, or beside it, is wanted; None where the show itself is the special."""
        special = said.special
        assert special is not None
        if special in _THEMES:
            return Match(outcome=Outcome.FOUND, show=show.id, episodes=said.episodes, special=special.value)
        if show.format in _FORMATS[special] or (said.of_season_zero and show.format in _ALL_FORMATS):
            return None
        beside = self._beside(show, said)
        fitting = [other for other in beside if _holds(other, said)]
        if len(beside) == 1 and fitting and not _counts_films(said):
            reason = Reason("special", special.value, "the only one that belongs to the show")
            return _found(fitting[0], said, reason)
        if len(beside) > 1 or (beside and said.of_season_zero) or special is Special.MOVIE:
            names = [show.id, *(other.id for other in beside)]
            return Match(
                outcome=Outcome.UNSURE,
                candidates=(*names[1:], names[0]),
                reasons=(
                    Reason("special", special.value, "one that only one of the show's specials can be"),
                ),
            )
        return Match(outcome=Outcome.FOUND, show=show.id, episodes=said.episodes, special=special.value)

    def _beside(self, show: CatalogueShow, said: Wanted) -> list[CatalogueShow]:
        """The specials of a show; of all its seasons, where none is stated."""
        assert said.special is not None
        formats = _ALL_FORMATS if said.of_season_zero else _FORMATS[said.special]
        members = {show.id: show}
        if said.season is None:
            members |= {member.id: member for line in self._lines.of(show) for member in line.shows}
        found = {
            other: self._shows[other]
            for member in members.values()
            for other, kind in self._lines.related(member).items()
            if kind not in UNRELATED and self._shows[other].format in formats and other not in members
        }
        return list(found.values())


def _holds(show: CatalogueShow, said: Wanted) -> bool:
    if said.special is Special.MOVIE:
        return True
    return all(
        isinstance(number, int) and number >= 1 and (show.episodes is None or number <= show.episodes)
        for number in said.episodes
    )


def _counts_films(said: Wanted) -> bool:
    """Whether it is said to be the second film or a later one, so that the only one that is known need not be it."""
    return said.special is Special.MOVIE and any(number != 1 for number in said.episodes)


def _found(show: CatalogueShow, said: Wanted, *reasons: Reason) -> Match:
    """A show that is the special itself: its numbers are its own. That of a film counts films."""
    episodes = said.episodes if said.special is not Special.MOVIE else ()
    return Match(outcome=Outcome.FOUND, show=show.id, episodes=episodes, whole=not episodes, reasons=reasons)
