"""Checking feeds against a real server."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from accounts.models import User
from feeds import checker, reading, services, storing
from feeds.models import FeedSource, Item, Subscription
from feeds.parsing.isolated import Parser
from feeds.reading import Check
from feeds.services import FeedRefused, subscribe
from feeds.signals import items_stored
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer, Page

pytestmark = pytest.mark.django_db


def make_due(source: FeedSource) -> None:
    FeedSource.objects.filter(pk=source.pk).update(next_check_at=timezone.now())


def check_again(subscription: Subscription) -> FeedSource:
    make_due(subscription.source)
    checker.check_due()
    subscription.source.refresh_from_db()
    return subscription.source


def titles(source: FeedSource) -> list[str]:
    return [found.title for found in Item.objects.filter(source=source).order_by("number")]


def test_a_new_feed_is_checked_at_once(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item("One"))))
    assert OrmQ.objects.count() == 1
    assert checker.check_due() == checker.Report(checked=1, new_items=1)
    subscription.source.refresh_from_db()
    assert titles(subscription.source) == ["One"]
    assert subscription.source.title == "Lighthouse feed"


def test_a_feed_is_due_again_within_ten_minutes(alice: User, feed_server: FeedServer) -> None:
    source = check_again(
        subscribe(user=alice, url=feed_server.serve("/a", rss(item(), more="<ttl>600</ttl>")))
    )
    # The schedule looks once a minute, and a check may take half a minute.
    assert source.next_check_at <= timezone.now() + timedelta(minutes=8, seconds=30)
    assert checker.check_due().checked == 0


def test_only_new_items_are_stored_and_they_are_numbered_in_order(
    alice: User, feed_server: FeedServer
) -> None:
    subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item("Two", 2), item("One", 1))))
    check_again(subscription)
    feed_server.serve("/a", rss(item("Four", 4), item("Three", 3), item("Two", 2)))
    source = check_again(subscription)
    assert titles(source) == ["One", "Two", "Three", "Four"]
    assert source.last_number == 4


def test_an_item_that_comes_back_is_not_new(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item("One", 1))))
    check_again(subscription)
    feed_server.serve("/a", rss(item("Two", 2)))
    check_again(subscription)
    feed_server.serve("/a", rss(item("Two", 2), item("One", 1)))
    assert titles(check_again(subscription)) == ["One", "Two"]


def test_one_check_serves_all_who_follow_the_same_feed(
    alice: User, bob: User, feed_server: FeedServer
) -> None:
    url = feed_server.serve("/a", rss(item()))
    assert subscribe(user=alice, url=url).source == subscribe(user=bob, url=url).source
    checker.check_due()
    assert feed_server.times_asked("/a") == 1


def test_a_feed_that_did_not_change_is_not_sent_again(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item()), ETag='"v1"'))
    check_again(subscription)
    make_due(subscription.source)
    assert checker.check_due() == checker.Report(checked=1, unchanged=1)
    assert feed_server.asked[-1][1]["if-none-match"] == '"v1"'


def test_credentials_are_sent_to_the_feeds_own_host_and_no_other(
    alice: User, feed_server: FeedServer
) -> None:
    feed_server.serve("/a", rss(item()))
    feed_server.pages["/a"].credentials = ("alice", "s3cret pass")
    subscription = subscribe(user=alice, url=feed_server.url("/a").replace("://", "://alice:s3cret%20pass@"))
    assert "s3cret" not in subscription.source.url
    assert check_again(subscription).succeeded_at is not None

    elsewhere = feed_server.serve("/b", rss(item())).replace("127.0.0.1", "localhost")
    feed_server.redirect("/a", elsewhere, 302)
    feed_server.asked.clear()
    check_again(subscription)
    assert [path for path, headers in feed_server.asked] == ["/a", "/b"]
    assert "authorization" in feed_server.asked[0][1]
    assert "authorization" not in feed_server.asked[1][1]


def test_what_is_secret_cannot_be_read_in_the_database(alice: User) -> None:
    subscribe(user=alice, url="https://feeds.example/rss?passkey=abc123", username="me", password="hunter2")
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(source)::text FROM feeds_feedsource AS source")
        ((row,),) = cursor.fetchall()
    assert "abc123" not in row
    assert "hunter2" not in row


@pytest.mark.parametrize("status", [404, 500])
def test_a_feed_that_fails_says_why_and_since_when(alice: User, feed_server: FeedServer, status: int) -> None:
    subscription = subscribe(user=alice, url=feed_server.fail("/a", status) + "?passkey=abc123")
    first = check_again(subscription)
    since = first.failing_since
    assert first.failures == 1
    assert str(status) in first.message
    assert "abc123" not in first.message
    second = check_again(subscription)
    assert (second.failures, second.failing_since) == (2, since)


def test_a_feed_that_recovers_is_healthy_again(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.fail("/a", 500))
    check_again(subscription)
    feed_server.serve("/a", rss(item()))
    source = check_again(subscription)
    assert (source.failures, source.failing_since, source.message) == (0, None, "")


def test_a_feed_is_asked_less_often_the_longer_it_fails(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.fail("/a", 503))
    waits = []
    for _ in range(7):
        source = check_again(subscription)
        waits.append(round((source.next_check_at - timezone.now()) / timedelta(minutes=1)))
    assert waits == [2, 5, 10, 20, 40, 60, 60]


def test_a_server_that_asks_for_time_gets_it(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.fail("/a", 429, Retry_After="7200"))
    source = check_again(subscription)
    assert source.next_check_at > timezone.now() + timedelta(minutes=119)


def test_a_page_that_is_no_feed_is_said_to_be_none(alice: User, feed_server: FeedServer) -> None:
    source = check_again(subscribe(user=alice, url=feed_server.serve("/a", b"<!DOCTYPE html><html></html>")))
    assert "web page" in source.message


def test_a_host_that_hangs_delays_no_other(
    alice: User, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "FETCH_SECONDS", 3.0)
    stored: list[str] = []
    hanging = [subscribe(user=alice, url=feed_server.url(f"/hang/{number}")) for number in range(5)]
    for number in range(5):
        feed_server.pages[f"/hang/{number}"] = Page(hangs=True)
    other = subscribe(
        user=alice, url=feed_server.serve("/fine", rss(item())).replace("127.0.0.1", "localhost")
    )
    store = storing.store

    def noted(checks: Sequence[Check]) -> dict[int, int]:
        stored.append("after" if FeedSource.objects.filter(failures__gt=0).exists() else "before")
        return store(checks)

    monkeypatch.setattr(storing, "store", noted)
    checker.check_due()
    assert stored == ["before"]
    assert all("too long" in FeedSource.objects.get(pk=sub.source_id).message for sub in hanging)
    assert other.source_id not in [sub.source_id for sub in hanging]


def test_a_feed_that_moved_for_good_is_followed(alice: User, feed_server: FeedServer) -> None:
    new = feed_server.serve("/new", rss(item()))
    subscription = subscribe(user=alice, url=feed_server.redirect("/old", new))
    check_again(subscription)
    check_again(subscription)
    assert [path for path, _headers in feed_server.asked] == ["/old", "/new", "/new"]
    assert titles(subscription.source) == ["[Group] Lighthouse - 01 [1080p]"]


def test_a_feed_that_moved_for_now_is_asked_where_it_was(alice: User, feed_server: FeedServer) -> None:
    new = feed_server.serve("/new", rss(item()))
    subscription = subscribe(user=alice, url=feed_server.redirect("/old", new, 302))
    check_again(subscription)
    check_again(subscription)
    assert feed_server.times_asked("/old") == 2


def test_those_who_follow_the_old_and_the_new_address_follow_one_feed(
    alice: User, bob: User, feed_server: FeedServer
) -> None:
    new = feed_server.serve("/new", rss(item()))
    old = subscribe(user=alice, url=feed_server.redirect("/old", new))
    there = subscribe(user=bob, url=new)
    both = subscribe(user=bob, url=feed_server.url("/old"))
    checker.check_due()
    check_again(old)  # in case the new one was checked after the old one
    assert Subscription.objects.get(pk=old.pk).source == there.source
    assert not Subscription.objects.filter(pk=both.pk).exists()


def test_a_source_that_a_worker_has_is_left_to_it(alice: User, feed_server: FeedServer) -> None:
    subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    assert len(checker._claim_due()) == 1
    FeedSource.objects.update(next_check_at=timezone.now())
    assert checker.check_due().checked == 0


def test_a_source_whose_worker_died_is_checked_when_the_lease_ends(
    alice: User, feed_server: FeedServer
) -> None:
    subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    checker._claim_due()
    past = timezone.now() - timedelta(seconds=1)
    FeedSource.objects.update(next_check_at=past, leased_until=past)
    assert checker.check_due().new_items == 1


def test_a_worker_that_lost_its_lease_stores_nothing(alice: User, feed_server: FeedServer) -> None:
    subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    late = checker._claim_due()
    FeedSource.objects.update(next_check_at=timezone.now(), leased_until=None)
    checker.check_due()
    FeedSource.objects.update(body_digest="")
    with Parser() as parser:
        checker._check(late, parser, report := checker.Report(), ends_at=float("inf"))
    assert report.new_items == 0
    assert Item.objects.count() == 1


def test_a_feed_whose_reading_kills_workers_is_asked_less_and_less(alice: User) -> None:
    subscription = subscribe(user=alice, url="https://feeds.example/rss")
    waits = []
    for _ in range(6):
        FeedSource.objects.update(leased_until=None, next_check_at=timezone.now())
        (source,) = checker._claim_due()
        waits.append(round((source.next_check_at - timezone.now()) / timedelta(minutes=1)))
    assert waits == [4, 5, 10, 20, 40, 60]
    assert subscription.source_id == source.pk


def test_what_nobody_follows_is_not_checked(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    services.change_subscription(subscription=subscription, enabled=False)
    assert checker.check_due().checked == 0
    services.unsubscribe(subscription=subscription)
    assert checker.check_due().checked == 0


@pytest.fixture
def woken() -> Iterator[list[object]]:
    calls: list[object] = []

    def wake(**kwargs: object) -> None:
        calls.append(kwargs)

    items_stored.connect(wake)
    yield calls
    items_stored.disconnect(wake)


def test_those_who_wait_for_items_are_woken_when_there_are_some(
    alice: User, feed_server: FeedServer, woken: list[object]
) -> None:
    subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    check_again(subscription)
    assert len(woken) == 1
    check_again(subscription)
    assert len(woken) == 1


def test_they_are_not_woken_for_each_feed(
    alice: User, feed_server: FeedServer, woken: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "TELL_EVERY", float("inf"))
    for number in range(5):
        subscribe(user=alice, url=feed_server.serve(f"/{number}", rss(item())))
    checker.check_due()
    assert len(woken) == 2  # with the first one, and when all were stored


def test_what_others_of_its_host_leave_no_time_for_stays_due(
    alice: User, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "BATCH_SECONDS", 0.0)
    monkeypatch.setattr(reading, "ITEMS_AHEAD", 1)  # so that they are not stored all at once
    for number in range(5):
        subscribe(user=alice, url=feed_server.serve(f"/{number}", rss(item())))
    assert checker.check_due().checked == 1
    left = FeedSource.objects.filter(succeeded_at=None)
    assert list(left.values_list("attempts", "leased_until", "failures")) == [(0, None, 0)] * 4
    assert checker.check_due().checked == 1
    assert left.count() == 3


def test_private_addresses_are_refused_before_any_connection(
    alice: User, feed_server: FeedServer, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = False
    source = check_again(subscribe(user=alice, url=feed_server.serve("/a", rss(item()))))
    assert "private network" in source.message
    assert feed_server.asked == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "unsupported_scheme"),
        ("not an address", "bad_url"),
        ("https://[::1", "bad_url"),
        ("https://a:b:c@feeds.example/", "ok"),
    ],
)
def test_an_address_that_is_none_is_refused_in_words(alice: User, url: str, code: str) -> None:
    if code == "ok":
        assert subscribe(user=alice, url=url).source.password == "b:c"
        return
    with pytest.raises(FeedRefused) as refusal:
        subscribe(user=alice, url=url)
    assert refusal.value.code == code


def test_a_feed_is_followed_once(alice: User) -> None:
    subscribe(user=alice, url="https://feeds.example/rss")
    with pytest.raises(FeedRefused, match="already"):
        subscribe(user=alice, url=" https://feeds.example/rss ")


def test_there_is_an_end_to_how_many_feeds_one_follows(alice: User, bob: User, settings: Settings) -> None:
    settings.FEEDS_PER_USER = 1
    subscribe(user=alice, url="https://feeds.example/1")
    with pytest.raises(FeedRefused, match="as many as"):
        subscribe(user=alice, url="https://feeds.example/2")
    subscribe(user=bob, url="https://feeds.example/2")


def test_check_now_is_not_done_twice_in_a_moment(alice: User, feed_server: FeedServer) -> None:
    subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    assert services.check_now(subscription=subscription)
    check_again(subscription)
    assert not services.check_now(subscription=subscription)


def test_a_feed_that_cannot_be_stored_keeps_no_other_from_it(
    alice: User, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    good = subscribe(user=alice, url=feed_server.serve("/b", rss(item())))
    store = storing.store

    def stumble(checks: Sequence[Check]) -> dict[int, int]:
        if bad.source in [check.source for check in checks]:
            raise ValueError
        return store(checks)

    monkeypatch.setattr(storing, "store", stumble)
    assert checker.check_due() == checker.Report(checked=2, failed=1, new_items=1)
    bad.source.refresh_from_db()
    assert bad.source.failures == 1
    assert titles(good.source)


class TestForgetting:
    def test_old_items_are_forgotten_when_their_feed_has_them_no_more(
        self, alice: User, feed_server: FeedServer
    ) -> None:
        subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item("One", 1), item("Two", 2))))
        check_again(subscription)
        feed_server.serve("/a", rss(item("Two", 2)))
        source = check_again(subscription)
        Item.objects.update(seen_at=timezone.now() - timedelta(days=100))
        services.prune(items_kept=timedelta(days=90))
        assert titles(source) == ["Two"]

    def test_a_source_that_nobody_follows_is_forgotten_with_its_items(
        self, alice: User, feed_server: FeedServer
    ) -> None:
        subscription = subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
        check_again(subscription)
        services.unsubscribe(subscription=subscription)
        Item.objects.update(seen_at=timezone.now() - timedelta(days=100))
        FeedSource.objects.update(added_at=timezone.now() - timedelta(days=100))
        services.prune(items_kept=timedelta(days=90))
        assert not FeedSource.objects.exists()
