"""Several releases that are taken in one round."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from feeds.models import Grab as Download
from feeds.models import Item
from feeds.services import take_many
from watchlist.models import Candidate, Entry, Grab
from watchlist.tests.taking import (
    State,
    again,
    arrive,
    choose_for,
    claim_of,
    engine_is_there,
    follow,
    found,
    item_of,
    served,
    show_of,
    there,
    work,
)
from watchlist.wanted import wishes_of

pytestmark = pytest.mark.django_db

HASH = "a" * 40


@pytest.fixture
def entry(alice: User) -> Entry:
    engine_is_there()
    return follow(alice)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """After what was found is read, and before any of it is taken."""

    def wishes_a_moment_later(user: User) -> object:
        happens()
        return wishes_of(user)

    monkeypatch.setattr("watchlist.choosing.wishes_of", wishes_a_moment_later)


def test_two_shows_that_find_the_same_torrent_share_its_download(alice: User, entry: Entry) -> None:
    other = follow(alice, show_of("Harbour"))
    ours = found(entry, 1, item=item_of("one", infohash=HASH))
    theirs = found(other, 1, item=item_of("the same", infohash=HASH))
    assert choose_for(alice) == 2
    download = Download.objects.get()
    assert again(ours).download == again(theirs).download == download
    work()
    work()
    assert claim_of(ours) == claim_of(theirs)
    arrive(ours)
    assert again(ours).state == again(theirs).state == State.HAVE


def test_two_shows_that_find_the_same_item_share_its_download(alice: User, entry: Entry) -> None:
    other = follow(alice, show_of("Harbour"))
    item = item_of("one")
    found(entry, 1, item=item)
    found(other, 1, item=item)
    assert choose_for(alice) == 2
    assert Download.objects.count() == 1


def test_one_that_is_refused_stops_no_other_and_the_next_best_is_tried(alice: User, entry: Entry) -> None:
    first, third = found(entry, 1), found(entry, 3)
    refused = found(entry, 2, preference=[0], item=item_of("empty", download=""))
    item = item_of("forgotten")
    forgotten = found(entry, 4, preference=[0], item=item)
    item.delete()
    second, fourth = found(entry, 2, preference=[1]), found(entry, 4, preference=[1])
    assert choose_for(alice) == 4
    assert served(entry) == {1: first.pk, 2: second.pk, 3: third.pk, 4: fourth.pk}
    assert again(refused).state == again(forgotten).state == State.FAILED
    assert "no torrent" in refused.message
    assert "Its feed does not hold it any more" in forgotten.message


def test_an_item_that_is_forgotten_this_moment_stops_no_other(
    alice: User, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = item_of("forgotten")
    first, forgotten = found(entry, 1), found(entry, 2, item=item)
    meanwhile(monkeypatch, Item.objects.filter(pk=item.pk).delete)
    assert choose_for(alice) == 1
    assert served(entry) == {1: first.pk}
    assert again(forgotten).state == State.FAILED
    assert "forgotten" in forgotten.message


def test_what_somebody_else_takes_this_moment_stops_no_other(
    alice: User, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = found(entry, 1), found(entry, 2), found(entry, 3)
    instead = found(entry, 3, preference=[5])

    def another_worker() -> None:
        Candidate.objects.filter(pk__in=[second.pk, instead.pk]).update(state=State.TAKEN)
        Grab.objects.create(entry=entry, number=2, candidate=second)
        Grab.objects.create(entry=entry, number=3, candidate=instead)

    meanwhile(monkeypatch, another_worker)
    assert choose_for(alice) == 1
    assert served(entry) == {1: first.pk, 2: second.pk, 3: instead.pk}
    assert again(third).state == State.FOUND
    assert Download.objects.get().item_id == first.item_id


def test_what_somebody_else_found_out_about_a_release_this_moment_holds(
    alice: User, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, failed = found(entry, 1), found(entry, 2)
    meanwhile(monkeypatch, lambda: Candidate.objects.filter(pk=failed.pk).update(state=State.FAILED))
    assert choose_for(alice) == 1
    assert served(entry) == {1: first.pk}
    assert again(failed).state == State.FAILED


def test_a_newer_version_and_new_episodes_are_taken_in_one_round(alice: User, entry: Entry) -> None:
    there(entry, 1)
    other = follow(alice, show_of("Harbour"))
    newer, second, elsewhere = found(entry, 1, version=2), found(entry, 2), found(other, 1)
    assert choose_for(alice) == 3
    assert Grab.objects.get(entry=entry, number=1).successor == newer
    assert [again(one).state for one in (newer, second, elsewhere)] == [State.TAKEN] * 3


def test_what_is_displaced_stays_where_another_release_of_the_round_needs_its_download(
    alice: User, entry: Entry
) -> None:
    first = found(entry, 1, item=item_of("one", infohash=HASH))
    choose_for(alice)
    other = follow(alice, show_of("Harbour"))
    newer = found(entry, 1, version=2)
    same = found(other, 1, item=item_of("the same", infohash=HASH))
    assert choose_for(alice) == 2
    assert again(first).state == State.REPLACED
    work()
    work()
    assert {claim_of(newer).removed_at, claim_of(same).removed_at} == {None}


def test_a_kill_while_they_are_taken_leaves_nothing_half_taken(
    alice: User, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        found(entry, number)

    def killed(**wanted: object) -> None:
        take_many(**wanted)  # type: ignore[arg-type]
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("watchlist.downloads.take_many", killed)
        with pytest.raises(SystemExit):
            choose_for(alice)
    assert not Grab.objects.exists()
    assert not Download.objects.exists()
    assert choose_for(alice) == 3


def test_many_are_taken_in_no_more_statements_than_one(alice: User, entry: Entry) -> None:
    asked = []
    for numbers in (range(1, 2), range(2, 12)):
        for number in numbers:
            found(entry, number)
        with CaptureQueriesContext(connection) as queries:
            assert choose_for(alice) == len(numbers)
        asked.append(len(queries))
    assert asked[0] == asked[1]
