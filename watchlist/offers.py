"""What may be had: items of feeds and pasted titles, read. What does not depend on a person is found out once."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import date
from functools import cached_property

from django.utils import timezone

from feeds.releases import parse
from feeds.releases.objects import from_object, to_object
from feeds.releases.release import Release
from feeds.rules import Candidate
from feeds.rules.text import normalised
from feeds.services import StoredItem
from watchlist.catalogue import Shows
from watchlist.matching import Match
from watchlist.matching.titles import key

KEPT = 20_000  # offers of a run, some 2 kB each


class Offer:
    """One item, or a pasted title, which has none."""

    def __init__(self, title: str, release: Release, shows: Shows, item: StoredItem | None = None) -> None:
        self.title = title
        self.release = release
        self.item = item
        self._shows = shows

    @cached_property
    def match(self) -> Match:
        """As everybody's catalogue has it."""
        return self._shows.match(self.release, published=self.published)

    def find_match(self) -> None:
        """Now, and not under somebody's lock."""
        _ = self.match

    @cached_property
    def keys(self) -> frozenset[str]:
        """Of the names that it states."""
        return frozenset(
            key(name) for name in (self.release.series, *self.release.series_alternatives) if name
        )

    @cached_property
    def candidate(self) -> Candidate:
        """As rules see it."""
        item = self.item
        return Candidate(
            title=self.title,
            release=item.release if item is not None else to_object(self.release),
            published_at=item.published_at if item is not None else None,
            seen_at=item.seen_at if item is not None else timezone.now(),
        )

    @cached_property
    def normalised(self) -> str:
        return normalised(self.title)

    @property
    def published(self) -> date | None:
        return (self.item.published_at or self.item.seen_at).date() if self.item is not None else None


class Offers:
    """Of one run: an item that many people's feeds hold is read and matched once."""

    def __init__(self, shows: Shows) -> None:
        self.shows = shows
        self._kept: OrderedDict[int, Offer] = OrderedDict()

    def of_items(self, items: Iterable[StoredItem]) -> list[Offer]:
        return [self._of_item(item) for item in items]

    def of_title(self, title: str) -> Offer:
        return Offer(title, parse(title), self.shows)

    def _of_item(self, item: StoredItem) -> Offer:
        offer = self._kept.get(item.id)
        if offer is None:
            offer = self._kept[item.id] = Offer(item.title, from_object(item.release), self.shows, item)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return offer
