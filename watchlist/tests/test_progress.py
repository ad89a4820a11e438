"""What becomes of downloads: there, failed, at a stop, or removed by their owner."""

from datetime import timedelta

import pytest

from accounts.models import User
from feeds.models import Grab as Download
from torrents import blocking, services
from torrents.models import Claim, ClaimAlias, Torrent
from torrents.tests.factories import State as Live
from torrents.tests.factories import fresh_magnet
from watchlist.choosing import advance, take_candidate
from watchlist.models import Candidate, Entry
from watchlist.progress import LONGEST_LOOK
from watchlist.tests.taking import (
    State,
    again,
    arrive,
    choose_for,
    claim_of,
    engine_is_there,
    follow,
    found,
    hours_pass,
    is_removed,
    item_of,
    look_after,
    runs,
    served,
    show_of,
    taken,
    there,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(alice: User) -> Entry:
    engine_is_there()
    return follow(alice)


# There, or not to be had.


def test_an_episode_is_there_when_its_torrent_is_complete(entry: Entry) -> None:
    one = taken(entry, 1)
    runs(one, state=Live.DOWNLOADING, progress=0.5)
    advance()
    assert again(one).state == State.TAKEN
    arrive(one)
    assert again(one).state == State.HAVE


def test_a_batch_that_is_there_has_all_its_episodes(entry: Entry) -> None:
    one = there(entry, 1, 2, 3)
    assert served(entry) == dict.fromkeys((1, 2, 3), one.pk)


def test_what_cannot_be_added_gives_way_to_the_next(alice: User, entry: Entry) -> None:
    first, second = found(entry, 1), found(entry, 1, preference=[1])
    choose_for(alice)
    Download.objects.update(state="failed", message="It is no torrent.")
    advance()
    assert (again(first).state, first.message) == (State.FAILED, "It is no torrent.")
    assert served(entry) == {1: second.pk}


def test_what_cannot_be_added_and_has_no_other_leaves_its_episode_open(alice: User, entry: Entry) -> None:
    first = found(entry, 1)
    choose_for(alice)
    Download.objects.update(state="failed", message="It is no torrent.")
    advance()
    assert not served(entry)
    second = found(entry, 1)
    advance()
    assert served(entry) == {1: second.pk}
    assert again(first).state == State.FAILED


def test_what_the_engine_refuses_gives_way_and_goes(entry: Entry) -> None:
    first = taken(entry, 1)
    second = found(entry, 1)
    Torrent.objects.update(refused="The engine cannot read this torrent.")
    advance()
    assert (again(first).state, first.message) == (State.FAILED, "The engine cannot read this torrent.")
    assert is_removed(first)
    assert served(entry) == {1: second.pk}


def test_what_is_blocked_gives_way(entry: Entry) -> None:
    first = taken(entry, 1)
    second = found(entry, 1)
    infohash = claim_of(first).torrent.infohash_v1
    assert infohash
    blocking.block_infohash(infohash=infohash)
    advance()
    assert again(first).state == State.FAILED
    assert "blocked" in first.message
    assert served(entry) == {1: second.pk}


def test_why_it_is_tried_again_can_be_read(alice: User, entry: Entry) -> None:
    one = found(entry, 1)
    choose_for(alice)
    Download.objects.update(message="The server is away.")
    advance()
    assert (again(one).state, one.message) == (State.TAKEN, "The server is away.")


def test_a_torrent_that_was_merged_into_another_is_followed_there(alice: User, entry: Entry) -> None:
    one = taken(entry, 1)
    other, _ = services.add_torrent(user=alice, source=fresh_magnet())
    merged = claim_of(one).pk
    claim_of(one).delete()
    ClaimAlias.objects.create(pk=merged, claim=other)
    advance()
    assert again(one).claim_id == other.pk
    arrive(one)
    assert again(one).state == State.HAVE


def test_a_second_item_of_a_torrent_that_is_there_is_there(alice: User, entry: Entry) -> None:
    infohash = "b" * 40
    other = follow(alice, show_of("Harbour"))
    first = there(entry, 1, 2, item=item_of("Both", infohash=infohash))
    second = found(other, 1, item=item_of("Both, from elsewhere", download=f"magnet:?xt=urn:btih:{infohash}"))
    choose_for(alice)
    work()
    assert again(second).state == State.HAVE
    assert second.claim_id == first.claim_id


# At a stop.


def test_a_release_that_has_stalled_gives_way_to_the_next_and_goes(entry: Entry) -> None:
    dead = taken(entry, 1)
    runs(dead)
    advance()
    alive = found(entry, 1, preference=[1])
    hours_pass(dead, 24)
    advance()
    assert served(entry) == {1: alive.pk}
    assert again(dead).state == State.STALLED
    assert dead.message
    assert is_removed(dead)


def test_a_release_that_has_stalled_stays_while_there_is_no_other(entry: Entry) -> None:
    dead = taken(entry, 1)
    runs(dead)
    advance()
    hours_pass(dead, 30)
    advance()
    assert again(dead).state == State.TAKEN
    assert "30 hours" in dead.message
    assert not is_removed(dead)
    other = found(entry, 1)
    advance()
    assert served(entry) == {1: other.pk}
    assert is_removed(dead)


def test_a_byte_begins_the_wait_anew(entry: Entry) -> None:
    slow = taken(entry, 1)
    runs(slow, progress=0.1)
    advance()
    found(entry, 1)
    hours_pass(slow, 23.9)
    runs(slow, progress=0.2)
    look_after(slow, LONGEST_LOOK)
    assert again(slow).idle_seconds == 0
    assert slow.message == ""


def test_time_without_a_byte_is_counted_from_look_to_look(entry: Entry) -> None:
    dead = taken(entry, 1)
    runs(dead)
    advance()
    look_after(dead, timedelta(minutes=5))
    assert again(dead).idle_seconds == pytest.approx(300, abs=5)
    look_after(dead, timedelta(days=3))  # nobody looked: who knows what the engine did
    assert again(dead).idle_seconds == pytest.approx(300 + LONGEST_LOOK.total_seconds(), abs=10)


def pause(one: Candidate) -> None:
    services.pause_torrent(claim=claim_of(one))


def wait_for_room(one: Candidate) -> None:
    Claim.objects.filter(pk=one.claim_id).update(waits_for="user_disk")


def lose_the_engine(one: Candidate) -> None:
    engine_is_there(there=False)


def check(one: Candidate) -> None:
    runs(one, state=Live.CHECKING)


def queue(one: Candidate) -> None:
    runs(one, state=Live.QUEUED)


@pytest.mark.parametrize("hold_up", [pause, wait_for_room, lose_the_engine, check, queue])
def test_what_is_held_up_by_something_else_does_not_stall(entry: Entry, hold_up: object) -> None:
    one = taken(entry, 1)
    runs(one)
    advance()
    assert callable(hold_up)
    hold_up(again(one))
    advance()
    look_after(one, LONGEST_LOOK)
    assert again(one).idle_seconds == 0


def test_who_wants_to_wait_for_ever_may(entry: Entry) -> None:
    entry.stalled_hours = 0
    entry.save()
    dead = taken(entry, 1)
    found(entry, 1)
    hours_pass(dead, 1000)
    advance()
    assert served(entry) == {1: dead.pk}


def test_of_a_stalled_batch_only_what_can_be_had_otherwise_is_given_up(entry: Entry) -> None:
    dead = taken(entry, 1, 2, 3)
    runs(dead)
    advance()
    alive = found(entry, 2)
    hours_pass(dead, 25)
    advance()
    assert served(entry) == {1: dead.pk, 2: alive.pk, 3: dead.pk}
    assert again(dead).state == State.TAKEN
    assert not is_removed(dead)


def test_what_somebody_added_themselves_stays_when_it_has_stalled(alice: User, entry: Entry) -> None:
    source = fresh_magnet()
    services.add_torrent(user=alice, source=source)
    dead = taken(entry, 1, item=item_of("theirs", download=f"magnet:?xt=urn:btih:{source.infohash_v1}"))
    alive = found(entry, 1, preference=[1])
    hours_pass(dead, 25)
    advance()
    assert served(entry) == {1: alive.pk}
    assert again(dead).state == State.STALLED
    assert not is_removed(dead)


def test_a_paused_show_gives_nothing_up(entry: Entry) -> None:
    dead = taken(entry, 1)
    runs(dead)
    advance()
    found(entry, 1)
    entry.state = "paused"
    entry.save()
    hours_pass(dead, 25)
    advance()
    assert served(entry) == {1: dead.pk}
    arrive(dead)
    assert again(dead).state == State.HAVE


# Removed by their owner.


def test_what_its_owner_removes_before_it_is_there_is_not_downloaded_again(alice: User, entry: Entry) -> None:
    one = taken(entry, 1)
    services.remove_torrent(claim=claim_of(one))
    found(entry, 1)
    found(entry, 1, version=2)
    advance()
    choose_for(alice)
    assert again(one).state == State.REMOVED
    assert "removed" in one.message
    assert served(entry) == {1: one.pk}


def test_what_is_long_gone_was_removed_too(entry: Entry) -> None:
    one = taken(entry, 1)
    claim_of(one).delete()
    advance()
    assert again(one).state == State.REMOVED


def test_what_its_owner_takes_back_goes_on(entry: Entry) -> None:
    one = taken(entry, 1)
    services.remove_torrent(claim=claim_of(one))
    advance()
    services.restore_torrent(claim=claim_of(one))
    advance()
    assert again(one).state == State.TAKEN
    arrive(one)
    assert again(one).state == State.HAVE


def test_what_its_owner_removed_they_can_take_again(alice: User, entry: Entry) -> None:
    one = taken(entry, 1)
    services.remove_torrent(claim=claim_of(one))
    advance()
    take_candidate(user=alice, candidate=one)
    work()
    assert again(one).state == State.TAKEN
    assert not is_removed(one)


def test_what_is_watched_and_removed_stays_had_and_can_be_taken_again(alice: User, entry: Entry) -> None:
    one = there(entry, 1)
    before = claim_of(one)
    claim_of(one).delete()
    advance()
    assert again(one).state == State.HAVE
    take_candidate(user=alice, candidate=one)
    work()
    assert claim_of(one) != before
    assert not is_removed(one)


# Everybody's turn.


def test_one_persons_trouble_is_not_the_others(
    alice: User, bob: User, entry: Entry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found(entry, 1)
    his = found(follow(bob), 1)
    real = choose_for.__globals__["choose"]

    def trouble(*, user: User, entries: object = None) -> int:
        if user == alice:
            raise ValueError("nobody thought of this")
        return int(real(user=user, entries=entries))

    monkeypatch.setattr("watchlist.choosing.choose", trouble)
    advance()
    assert again(his).state == State.TAKEN
    assert "nobody thought of this" in caplog.text
    caplog.clear()


def test_who_is_disabled_is_left_alone(alice: User, entry: Entry) -> None:
    found(entry, 1)
    alice.is_active = False
    alice.save()
    assert advance() == 0


def test_a_run_comes_to_its_end(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    found(entry, 1)
    monkeypatch.setattr("watchlist.choosing.BUDGET_SECONDS", -1)
    assert advance() == 0
