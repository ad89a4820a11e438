"""What people read of their torrents' past."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from torrents import engine_records, history, services
from torrents.merging import merge_torrents
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim, ClaimEvent
from torrents.tests.factories import (
    State,
    add,
    at_once,
    client_of,
    finish,
    fresh_magnet,
    hybrid_torrent,
    live,
    magnet,
)
from torrents.tests.reconciler_box import Box, download
from torrents.traffic import record_handover, record_handovers

ALL = "/api/v1/me/history/"


def of_claim(claim: Claim) -> str:
    return f"/api/v1/torrents/{claim.pk}/history/"


def kinds(user: User) -> list[str]:
    """Oldest first."""
    return list(history.of(user).order_by("id").values_list("kind", flat=True))


def test_a_torrents_life_is_told_from_the_end(box: Box, alice: User, show: Source, tmp_path: Path) -> None:
    claim = add(alice, show)
    download(box, show, tmp_path)
    record_handover(claim_id=claim.pk, channel="sftp", sent=10)
    services.remove_torrent(claim=claim)

    events = client_of(alice).get(of_claim(claim)).json()["results"]

    assert [(event["kind"], event["detail"]) for event in events] == [
        ("removed", ""),
        ("handed_over", "By SFTP."),
        ("completed", ""),
        ("started", ""),
        ("added", "By you."),
    ]
    assert {(event["torrent"], event["name"]) for event in events} == {(str(claim.pk), "show")}


@pytest.mark.parametrize(
    ("origin", "detail", "words"),
    [
        (Claim.Origin.USER, "", "By you."),
        (Claim.Origin.FEED, "", "By your feed."),
        (Claim.Origin.FEED, "Films", "By your feed: Films"),
        (Claim.Origin.WATCHLIST, "A Show, episode 3", "By your watchlist: A Show, episode 3"),
    ],
)
def test_it_says_by_what_a_torrent_was_added(alice: User, origin: str, detail: str, words: str) -> None:
    services.add_torrent(user=alice, source=fresh_magnet(), origin=origin, origin_detail=detail)
    assert ClaimEvent.objects.get().detail == words


def test_adding_what_one_has_is_not_noted_again(alice: User) -> None:
    source = fresh_magnet()
    add(alice, source)
    add(alice, source)
    assert kinds(alice) == ["added"]


def test_the_first_bytes_start_it_once_for_each_who_waits_for_it(
    alice: User, bob: User, charlie: User
) -> None:
    source = fresh_magnet()
    torrent = add(alice, source).torrent
    add(bob, source, paused=True)
    add(charlie, source)
    for downloaded in (0, 10, 20, 0, 10):  # an engine that lost it begins anew
        state = live(torrent, State.DOWNLOADING)
        state.downloaded = downloaded
        engine_records.record_live_states([state])
    assert (kinds(alice), kinds(bob), kinds(charlie)) == (
        ["added", "started"],
        ["added"],
        ["added", "started"],
    )


def test_who_waits_for_room_has_not_started(alice: User) -> None:
    torrent = add(alice).torrent
    Claim.objects.update(waits_for=Claim.WaitsFor.BOX_DISK)
    state = live(torrent, State.DOWNLOADING)
    state.downloaded = 10
    engine_records.record_live_states([state])
    assert kinds(alice) == ["added"]


def test_it_is_completed_for_each_when_it_is_theirs(alice: User, bob: User, charlie: User) -> None:
    source = fresh_magnet()
    torrent = add(alice, source).torrent
    paused = add(bob, source, paused=True)
    finish([torrent])
    finish([torrent])
    assert (kinds(alice), kinds(bob)) == (["added", "completed"], ["added"])
    services.resume_torrent(claim=paused)
    add(charlie, source)
    assert (kinds(alice), kinds(bob), kinds(charlie)) == (
        ["added", "completed"],
        ["added", "completed"],
        ["added", "completed"],
    )


def test_data_that_went_missing_and_came_again_is_completed_again(alice: User) -> None:
    torrent = add(alice).torrent
    finish([torrent])
    engine_records.record_live_states([live(torrent, State.STALLED)])
    finish([torrent])
    assert kinds(alice) == ["added", "completed", "completed"]


def test_what_was_taken_back_is_told_too(alice: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    services.remove_torrent(claim=claim)
    finish([claim.torrent])
    services.restore_torrent(claim=claim)
    services.remove_torrent(claim=claim)
    add(alice, source)
    assert kinds(alice) == ["added", "removed", "restored", "completed", "removed", "restored"]


def test_a_claim_that_joins_a_finished_torrent_by_a_merge_is_completed(alice: User, bob: User) -> None:
    kept, merged = add(alice), add(bob)
    finish([kept.torrent])
    kept.torrent.refresh_from_db()
    merge_torrents(kept=kept.torrent, merged=merged.torrent)
    assert kinds(bob) == ["added", "completed"]


def test_a_hand_over_is_noted_once_a_day_however_many_requests_it_takes(alice: User) -> None:
    claim = add(alice)
    today = datetime.now(UTC).date()
    for _ in range(3):
        record_handover(claim_id=claim.pk, channel="https", sent=1)
        record_handovers({(claim.pk, today - timedelta(days=1)): 1, (claim.pk, today): 1}, channel="sftp")
    events = ClaimEvent.objects.filter(kind="handed_over").order_by("day")
    assert [(event.day, event.detail) for event in events] == [
        (today - timedelta(days=1), "By SFTP."),
        (today, "By HTTPS."),
    ]


@pytest.mark.django_db(transaction=True)
def test_many_who_hand_over_at_once_note_it_once(alice: User, bob: User) -> None:
    claims = [add(user) for user in (alice, bob) for _ in range(2)]
    today = datetime.now(UTC).date()

    def one_by_one() -> None:
        for claim in claims * 3:
            record_handover(claim_id=claim.pk, channel="https", sent=1)

    def together() -> None:
        record_handovers({(claim.pk, today): 1 for claim in reversed(claims)}, channel="https")

    at_once(one_by_one, together, one_by_one, together)
    assert ClaimEvent.objects.filter(kind="handed_over").count() == len(claims)


def test_what_was_fetched_and_removed_before_it_was_counted_is_told(alice: User) -> None:
    claim = add(alice)
    services.remove_torrent(claim=claim)
    record_handover(claim_id=claim.pk, channel="https", sent=1)
    assert kinds(alice) == ["added", "removed", "handed_over"]


def test_what_is_handed_over_of_a_claim_that_is_gone_for_good_is_counted_and_not_told(alice: User) -> None:
    claim = add(alice)
    services.remove_torrent(claim=claim)
    Claim.with_removed.all().delete()
    record_handover(claim_id=claim.pk, channel="https", sent=1)
    assert kinds(alice) == ["added", "removed"]


def test_a_merged_claims_past_is_part_of_the_one_that_stayed(box: Box, alice: User, tmp_path: Path) -> None:
    hybrid = parse_torrent(hybrid_torrent(tmp_path / "swarm"))
    claims = [add(alice, magnet(v1=hybrid.infohash_v1)), add(alice, magnet(v2=hybrid.infohash_v2))]
    for claim in claims:
        record_handover(claim_id=claim.pk, channel="https", sent=1)
    download(box, hybrid, tmp_path)
    stayed = Claim.objects.get()
    record_handover(claim_id=stayed.pk, channel="https", sent=1)
    by_id = [client_of(alice).get(of_claim(claim)).json()["results"] for claim in claims]
    assert by_id[0] == by_id[1]
    assert {event["torrent"] for event in by_id[0]} == {str(stayed.pk)}
    assert [event["kind"] for event in by_id[0]].count("added") == 2


def test_everybody_reads_their_own_history_only(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source), add(bob, source)
    assert client_of(bob).get(of_claim(mine)).status_code == 404
    services.remove_torrent(claim=mine)
    assert client_of(bob).get(of_claim(mine)).status_code == 404
    assert [event["torrent"] for event in client_of(bob).get(ALL).json()["results"]] == [str(theirs.pk)]


def test_a_torrent_from_before_there_was_a_history_has_none(alice: User) -> None:
    claim = add(alice)
    ClaimEvent.objects.all().delete()
    assert client_of(alice).get(of_claim(claim)).json()["results"] == []


def test_the_history_of_all_torrents_comes_in_pages(alice: User) -> None:
    added = [str(add(alice).pk) for _ in range(5)]
    page = client_of(alice).get(ALL, {"limit": 2}).json()
    found = page["results"]
    while page["next"]:
        page = client_of(alice).get(page["next"]).json()
        found += page["results"]
    assert [event["torrent"] for event in found] == added[::-1]


@pytest.mark.parametrize("cursor", ["x", "cD0x", "cD1h", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "cD0tMQ=="])
def test_a_cursor_that_nobody_made_is_refused_or_leads_to_the_end(alice: User, cursor: str) -> None:
    add(alice)
    response = client_of(alice).get(ALL, {"cursor": cursor})
    assert response.status_code in (200, 404)
    assert response.status_code == 404 or response.json()["results"] == []


def test_old_events_and_those_above_the_cap_are_forgotten(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_PER_USER", 3)
    claims = [add(alice) for _ in range(5)]
    add(bob)
    old = add(bob)
    ClaimEvent.objects.filter(claim_id=old.pk).update(at=timezone.now() - history.KEPT - timedelta(days=1))
    assert history.prune() == 3
    assert list(history.of(alice).values_list("claim_id", flat=True).order_by("id")) == [
        claim.pk for claim in claims[2:]
    ]
    assert history.of(bob).count() == 1


def test_what_was_forgotten_is_not_noted_anew(alice: User, charlie: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    finish([claim.torrent])
    long_ago = timezone.now() - history.KEPT - timedelta(days=1)
    Claim.objects.update(completed_at=long_ago)
    ClaimEvent.objects.all().delete()
    add(charlie, source)
    assert kinds(alice) == []
