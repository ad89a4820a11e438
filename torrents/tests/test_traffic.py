"""The ledger of what was handed over."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from torrents import services
from torrents.merging import merge_torrents
from torrents.models import Claim, ClaimAlias, ClaimTraffic, Traffic
from torrents.tests.factories import add, at_once, client_of
from torrents.traffic import record_handover, record_handovers, traffic_of

TODAY = date(2026, 3, 2)


def month(user: User) -> int:
    return traffic_of(user).month


def handed_over(claim: Claim) -> int:
    return Claim.objects.of(claim.user).get(pk=claim.pk).handed_over


def test_bytes_add_up_by_claim_user_day_and_channel(alice: User, bob: User) -> None:
    first, second, other = add(alice), add(alice), add(bob)
    record_handover(claim_id=first.pk, channel="https", sent=10)
    record_handover(claim_id=first.pk, channel="sftp", sent=5)
    record_handover(claim_id=second.pk, channel="https", sent=1)
    record_handover(claim_id=other.pk, channel="https", sent=100)
    assert (handed_over(first), handed_over(second), handed_over(other)) == (15, 1, 100)
    rows = Traffic.objects.filter(user=alice).order_by("channel").values_list("day", "channel", "sent")
    today = datetime.now(UTC).date()
    assert list(rows) == [(today, "https", 11), (today, "sftp", 5)]


def test_it_takes_one_statement(alice: User) -> None:
    claim = add(alice)
    with CaptureQueriesContext(connection) as queries:
        record_handover(claim_id=claim.pk, channel="https", sent=10)
    assert len(queries) == 1


def test_more_than_four_gibibytes_at_once_are_counted(alice: User) -> None:
    claim = add(alice)
    record_handover(claim_id=claim.pk, channel="sftp", sent=2**40)
    assert (handed_over(claim), month(alice)) == (2**40, 2**40)


def test_a_removed_claims_bytes_stay_with_its_user(alice: User, settings: Settings) -> None:
    claim = add(alice)
    record_handover(claim_id=claim.pk, channel="https", sent=10)
    services.remove_torrent(claim=claim)
    record_handover(claim_id=claim.pk, channel="https", sent=7)  # the end of a download that was on its way
    assert month(alice) == 17
    settings.REMOVAL_GRACE_SECONDS = 0
    services.retire_unclaimed_torrents()
    record_handover(claim_id=claim.pk, channel="https", sent=5)
    assert month(alice) == 22
    assert not ClaimTraffic.objects.exists()


def test_what_comes_in_for_a_merged_claim_counts_for_the_one_that_stayed(alice: User) -> None:
    claim = add(alice)
    merged_id = uuid.uuid4()
    ClaimAlias.objects.create(pk=merged_id, claim=claim)
    record_handover(claim_id=merged_id, channel="https", sent=10)
    assert (handed_over(claim), month(alice)) == (10, 10)


def test_claims_that_turn_out_to_be_one_keep_the_sum_of_both(alice: User) -> None:
    kept, merged = add(alice), add(alice)
    record_handover(claim_id=kept.pk, channel="https", sent=10)
    record_handover(claim_id=merged.pk, channel="https", sent=5)
    merge_torrents(kept=kept.torrent, merged=merged.torrent)
    assert (handed_over(kept), month(alice)) == (15, 15)


@pytest.mark.parametrize("sent", [0, -5])
def test_nothing_sent_is_nothing_counted(alice: User, sent: int) -> None:
    record_handover(claim_id=add(alice).pk, channel="https", sent=sent)
    assert not Traffic.objects.exists()


def test_an_unknown_claim_is_ignored(alice: User) -> None:
    record_handover(claim_id=uuid.uuid4(), channel="https", sent=10)
    assert not Traffic.objects.exists()


def test_an_unknown_channel_is_a_mistake(alice: User) -> None:
    with pytest.raises(ValueError, match="gopher"):
        record_handover(claim_id=add(alice).pk, channel="gopher", sent=10)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_when_many_count_at_once(alice: User, bob: User) -> None:
    claims = [add(user) for user in (alice, bob) for _ in range(3)]
    today = datetime.now(UTC).date()

    def one_by_one() -> None:
        for claim in claims * 5:
            record_handover(claim_id=claim.pk, channel="https", sent=1)

    def together() -> None:
        for _ in range(5):
            record_handovers({(claim.pk, today): 1 for claim in reversed(claims)}, channel="https")

    at_once(one_by_one, together, one_by_one, together)
    assert [handed_over(claim) for claim in claims] == [20] * 6
    assert (month(alice), month(bob)) == (60, 60)


def test_the_summary_has_every_day_of_the_last_31_and_the_month(alice: User) -> None:
    claim = add(alice)
    for ago, sent in ((0, 1), (1, 10), (2, 100), (30, 1000), (31, 10_000)):
        record_handovers({(claim.pk, TODAY - timedelta(days=ago)): sent}, channel="sftp")
    summary = traffic_of(alice, today=TODAY)
    assert [day.day for day in summary.days] == [TODAY - timedelta(days=ago) for ago in range(31)]
    assert [day.sftp for day in summary.days if day.sftp] == [1, 10, 100, 1000]
    assert sum(day.https for day in summary.days) == 0
    assert summary.month == 11  # the 1st and the 2nd of March


def test_everybody_sees_their_own_traffic_only(alice: User, bob: User) -> None:
    record_handover(claim_id=add(alice).pk, channel="https", sent=10)
    assert client_of(bob).get("/api/v1/me/traffic/").json()["month"] == 0
    mine = client_of(alice).get("/api/v1/me/traffic/").json()
    assert (mine["month"], len(mine["days"])) == (10, 31)
    assert mine["days"][0] == {"day": datetime.now(UTC).date().isoformat(), "https": 10, "sftp": 0}
