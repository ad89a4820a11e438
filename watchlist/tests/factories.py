"""Shows, who follows them, and what feeds brought of them. Nothing here asks a provider or a feed's server."""

import uuid
from typing import Any

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory

from accounts.models import User
from accounts.tests.factories import UserFactory
from feeds.models import FeedSource, Item, Subscription
from feeds.releases import parse
from feeds.releases.objects import to_object
from feeds.services import subscribe
from torrents.tests.factories import fresh_magnet
from watchlist.matching.titles import key
from watchlist.models import Alias, Candidate, Decision, Entry, Episode, Link, Show


class ShowFactory(DjangoModelFactory[Show]):
    """A series of twelve episodes that AniList knows."""

    class Meta:
        model = Show

    provider = "anilist"
    external_id = Sequence(lambda number: str(number + 1))  # type: ignore[no-untyped-call]
    romaji = Sequence(lambda number: f"Toudai no Tomoshibi {number}")  # type: ignore[no-untyped-call]
    english = Sequence(lambda number: f"Lighthouse {number}")  # type: ignore[no-untyped-call]
    native = "灯台の灯火"
    format = "TV"
    status = "RELEASING"
    episodes = 12
    season_year = 2026
    site_url = LazyAttribute(lambda show: f"https://shows.example/{show.external_id}")  # type: ignore[no-untyped-call]
    fetched_at = LazyFunction(timezone.now)  # type: ignore[no-untyped-call]


class EpisodeFactory(DjangoModelFactory[Episode]):
    class Meta:
        model = Episode

    show = SubFactory(ShowFactory)  # type: ignore[no-untyped-call]
    number = 1
    airs_at = LazyFunction(timezone.now)  # type: ignore[no-untyped-call]


class EntryFactory(DjangoModelFactory[Entry]):
    """Followed, found by search; stored items were looked through."""

    class Meta:
        model = Entry

    user = SubFactory(UserFactory)  # type: ignore[no-untyped-call]
    show = SubFactory(ShowFactory)  # type: ignore[no-untyped-call]
    origin = Entry.Origin.SEARCH
    look_back = False


class AliasFactory(DjangoModelFactory[Alias]):
    class Meta:
        model = Alias

    user = SubFactory(UserFactory)  # type: ignore[no-untyped-call]
    show = SubFactory(ShowFactory)  # type: ignore[no-untyped-call]
    name = Sequence(lambda number: f"The Lamp {number}")  # type: ignore[no-untyped-call]
    key = LazyAttribute(lambda alias: key(alias.name))  # type: ignore[no-untyped-call]


class LinkFactory(DjangoModelFactory[Link]):
    """By public name."""

    class Meta:
        model = Link

    user = SubFactory(UserFactory)  # type: ignore[no-untyped-call]
    provider = "anilist"
    external_id = Sequence(lambda number: str(number + 1))  # type: ignore[no-untyped-call]
    name = Sequence(lambda number: f"Keeper{number}")  # type: ignore[no-untyped-call]
    statuses = LazyFunction(lambda: ["CURRENT"])  # type: ignore[no-untyped-call]


def feed(user: User, url: str = "https://feeds.example/rss?passkey=abc123") -> Subscription:
    """Followed by them, and unchecked."""
    return user.subscriptions.first() or subscribe(user=user, url=url)


def item(source: FeedSource, title: str, **fields: Any) -> Item:
    """The feed's next."""
    number = source.items.count() + 1
    return Item.objects.create(
        source=source,
        number=number,
        title=title,
        **{
            "key": uuid.uuid4(),
            "download": fresh_magnet(title).magnet,
            "release": to_object(parse(title)),
            **fields,
        },
    )


def decision(user: User, title: str, **fields: Any) -> Decision:
    """About a release that stood in their feed."""
    return Decision.objects.create(user=user, item=item(feed(user).source, title), **fields)


def candidate(entry: Entry, number: float = 1, **fields: Any) -> Candidate:
    """An episode that may be taken."""
    title = f"[Keepers] {entry.show.title} - {number:02g} [1080p].mkv"
    found = item(feed(entry.user).source, title)
    return Candidate.objects.create(
        entry=entry, item=found, title=title, **{"group": "Keepers", "numbers": [number], **fields}
    )
