"""Wishes: adding, pausing, resuming, removing; and what they mean to the others who hold the same torrent."""

import pytest
from pytest_django import Settings

from accounts.models import User
from torrents import engine_records, services
from torrents.files import NotFinished, require_finished
from torrents.metainfo import Source, parse_magnet
from torrents.models import Claim, LiveState, Removal, Tombstone, Torrent
from torrents.states import message_of, state_of
from torrents.tests.factories import (
    State,
    add,
    at_once,
    finish,
    finished,
    fresh_magnet,
    live,
    person,
)

pytestmark = pytest.mark.usefixtures("downloads")


def seen(claim: Claim) -> Claim:
    """The claim as its owner sees it now."""
    return Claim.objects.of(claim.user).get(pk=claim.pk)


def test_two_people_who_add_the_same_magnet_hold_one_torrent(alice: User, bob: User) -> None:
    source = fresh_magnet()
    first, second = add(alice, source), add(bob, source)
    assert first.torrent == second.torrent
    assert first.pk != second.pk
    assert Torrent.objects.count() == 1


def test_adding_twice_gives_the_same_claim(alice: User) -> None:
    source = fresh_magnet()
    first, is_new = services.add_torrent(user=alice, source=source)
    second, is_new_again = services.add_torrent(user=alice, source=source)
    assert (is_new, is_new_again) == (True, False)
    assert first == second


def test_adding_again_does_not_undo_a_pause(alice: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source, paused=True)
    add(alice, source)
    assert seen(claim).wanted == Claim.Wanted.PAUSED


def test_whoever_adds_a_finished_torrent_has_it_at_once(alice: User, bob: User) -> None:
    source = fresh_magnet()
    finish([add(alice, source).torrent])
    assert state_of(seen(add(bob, source))) == State.FINISHED


def test_public_trackers_of_all_who_add_it_are_joined(alice: User, bob: User) -> None:
    link = fresh_magnet().magnet
    add(alice, parse_magnet(f"{link}&tr=https%3A%2F%2Fone.example.org%2Fannounce"))
    claim = add(bob, parse_magnet(f"{link}&tr=https%3A%2F%2Ftwo.example.org%2Fannounce"))
    claim.torrent.refresh_from_db()
    assert claim.torrent.trackers == ["https://one.example.org/announce", "https://two.example.org/announce"]


def test_removing_leaves_the_others_with_their_files(alice: User, bob: User) -> None:
    mine = finished(alice, {"a.mkv": b"data"})
    theirs = Claim.objects.create(user=bob, torrent=mine.torrent, change=0, completed_at=mine.completed_at)
    services.remove_torrent(claim=mine)
    assert not Claim.objects.of(alice).exists()
    assert state_of(seen(theirs)) == State.FINISHED
    assert theirs.torrent.files.count() == 1
    theirs.torrent.refresh_from_db()
    assert theirs.torrent.unclaimed_at is None
    assert (theirs.torrent.data_dir / "a.mkv").read_bytes() == b"data"


def test_adding_again_within_the_grace_period_finds_the_data(
    alice: User, bob: User, settings: Settings
) -> None:
    claim = finished(alice, {"a.mkv": b"data"})
    services.remove_torrent(claim=claim)
    source = fresh_magnet()
    Torrent.objects.update(infohash_v1=source.infohash_v1)
    again = seen(add(bob, source))
    assert again.torrent_id == claim.torrent_id
    assert state_of(again) == State.FINISHED
    settings.REMOVAL_GRACE_SECONDS = 0
    assert services.retire_unclaimed_torrents() == 0


def test_removing_what_is_gone_already_says_so(alice: User) -> None:
    claim = add(alice)
    services.remove_torrent(claim=claim)
    for verb in (services.remove_torrent, services.pause_torrent, services.resume_torrent):
        with pytest.raises(Claim.DoesNotExist):
            verb(claim=claim)
    assert Tombstone.objects.count() == 1


def test_pausing_is_ones_own_affair(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source), add(bob, source)
    engine_records.record_live_states([live(mine.torrent, State.DOWNLOADING)])
    services.pause_torrent(claim=mine)
    assert state_of(seen(mine)) == State.PAUSED
    assert state_of(seen(theirs)) == State.DOWNLOADING
    (facts,) = Torrent.objects.all().facts()
    assert facts.wanted_running


def test_the_torrent_is_paused_only_when_all_pause_it(alice: User, bob: User) -> None:
    source = fresh_magnet()
    for user in (alice, bob):
        services.pause_torrent(claim=add(user, source))
    (facts,) = Torrent.objects.all().facts()
    assert not facts.wanted_running


def test_what_others_completed_meanwhile_is_handed_over_after_resuming(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source, paused=True), add(bob, source)
    finish([mine.torrent])
    assert state_of(seen(theirs)) == State.FINISHED
    assert state_of(seen(mine)) == State.PAUSED
    with pytest.raises(NotFinished, match="Resume it"):
        require_finished(seen(mine))
    services.resume_torrent(claim=mine)
    assert state_of(seen(mine)) == State.FINISHED
    require_finished(seen(mine))


def test_pausing_a_finished_torrent_does_not_take_it_away(alice: User) -> None:
    claim = finished(alice, {"a": b"1"})
    services.pause_torrent(claim=claim)
    require_finished(seen(claim))
    assert state_of(seen(claim)) == State.FINISHED


def test_after_resuming_nobody_is_asked_to_resume(alice: User) -> None:
    claim = add(alice, paused=True)
    engine_records.record_live_states([live(claim.torrent, State.PAUSED)])
    services.resume_torrent(claim=claim)
    assert state_of(seen(claim)) == State.WAITING
    assert "resume" not in message_of(seen(claim))


def test_adding_a_refused_torrent_again_lets_it_be_tried_again(alice: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    engine_records.record_refusal(torrent_id=claim.torrent_id, reason="The engine does not like it.")
    assert (state_of(seen(claim)), message_of(seen(claim))) == (State.ERROR, "The engine does not like it.")
    before = seen(claim).change
    add(alice, source)
    assert state_of(seen(claim)) == State.WAITING
    assert seen(claim).change > before


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_one_of_two_simultaneous_removals_finds_the_claim_gone(self) -> None:
        alice, bob = person("alice"), person("bob")
        for _ in range(20):
            source = fresh_magnet()
            claim = add(alice, source)
            add(bob, source)  # so the torrent's own row is not touched by the removal

            def remove(claim: Claim = claim) -> bool:
                try:
                    services.remove_torrent(claim=claim)
                except Claim.DoesNotExist:
                    return False
                return True

            assert sorted(at_once(remove, remove)) == [False, True]
        assert Tombstone.objects.count() == 20

    def test_pausing_what_is_removed_at_the_same_moment_finds_it_there_or_gone(self) -> None:
        alice, bob = person("alice"), person("bob")
        for _ in range(20):
            source = fresh_magnet()
            claim = add(alice, source)
            add(bob, source)

            def pause(claim: Claim = claim) -> None:
                try:
                    services.pause_torrent(claim=claim)
                except Claim.DoesNotExist:
                    return

            def remove(claim: Claim = claim) -> None:
                services.remove_torrent(claim=claim)

            at_once(pause, remove)
            assert not Claim.objects.filter(pk=claim.pk).exists()

    def test_pausing_at_the_moment_of_completion_does_not_lose_it(self) -> None:
        alice = person("alice")
        for _ in range(20):
            claim = add(alice)

            def pause(claim: Claim = claim) -> None:
                services.pause_torrent(claim=claim)

            def complete(claim: Claim = claim) -> None:
                finish([claim.torrent])

            at_once(pause, complete)
            completed_first = seen(claim).completed_at is not None
            services.resume_torrent(claim=claim)
            assert seen(claim).completed_at is not None
            assert completed_first or LiveState.objects.get(torrent=claim.torrent).state == State.FINISHED

    def test_adding_while_it_is_retired_gives_a_torrent_that_stays(self, settings: Settings) -> None:
        settings.REMOVAL_GRACE_SECONDS = 0
        alice = person("alice")
        for _ in range(20):
            source = fresh_magnet()
            services.remove_torrent(claim=add(alice, source))

            def adding(source: Source = source) -> None:
                add(alice, source)

            def retiring() -> None:
                services.retire_unclaimed_torrents()

            at_once(adding, retiring)
            claim = Claim.objects.get()
            assert not Removal.objects.filter(pk=claim.torrent_id).exists()
            services.remove_torrent(claim=claim)
            services.retire_unclaimed_torrents()
