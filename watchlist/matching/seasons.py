"""Which Media follow each other, and which seasons they are.

AniList has a Media for each season or cour. A line is what follows each other by PREQUEL and SEQUEL; films and OVAs in
between, and recaps, are passed over. Where cours count as one season for some and as two for others, there are several
readings of a line, and only what all of them say is certain.
"""

import datetime
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from watchlist.matching import CatalogueShow
from watchlist.matching.titles import Title, read

SERIES = frozenset(("TV", "ONA", "TV_SHORT", ""))
_BREAK = datetime.timedelta(days=183)
"""Who pauses for less than that may go on with the same season."""
_MOST_READINGS = 200
_LONGEST = 60  # of a line
_SHORT_EXTRA = 6  # episodes; ONA and TV_SHORT of no more may stand between seasons without being one
UNRELATED = frozenset(("CHARACTER", "OTHER", "ADAPTATION", "SOURCE"))
"""Kinds of relations that shows of different worlds have."""
_FAR = 300  # shows of one world that are looked at
_RECAP = ("recap", "soushuuhen", "sōshūhen", "総集編", "digest", "compilation")


@dataclass(frozen=True, slots=True)
class Line:
    """Shows that follow each other, in order."""

    shows: tuple[CatalogueShow, ...]
    begins: bool
    """Whether no prequel of the first is missing in the catalogue."""
    ends: bool
    """Whether no sequel of the last is missing in the catalogue."""

    def position(self, show: int) -> int | None:
        return next((at for at, member in enumerate(self.shows) if member.id == show), None)


@dataclass(frozen=True, slots=True)
class Stated:
    """What the titles of a show say about which season it is."""

    season: int | None
    part: int | None


class Lines:
    def __init__(self, shows: Mapping[int, CatalogueShow]) -> None:
        self._shows = shows
        self._lines: dict[int, tuple[Line, ...]] = {}
        self._stated: dict[int, Stated] = {}
        self._readings: dict[tuple[int, ...], tuple[tuple[int, ...], ...]] = {}

    def of(self, show: CatalogueShow) -> tuple[Line, ...]:
        """The line of a show, and where short extras stand in it, the line without these. Empty: it branches."""
        if show.id not in self._lines:
            self._lines[show.id] = self._find(show)
        return self._lines[show.id]

    def related(self, show: CatalogueShow) -> dict[int, str]:
        """Shows of the catalogue that it has a relation with, in either direction, and the kind."""
        forth = {other: kind for kind, other in show.relations if other in self._shows}
        return forth | {
            other: _INVERSE.get(kind, kind)
            for kind, other in self._backward.get(show.id, ())
            if other not in forth
        }

    @cached_property
    def _backward(self) -> dict[int, list[tuple[str, int]]]:
        backward: dict[int, list[tuple[str, int]]] = {}
        for show in self._shows.values():
            for kind, other in show.relations:
                backward.setdefault(other, []).append((kind, show.id))
        return backward

    def _next_to(self, show: CatalogueShow, kind: str) -> Iterator[CatalogueShow]:
        """Its sequels or prequels, as either side tells."""
        seen: set[int] = set()
        for other in [other for stated, other in show.relations if stated == kind] + [
            other for stated, other in self._backward.get(show.id, ()) if stated == _INVERSE[kind]
        ]:
            if other in self._shows and other not in seen:
                seen.add(other)
                yield self._shows[other]

    def _reachable(self, show: CatalogueShow, kind: str, line_of: frozenset[str]) -> list[CatalogueShow]:
        """The shows of the line that come next, over films and OVAs in between."""
        found: dict[int, CatalogueShow] = {}
        seen, pending = {show.id}, list(self._next_to(show, kind))
        while pending and len(seen) < _LONGEST:
            other = pending.pop()
            if other.id in seen:
                continue
            seen.add(other.id)
            if other.format in line_of and not self._is_recap(other):
                found[other.id] = other
            else:
                pending += self._next_to(other, kind)
        return list(found.values())

    def _step(self, show: CatalogueShow, kind: str, line_of: frozenset[str]) -> CatalogueShow | None:
        """The one that comes next. Raises _Branches where it cannot be told which."""
        candidates = self._reachable(show, kind, line_of)
        if len(candidates) > 1:
            # A sequel of a sequel may be named as a sequel, too.
            behind = {
                farther.id
                for candidate in candidates
                for farther in self._all_beyond(candidate, kind, line_of)
            }
            candidates = [candidate for candidate in candidates if candidate.id not in behind]
            if len(candidates) != 1:
                raise _Branches
        return candidates[0] if candidates else None

    def _all_beyond(self, show: CatalogueShow, kind: str, line_of: frozenset[str]) -> list[CatalogueShow]:
        seen: dict[int, CatalogueShow] = {}
        pending = self._reachable(show, kind, line_of)
        while pending and len(seen) < _LONGEST:
            other = pending.pop()
            if other.id not in seen:
                seen[other.id] = other
                pending += self._reachable(other, kind, line_of)
        return list(seen.values())

    def _find(self, show: CatalogueShow) -> tuple[Line, ...]:
        line_of = SERIES if show.format in SERIES else frozenset((show.format,))
        if show.format == "MOVIE":
            return ()
        members, ids = [show], {show.id}
        try:
            for kind in ("PREQUEL", "SEQUEL"):
                at = show
                while (other := self._step(at, kind, line_of)) is not None:
                    if other.id in ids or len(members) >= _LONGEST:
                        raise _Branches
                    ids.add(other.id)
                    members = [other, *members] if kind == "PREQUEL" else [*members, other]
                    at = other
        except _Branches:
            return ()
        begins, ends = self._has_all(members[0], "PREQUEL"), self._has_all(members[-1], "SEQUEL")
        line = Line(tuple(members), begins=begins, ends=ends)
        without_extras = tuple(member for member in members if member is show or not _is_extra(member))
        if len(without_extras) == len(members) or all(map(_is_extra, members)):
            return (line,)
        return line, Line(without_extras, begins=begins, ends=ends)

    def _has_all(self, show: CatalogueShow, kind: str) -> bool:
        return all(stated != kind or other in self._shows for stated, other in show.relations)

    def show(self, show: int) -> CatalogueShow:
        return self._shows[show]

    def _is_recap(self, show: CatalogueShow) -> bool:
        if any(word in title.casefold() for title in show.titles for word in _RECAP):
            return True
        return any(kind == "SUMMARY" for kind, _ in self._backward.get(show.id, ()))

    def stated(self, show: CatalogueShow) -> Stated:
        if show.id not in self._stated:
            self._stated[show.id] = _stated(show)
        return self._stated[show.id]

    def readings(self, line: Line) -> tuple[tuple[int, ...], ...]:
        """Each way to number the seasons of a line: the season of each show. Empty: they cannot be told."""
        key = tuple(show.id for show in line.shows)
        if key not in self._readings:
            self._readings[key] = self._read(line)
        return self._readings[key]

    def _read(self, line: Line) -> tuple[tuple[int, ...], ...]:
        first = self.stated(line.shows[0]).season or (1 if line.begins else None)
        if first is None:
            return ()
        readings: list[tuple[int, ...]] = [(first,)]
        for before, show in pairwise(line.shows):
            stated, goes_on = self.stated(show), self.may_go_on(before, show)
            longer: list[tuple[int, ...]] = []
            for reading in readings:
                if stated.season is not None:
                    goes_on = (stated.part or 1) > 1 or self.stated(before).season == stated.season
                    if stated.season > reading[-1] or (goes_on and stated.season == reading[-1]):
                        longer.append((*reading, stated.season))
                    continue
                longer.append((*reading, reading[-1] + 1))
                if goes_on:
                    longer.append((*reading, reading[-1]))
            readings = longer
            if len(readings) > _MOST_READINGS:
                return ()
        # Whoever is told to be the third, two seasons come before.
        whole = [reading for reading in readings if all(b - a <= 1 for a, b in pairwise(reading))]
        return tuple(dict.fromkeys(whole or readings))

    def season(self, line: Line, season: int, *, by_name: bool) -> set[int]:
        """All shows that are, or may be, of a season."""
        return {
            show.id
            for reading in self.readings(line)
            if season in reading and self.may_begin_season(line, reading.index(season), by_name=by_name)
            for show, number in zip(line.shows, reading, strict=True)
            if number == season
        }

    def cours(self, line: Line, season: int, part: int) -> set[int]:
        """All shows that may be the cour `part` of a season, and are not told to be another."""
        found: set[int] = set()
        for reading in self.readings(line):
            of_season = [show for show, number in zip(line.shows, reading, strict=True) if number == season]
            for show in of_season[part - 1 : part]:
                if self.stated(show).part in (None, part) and self.stated(show).season in (None, season):
                    found.add(show.id)
        return found

    def are_connected(self, show: int, others: Collection[int]) -> bool:
        """Whether any of the others is a show of the same world, by relations."""
        seen, around = {show}, [show]
        while around and len(seen) < _FAR and seen.isdisjoint(others):
            around = [
                other
                for at in around
                for other, kind in self.related(self._shows[at]).items()
                if kind not in UNRELATED and other not in seen
            ]
            seen.update(around)
        return not seen.isdisjoint(others)

    def is_first_cour(self, show: CatalogueShow) -> bool:
        return (self.stated(show).part or 1) == 1

    def may_begin_season(self, line: Line, at: int, *, by_name: bool) -> bool:
        """Not the second cour of a season whose first is not known.

        Some number what is called "Show Part 2" as S02, but nobody calls it "Show 2nd Season": `by_name`.
        """
        show = line.shows[at]
        return self.is_first_cour(show) or (at > 0 and self.stated(show).season is None and not by_name)

    def counts_from_one(self, line: Line) -> bool:
        """Whether the first of the line is its first season, so that numbers across seasons begin there."""
        first = line.shows[0]
        return line.begins and (self.stated(first).season or 1) == 1 and self.is_first_cour(first)

    def may_go_on(self, before: CatalogueShow, show: CatalogueShow) -> bool:
        """Whether `show` may be a cour of the same season as the one before."""
        if (self.stated(show).part or 0) > 1:
            return True
        if show.starts_on is None:
            return True
        ended = before.ends_on
        if ended is None and before.starts_on is not None:
            ended = before.starts_on + datetime.timedelta(weeks=before.episodes or 12)
        return ended is None or show.starts_on - ended < _BREAK


class _Branches(Exception):
    """It cannot be told which show comes next."""


_INVERSE = {"PREQUEL": "SEQUEL", "SEQUEL": "PREQUEL", "SIDE_STORY": "PARENT", "PARENT": "SIDE_STORY"}


def _is_extra(show: CatalogueShow) -> bool:
    if show.format not in ("ONA", "TV_SHORT"):
        return False
    return show.episodes is not None and show.episodes <= _SHORT_EXTRA


def _stated(show: CatalogueShow) -> Stated:
    """What the main titles say, else what all synonyms that say anything agree on."""
    for names in (show.titles, show.synonyms):
        titles: list[Title] = [read(name) for name in names if name]
        seasons = {title.season for title in titles if title.season is not None}
        parts = {title.part for title in titles if title.part is not None}
        if len(seasons) == 1 or len(parts) == 1:
            return Stated(
                seasons.pop() if len(seasons) == 1 else None, parts.pop() if len(parts) == 1 else None
            )
        if seasons or parts:
            return Stated(None, None)
    return Stated(None, None)
