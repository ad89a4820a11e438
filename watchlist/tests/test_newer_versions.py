"""A newer version takes the place of an older one, and nothing else does."""

import pytest

from accounts.models import User
from feeds.models import Grab as Download
from torrents import services
from torrents.models import Claim
from torrents.tests.factories import finish
from watchlist.choosing import advance
from watchlist.models import Entry, Grab
from watchlist.tests.taking import (
    State,
    again,
    arrive,
    choose_for,
    claim_of,
    engine_is_there,
    follow,
    found,
    is_removed,
    item_of,
    served,
    show_of,
    taken,
    there,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(alice: User) -> Entry:
    engine_is_there()
    return follow(alice)


def test_a_newer_version_replaces_what_is_there_once_it_is_there_too(entry: Entry) -> None:
    first = there(entry, 1, group="Group")
    second = taken(entry, 1, group="group", version=2)
    assert Grab.objects.get().successor == second
    assert not is_removed(first)
    arrive(second)
    assert served(entry) == {1: second.pk}
    assert Grab.objects.get().successor is None
    assert (again(first).state, again(second).state) == (State.REPLACED, State.HAVE)
    assert is_removed(first)
    assert not is_removed(second)


def test_a_newer_version_replaces_what_is_not_there_yet_at_once(entry: Entry) -> None:
    first = taken(entry, 1)
    second = taken(entry, 1, version=2)
    assert served(entry) == {1: second.pk}
    assert again(first).state == State.REPLACED
    assert is_removed(first)


def test_what_is_not_added_yet_is_never_added_when_a_newer_version_comes(alice: User, entry: Entry) -> None:
    found(entry, 1)
    choose_for(alice)
    second = taken(entry, 1, version=2)
    assert Claim.objects.get() == claim_of(second)


def test_the_third_version_takes_the_place_of_the_second_that_is_still_under_way(entry: Entry) -> None:
    first = there(entry, 1)
    second = taken(entry, 1, version=2)
    third = taken(entry, 1, version=3)
    assert is_removed(second)
    arrive(third)
    assert served(entry) == {1: third.pk}
    assert is_removed(first)


def test_an_older_version_is_not_taken_after_a_newer_one(alice: User, entry: Entry) -> None:
    second = there(entry, 1, version=2)
    for version in (0, 1, 2):
        found(entry, 1, version=version)
    assert choose_for(alice) == 0
    assert served(entry) == {1: second.pk}


@pytest.mark.parametrize("fields", [{"group": "Other"}, {"group": ""}])
def test_a_newer_version_of_another_group_is_another_release(
    alice: User, entry: Entry, fields: dict[str, str]
) -> None:
    there(entry, 1, group=fields["group"] and "Group")
    found(entry, 1, version=2, **fields)  # type: ignore[arg-type]
    assert choose_for(alice) == 0


def test_who_wants_no_newer_versions_gets_none(alice: User, entry: Entry) -> None:
    entry.newer_versions = False
    entry.save()
    there(entry, 1)
    found(entry, 1, version=2)
    assert choose_for(alice) == 0


def test_a_newer_version_of_one_episode_leaves_the_rest_of_the_batch(entry: Entry) -> None:
    batch = there(entry, 1, 2, 3)
    second = taken(entry, 2, version=2)
    arrive(second)
    assert served(entry) == {1: batch.pk, 2: second.pk, 3: batch.pk}
    assert again(batch).state == State.HAVE
    assert not is_removed(batch)


def test_a_batch_is_no_newer_version_of_single_episodes(alice: User, entry: Entry) -> None:
    there(entry, 1)
    there(entry, 2)
    found(entry, 1, 2, version=2)
    assert choose_for(alice) == 0


def test_a_batch_is_replaced_by_the_newer_version_of_the_same(entry: Entry) -> None:
    first = there(entry, 1, 2)
    second = taken(entry, 1, 2, version=2)
    arrive(second)
    assert served(entry) == dict.fromkeys((1, 2), second.pk)
    assert is_removed(first)


def test_a_newer_version_that_fails_leaves_what_is_there(alice: User, entry: Entry) -> None:
    first = there(entry, 1)
    second = found(entry, 1, version=2)
    choose_for(alice)
    Download.objects.filter(title=second.title).update(state="failed", message="No.")
    advance()
    assert served(entry) == {1: first.pk}
    assert Grab.objects.get().successor is None
    assert (again(first).state, again(second).state) == (State.HAVE, State.FAILED)


def test_what_its_owner_has_watched_and_removed_is_not_replaced(alice: User, entry: Entry) -> None:
    first = there(entry, 1)
    services.remove_torrent(claim=claim_of(first))
    found(entry, 1, version=2)
    assert choose_for(alice) == 0
    advance()
    assert again(first).state == State.HAVE


def test_a_torrent_that_another_show_lives_on_stays(alice: User, entry: Entry) -> None:
    item = item_of("Both seasons")
    first = there(entry, 1, 2, item=item)
    other = follow(alice, show_of("Harbour"))
    there(other, 1, 2, item=item)
    second = taken(entry, 1, 2, version=2)
    arrive(second)
    assert again(first).state == State.REPLACED
    assert not is_removed(first)


def test_somebody_elses_torrent_stays_when_mine_is_replaced(alice: User, bob: User, entry: Entry) -> None:
    mine = there(entry, 1)
    his = there(follow(bob, entry.show), 1, item=mine.item)
    second = taken(entry, 1, version=2)
    arrive(second)
    assert is_removed(mine)
    assert not is_removed(his)


def test_a_kill_before_what_was_replaced_is_removed_loses_nothing(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = there(entry, 1)
    second = taken(entry, 1, version=2)
    finish([claim_of(second).torrent])

    def killed(*args: object, **kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("watchlist.downloads.remove_named", killed)
        with pytest.raises(SystemExit):
            advance()
    assert served(entry) == {1: second.pk}
    assert not is_removed(first)
    advance()
    assert is_removed(first)
