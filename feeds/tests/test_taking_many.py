"""Several items taken for one person at once."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from feeds import services
from feeds.grabs import add_due
from feeds.models import FeedSource, Grab, Item
from feeds.services import Choice, GrabRefused

pytestmark = pytest.mark.django_db

HASH = "a" * 40


@pytest.fixture
def source() -> FeedSource:
    return FeedSource.objects.create(digest="d", url="https://feeds.example/rss", host="feeds.example")


def item_of(source: FeedSource, *, infohash: str = "", download: str | None = None) -> Item:
    source.last_number += 1
    source.save()
    magnet = f"magnet:?xt=urn:btih:{infohash or secrets.token_hex(20)}"
    return Item.objects.create(
        source=source,
        number=source.last_number,
        key=f"{source.last_number:032x}",
        title=f"Lighthouse - {source.last_number:02}",
        download=magnet if download is None else download,
        infohash=infohash,
        release={},
    )


def had(user: User, item: Item, **fields: object) -> Grab:
    defaults = {"state": Grab.State.DUE, "due_at": timezone.now(), "title": item.title}
    return Grab.objects.create(user=user, item=item, download=item.download, **defaults | fields)


def take(user: User, items: Sequence[Item]) -> list[Grab | GrabRefused]:
    choices = [
        Choice(item=item.pk, origin_detail=f"episode {number}", label="shows")
        for number, item in enumerate(items, start=1)
    ]
    with transaction.atomic():
        services.lock_person(user.pk)
        return services.take_many(user=user, choices=choices, origin="watchlist")


def test_each_gets_a_grab_of_its_own_in_the_order_in_which_they_were_chosen(
    alice: User, source: FeedSource
) -> None:
    items = [item_of(source) for _ in range(3)][::-1]
    grabs = take(alice, items)
    assert list(Grab.objects.order_by("pk")) == grabs
    rows = Grab.objects.order_by("pk").values_list("item", "origin", "origin_detail", "label", "download")
    assert list(rows) == [
        (item.pk, "watchlist", f"episode {number}", "shows", item.download)
        for number, item in enumerate(items, start=1)
    ]
    assert add_due() == 3


def test_two_items_of_one_torrent_are_one_grab(alice: User, source: FeedSource) -> None:
    first, second = take(alice, [item_of(source, infohash=HASH), item_of(source, infohash=HASH)])
    assert first is second
    assert Grab.objects.get().origin_detail == "episode 1"


def test_an_item_that_is_chosen_twice_is_one_grab(alice: User, source: FeedSource) -> None:
    item = item_of(source)
    first, second = take(alice, [item, item])
    assert first is second
    assert Grab.objects.count() == 1


def test_what_is_forgotten_or_holds_no_torrent_is_refused_and_the_others_are_taken(
    alice: User, source: FeedSource
) -> None:
    items = [item_of(source), item_of(source), item_of(source, download=""), item_of(source)]
    Item.objects.filter(pk=items[1].pk).delete()
    first, forgotten, empty, last = take(alice, items)
    assert isinstance(forgotten, GrabRefused)
    assert "forgotten" in str(forgotten)
    assert isinstance(empty, GrabRefused)
    assert "no torrent" in str(empty)
    assert list(Grab.objects.order_by("pk")) == [first, last]


def test_of_what_they_have_the_waiting_and_the_failed_are_due_and_the_rest_is_left(
    alice: User, source: FeedSource
) -> None:
    later = timezone.now() + timedelta(days=1)
    states = (Grab.State.WAITING, Grab.State.FAILED, Grab.State.ADDED, Grab.State.HAD)
    items = [item_of(source) for _ in states]
    theirs = [had(alice, item, state=state, due_at=later) for item, state in zip(items, states, strict=True)]
    assert take(alice, [*items, item_of(source)])[:4] == theirs
    rows = Grab.objects.order_by("pk").values_list("state", "origin")
    assert list(rows) == [
        ("due", "feed"),
        ("due", "feed"),
        ("added", "feed"),
        ("had", "feed"),
        ("due", "watchlist"),
    ]
    assert add_due() == 3


def test_a_failed_grab_of_the_same_torrent_serves_all_items_of_it(alice: User, source: FeedSource) -> None:
    failed = had(alice, item_of(source, infohash=HASH), infohash=HASH, state=Grab.State.FAILED)
    items = [item_of(source, infohash=HASH) for _ in range(2)]
    assert take(alice, items) == [failed, failed]
    failed.refresh_from_db()
    assert (failed.state, failed.download) == (Grab.State.DUE, items[0].download)


def test_of_a_grab_of_the_item_and_one_of_its_torrent_the_newer_is_taken(
    alice: User, source: FeedSource
) -> None:
    one, other = item_of(source, infohash=HASH), item_of(source, infohash="b" * 40)
    had(alice, one)
    of_other = had(alice, other)
    now = timezone.now()
    same_as_one = had(alice, item_of(source), infohash=HASH, made_at=now + timedelta(hours=1))
    had(alice, item_of(source), infohash="b" * 40, made_at=now - timedelta(hours=1))
    assert take(alice, [one, other]) == [same_as_one, of_other]


def test_somebody_elses_grab_is_not_theirs(alice: User, bob: User, source: FeedSource) -> None:
    item = item_of(source, infohash=HASH)
    his = had(bob, item, infohash=HASH)
    (hers,) = take(alice, [item])
    assert hers != his
    assert Grab.objects.count() == 2


def test_many_take_no_more_statements_than_one(alice: User, source: FeedSource) -> None:
    asked = []
    for count in (1, 20):
        items = [item_of(source) for _ in range(count)]
        with CaptureQueriesContext(connection) as queries:
            take(alice, items)
        asked.append(len(queries))
    assert asked[0] == asked[1]
