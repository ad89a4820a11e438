"""The traffic ledger: bytes handed over, per claim and per user, day (UTC) and channel.

Every process that hands bytes over adds to it, and so notes in people's history what was fetched on which day. Locks
are taken in one order, claims by id, their days in the history, then users' days, so that writers never wait for each
other in a circle.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import F, Sum

from accounts.models import User
from torrents.models import Claim, ClaimTraffic, Torrent, Traffic

DAYS_SHOWN = 31

_ADD = """
WITH handed AS (
    SELECT * FROM unnest(%s::uuid[], %s::date[], %s::bigint[]) AS handed (claim_id, day, sent)
), known AS (
    SELECT day, sent, coalesce(claim.id, merged.id) AS claim_id,
           coalesce(claim.user_id, merged.user_id, removed.user_id) AS user_id
    FROM handed
    LEFT JOIN torrents_claim claim ON claim.id = handed.claim_id
    LEFT JOIN torrents_claimalias alias ON alias.id = handed.claim_id
    LEFT JOIN torrents_claim merged ON merged.id = alias.claim_id
    LEFT JOIN LATERAL (
        SELECT user_id FROM torrents_tombstone WHERE claim_id = handed.claim_id LIMIT 1
    ) removed ON true
), per_claim AS (
    INSERT INTO torrents_claimtraffic AS total (claim_id, sent)
    SELECT claim_id, sum(sent) FROM known WHERE claim_id IS NOT NULL GROUP BY claim_id ORDER BY claim_id
    ON CONFLICT (claim_id) DO UPDATE SET sent = total.sent + excluded.sent RETURNING 1
), noted AS (
    -- Once a day; two that hand over at once wait for each other in per_claim, so the later one meets the conflict.
    INSERT INTO torrents_claimevent (user_id, claim_id, name, kind, detail, day)
    SELECT DISTINCT ON (claim.id, day) claim.user_id, claim.id, torrent.name, 'handed_over', %s, day
    FROM known JOIN torrents_claim claim ON claim.id = known.claim_id
    JOIN torrents_torrent torrent ON torrent.id = claim.torrent_id
    WHERE (SELECT count(*) FROM per_claim) >= 0
    ORDER BY claim.id, day
    ON CONFLICT DO NOTHING RETURNING 1
)
INSERT INTO torrents_traffic AS total (user_id, day, channel, sent)
SELECT user_id, day, %s, sum(sent) FROM known
-- Waits for noted, which waits for per_claim: the order of the locks.
WHERE user_id IS NOT NULL AND (SELECT count(*) FROM noted) >= 0
GROUP BY user_id, day ORDER BY user_id, day
ON CONFLICT (user_id, day, channel) DO UPDATE SET sent = total.sent + excluded.sent
"""


@dataclass(frozen=True, slots=True)
class DayOfTraffic:
    day: date
    https: int  # bytes
    sftp: int


@dataclass(frozen=True, slots=True)
class TrafficSummary:
    """`days` are the last 31, the newest first, quiet ones included; `month` is the bytes since the first of it."""

    days: list[DayOfTraffic]
    month: int


def record_handover(*, claim_id: uuid.UUID, channel: str, sent: int) -> None:
    """Add `sent` bytes to a claim and to its user's day. Cheap, from any process, in one statement.

    The user's sum grows even if the claim was merged or removed meanwhile; an unknown claim is ignored.
    """
    record_handovers({(claim_id, datetime.now(UTC).date()): sent}, channel=channel)


def record_handovers(handed: Mapping[tuple[uuid.UUID, date], int], *, channel: str) -> None:
    """The same for many: bytes by claim and day."""
    rows = [(claim_id, day, sent) for (claim_id, day), sent in handed.items() if sent > 0]
    if not rows:
        return
    claim_ids, days, sums = (list(column) for column in zip(*rows, strict=True))
    way = Traffic.Channel(channel)
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [claim_ids, days, sums, f"By {way.label}.", way.value])


def lock_traffic(*torrents: Torrent) -> None:
    """For a transaction that ends or merges several claims on these torrents: take the locks that counting takes, in
    its order, or a batch of hand-overs of the same claims and the transaction could wait for each other."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO torrents_claimtraffic AS total (claim_id, sent)
            SELECT id, 0 FROM torrents_claim WHERE torrent_id = ANY(%s) ORDER BY id
            ON CONFLICT (claim_id) DO UPDATE SET sent = total.sent
            """,
            [[torrent.pk for torrent in torrents]],
        )


def inherit_traffic(*, kept: Claim, merged: Claim) -> None:
    """Of two claims that turned out to be one, the one that stays takes over what was counted for the other."""
    sent = ClaimTraffic.objects.filter(pk=merged.pk).values_list("sent", flat=True).first()
    if sent:
        ClaimTraffic.objects.get_or_create(pk=kept.pk)
        ClaimTraffic.objects.filter(pk=kept.pk).update(sent=F("sent") + sent)


def traffic_of(user: User, *, today: date | None = None) -> TrafficSummary:
    today = today or datetime.now(UTC).date()
    days = {today - timedelta(days=ago): {"https": 0, "sftp": 0} for ago in range(DAYS_SHOWN)}
    ledger = Traffic.objects.filter(user=user)
    for row in ledger.filter(day__in=days):
        days[row.day][row.channel] = row.sent
    month = ledger.filter(day__gte=today.replace(day=1), day__lte=today).aggregate(sum=Sum("sent"))["sum"]
    return TrafficSummary([DayOfTraffic(day, **sums) for day, sums in days.items()], int(month or 0))


def fetched_of(user: User, *, today: date) -> dict[str, int]:
    """Bytes of this month (UTC), by channel."""
    month = Traffic.objects.filter(user=user, day__range=(today.replace(day=1), today))
    sums = month.values_list("channel").annotate(Sum("sent")).order_by()
    return dict.fromkeys(Traffic.Channel.values, 0) | dict(sums)
