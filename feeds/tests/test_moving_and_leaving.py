"""Feeds that move, and people who leave feeds and come back: nothing is lost, doubled, or suddenly wanted."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from feeds import checker, consumer, rule_changes, services, storing
from feeds.models import Decision, FeedSource, Grab, Rule, Subscription
from feeds.moving import keeps_credentials, move_source
from feeds.services import FeedRefused, change_subscription, subscribe, unsubscribe
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer

pytestmark = pytest.mark.django_db


def follow(user: User, url: str, **options: Any) -> Subscription:
    """A feed whose first check is over."""
    subscription = subscribe(user=user, url=url, **options)
    check()
    return subscription


def check() -> None:
    FeedSource.objects.update(next_check_at=timezone.now())
    checker.check_due()
    consumer.catch_up()


def rule(user: User, **fields: Any) -> Rule:
    return rule_changes.create_rule(
        user=user, **{"name": "Lighthouse", "must_contain": "lighthouse"} | fields
    )


def taken(user: User) -> list[str]:
    return list(Grab.objects.filter(user=user).order_by("pk").values_list("title", flat=True))


def test_what_comes_while_a_feed_moves_to_one_that_has_it_already_is_taken(
    alice: User, bob: User, feed_server: FeedServer
) -> None:
    new = feed_server.serve("/new", rss(item("Lighthouse - 01", 1)))
    old = follow(alice, feed_server.serve("/old", rss(item("Lighthouse - 01", 1))))
    follow(bob, new)
    rule(alice)
    feed_server.serve("/new", rss(item("Lighthouse - 02", 2), item("Lighthouse - 01", 1)))
    FeedSource.objects.exclude(pk=old.source_id).update(next_check_at=timezone.now())
    checker.check_due()  # the new one has it, and then the old one moves there
    feed_server.redirect("/old", new)
    check()
    assert Subscription.objects.values("source").distinct().count() == 1
    assert taken(alice) == ["Lighthouse - 02"]


def test_a_feed_that_moves_to_one_that_was_never_checked_brings_no_back_catalogue(
    alice: User, bob: User, feed_server: FeedServer
) -> None:
    new = feed_server.serve("/new", rss(item("Lighthouse - 01", 1)))
    old = follow(alice, feed_server.serve("/old", rss(item("Lighthouse - 01", 1))))
    rule(alice)
    there = subscribe(user=bob, url=new).source
    move_source(old.source, new)
    check()
    assert taken(alice) == []
    feed_server.redirect("/old", new)
    check()
    check()
    assert taken(alice) == []
    assert Subscription.objects.get(user=alice).source == there


def test_rules_for_a_feed_that_moves_to_another_that_is_followed_are_for_that_one(
    alice: User, feed_server: FeedServer
) -> None:
    new = follow(alice, feed_server.serve("/new", rss(item())))
    old = follow(alice, feed_server.redirect("/old", feed_server.url("/new"), 302))
    limited = rule(alice, subscriptions=[old.pk])
    move_source(old.source, feed_server.url("/new"))
    assert list(limited.subscriptions.all()) == [new]


def test_a_rule_for_one_feed_does_not_become_one_for_all_when_that_is_left(
    alice: User, feed_server: FeedServer
) -> None:
    left = follow(alice, feed_server.serve("/left", rss()))
    stays = follow(alice, feed_server.serve("/stays", rss()))
    for_one = rule(alice, subscriptions=[left.pk])
    for_two = rule(alice, name="Both", subscriptions=[left.pk, stays.pk])
    for_all = rule(alice, name="All")
    unsubscribe(subscription=left)
    enabled = {found.name: found.enabled for found in Rule.objects.all()}
    assert enabled == {for_one.name: False, for_two.name: True, for_all.name: True}


def test_who_comes_back_to_a_feed_for_all_of_it_has_it_decided_anew(
    alice: User, feed_server: FeedServer
) -> None:
    url = feed_server.serve("/a", rss(item("Lighthouse - 01", 1), item("Lighthouse - 02 [480p]", 2)))
    dry = rule(alice, resolutions=["1080p", ""], dry_run=True)
    first = follow(alice, url, back_catalogue=True)
    assert {decision.outcome for decision in Decision.objects.all()} == {"dry_run", "nearly"}
    rule_changes.change_rule(rule=dry, dry_run=False)
    unsubscribe(subscription=first)
    follow(alice, url, back_catalogue=True)
    assert taken(alice) == ["Lighthouse - 01"]
    assert {decision.outcome for decision in Decision.objects.all()} == {"taken", "nearly"}


def test_what_was_taken_stays_told_as_taken_when_it_comes_again(alice: User, feed_server: FeedServer) -> None:
    url = feed_server.serve("/a", rss(item("Lighthouse - 01", 1)))
    rule(alice)
    unsubscribe(subscription=follow(alice, url, back_catalogue=True))
    follow(alice, url, back_catalogue=True)
    assert Subscription.objects.get().position == 1
    assert Decision.objects.get().outcome == "taken"


def test_renaming_a_feed_leaves_what_its_rules_have_seen(alice: User, feed_server: FeedServer) -> None:
    subscription = follow(alice, feed_server.serve("/a", rss()))
    rule(alice)
    before = Subscription.objects.get()
    feed_server.serve("/a", rss(item("Lighthouse - 01", 1)))
    check()
    change_subscription(subscription=before, name="Another name")
    assert Subscription.objects.get(pk=subscription.pk).position == 1


def test_a_rule_that_is_changed_twice_at_once_keeps_both_changes(alice: User) -> None:
    made = rule(alice)
    stale = Rule.objects.get(pk=made.pk)
    rule_changes.change_rule(rule=made, label="shows")
    rule_changes.change_rule(rule=stale, priority=5)
    assert (stale.label, stale.priority) == ("shows", 5)


def test_a_rule_that_was_deleted_meanwhile_does_not_come_back(alice: User) -> None:
    made = rule(alice)
    stale = Rule.objects.get(pk=made.pk)
    rule_changes.delete_rule(rule=made)
    with pytest.raises(Rule.DoesNotExist):
        rule_changes.change_rule(rule=stale, label="shows")
    assert not Rule.objects.exists()


def test_an_episode_whose_release_failed_is_taken_as_another(alice: User, feed_server: FeedServer) -> None:
    follow(alice, feed_server.serve("/a", rss()))
    rule(alice, once_per_episode=True)
    feed_server.serve("/a", rss(item("[A] Lighthouse - 01", 1)))
    check()
    Grab.objects.update(state=Grab.State.FAILED, message="Nothing there.")
    feed_server.serve("/a", rss(item("[B] Lighthouse - 01", 2)))
    check()
    grab = Grab.objects.get()
    assert (grab.title, grab.state, grab.message) == ("[B] Lighthouse - 01", "due", "")


def test_an_item_that_many_rules_nearly_match_is_told_a_few_times(
    alice: User, feed_server: FeedServer
) -> None:
    follow(alice, feed_server.serve("/a", rss()))
    for number in range(consumer.MOST_NEAR_MISSES + 3):
        rule(alice, name=f"Rule {number}", resolutions=["8640p"])
    rule(alice, name="Last", priority=-1)
    feed_server.serve("/a", rss(item("Lighthouse - 01", 1)))
    check()
    assert Decision.objects.filter(outcome="nearly").count() == consumer.MOST_NEAR_MISSES
    assert taken(alice) == ["Lighthouse - 01"]


@pytest.mark.parametrize(
    ("given_for", "asked", "kept"),
    [
        ("https://a.example/rss", "https://a.example/1.torrent", True),
        ("http://a.example/rss", "https://a.example/1.torrent", True),
        ("https://a.example/rss", "http://a.example/1.torrent", False),
        ("https://a.example/rss", "https://a.example:8443/1.torrent", False),
        ("https://a.example/rss", "https://b.example/1.torrent", False),
    ],
)
def test_credentials_stay_with_their_host_and_encrypted(given_for: str, asked: str, kept: bool) -> None:
    assert keeps_credentials(given_for, asked) is kept


@pytest.mark.parametrize("credentials", ["a%00b:c", "a:b%0Ac", "a%0D:b"])
def test_credentials_that_no_header_could_hold_are_refused(alice: User, credentials: str) -> None:
    with pytest.raises(FeedRefused):
        subscribe(user=alice, url=f"https://{credentials}@feeds.example/rss")


def test_an_etag_that_cannot_be_sent_back_is_forgotten(alice: User, feed_server: FeedServer) -> None:
    subscription = follow(alice, feed_server.serve("/a", rss(item()), ETag='"\xe9"'))
    assert FeedSource.objects.get(pk=subscription.source_id).etag == ""


def test_nothing_of_a_feed_that_is_gone_by_the_end_of_its_check_is_stored(
    alice: User, feed_server: FeedServer
) -> None:
    services.subscribe(user=alice, url=feed_server.serve("/a", rss(item())))
    (claimed,) = checker._claim_due()
    Subscription.objects.all().delete()
    FeedSource.objects.all().delete()
    storing.note_failure(claimed, "Nothing answers.", permanent=False)
    assert not FeedSource.objects.exists()
