"""Which of the shows that bear a name is meant, by season, year and numbers."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from feeds.releases.release import EpisodeNumber
from feeds.rules import Reason
from watchlist.matching import CatalogueShow, Match, Outcome
from watchlist.matching.index import Entry, TitleIndex
from watchlist.matching.placing import Place, Placing, existed
from watchlist.matching.seasons import SERIES, Line, Lines, Stated
from watchlist.matching.specials import Specials
from watchlist.matching.titles import Title, exactly, numbers, read
from watchlist.matching.wanted import Wanted

_MOST_CANDIDATES = 8
PlacesOf = Callable[[int], frozenset[Place]]
"""All that a number may be."""


class Choosing:
    def __init__(
        self, shows: Mapping[int, CatalogueShow], index: TitleIndex, lines: Lines, placing: Placing
    ) -> None:
        self._shows = shows
        self._index = index
        self._lines = lines
        self._placing = placing
        self._specials = Specials(shows, index, lines)

    def among(self, title: Title, entries: Sequence[Entry], said: Wanted) -> Match:
        """The show that is meant by `title`, which all of `entries` are called, be it of another season."""
        season = title.season if title.season is not None else said.season
        part = title.part if title.part is not None else said.part
        if said.special is not None and (match := self._specials.by_title(title, said)):
            return match
        if title.season is not None and said.season not in (None, 1, title.season):
            return unsure(_shows(entries), _season_reason(said.season, f"{title.season}, as the name says"))
        named = [entry for entry in entries if self._is_called(entry, season, part)]
        if not named and season is None and part is not None:
            # "Show Part 3 East" may be how "Show III: East" is called
            named = [entry for entry in entries if entry.rank == 2 and entry.title.season == part]
        if named and said.year is not None:
            named = self._of_the_year(named, said, any_season=False)
            if not named:
                return unsure(_shows(entries), self._why_not_named(entries, season, said))
        if named:
            if title.season is None and season not in (None, 1) and self._is_cut_elsewhere(named, season):
                return unsure(_shows(named), _season_reason(season, "a season that all count alike"))
            if rivals := self._rivals(named, entries, said):
                return unsure((*_shows(named), *rivals), Reason("title", said.written[0], "a year"))
            return self._of_these(named, title, said)
        if (season is None and part is None) or not entries:
            shows = _shows(entries)
            return unsure(shows, self._why_not_named(entries, season, said))
        return self._by_line(entries, season, part, title, said)

    def in_show(self, show: CatalogueShow, said: Wanted) -> Match:
        """What of this show, or of its sequels where the numbers run on, is wanted."""
        if said.special is not None and (match := self._specials.of(show, said)):
            return match
        if not said.episodes:
            return self._whole(show, said)
        line = [member.id for line in self._lines.of(show)[:1] for member in line.shows]
        return self._placed([show.id, *line], said, lambda number: self._places(show, number, said))

    def _places(self, show: CatalogueShow, number: int, said: Wanted) -> frozenset[Place]:
        return self._placing.places(
            show, number, season=said.season, published=said.published, across_seasons=said.may_run_on
        )

    def film_of_the_year(self, title: Title, said: Wanted) -> Match | None:
        """A film without its subtitle, or with another number: its editions count on, 2.0 in the cinema, 2.22 on disc.
        Only where the year says that no other is meant."""
        if said.episodes or said.year is None or said.batch:
            return None
        stated = set(numbers(title))
        entries = [
            *self._index.named_with_subtitle(title),
            *(entry for entry in self._index.other_numbers(title) if stated & set(numbers(entry.title))),
        ]
        of_the_year = {
            entry.show for entry in entries if abs((self._shows[entry.show].year or 0) - said.year) <= 1
        }
        if len(of_the_year) != 1 or (film := self._shows[of_the_year.pop()]).format != "MOVIE":
            return None
        if film.year != said.year:
            return None
        reason = Reason("title", said.written[0], f"the film “{film.titles[0]}” of that year")
        return Match(outcome=Outcome.FOUND, show=film.id, whole=True, reasons=(reason,))

    # --- of the shows that are called so

    def _of_these(self, entries: Sequence[Entry], title: Title, said: Wanted) -> Match:
        for rank in sorted({entry.rank for entry in entries}):
            of_rank = [entry for entry in entries if entry.rank == rank]
            match = self._of_rank(of_rank, said)
            if match.outcome is Outcome.FOUND or rank == max(entry.rank for entry in entries):
                return match
            # A synonym counts where those who bear the name as their own cannot be meant.
            if any(existed(self._shows[entry.show], said.published) for entry in of_rank):
                return match
        raise AssertionError("there are entries")

    def _of_rank(self, entries: Sequence[Entry], said: Wanted) -> Match:
        shows = [self._shows[show] for show in _shows(entries)]
        if len(shows) == 1:
            return self.in_show(shows[0], said)
        matches = {show.id: self.in_show(show, said) for show in shows}
        found = {show: match for show, match in matches.items() if match.outcome is Outcome.FOUND}
        if said.episodes and said.special is None:
            series = [show for show in found if self._shows[show].format == "TV"] or [
                show for show in found if self._shows[show].format in SERIES
            ]
            if series and all(self._lines.are_connected(series[0], [show]) for show in found):
                found = {show: found[show] for show in series}
        if len(found) > 1 and (first := self._first_of_a_line(list(found), entries, said)):
            found = {first: found[first]}
        different = {(match.show, match.episodes) for match in found.values()}
        if len(different) == 1 and not self._may_be_another(found, matches, said):
            return next(iter(found.values()))
        candidates = list(found) or [show for match in matches.values() for show in match.candidates]
        return unsure(candidates, Reason("title", said.written[0], "the title of one show only, or a year"))

    def _may_be_another(self, found: Collection[int], all_of_them: Collection[int], said: Wanted) -> bool:
        """Whether one that was not found may be meant all the same: too little is known of it, or too much fits."""
        others = [
            self._shows[show]
            for show in all_of_them
            if show not in found and not self._lines.are_connected(show, found)
        ]
        return any(
            self._placing.is_open(show, said.published)
            or any(
                self._placing.is_still_to_come(show, _whole_number(number), said.published)
                or self._places(show, _whole_number(number), said)
                for number in said.episodes[:1]
            )
            for show in others
        )

    def _first_of_a_line(self, shows: Sequence[int], entries: Sequence[Entry], said: Wanted) -> int | None:
        """The first of seasons that all bear the very same name: who means another says which."""
        mine = [entry for entry in entries if entry.show in shows]
        if any(entry.title.year is not None for entry in mine):
            return None  # a remake, which many call as they called the first
        if len({"".join(entry.written.casefold().split()) for entry in mine}) > 1:
            # "Show!" and "Show!!"
            said_so = set(map(exactly, said.written))
            same = {entry.show for entry in mine if exactly(entry.written) in said_so}
            if len(same) == 1 and all(self._lines.are_connected(shows[0], [show]) for show in shows):
                return same.pop()
            if said.season is None:
                return None
        for line in self._lines.of(self._shows[shows[0]]):
            positions = {at: show for show in shows if (at := line.position(show)) is not None}
            if len(positions) == len(shows):
                first = min(positions)
                return positions[first] if first == 0 or said.season is None else None
        return None

    def _rivals(self, named: Sequence[Entry], entries: Sequence[Entry], said: Wanted) -> list[int]:
        """Other series of that name, remakes, which may have such a season, too, though no title says so."""
        if all(entry.title.season is None and entry.title.part is None for entry in named):
            return []
        rank = min(entry.rank for entry in named)
        shows = _shows(entry for entry in named if entry.rank == rank)
        plain = [
            entry
            for entry in entries
            if entry.title.season is None and entry.title.part is None and entry.rank <= rank
        ]
        return [
            show
            for show in _shows(self._of_the_year(plain, said) if said.year is not None else plain)
            if any(len(line.shows) > 1 for line in self._lines.of(self._shows[show]))
            and not self._lines.are_connected(show, shows)
        ]

    def _is_called(self, entry: Entry, season: int | None, part: int | None) -> bool:
        """Whether the title states this season and cour. The first ones are not stated."""
        title = entry.title
        same = (title.season or 1) == (season or 1) and (title.part or 1) == (part or 1)
        return same and not self._is_of_later_season(entry)

    def _is_of_later_season(self, entry: Entry) -> bool:
        """Where a show has its series' plain name, too: "Show" as a synonym of "Show 2nd Season"."""
        if entry.rank == 2 or entry.title.season is not None or entry.title.part is not None:
            return False
        show = self._shows[entry.show]
        titles = map(read, filter(None, (*show.titles, *show.synonyms)))
        return any(
            title.stem == entry.title.stem and ((title.season or 1) > 1 or (title.part or 1) > 1)
            for title in titles
        )

    def _of_the_year(self, entries: Sequence[Entry], said: Wanted, *, any_season: bool = True) -> list[Entry]:
        """Of a season the year may be its own, or that of the first; with `any_season` that of another, which is meant
        by the name of this one."""
        assert said.year is not None
        own = [entry for entry in entries if said.year in (self._shows[entry.show].year, entry.title.year)]
        if own:
            return own
        return [
            entry
            for entry in entries
            if self._may_be_of(self._shows[entry.show], said.year, any_season=any_season)
        ]

    def _may_be_of(self, show: CatalogueShow, year: int, *, any_season: bool) -> bool:
        last = None if any_season else 1
        years = {show.year} | {member.year for line in self._lines.of(show) for member in line.shows[:last]}
        return show.year is None or any(abs(known - year) <= 1 for known in years if known is not None)

    def _is_cut_elsewhere(self, entries: Sequence[Entry], season: int | None) -> bool:
        assert season is not None
        return any(
            self._placing.splits_elsewhere(line, season)
            for entry in entries
            for line in self._lines.of(self._shows[entry.show])
        )

    # --- of the seasons that follow

    def _by_line(
        self, entries: Sequence[Entry], season: int | None, part: int | None, title: Title, said: Wanted
    ) -> Match:
        """A season or cour that no title states, counted from those that are called so."""
        lines: dict[tuple[int, ...], Line] = {}
        for entry in self._of_the_year(entries, said) if said.year is not None else entries:
            for line in self._lines.of(self._shows[entry.show]):
                if self._counts_from(line, entry, season or 1):
                    lines[tuple(show.id for show in line.shows)] = line
        several = lines and any(self._placing.splits_elsewhere(line, season or 1) for line in lines.values())
        members = [show.id for line in lines.values() for show in line.shows]
        candidates = list(dict.fromkeys(members)) or _shows(entries)
        reason = (
            _season_reason(season, "a season that can be told")
            if season is not None
            else Reason("part", str(part), "a part that can be told")
        )
        one = all(self._lines.are_connected(members[0], [line.shows[0].id]) for line in lines.values())
        if not lines or several or not one:
            return unsure(candidates, reason)
        if part is None and (last := self._after_unknown_seasons(list(lines.values()))):
            return self.in_show(last, said)
        if part is not None and part > 1:
            cours = {show for line in lines.values() for show in self._lines.cours(line, season or 1, part)}
            if len(cours) != 1:
                return unsure(candidates, reason)
            return self.in_show(self._shows[cours.pop()], said)
        assert season is not None or part == 1
        stated = season or 1
        if said.episodes and said.special is None:
            return self._placed(
                candidates,
                said,
                lambda number: frozenset(
                    place
                    for line in lines.values()
                    for place in self._placing.in_season(
                        line, stated, number, by_name=title.season is not None, published=said.published
                    )
                ),
            )
        shows = {
            show
            for line in lines.values()
            for show in self._lines.season(line, stated, by_name=title.season is not None)
        }
        if len(shows) != 1:
            return unsure(candidates, reason)
        return self.in_show(self._shows[shows.pop()], said)

    def _after_unknown_seasons(self, lines: Sequence[Line]) -> CatalogueShow | None:
        """The one show that is called so, if others came before which the catalogue does not hold, and none after: it
        may be any season."""
        if len(lines) != 1 or len(lines[0].shows) != 1 or lines[0].begins or not lines[0].ends:
            return None
        (show,) = lines[0].shows
        tells = self._lines.stated(show) != Stated(None, None)
        return None if tells or self._placing.is_long(show) else show

    def _counts_from(self, line: Line, entry: Entry, season: int) -> bool:
        """Whether seasons of what is called so are those of the line: not where only a later one is called so."""
        if self._shows[entry.show].format not in SERIES:
            return False
        at = line.position(entry.show)
        if at is None or (at == 0 and entry.title.season is None):
            return at == 0
        own = entry.title.season if entry.title.season is not None else season
        return all(reading[at] == own for reading in self._lines.readings(line))

    # --- numbers

    def _placed(self, candidates: Sequence[int], said: Wanted, places: PlacesOf) -> Match:
        """Each number looked up; FOUND only if all are of one show, and certain."""
        placed: list[tuple[int, EpisodeNumber]] = []
        counted_up = [_whole_number(number) for number in said.episodes]
        if counted_up != sorted(counted_up):  # `S02E12-S03E01`
            spoken = f"{said.episodes[0]} to {said.episodes[-1]}"
            return unsure(candidates, Reason("episode", spoken, "episodes of one season"))
        for position, number in enumerate(said.episodes):
            whole = _whole_number(number)
            found = places(whole)
            if len(found) != 1 and len(said.absolute) == len(said.episodes):
                counted = self._placing.across_seasons(
                    self._shows[candidates[0]], _whole_number(said.absolute[position]), said.published
                )
                found = (found & counted) or found or counted
            if len(found) != 1:
                wanted = "one that can be told apart" if found else "an episode that there is"
                others = [show for show, _ in sorted(found)]
                return unsure((*others, *candidates), Reason("episode", str(number), wanted))
            (show, episode) = next(iter(found))
            placed.append((show, _shifted(number, episode - whole)))
        shows = list(dict.fromkeys(show for show, _ in placed))
        if len(shows) > 1:
            spoken = f"{said.episodes[0]} to {said.episodes[-1]}"
            return unsure(shows, Reason("episode", spoken, "episodes of one show"))
        episodes = tuple(episode for _, episode in placed)
        reasons: tuple[Reason, ...] = ()
        if episodes != said.episodes or shows[0] not in candidates[:1]:
            reasons = (Reason("episode", str(said.episodes[0]), f"counted as {episodes[0]} of its season"),)
        return Match(outcome=Outcome.FOUND, show=shows[0], episodes=episodes, reasons=reasons)

    def _whole(self, show: CatalogueShow, said: Wanted) -> Match:
        if said.date is not None:
            return unsure([show.id], Reason("episode", f"{said.date:%Y-%m-%d}", "a number"))
        if not existed(show, said.published):
            return unsure([show.id], Reason("published", str(said.published), f"after {show.starts_on}"))
        if said.year not in (None, show.year) and (films := self._films_of(show, said.year)):
            return unsure([*films, show.id], Reason("year", str(said.year), str(show.year)))
        for line in self._lines.of(show) if show.format in SERIES else ():
            at = line.position(show.id)
            assert at is not None
            after = line.shows[at + 1 : at + 2]
            if said.several_seasons or (after and self._may_be_of_one_season(show, after[0])):
                return unsure(
                    [member.id for member in line.shows], Reason("season", "several", "one of them")
                )
        return Match(outcome=Outcome.FOUND, show=show.id, whole=True)

    def _films_of(self, show: CatalogueShow, year: int | None) -> list[int]:
        """Of that year, beside a series: their releases often bear its name alone."""
        related = self._lines.related(show)
        films = [other for other in related if self._shows[other].format == "MOVIE"]
        return [film for film in films if self._shows[film].year == year]

    def _may_be_of_one_season(self, show: CatalogueShow, after: CatalogueShow) -> bool:
        return self._lines.stated(after).season is None and self._lines.may_go_on(show, after)

    def _why_not_named(self, entries: Sequence[Entry], season: int | None, said: Wanted) -> Reason:
        if said.year is not None:
            return Reason("year", str(said.year), "the year of the show that is called so")
        stated = sorted({entry.title.season or 1 for entry in entries})
        return Reason(
            "season", "none stated" if season is None else str(season), " or ".join(map(str, stated))
        )


def unsure(shows: Iterable[int | None], reason: Reason) -> Match:
    candidates = [show for show in dict.fromkeys(shows) if show is not None]
    return Match(outcome=Outcome.UNSURE, candidates=tuple(candidates[:_MOST_CANDIDATES]), reasons=(reason,))


def _shows(entries: Iterable[Entry]) -> list[int]:
    return list(dict.fromkeys(entry.show for entry in entries))


def _season_reason(season: int | None, wanted: str) -> Reason:
    return Reason("season", "none stated" if season is None else str(season), wanted)


def _whole_number(number: EpisodeNumber) -> int:
    """12 of 12.5, and 4 of "4a"."""
    return int(number.rstrip("abcd").split(".")[0] or 0) if isinstance(number, str) else int(number)


def _shifted(number: EpisodeNumber, by: int) -> EpisodeNumber:
    if isinstance(number, str):
        return f"{_whole_number(number) + by}{number.lstrip('0123456789.')}"
    return number + by
