"""Giving a torrent up, taking it back, and what is left when nobody did."""

import uuid
from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from accounts.models import User
from torrents import engine_records, services
from torrents.engines.base import EngineState
from torrents.files import require_finished
from torrents.metainfo import Source
from torrents.models import Claim, Removal, Tombstone, Torrent
from torrents.services import changes_since
from torrents.states import state_of
from torrents.tests.factories import (
    State,
    add,
    at_once,
    client_of,
    finish,
    finished,
    fresh_magnet,
    live,
    person,
)
from torrents.tests.reconciler_box import Box, seen

pytestmark = pytest.mark.usefixtures("downloads")

GRACE = 3600


@pytest.fixture(autouse=True)
def an_hour(settings: Settings) -> None:
    settings.REMOVAL_GRACE_SECONDS = GRACE


def pass_time(seconds: float) -> None:
    """Let everything that was removed have been removed so much earlier."""
    Claim.with_removed.update(removed_at=F("removed_at") - timedelta(seconds=seconds))


def url(claim: Claim, verb: str = "") -> str:
    return f"/api/v1/torrents/{claim.pk}/{verb}"


def test_what_is_removed_is_gone_from_every_list_and_can_be_taken_back(alice: User) -> None:
    claim, api = finished(alice, {"film.mkv": b"film"}, name="film"), client_of(alice)
    assert api.delete(url(claim)).status_code == 204
    for gone in ("", "files/", "files/0/content/", "archive/"):
        assert api.get(url(claim, gone)).status_code == 404
    for gone in ("pause/", "resume/", "links/"):
        assert api.post(url(claim, gone)).status_code == 404
    assert api.get("/api/v1/torrents/").json()["results"] == []
    (removed,) = api.get("/api/v1/torrents/removed/").json()["results"]
    assert (removed["id"], removed["name"], removed["size"]) == (str(claim.pk), "film", 4)
    answer = api.post(url(claim, "restore/"))
    assert (answer.status_code, answer.json()["id"], answer.json()["state"]) == (
        200,
        str(claim.pk),
        "finished",
    )
    assert api.get("/api/v1/torrents/removed/").json()["results"] == []
    assert b"".join(api.get(url(claim, "files/0/content/")).streaming_content) == b"film"  # type: ignore[attr-defined]


def test_the_list_of_what_can_be_taken_back_says_until_when(alice: User) -> None:
    first, second, api = add(alice), add(alice), client_of(alice)
    for claim in (first, second):
        services.remove_torrent(claim=claim)
    Claim.with_removed.filter(pk=first.pk).update(removed_at=F("removed_at") - timedelta(seconds=10))
    answer = api.get("/api/v1/torrents/removed/?limit=1").json()
    assert answer["results"][0]["id"] == str(second.pk)
    (older,) = api.get(answer["next"]).json()["results"]
    removed_at = Claim.with_removed.get(pk=first.pk).removed_at
    assert removed_at is not None
    assert older["until"] == (removed_at + timedelta(seconds=GRACE)).isoformat().replace("+00:00", "Z")


def test_nobody_sees_or_takes_back_what_others_removed(alice: User, bob: User) -> None:
    claim = add(alice)
    services.remove_torrent(claim=claim)
    assert client_of(bob).get("/api/v1/torrents/removed/").json()["results"] == []
    assert client_of(bob).post(url(claim, "restore/")).status_code == 404
    assert not Claim.objects.exists()


def test_taking_back_what_is_held_changes_nothing(alice: User) -> None:
    claim = add(alice, paused=True)
    assert client_of(alice).post(url(claim, "restore/")).json()["state"] == "paused"
    assert seen(claim).change == claim.change


@pytest.mark.parametrize("cleared_away", [False, True])
def test_after_the_grace_there_is_nothing_to_take_back(alice: User, cleared_away: bool) -> None:
    claim = add(alice)
    services.remove_torrent(claim=claim)
    pass_time(GRACE)
    if cleared_away:
        services.retire_unclaimed_torrents()
    assert client_of(alice).get("/api/v1/torrents/removed/").json()["results"] == []
    answer = client_of(alice).post(url(claim, "restore/"))
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (
        404,
        "There is nothing left to take back. Add the torrent again.",
    )


def test_wishes_survive_the_removal(alice: User) -> None:
    claim = add(alice, paused=True)
    Claim.objects.filter(pk=claim.pk).update(label="to see", download_limit=5, chosen_files=[1])
    services.remove_torrent(claim=claim)
    services.restore_torrent(claim=claim)
    back = seen(claim)
    assert (back.wanted, back.label, back.download_limit, back.chosen_files) == ("paused", "to see", 5, [1])


@pytest.mark.parametrize("paused", [False, True])
def test_adding_it_again_takes_it_back_with_the_new_wish(alice: User, paused: bool) -> None:
    source = fresh_magnet()
    claim = add(alice, source, paused=not paused)
    services.remove_torrent(claim=claim)
    again, is_new = services.add_torrent(
        user=alice, source=source, wanted=Claim.Wanted.PAUSED if paused else Claim.Wanted.RUNNING
    )
    assert (again.pk, is_new) == (claim.pk, True)
    assert state_of(seen(claim)) == (State.PAUSED if paused else State.WAITING)


def test_adding_it_again_after_the_grace_starts_afresh(alice: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    Claim.objects.update(label="old")
    services.remove_torrent(claim=claim)
    pass_time(GRACE)
    again = add(alice, source)
    assert again.pk != claim.pk
    assert again.label == ""


def test_what_others_completed_meanwhile_is_finished_when_it_is_taken_back(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source), add(bob, source)
    services.remove_torrent(claim=mine)
    finish([theirs.torrent])
    require_finished(services.restore_torrent(claim=mine))


def test_data_that_went_missing_meanwhile_is_not_finished_when_it_is_taken_back(alice: User) -> None:
    claim = finished(alice, {"a": b"1"})
    services.remove_torrent(claim=claim)
    engine_records.record_live_states([live(claim.torrent, State.DOWNLOADING, progress=0)])
    services.restore_torrent(claim=claim)
    assert state_of(seen(claim)) == State.DOWNLOADING


def changes(user: User, since: int) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    news = changes_since(user=user, change=since, limit=10)
    return [claim.pk for claim in news.claims], news.removed


def test_whoever_polls_sees_it_go_and_come_back(alice: User) -> None:
    claim = add(alice)
    before = claim.change
    services.remove_torrent(claim=claim)
    assert changes(alice, before) == ([], [claim.pk])
    between = Tombstone.objects.get().change
    services.restore_torrent(claim=claim)
    assert changes(alice, between) == ([claim.pk], [])
    # Who was away for both is told of nothing but a torrent that changed.
    assert changes(alice, before) == ([claim.pk], [])


def test_what_a_removed_torrent_does_wakes_nobody(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source), add(bob, source)
    services.remove_torrent(claim=mine)
    before = Tombstone.objects.get().change
    finish([theirs.torrent])
    assert changes_since(user=alice, change=before, limit=10).change == before


def test_a_torrent_stops_when_nobody_holds_it_and_starts_when_it_is_taken_back(box: Box, alice: User) -> None:
    claim = add(alice)
    box.rounds()
    services.remove_torrent(claim=claim)
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED
    services.restore_torrent(claim=claim)
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.METADATA
    assert Torrent.objects.get().unclaimed_at is None


def test_the_grace_period_is_kept_to_the_second(alice: User) -> None:
    services.remove_torrent(claim=add(alice))
    pass_time(GRACE - 5)
    assert services.retire_unclaimed_torrents() == 0
    pass_time(5)
    assert services.retire_unclaimed_torrents() == 1
    assert not Torrent.objects.exists()


def test_a_removed_claim_goes_for_good_also_while_others_hold_the_torrent(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source), add(bob, source)
    services.remove_torrent(claim=mine)
    pass_time(GRACE)
    assert services.retire_unclaimed_torrents() == 0
    assert Claim.with_removed.get() == theirs
    assert not Removal.objects.exists()


def test_the_last_one_that_may_be_taken_back_keeps_the_data(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source), add(bob, source)
    services.remove_torrent(claim=mine)
    pass_time(GRACE)
    services.remove_torrent(claim=theirs)
    assert services.retire_unclaimed_torrents() == 0
    assert Claim.with_removed.get() == theirs
    pass_time(GRACE)
    assert services.retire_unclaimed_torrents() == 1
    assert Removal.objects.get().pk == mine.torrent_id


def test_what_deleted_people_had_is_retired_too(alice: User, bob: User) -> None:
    claims = [add(alice), add(alice)]
    services.remove_torrent(claim=claims[0])
    kept = add(bob)
    alice.delete()
    assert services.retire_unclaimed_torrents() == 2
    assert Torrent.objects.get() == kept.torrent


@pytest.mark.django_db(transaction=True)
class TestRaces:
    ROUNDS = 30

    def test_dropping_while_another_claims_loses_no_data_of_a_living_claim(self, settings: Settings) -> None:
        settings.REMOVAL_GRACE_SECONDS = 0
        alice, bob = person("alice"), person("bob")
        for _ in range(self.ROUNDS):
            source = fresh_magnet()
            claim = add(alice, source)

            def drop(claim: Claim = claim) -> None:
                services.remove_torrent(claim=claim)
                services.retire_unclaimed_torrents()

            def take(source: Source = source) -> None:
                add(bob, source)

            at_once(drop, take)
            held = Claim.objects.get(user=bob)
            assert not Removal.objects.filter(pk=held.torrent_id).exists()
            services.remove_torrent(claim=held)
            services.retire_unclaimed_torrents()
            assert not Torrent.objects.exists()

    def test_taking_back_at_the_last_moment_succeeds_or_finds_it_gone(self) -> None:
        alice = person("alice")
        for round_ in range(self.ROUNDS):
            claim = add(alice)
            services.remove_torrent(claim=claim)
            pass_time(GRACE - round_ / 1000)

            def restore(claim: Claim = claim) -> bool:
                try:
                    services.restore_torrent(claim=claim)
                except Claim.DoesNotExist:
                    return False
                return True

            restored, _ = at_once(restore, services.retire_unclaimed_torrents)
            there = Torrent.objects.filter(pk=claim.torrent_id).exists()
            assert Claim.objects.filter(pk=claim.pk).exists() == restored
            assert there or not restored
            assert Removal.objects.filter(pk=claim.torrent_id).exists() != there
