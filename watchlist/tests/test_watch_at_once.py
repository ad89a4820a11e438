"""Several workers and several requests at the same moment: once each, nothing lost, and no error for anybody."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.db import connections, transaction

from accounts.models import User
from accounts.tests.factories import UserFactory
from feeds.models import Subscription
from feeds.moving import move_source
from feeds.services import lock_person, unsubscribe
from watchlist import consumer, decisions
from watchlist.aliases import add_alias, remove_alias
from watchlist.models import Alias, Decision, Entry, Reading
from watchlist.review import ReviewRefused, answer_review, pending
from watchlist.tests.deciding_world import Chosen, Feed, follow, found, show

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("chosen")]


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


def work() -> int:
    """What a worker does, again and again: what another has at that moment is left to it."""
    return sum(consumer.catch_up() for _ in range(3))


def test_two_workers_decide_each_item_once(
    alice: User, chosen: Chosen, caplog: pytest.LogCaptureFixture
) -> None:
    bob = UserFactory.create()
    entry = follow(alice, "Lighthouse")
    follow(bob, entry.show)
    feed, other = Feed(alice), Feed(alice)
    Feed(bob, feed.source)
    for turn in range(4):
        for one in (feed, other):
            one.store(*(f"Lighthouse - {turn * 6 + number}" for number in range(1, 7)))
        Entry.objects.update(look_back=turn % 2 == 1)
        at_once(work, work, work)
    work()
    assert len(found(alice)) == 48
    assert len(found(bob)) == 24
    assert Decision.objects.count() == 72
    assert set(Reading.objects.values_list("position", flat=True)) == {24}
    assert "Traceback" not in caplog.text


def test_people_who_change_things_while_workers_work_meet_no_error(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    entry = follow(alice, "Lighthouse")
    show("Lighthouse")
    feed, moving = Feed(alice), Feed(alice)
    for turn in range(4):
        feed.store(
            *(f"Lighthouse - {turn * 4 + number}" for number in range(1, 4)), f"Leuchtturm - {turn + 1}"
        )
        moving.store(f"Lighthouse - {turn * 4 + 4}")
        alias = add_alias(entry=entry, name="Phare")
        at_once(
            work,
            work,
            partial(remove_alias, alias=alias),
            partial(_answer, alice, entry if turn > 1 else None),
            partial(add_alias, entry=entry, name="Leuchtturm"),
        )
    target = Feed(UserFactory.create())
    at_once(work, work, partial(move_source, moving.source, target.source.url))
    target.publish("Lighthouse - 17")
    at_once(work, partial(unsubscribe, subscription=feed.subscription))
    work()
    assert "Traceback" not in caplog.text
    assert Decision.objects.filter(item__title__startswith="Lighthouse").count() == 17
    assert sorted(title for title in found() if "Leuchtturm" in title) == [
        f"Leuchtturm - {turn}" for turn in (1, 2, 3, 4)
    ]
    assert Reading.objects.get(subscription=moving.subscription).source == target.source.pk


def _answer(user: User, entry: Entry | None) -> None:
    """Something that is asked, if anything is: that it is of this show, or that just this one is none of theirs."""
    for asked in pending(user)[:1]:
        with suppress(ReviewRefused):
            show = entry.show if entry is not None else None
            answer_review(user=user, decision=asked.decision, show=show, remember=entry is not None)


def test_who_is_busy_is_put_off_and_holds_up_nobody(alice: User, chosen: Chosen) -> None:
    bob = UserFactory.create()
    entry = follow(alice, "Lighthouse", look_back=True)
    follow(bob, entry.show)
    Feed(bob, Feed(alice).source).store("Lighthouse - 01")
    is_locked, may_end = threading.Event(), threading.Event()

    def rules() -> None:
        with transaction.atomic():
            lock_person(alice.pk)
            is_locked.set()
            assert may_end.wait(60)

    def watchlist() -> int:
        assert is_locked.wait(60)
        found = consumer.catch_up()
        may_end.set()
        return found

    assert at_once(rules, watchlist)[1] == 1
    assert (found(alice), found(bob)) == ([], ["Lighthouse - 01"])
    assert consumer.catch_up() == 1


def test_one_answer_that_is_sent_several_times_counts_once(alice: User) -> None:
    entry = follow(alice, "Lighthouse")
    show("Lighthouse")
    Feed(alice).publish("Lighthouse - 01", "Lighthouse - 02")
    asked = Decision.objects.get(item__title="Lighthouse - 01")

    def answer() -> bool:
        try:
            answer_review(user=alice, decision=asked, show=entry.show)
        except ReviewRefused:
            return False
        return True

    *answers, _found = at_once(answer, answer, answer, work)
    assert sorted(answers) == [False, False, True]
    assert found() == ["Lighthouse - 01", "Lighthouse - 02"]
    assert Alias.objects.count() == 1


def test_a_subscription_that_goes_while_it_is_read_takes_nothing_with_it(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Feeds move without the lock of those who follow them."""
    follow(alice, "Lighthouse")
    feed, twin = Feed(alice), Feed(alice)
    feed.store("Lighthouse - 01")
    twin.store("Lighthouse - 01")
    moves = [lambda: move_source(feed.source, twin.source.url)]
    record = decisions.record

    def moved_meanwhile(*arguments: Any, **options: Any) -> int:
        if moves:
            at_once(moves.pop())
        return record(*arguments, **options)

    monkeypatch.setattr(decisions, "record", moved_meanwhile)
    assert consumer.catch_up() == 1
    assert not Subscription.objects.filter(pk=feed.subscription.pk).exists()
    assert "Traceback" not in caplog.text
