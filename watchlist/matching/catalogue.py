"""Which show, and which of its episodes, a release is of."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from feeds.releases.release import Release
from feeds.rules import Reason
from watchlist.matching import Aliases, AliasKey, CatalogueShow, Match, Outcome
from watchlist.matching.choosing import Choosing, unsure
from watchlist.matching.index import Entry, TitleIndex
from watchlist.matching.placing import Placing
from watchlist.matching.redirects import Redirects, ShowIds
from watchlist.matching.seasons import Lines
from watchlist.matching.titles import Title, key
from watchlist.matching.wanted import Wanted, wanted

_FOLDERS = 4  # that are looked at, from the file outwards
_NO_ALIASES: Aliases = {}


class Catalogue:
    """All shows that releases may be of. Building it costs far more than asking it: keep it."""

    def __init__(self, shows: Iterable[CatalogueShow], redirects: Redirects | None = None) -> None:
        self.shows: Mapping[int, CatalogueShow] = {show.id: show for show in shows}
        self._by_anilist = {
            show.anilist_id: show for show in self.shows.values() if show.anilist_id is not None
        }
        self._by_mal = {show.mal_id: show for show in self.shows.values() if show.mal_id is not None}
        self._index = TitleIndex(self.shows.values())
        self._lines = Lines(self.shows)
        self._choosing = Choosing(
            self.shows, self._index, self._lines, Placing(self._lines, redirects, self._by_ids)
        )

    def match(
        self,
        release: Release,
        *,
        folders: Sequence[Release] = (),
        aliases: Aliases = _NO_ALIASES,
        published: datetime.date | None = None,
    ) -> Match:
        """What a release is of. `folders` are those it is in, the nearest first; `aliases` are its reader's own."""
        said = wanted(release, published)
        around = [wanted(folder, None) for folder in folders[:_FOLDERS]]
        for folder in around:
            said = said.in_season_of(folder)
        if (by_alias := self._by_alias(release, said, aliases)) is not None:
            return by_alias
        own = self._by_name(said) if said.titles else None
        if own is not None and own.outcome is Outcome.FOUND:
            return self._unless_a_folder_disagrees(own, said, around)
        for folder in around:
            if folder.titles:
                named = self._by_name(said.called(folder))
                if (
                    own is None
                    or own.outcome is Outcome.UNKNOWN
                    or (named.outcome is Outcome.FOUND and named.show in own.candidates)
                ):
                    own = named
                if own.outcome is Outcome.FOUND:
                    return own
        return own or _unknown(release.series)

    def _by_ids(self, ids: ShowIds) -> CatalogueShow | None:
        if ids.anilist is not None and ids.anilist in self._by_anilist:
            return self._by_anilist[ids.anilist]
        return self._by_mal.get(ids.mal) if ids.mal is not None else None

    def _by_alias(self, release: Release, said: Wanted, aliases: Aliases) -> Match | None:
        if not aliases:
            return None
        for name in dict.fromkeys((release.series, *release.series_alternatives)):
            known = key(name)
            found = AliasKey(known, release.season)
            if found not in aliases and known != key(release.series):
                found = AliasKey(known, None)  # the name itself states the season
            if found in aliases:
                return self._of_alias(name, aliases[found], said)
        return None

    def _of_alias(self, name: str, show: int | None, said: Wanted) -> Match:
        if show is None or show not in self.shows:
            return Match(
                outcome=Outcome.UNKNOWN,
                reasons=(Reason("alias", name, "a show that is followed: this name was said to be of none"),),
            )
        return self._choosing.in_show(self.shows[show], replace(said, season=None, part=None, year=None))

    def _by_name(self, said: Wanted) -> Match:
        """By the names alone: exactly, else by letters and numbers, else by what is nearly the same."""
        for exactly in (self._exact, self._index.same_letters):
            if hits := {title: entries for title in said.titles if (entries := exactly(title))}:
                return self._agreed(hits, said)
        candidates: list[int] = []
        for title in said.titles:
            if film := self._choosing.film_of_the_year(title, said):
                return film
            alike = self._index.alike(title)
            if alike.surely:
                found = self._choosing.among(title, alike.entries, said)
                if found.outcome is Outcome.FOUND:
                    written = alike.entries[0].written
                    return replace(
                        found,
                        reasons=(Reason("title", said.written[0], f"nearly “{written}”"), *found.reasons),
                    )
            candidates += [entry.show for entry in alike.entries]
        if candidates:
            return unsure(candidates, Reason("title", said.written[0], "exactly the title of a known show"))
        return _unknown(said.written[0])

    def _exact(self, title: Title) -> Sequence[Entry]:
        return self._index.exact(title.stem)

    def _agreed(self, hits: Mapping[Title, Sequence[Entry]], said: Wanted) -> Match:
        """What the names say together. A name that is part of a longer one that is known says nothing."""
        found = [
            self._choosing.among(title, entries, said)
            for title, entries in hits.items()
            if not any(title.stem != other.stem and title.stem in other.stem for other in hits)
        ]
        sure = [match for match in found if match.outcome is Outcome.FOUND]
        shows = dict.fromkeys(match.show for match in sure)
        others = [match for match in found if match.outcome is Outcome.UNSURE]
        if len(shows) == 1 and all(sure[0].show in match.candidates for match in others):
            return sure[0]
        if shows:
            candidates = (*shows, *(show for match in others for show in match.candidates))
            return unsure(candidates, Reason("title", " / ".join(said.written), "names of one show only"))
        return found[0]

    def _unless_a_folder_disagrees(self, own: Match, said: Wanted, around: Sequence[Wanted]) -> Match:
        for folder in around:
            if not folder.titles:
                continue
            entries = [entry for title in folder.titles for entry in self._index.exact(title.stem)]
            shows = dict.fromkeys(entry.show for entry in entries)
            if shows and own.show is not None and not self._lines.are_connected(own.show, shows):
                reason = Reason("folder", folder.written[0], "a folder of the same show")
                return unsure((own.show, *shows), reason)
            if shows:
                break
        return own


def _unknown(name: str) -> Match:
    return Match(outcome=Outcome.UNKNOWN, reasons=(Reason("title", name, "a title of a known show"),))
