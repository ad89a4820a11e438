"""How far people's torrents are, as the rooms are told that had them added."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from torrents import blocking, engine_records, services
from torrents.locks import lock_change_counters
from torrents.merging import merge_torrents
from torrents.models import Claim, Engine, Torrent
from torrents.services import Standing, remove_named, standing
from torrents.tests.factories import State, add, finish, fresh_magnet, live, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    services.default_engine()
    Engine.objects.update(reachable=True)
    return person("Alice")


def of(claim: Claim) -> Standing:
    return standing(user=claim.user, claim_ids=[claim.pk])[claim.pk]


def runs(claim: Claim, state: str, progress: float = 0.5) -> None:
    Torrent.objects.filter(pk=claim.torrent_id).update(size=1000)
    engine_records.record_live_states([live(claim.torrent, state, progress=progress)])


def test_a_download_tells_its_bytes(alice: User) -> None:
    claim = add(alice)
    assert (of(claim).done, of(claim).size, of(claim).state) == (None, None, "waiting")
    runs(claim, State.DOWNLOADING)
    told = of(claim)
    assert (told.done, told.size, told.complete, told.removed, told.refused) == (500, 1000, False, False, "")
    assert (told.origin, told.ids) == ("user", frozenset({claim.pk}))


def test_what_is_complete_says_so(alice: User) -> None:
    claim = add(alice)
    finish([claim.torrent])
    assert of(claim).complete


@pytest.mark.parametrize("state", [State.METADATA, State.DOWNLOADING, State.STALLED])
def test_nothing_but_its_swarm_keeps_what_runs(alice: User, state: str) -> None:
    claim = add(alice)
    runs(claim, state)
    assert of(claim).searching


@pytest.mark.parametrize("state", [State.WAITING, State.CHECKING, State.QUEUED, State.ERROR])
def test_something_else_keeps_what_does_not(alice: User, state: str) -> None:
    claim = add(alice)
    runs(claim, state)
    assert not of(claim).searching


def test_who_pauses_has_no_room_or_no_engine_waits_for_no_swarm(alice: User) -> None:
    paused, without_room, cut_off = add(alice), add(alice), add(alice)
    for claim in (paused, without_room, cut_off):
        runs(claim, State.STALLED)
    services.pause_torrent(claim=paused)
    Claim.objects.filter(pk=without_room.pk).update(waits_for="user_disk")
    assert not of(paused).searching
    assert not of(without_room).searching
    assert of(cut_off).searching
    Engine.objects.update(reachable=False)
    assert not of(cut_off).searching


def test_what_its_owner_gave_up_is_removed_and_then_gone(alice: User) -> None:
    claim = add(alice)
    services.remove_torrent(claim=claim)
    assert of(claim).removed
    Claim.with_removed.update(removed_at=timezone.now() - timedelta(days=30))
    services.retire_unclaimed_torrents()
    assert standing(user=alice, claim_ids=[claim.pk]) == {}


def test_what_the_box_ended_says_why(alice: User) -> None:
    claim = add(alice)
    infohash = claim.torrent.infohash_v1
    assert infohash is not None
    blocking.block_infohash(infohash=infohash)
    told = of(claim)
    assert "blocked" in told.refused
    assert not told.removed


def test_what_was_merged_is_found_by_either_id(alice: User) -> None:
    kept, merged = add(alice), add(alice)
    lock_change_counters([kept.torrent, merged.torrent])
    merge_torrents(kept=kept.torrent, merged=merged.torrent)
    found = standing(user=alice, claim_ids=[kept.pk, merged.pk])
    assert found[kept.pk] == found[merged.pk]
    assert (found[merged.pk].claim_id, found[merged.pk].ids) == (kept.pk, frozenset({kept.pk, merged.pk}))
    assert set(standing(user=alice, claim_ids=[merged.pk])) == {merged.pk}
    assert remove_named(user=alice, claim_id=merged.pk)
    assert not remove_named(user=alice, claim_id=merged.pk)


def test_nobody_is_told_of_somebody_elses(alice: User) -> None:
    claim, bob = add(alice), person("bob")
    assert standing(user=bob, claim_ids=[claim.pk, uuid.uuid4()]) == {}
    assert not remove_named(user=bob, claim_id=claim.pk)
    infohash = claim.torrent.infohash_v1
    assert infohash is not None
    blocking.block_infohash(infohash=infohash)
    assert standing(user=bob, claim_ids=[claim.pk]) == {}


def test_many_are_told_in_one_query(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ids = [add(alice, fresh_magnet()).pk for _ in range(20)]
    with django_assert_num_queries(1):
        assert len(standing(user=alice, claim_ids=ids)) == 20
