"""What became of people's torrents, for themselves to read: rows that outlive the claims they tell about.

Hand-overs are noted by torrents.traffic, in the statement that counts them.
"""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import connection, models
from django.utils import timezone

from accounts.models import User
from torrents.models import Claim, ClaimEvent

Kind = ClaimEvent.Kind
KEPT = timedelta(days=365)
MOST_PER_USER = 10_000
DETAIL_LENGTH = 255

_STARTED = """
INSERT INTO torrents_claimevent (user_id, claim_id, name, kind, detail)
SELECT claim.user_id, claim.id, torrent.name, 'started', ''
FROM torrents_claim claim JOIN torrents_torrent torrent ON torrent.id = claim.torrent_id
WHERE claim.torrent_id = ANY(%s)
    AND claim.wanted = 'running' AND claim.waits_for = '' AND claim.removed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM torrents_claimevent event WHERE event.claim_id = claim.id AND event.kind = 'started'
    )
ORDER BY claim.user_id, claim.id
"""

# `at` is the claim's own moment, which tells a second completion from the first noted twice.
_COMPLETED = """
INSERT INTO torrents_claimevent (user_id, claim_id, name, kind, detail, at)
SELECT claim.user_id, claim.id, torrent.name, 'completed', '', claim.completed_at
FROM torrents_claim claim JOIN torrents_torrent torrent ON torrent.id = claim.torrent_id
WHERE claim.torrent_id = ANY(%s) AND claim.completed_at > %s AND claim.removed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM torrents_claimevent event
        WHERE event.claim_id = claim.id AND event.kind = 'completed' AND event.at = claim.completed_at
    )
ORDER BY claim.user_id, claim.id
"""

_PRUNE = """
DELETE FROM torrents_claimevent WHERE at < %s OR id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY id DESC) AS place FROM torrents_claimevent
    ) AS placed WHERE place > %s
)
"""


def note(*, claim: Claim, kind: str, detail: str = "") -> None:
    """In the caller's transaction. `detail` is for the claim's owner, and must not tell of others."""
    note_many([claim], kind=kind, detail=detail)


def note_many(claims: Iterable[Claim], *, kind: str, detail: str = "") -> None:
    """The same for claims whose torrents are loaded."""
    ClaimEvent.objects.bulk_create(
        [
            ClaimEvent(
                user_id=claim.user_id,
                claim_id=claim.pk,
                name=claim.torrent.name,
                kind=kind,
                detail=detail[:DETAIL_LENGTH],
            )
            for claim in claims
        ]
    )


def note_added(claim: Claim) -> None:
    note(claim=claim, kind=Kind.ADDED, detail=_origin(claim))


def note_started(torrents: Collection[uuid.UUID]) -> None:
    """The first bytes of these torrents arrived: tell those who wait for them, once each."""
    _for_torrents(_STARTED, torrents)


def note_completed(torrents: Collection[uuid.UUID]) -> None:
    """After `completed_at` of claims on these torrents may have been set. Noting it twice is noting it once."""
    _for_torrents(_COMPLETED, torrents, timezone.now() - KEPT)


def inherit(*, kept: Claim, merged: Claim) -> None:
    """Of two claims that turned out to be one, the one that stays takes over what became of the other."""
    # Without their day: both may have been fetched on one, which a claim has but once.
    ClaimEvent.objects.filter(claim_id=merged.pk).update(claim_id=kept.pk, day=None)


def of(user: User) -> models.QuerySet[ClaimEvent]:
    """Of all torrents that this person has or had."""
    return ClaimEvent.objects.filter(user=user)


def of_claim(user: User, claim_id: uuid.UUID) -> models.QuerySet[ClaimEvent] | None:
    """Of one of this person's torrents, which may be gone; None if it never was theirs, or so long ago that nothing
    is known of it."""
    claim = Claim.with_removed.filter(user=user).named(claim_id).first()
    events = of(user).filter(claim_id=claim.pk if claim is not None else claim_id)
    return events if claim is not None or events.exists() else None


def ended_by_the_box(user: User, claim_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Why, for those of these torrents of theirs that their owner did not give up themselves: see removal.end."""
    ended = of(user).filter(claim_id__in=claim_ids, kind__in=(Kind.REMOVED, Kind.BLOCKED)).exclude(detail="")
    return dict(ended.values_list("claim_id", "detail"))


def prune() -> int:
    """Forget what is older than `KEPT`, and of each person all but the newest; how many rows that were."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, [timezone.now() - KEPT, MOST_PER_USER])
        return int(cursor.rowcount)


def _for_torrents(statement: str, torrents: Collection[uuid.UUID], *parameters: datetime) -> None:
    if torrents:
        with connection.cursor() as cursor:
            cursor.execute(statement, [list(torrents), *parameters])


def _origin(claim: Claim) -> str:
    match claim.origin:
        case Claim.Origin.FEED:
            by = "By your feed"
        case Claim.Origin.WATCHLIST:
            by = "By your watchlist"
        case _:
            by = "By you"
    return f"{by}: {claim.origin_detail}" if claim.origin_detail else f"{by}."
