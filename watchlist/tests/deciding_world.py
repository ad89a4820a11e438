"""Feeds whose items a test writes as the checker stores them, and shows that people follow."""

import uuid
from collections.abc import Collection
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds.models import FeedSource, Item, Subscription
from feeds.releases import parse
from feeds.releases.objects import to_object
from watchlist import choosing, consumer
from watchlist.models import Candidate, Decision, Entry, Show
from watchlist.tests import stand_in

MAGNET = "magnet:?xt=urn:btih:{:040x}"


class Feed:
    """Checked already, and read to its end."""

    def __init__(self, user: User, source: FeedSource | None = None, **options: Any) -> None:
        if source is None:
            source = new_source()
        self.source = source
        self.subscription = Subscription.objects.create(
            user=user, source=source, **{"name": "My feed", "position": 0} | options
        )
        self.check()

    def check(self) -> None:
        FeedSource.objects.filter(pk=self.source.pk).update(succeeded_at=timezone.now())
        consumer.catch_up()

    def store(self, *titles: str, **fields: Any) -> list[Item]:
        """And nobody looks yet."""
        return store(self.source, *titles, **fields)

    def publish(self, *titles: str, **fields: Any) -> int:
        self.store(*titles, **fields)
        return consumer.catch_up()


def new_source(**fields: Any) -> FeedSource:
    """That was never checked."""
    url = f"https://feeds.example/{uuid.uuid4()}"
    return FeedSource.objects.create(
        **{"digest": FeedSource.digest_of(url), "url": url, "host": "feeds.example"} | fields
    )


@transaction.atomic
def store(source: FeedSource, *titles: str, **fields: Any) -> list[Item]:
    locked = FeedSource.objects.select_for_update().get(pk=source.pk)
    made = []
    for title in titles:
        locked.last_number += 1
        made.append(
            Item(
                source=locked,
                number=locked.last_number,
                title=title,
                release=to_object(parse(title)),
                **{"key": uuid.uuid4(), "download": MAGNET.format(uuid.uuid4().int % 2**160)} | fields,
            )
        )
    locked.save(update_fields=["last_number"])
    return Item.objects.bulk_create(made)


def show(title: str, **fields: Any) -> Show:
    return Show.objects.create(
        **{
            "provider": "anilist",
            "external_id": uuid.uuid4().hex,
            "english": title,
            "status": "FINISHED",
            "fetched_at": timezone.now(),
        }
        | fields
    )


def follow(user: User, of: Show | str, **fields: Any) -> Entry:
    """Long since, where nothing else is said."""
    of = show(of) if isinstance(of, str) else of
    return Entry.objects.create(user=user, show=of, **{"origin": "search", "look_back": False} | fields)


def found(user: User | None = None) -> list[str]:
    candidates = Candidate.objects.order_by("pk")
    return [one.title for one in (candidates if user is None else candidates.filter(entry__user=user))]


def decided(user: User | None = None) -> list[tuple[str, str]]:
    rows = Decision.objects.select_related("item").order_by("item__number", "pk")
    return [(one.item.title, one.outcome) for one in (rows if user is None else rows.filter(user=user))]


def reasons(title: str) -> list[str]:
    return [reason["what"] for reason in Decision.objects.get(item__title=title).reasons]


class Chosen:
    """Of which entries candidates were to be chosen."""

    def __init__(self) -> None:
        self.calls: list[tuple[User, list[Entry]]] = []

    def __call__(self, *, user: User, entries: Collection[Entry]) -> None:
        self.calls.append((user, list(entries)))


def install(monkeypatch: pytest.MonkeyPatch) -> Chosen:
    stand_in.install(monkeypatch)
    chosen = Chosen()
    monkeypatch.setattr(choosing, "choose", chosen)
    return chosen
