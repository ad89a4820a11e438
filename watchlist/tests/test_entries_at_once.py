"""Several requests of one person at the same moment."""

from functools import partial

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import UserFactory
from torrents.tests.factories import at_once
from watchlist.entries import EntryRefused, change_entry, follow, follow_by_hand, remove_entry, restore_entry
from watchlist.models import Entry, Show
from watchlist.preferences import change_preferences
from watchlist.tests.factories import EntryFactory, ShowFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice(transactional_db: None) -> User:
    return UserFactory.create(username="Alice")


def followed(user: User, show: Show) -> bool:
    try:
        follow(user=user, show=show)
    except EntryRefused:
        return False
    return True


def typed_in(user: User, title: str) -> bool:
    try:
        follow_by_hand(user=user, title=title)
    except EntryRefused:
        return False
    return True


def test_a_show_is_followed_once(alice: User) -> None:
    show = ShowFactory.create()
    assert sorted(at_once(*[partial(followed, alice, show)] * 4)) == [False, False, False, True]
    assert Entry.objects.count() == 1


def test_a_title_is_typed_in_once(alice: User) -> None:
    assert sorted(at_once(*[partial(typed_in, alice, "Harbour")] * 4)) == [False, False, False, True]
    assert Show.objects.count() == 1


def test_the_limit_holds(alice: User, settings: Settings) -> None:
    settings.WATCHLIST_PER_USER = 2
    done = at_once(*[partial(followed, alice, show) for show in ShowFactory.create_batch(4)])
    assert sorted(done) == [False, False, True, True]


def test_two_changes_of_a_show_both_hold(alice: User) -> None:
    entry = EntryFactory.create(user=alice)
    ours, theirs = Entry.objects.get(), Entry.objects.get()
    at_once(
        lambda: change_entry(entry=ours, wishes={"groups": ["A"]}),
        lambda: change_entry(entry=theirs, offset=-12),
    )
    entry.refresh_from_db()
    assert (entry.groups, entry.offset) == (["A"], -12)


def test_removing_and_taking_back_end_in_one_of_the_two(alice: User) -> None:
    entry = EntryFactory.create(user=alice, state="paused")
    ours, theirs = Entry.objects.get(), Entry.objects.get()
    at_once(lambda: remove_entry(entry=ours), lambda: restore_entry(entry=theirs))
    entry.refresh_from_db()
    assert (entry.state, entry.state_before) in {("paused", ""), ("removed", "paused")}


def test_first_preferences_are_stated_once_and_together(alice: User) -> None:
    at_once(
        lambda: change_preferences(user=alice, groups=["A"]),
        lambda: change_preferences(user=alice, label="x"),
    )
    alice.refresh_from_db()
    assert (alice.watch_preferences.groups, alice.watch_preferences.label) == (["A"], "x")
