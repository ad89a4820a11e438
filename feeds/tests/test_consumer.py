"""What rules take of stored items, once."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from feeds import checker, consumer, preview, rule_changes, services
from feeds.models import Decision, FeedSource, Grab, Item, Rule, Subscription
from feeds.querysets import lock_person_in_turn
from feeds.rules import RuleError
from feeds.services import subscribe
from feeds.tests.feed_samples import INFOHASH, item, rss
from feeds.tests.feed_server import FeedServer

pytestmark = pytest.mark.django_db

Outcome = Decision.Outcome


class Feed:
    """A feed that one person follows, whose items are written as the test goes."""

    def __init__(self, user: User, server: FeedServer, path: str = "/a", *stock: str, **wishes: Any) -> None:
        self._server, self._path = server, path
        self._items = list(stock)
        self.subscription = subscribe(user=user, url=server.serve(path, rss(*self._items)), **wishes)
        self.check()

    def publish(self, *items: str) -> None:
        self._items = [*reversed(items), *self._items]
        self.check()

    def check(self) -> None:
        self._server.serve(self._path, rss(*self._items))
        FeedSource.objects.filter(pk=self.subscription.source_id).update(next_check_at=timezone.now())
        checker.check_due()
        consumer.catch_up()


@pytest.fixture
def feed(alice: User, feed_server: FeedServer) -> Feed:
    return Feed(alice, feed_server)


def rule(user: User, **fields: Any) -> Rule:
    return rule_changes.create_rule(
        user=user, **{"name": "Lighthouse", "must_contain": "lighthouse"} | fields
    )


def taken() -> list[str]:
    return [grab.title for grab in Grab.objects.order_by("pk")]


def decided() -> list[tuple[str, str]]:
    return [
        (found.item.title, found.outcome) for found in Decision.objects.select_related("item").order_by("pk")
    ]


def reasons(title: str) -> list[str]:
    return [reason["what"] for reason in Decision.objects.get(item__title=title).reasons]


def test_a_rule_takes_new_items_that_it_matches(alice: User, feed: Feed) -> None:
    rule(alice)
    feed.publish(item("Lighthouse - 01", 1), item("Harbour - 01", 2))
    assert taken() == ["Lighthouse - 01"]
    assert decided() == [("Lighthouse - 01", Outcome.TAKEN)]


def test_the_back_catalogue_of_a_new_feed_is_left_alone(alice: User, feed_server: FeedServer) -> None:
    rule(alice)
    feed = Feed(alice, feed_server, "/a", item("Lighthouse - 01", 1))
    assert taken() == []
    feed.publish(item("Lighthouse - 02", 2))
    assert taken() == ["Lighthouse - 02"]


def test_the_back_catalogue_is_taken_where_that_was_asked_for(alice: User, feed_server: FeedServer) -> None:
    rule(alice)
    Feed(alice, feed_server, "/a", item("Lighthouse - 01", 1), back_catalogue=True)
    assert taken() == ["Lighthouse - 01"]


def test_who_follows_a_feed_later_does_not_get_what_was_there(
    alice: User, bob: User, feed: Feed, feed_server: FeedServer
) -> None:
    feed.publish(item("Lighthouse - 01", 1))
    rule(bob)
    later = Feed(bob, feed_server, "/a", item("Lighthouse - 01", 1))
    assert taken() == []
    later.publish(item("Lighthouse - 02", 2))
    assert [(grab.user, grab.title) for grab in Grab.objects.all()] == [(bob, "Lighthouse - 02")]


def test_a_new_rule_sees_what_comes_from_now_on(alice: User, feed: Feed) -> None:
    feed.publish(item("Lighthouse - 01", 1))
    rule(alice)
    feed.publish(item("Lighthouse - 02", 2))
    assert taken() == ["Lighthouse - 02"]


def test_one_persons_rules_take_nothing_for_others(
    alice: User, bob: User, feed: Feed, feed_server: FeedServer
) -> None:
    Feed(bob, feed_server, "/a")
    rule(bob)
    feed.publish(item("Lighthouse - 01", 1))
    assert [grab.user for grab in Grab.objects.all()] == [bob]


def test_an_item_goes_to_the_first_rule_that_takes_it(alice: User, feed: Feed) -> None:
    rule(alice, name="second", label="b")
    rule(alice, name="first", label="a", priority=5)
    feed.publish(item("Lighthouse - 01", 1))
    assert [grab.label for grab in Grab.objects.all()] == ["a"]


def test_an_item_that_is_nearly_right_is_noted_with_the_reason(alice: User, feed: Feed) -> None:
    rule(alice, resolutions=["1080p"], max_size=2**30)
    feed.publish(
        item("Lighthouse - 01 [720p]", 1, more="<nyaa:size>3 GiB</nyaa:size>"), item("Harbour [720p]", 2)
    )
    assert decided() == [("Lighthouse - 01 [720p]", Outcome.NEARLY)]
    assert Decision.objects.get().reasons == [
        {"what": "max_size", "got": "3.0 GiB", "wanted": "at most 1.0 GiB"},
        {"what": "resolutions", "got": "720p", "wanted": "1080p"},
    ]


def test_a_rule_of_some_feeds_ignores_the_others(alice: User, feed: Feed, feed_server: FeedServer) -> None:
    other = Feed(alice, feed_server, "/b")
    rule(alice, must_contain="", subscriptions=[other.subscription.pk])
    feed.publish(item("One", 1))
    other.publish(item("Two", 2))
    assert taken() == ["Two"]


def test_a_dry_run_says_what_it_would_take_and_takes_nothing(alice: User, feed: Feed) -> None:
    rule(alice, dry_run=True)
    feed.publish(item("Lighthouse - 01", 1))
    assert taken() == []
    assert decided() == [("Lighthouse - 01", Outcome.DRY_RUN)]


def test_the_same_torrent_in_two_feeds_is_taken_once(
    alice: User, feed: Feed, feed_server: FeedServer
) -> None:
    other = Feed(alice, feed_server, "/b")
    rule(alice)
    same = f"<nyaa:infoHash>{INFOHASH}</nyaa:infoHash>"
    feed.publish(item("Lighthouse - 01", 1, more=same))
    other.publish(item("The Lighthouse - 1", 2, more=same))
    assert taken() == ["Lighthouse - 01"]
    assert decided()[-1] == ("The Lighthouse - 1", Outcome.HAD)


class TestEachEpisodeOnce:
    def test_another_release_of_the_same_episode_is_not_taken(self, alice: User, feed: Feed) -> None:
        rule(alice, once_per_episode=True)
        feed.publish(item("[A] Lighthouse - 01 [720p]", 1), item("[B] Lighthouse - 01 [1080p]", 2))
        feed.publish(item("[A] Lighthouse - 02 [720p]", 3))
        assert taken() == ["[A] Lighthouse - 01 [720p]", "[A] Lighthouse - 02 [720p]"]
        assert reasons("[B] Lighthouse - 01 [1080p]") == ["once_per_episode"]

    def test_without_it_every_release_is_taken(self, alice: User, feed: Feed) -> None:
        rule(alice)
        feed.publish(item("[A] Lighthouse - 01 [720p]", 1), item("[B] Lighthouse - 01 [1080p]", 2))
        assert len(taken()) == 2

    def test_a_better_release_replaces_the_one_that_waits(self, alice: User, feed: Feed) -> None:
        rule(alice, delay_seconds=7200, resolutions=["1080p", "720p"])
        feed.publish(item("[A] Lighthouse - 01 [720p]", 1))
        feed.publish(item("[B] Lighthouse - 01 [1080p]", 2))
        feed.publish(item("[C] Lighthouse - 01 [720p]", 3))
        (grab,) = Grab.objects.all()
        assert (grab.title, grab.state) == ("[B] Lighthouse - 01 [1080p]", Grab.State.WAITING)
        assert timedelta(minutes=118) < grab.due_at - timezone.now() <= timedelta(hours=2)

    def test_a_better_release_comes_too_late_for_one_that_was_added(self, alice: User, feed: Feed) -> None:
        rule(alice, delay_seconds=7200, resolutions=["1080p", "720p"])
        feed.publish(item("[A] Lighthouse - 01 [720p]", 1))
        Grab.objects.update(state=Grab.State.ADDED)
        feed.publish(item("[B] Lighthouse - 01 [1080p]", 2))
        assert taken() == ["[A] Lighthouse - 01 [720p]"]


def test_no_more_than_so_many_a_day(alice: User, feed: Feed) -> None:
    rule(alice, max_per_day=1)
    feed.publish(item("Lighthouse - 01", 1), item("Lighthouse - 02", 2))
    assert taken() == ["Lighthouse - 01"]
    assert reasons("Lighthouse - 02") == ["max_per_day"]
    Grab.objects.update(made_at=timezone.now() - timedelta(hours=25))
    feed.publish(item("Lighthouse - 03", 3))
    assert taken() == ["Lighthouse - 01", "Lighthouse - 03"]


def test_an_item_without_a_torrent_is_noted(alice: User, feed: Feed) -> None:
    rule(alice)
    feed.publish("<item><title>Lighthouse - 01</title></item>")
    assert reasons("Lighthouse - 01") == ["download"]
    assert taken() == []


def test_nothing_is_taken_for_a_feed_that_is_switched_off(alice: User, feed: Feed) -> None:
    rule(alice)
    services.change_subscription(subscription=feed.subscription, enabled=False)
    feed.publish(item("Lighthouse - 01", 1))
    services.change_subscription(subscription=feed.subscription, enabled=True)
    feed.check()
    feed.publish(item("Lighthouse - 02", 2))
    assert taken() == ["Lighthouse - 02"]


def test_a_kill_between_storing_and_taking_loses_nothing(
    alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(alice)

    def killed(*args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(consumer._Round, "_note", killed)
        with pytest.raises(SystemExit):
            feed.publish(item("Lighthouse - 01", 1), item("Lighthouse - 02", 2))
    assert taken() == []
    assert consumer.catch_up() == 2
    assert consumer.catch_up() == 0
    assert taken() == ["Lighthouse - 01", "Lighthouse - 02"]


@pytest.mark.parametrize("at_once", [1, 3, 4, 100])
def test_items_of_several_feeds_are_each_seen_once_however_many_fit_into_one_transaction(
    alice: User, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(consumer, "AT_ONCE", at_once)
    feeds = [Feed(alice, feed_server, path) for path in ("/a", "/b", "/c")]
    rule(alice)
    wanted = {}
    for place, (one, count) in enumerate(zip(feeds, (4, 0, 2), strict=True)):
        numbers = range(place * 10, place * 10 + count)
        feed_server.serve(f"/{'abc'[place]}", rss(*(item(f"Lighthouse - {n:02}", n) for n in numbers)))
        wanted[one.subscription.source_id] = count
    # All at once, so that one round has items of several feeds to see.
    FeedSource.objects.update(next_check_at=timezone.now())
    checker.check_due()
    Item.objects.filter(title="Lighthouse - 21").delete()  # a hole at the end
    assert consumer.catch_up() == 5
    assert consumer.catch_up() == 0
    assert sorted(taken()) == [f"Lighthouse - {number:02}" for number in (0, 1, 2, 3, 20)]
    assert dict(Subscription.objects.values_list("source", "position")) == wanted


def test_more_items_than_fit_into_one_transaction_are_all_seen(
    alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "AT_ONCE", 3)
    rule(alice)
    feed.publish(*(item(f"Lighthouse - {number:02}", number) for number in range(1, 9)))
    assert len(taken()) == 8
    assert Subscription.objects.get().position == 8


def test_a_transaction_that_is_full_leaves_the_next_feed_to_another(
    alice: User, feed: Feed, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Feed(alice, feed_server, "/b", name="The other")
    rule(alice)
    monkeypatch.setattr(consumer, "catch_up", lambda: 0)
    feed.publish(*(item(f"Lighthouse - {number:02}", number) for number in range(1, 6)))
    other.publish(*(item(f"Lighthouse - {number:02}", number) for number in range(6, 9)))
    monkeypatch.undo()
    monkeypatch.setattr(consumer, "AT_ONCE", 5)
    assert consumer.catch_up() == 8
    assert list(Subscription.objects.order_by("position").values_list("position", flat=True)) == [3, 5]


def test_a_rule_that_is_deleted_gives_up_what_still_waits(alice: User, feed: Feed) -> None:
    waiting = rule(alice, delay_seconds=60)
    feed.publish(item("Lighthouse - 01", 1))
    rule_changes.delete_rule(rule=waiting)
    assert taken() == []
    assert Decision.objects.get().rule_name == "Lighthouse"


def test_a_round_that_takes_long_ends_early_and_is_gone_on_with(
    alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "ROUND_SECONDS", 0.0)
    rule(alice)
    feed.publish(item("Lighthouse - 01", 1), item("Lighthouse - 02", 2))
    assert taken() == ["Lighthouse - 01", "Lighthouse - 02"]


def test_a_pattern_that_would_take_long_on_each_title_is_refused(alice: User) -> None:
    with pytest.raises(RuleError, match="too large"):
        rule(alice, must_contain="", regex="(.?){500}a{500}")


def test_a_preview_takes_what_is_taken(alice: User, feed: Feed) -> None:
    words = [
        "Lighthouse",
        "Harbour's",
        "灯塔",
        "[1080p]",
        "[720p]",
        "- 01",
        "S01E02",
        "Batch",
        "café",
        "OVA",
        "[Group]",
    ]
    chance = random.Random(3)
    wanted: list[dict[str, Any]] = [
        {"must_contain": "lighthouse OR light*"},
        {"must_contain": "harbours NOT batch"},
        {"must_contain": "灯"},
        {"must_contain": "(cafe OR ova) 1080p", "batches": "none"},
        {"regex": "s\\d+e\\d+", "negative_regex": "720"},
        {"must_contain": "*house", "resolutions": ["1080p"]},
        {"season": 1},
        {"groups": ["group"], "only_groups": True, "first_episode": 1, "last_episode": 1},
        {"must_contain": 'NOT "lighthouse harbour\'s"', "regex": "group"},
    ]
    rules = [
        rule(alice, **{"name": str(n), "must_contain": "", "dry_run": True} | one)
        for n, one in enumerate(wanted)
    ]
    titles = [" ".join(chance.sample(words, chance.randint(1, 5))) for _ in range(60)]
    feed.publish(
        *(item(title, number) for number, title in enumerate(titles)),
        "<item><title>Lighthouse - 99</title></item>",
    )
    for one, conditions in zip(rules, wanted, strict=True):
        said = {
            found.item.number
            for found in preview.preview(user=alice, **conditions)
            if found.taken and found.item
        }
        decided = Decision.objects.filter(rule=one, outcome="dry_run").values_list("item__number", flat=True)
        assert said == set(decided), conditions
    assert Decision.objects.filter(outcome="dry_run").exists()


def test_there_is_no_turn_with_somebody_who_is_gone_or_may_not_come_in(alice: User) -> None:
    assert lock_person_in_turn(alice.pk) == alice
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert lock_person_in_turn(alice.pk) is None
    alice.delete()
    assert lock_person_in_turn(0) is None
