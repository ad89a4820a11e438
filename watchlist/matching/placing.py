"""Which show, and which of its episodes, a number is: counted in a show, on into its sequels, or from the first on."""

import datetime
from collections.abc import Callable, Iterator

from watchlist.matching import CatalogueShow
from watchlist.matching.redirects import Redirects, ShowIds
from watchlist.matching.seasons import Line, Lines

Place = tuple[int, int]
"""A show's id and the number of one of its episodes."""

_AHEAD = 2  # episodes: what is known of airing may be some days old
_EARLY = datetime.timedelta(days=4)  # a first episode is shown, and released, before it airs
_USUAL = 10  # episodes that a season of unknown length has at least
_SEVERAL_SEASONS = 30
"""Episodes: for others than AniList, longer shows are several seasons. Theirs have two cours at most, or a recap."""


class _CannotTell(Exception):
    """Nobody knows how many episodes a show has."""


class Placing:
    def __init__(
        self,
        lines: Lines,
        redirects: Redirects | None,
        by_ids: Callable[[ShowIds], CatalogueShow | None],
    ) -> None:
        self._lines = lines
        self._redirects = redirects
        self._by_ids = by_ids

    def fits(self, show: CatalogueShow, number: int, published: datetime.date | None) -> bool:
        """Whether such an episode may exist, and have existed when it was released."""
        if number < 1 or not existed(show, published):
            return False
        most = _count(show)
        if show.aired is not None and show.status == "RELEASING":
            most = min(show.aired + _AHEAD, most if most is not None else show.aired + _AHEAD)
        return most is None or number <= most

    def places(
        self,
        show: CatalogueShow,
        number: int,
        *,
        season: int | None,
        published: datetime.date | None,
        across_seasons: bool,
    ) -> frozenset[Place]:
        """All that episode `number` of what is called as `show` is may be. `season`: as stated beside the number;
        `across_seasons`: it may be counted from the first season on.

        Empty where nothing fits, and where it cannot be told because too little is known.
        """
        elsewhere = self._redirected(show, number, to_itself=False)
        if elsewhere is not None and season is None:
            return elsewhere
        if self.fits(show, number, published) and self._is_surely_of(show, number):
            return frozenset(((show.id, number),))
        elsewhere = elsewhere or self._redirected(show, number, to_itself=True)
        if elsewhere is not None:
            return elsewhere
        try:
            return frozenset(self._counted_on(show, number, season, published, across_seasons))
        except _CannotTell:
            return frozenset()

    def in_season(
        self,
        line: Line,
        season: int,
        number: int,
        *,
        by_name: bool,
        published: datetime.date | None,
    ) -> frozenset[Place]:
        """All that episode `number` of a season may be, by all readings of the line. `by_name`: a title states the
        season, not the number."""
        readings = self._lines.readings(line)
        if not line.ends and not all(season in reading for reading in readings):
            return frozenset()  # it may be what is not in the catalogue
        begins = {
            reading.index(season)
            for reading in readings
            if season in reading
            and self._lines.may_begin_season(line, reading.index(season), by_name=by_name)
        }
        try:
            places = {self._on_from(line, at, number, season, published) for at in begins}
        except _CannotTell:
            return frozenset()
        return frozenset(place for place in places if place is not None)

    def is_open(self, show: CatalogueShow, published: datetime.date | None) -> bool:
        """Whether a show, or one that follows it, may have any number of episodes, as nobody knows how many."""
        lines = self._lines.of(show)
        members = {member.id: member for line in lines for member in line.shows} or {show.id: show}
        unknown = any(_count(member) is None for member in members.values())
        return existed(show, published) and (unknown or not all(line.ends for line in lines))

    def is_still_to_come(self, show: CatalogueShow, number: int, published: datetime.date | None) -> bool:
        """Whether a show that airs will have such an episode. It may have it by now, where airing times are old."""
        return existed(show, published) and show.status == "RELEASING" and number <= (_count(show) or number)

    def across_seasons(
        self, show: CatalogueShow, number: int, published: datetime.date | None
    ) -> frozenset[Place]:
        """All that a number may be that is counted from the first season of a show's line."""
        try:
            return frozenset(self._across(show, number, published))
        except _CannotTell:
            return frozenset()

    def splits_elsewhere(self, line: Line, season: int) -> bool:
        """Whether others may count seasons of the line otherwise: they cut long shows into several."""
        readings = self._lines.readings(line)
        last = max(
            (at for reading in readings for at, number in enumerate(reading) if number == season), default=-1
        )
        return any(self.is_long(show) for show in line.shows[: last + 1])

    def is_long(self, show: CatalogueShow) -> bool:
        """Whether others than AniList may count it as several seasons."""
        return (_count(show) or show.aired or 0) > _SEVERAL_SEASONS

    def _redirected(self, show: CatalogueShow, number: int, *, to_itself: bool) -> frozenset[Place] | None:
        """None: no rule says anything. Empty: it is of a show that is not in the catalogue."""
        if self._redirects is None:
            return None
        ids = ShowIds(show.anilist_id, show.mal_id)
        found = self._redirects.find(ids, number, to_itself=to_itself)
        if found is None:
            return None
        other = self._by_ids(found[0])
        return frozenset(((other.id, found[1]),)) if other is not None else frozenset()

    def _is_surely_of(self, show: CatalogueShow, number: int) -> bool:
        """Not where the show may have ended before, as nobody knows its count."""
        if _count(show) is not None or show.status == "RELEASING" or number <= _USUAL:
            return True
        weeks = (show.ends_on - show.starts_on).days // 7 if show.ends_on and show.starts_on else None
        if weeks is not None and number <= weeks + 1:
            return True
        return all(line.shows[-1] is show for line in self._lines.of(show))

    def _counted_on(
        self,
        show: CatalogueShow,
        number: int,
        season: int | None,
        published: datetime.date | None,
        across_seasons: bool,
    ) -> Iterator[Place]:
        season = season if season is not None else self._lines.stated(show).season
        for line in self._lines.of(show):
            at = line.position(show.id)
            assert at is not None
            place = self._on_from(line, at, number, season, published)
            if place is not None:
                yield place
                if season is not None and self._lines.stated(self._lines.show(place[0])).season == season:
                    continue  # another cour of the very season
            if across_seasons and at and line.ends:
                yield from (place for place in self._across(show, number, published) if place[0] == show.id)

    def _across(self, show: CatalogueShow, number: int, published: datetime.date | None) -> Iterator[Place]:
        for line in self._lines.of(show):
            if self._lines.counts_from_one(line):
                place = self._on_from(line, 0, number, None, published)
                if place is not None:
                    yield place

    def _on_from(
        self, line: Line, at: int, number: int, season: int | None, published: datetime.date | None
    ) -> Place | None:
        """Counted from the show at a position on. With a season, into what may be a cour of it only.

        Raises _CannotTell where too little is known.
        """
        before: CatalogueShow | None = None
        for show in line.shows[at:]:
            if before is not None and season is not None and not self._goes_on(before, show, season):
                return None
            count = _count(show)
            if count is None or number <= count:
                if not self._is_surely_of(show, number):
                    raise _CannotTell
                return (show.id, number) if self.fits(show, number, published) else None
            if show.status == "RELEASING" and show.aired is not None and show.aired + _AHEAD < count:
                return None  # no sequel has begun
            number -= count
            before = show
        return None

    def _goes_on(self, before: CatalogueShow, show: CatalogueShow, season: int) -> bool:
        stated = self._lines.stated(show).season
        return stated == season or (stated is None and self._lines.may_go_on(before, show))


def existed(show: CatalogueShow, published: datetime.date | None) -> bool:
    """Whether the show had begun when something was released."""
    if published is None:
        return True
    if show.starts_on is None:
        return show.status != "NOT_YET_RELEASED"
    return show.starts_on - _EARLY <= published


def _count(show: CatalogueShow) -> int | None:
    if show.episodes:
        return show.episodes
    return show.aired if show.aired and show.status in ("FINISHED", "CANCELLED") else None
