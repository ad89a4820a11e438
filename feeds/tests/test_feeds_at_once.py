"""Several workers and several requests at the same moment: once each, nothing lost, and no error for anybody."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import UserFactory
from feeds import checker, consumer, grabs, rule_changes, services
from feeds.grabs import grab_anyway
from feeds.models import Decision, FeedSource, Grab, Item, Rule, Subscription
from feeds.moving import move_source
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer
from torrents.models import Claim

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice(transactional_db: None) -> User:
    return UserFactory.create(username="Alice")


def at_once(*verbs: Callable[[], Any]) -> list[Any]:
    """What each came to, begun at the same moment, each on a connection of its own."""
    ready = threading.Barrier(len(verbs))

    def run(verb: Callable[[], Any]) -> Any:
        try:
            ready.wait(30)
            return verb()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def magnet(number: int) -> str:
    return item(f"Lighthouse - {number:02}", number, link=f"magnet:?xt=urn:btih:{number:040x}")


def rule(user: User, **fields: Any) -> Rule:
    return rule_changes.create_rule(
        user=user, **{"name": "Lighthouse", "must_contain": "lighthouse"} | fields
    )


def work() -> None:
    """What a worker does, again and again."""
    for _ in range(3):
        checker.check_due()
        consumer.catch_up()
        grabs.add_due()


def make_due() -> None:
    FeedSource.objects.update(next_check_at=timezone.now())


def test_two_workers_take_each_torrent_of_two_feeds_once(
    alice: User, feed_server: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    both = [services.subscribe(user=alice, url=feed_server.serve(path, rss())) for path in ("/a", "/b")]
    work()
    rule(alice)
    for first in range(1, 25, 6):
        for path in ("/a", "/b"):  # the same torrents
            feed_server.serve(path, rss(*(magnet(number) for number in range(first, first + 6))))
        make_due()
        at_once(work, work, work)
    work()
    assert Claim.objects.count() == 24
    assert Grab.objects.filter(state=Grab.State.ADDED).count() == 24
    assert Item.objects.count() == 48
    assert Decision.objects.filter(outcome="taken").count() == 24
    assert {sub.position for sub in Subscription.objects.filter(pk__in=[one.pk for one in both])} == {24}
    assert "Traceback" not in caplog.text


def test_people_who_change_things_while_workers_work_meet_no_error(
    alice: User, feed_server: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = services.subscribe(user=alice, url=feed_server.serve("/a", rss()))
    other = services.subscribe(user=alice, url=feed_server.serve("/b", rss()))
    work()
    stays = rule(alice, name="Stays", priority=-1)
    for turn in range(4):
        short_lived = rule(
            alice, name="Short-lived", subscriptions=[subscription.pk], delay_seconds=turn % 2 * 60
        )
        feed_server.serve("/a", rss(*(magnet(turn * 10 + number) for number in range(1, 9))))
        make_due()
        at_once(
            work,
            work,
            partial(services.change_subscription, subscription=subscription, name=f"Name {turn}"),
            partial(rule_changes.delete_rule, rule=short_lived),
            partial(rule_changes.change_rule, rule=stays, priority=-turn - 1),
            lambda: services.check_now(subscription=other),
        )
    at_once(work, lambda: services.unsubscribe(subscription=other))
    work()
    # What waited for the rule that was deleted is given up; all else is there, once.
    assert set(Grab.objects.values_list("state", flat=True)) == {"added"}
    assert Claim.objects.count() == Grab.objects.count()
    assert Subscription.objects.get().position == Item.objects.count() == 32
    assert "Traceback" not in caplog.text


def test_an_item_that_somebody_takes_several_times_at_once_is_taken_once(
    alice: User, feed_server: FeedServer
) -> None:
    services.subscribe(user=alice, url=feed_server.serve("/a", rss(magnet(1))))
    work()
    one = Item.objects.get()
    made = at_once(*[lambda: grab_anyway(user=alice, item=one, origin_detail="My feed")] * 4, work)
    assert len({grab.pk for grab in made[:4]}) == 1
    at_once(work, work)
    assert Claim.objects.count() == 1


def test_people_who_follow_a_new_feed_at_the_same_moment_share_it(feed_server: FeedServer) -> None:
    url = feed_server.serve("/a", rss(magnet(1)))
    people = [UserFactory.create() for _ in range(4)]
    at_once(*[partial(services.subscribe, user=one, url=url) for one in people], work)
    assert FeedSource.objects.count() == 1
    assert Subscription.objects.count() == 4


def test_a_feed_that_moves_while_rules_read_it_is_read_on_where_it_is(
    alice: User, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = UserFactory.create()
    services.subscribe(
        user=bob, url=feed_server.serve("/new", rss(*(magnet(number) for number in range(8, 0, -1))))
    )
    subscription = services.subscribe(user=alice, url=feed_server.serve("/old", rss()))
    work()
    rule(alice)
    feed_server.serve("/old", rss(magnet(8)))
    make_due()
    checker.check_due()
    decide = consumer._Round._decide
    moves = [lambda: move_source(subscription.source, feed_server.url("/new"))]

    def moved_meanwhile(this: Any, one: Item) -> bool:
        if moves:
            at_once(moves.pop())
        return decide(this, one)

    monkeypatch.setattr(consumer._Round, "_decide", moved_meanwhile)
    consumer.catch_up()
    assert Subscription.objects.get(pk=subscription.pk).position == 8
    taken = Grab.objects.get().item
    assert taken is not None
    assert (taken.number, taken.title) == (8, "Lighthouse - 08")


def test_a_grab_of_somebody_disabled_while_it_is_fetched_is_left_until_they_are_back(
    alice: User, feed_server: FeedServer
) -> None:
    services.subscribe(user=alice, url=feed_server.serve("/a", rss(magnet(1))))
    checker.check_due()
    grab_anyway(user=alice, item=Item.objects.get(), origin_detail="My feed")
    (leased,) = grabs._claim_due()
    User.objects.update(is_active=False)
    grabs._add_all([leased], float("inf"))
    assert not Claim.objects.exists()
    User.objects.update(is_active=True)
    Grab.objects.update(due_at=timezone.now())
    assert grabs.add_due() == 1


def test_an_item_that_is_forgotten_while_it_is_fetched_is_added_all_the_same(
    alice: User, feed_server: FeedServer
) -> None:
    services.subscribe(user=alice, url=feed_server.serve("/a", rss(magnet(1))))
    checker.check_due()
    grab_anyway(user=alice, item=Item.objects.get(), origin_detail="My feed")
    (leased,) = grabs._claim_due()
    FeedSource.objects.update(present=[])
    Item.objects.update(seen_at=timezone.now() - timedelta(days=400))
    services.prune(items_kept=timedelta(days=90))
    assert not Item.objects.exists()
    grabs._add_all([leased], float("inf"))
    assert Grab.objects.get().state == Grab.State.ADDED


def test_a_release_that_became_a_better_one_while_it_was_fetched_is_not_added(
    alice: User, feed_server: FeedServer
) -> None:
    services.subscribe(user=alice, url=feed_server.serve("/a", rss(magnet(1), magnet(2))))
    checker.check_due()
    first, second = Item.objects.order_by("title")
    grab_anyway(user=alice, item=first, origin_detail="My feed")
    (leased,) = grabs._claim_due()
    Grab.objects.update(item=second, download=second.download, infohash=second.infohash)
    grabs._add_all([leased], float("inf"))
    assert not Claim.objects.exists()
