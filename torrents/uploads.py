"""What was sent to peers, counted by how an engine's own counters grow.

An engine's counter for a torrent starts again when the torrent is added anew, and goes back a little when the engine
is killed. A counter that went back adds nothing: what was counted stays, and counting goes on from where it is. So
nothing counts twice; what was sent between a re-add and our next look at it, seconds later, is lost.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from django.db import connection

from torrents.models import Engine, LiveState


def counts_after(before: LiveState | None, *, seen: int | None) -> tuple[int, int]:
    """All bytes of a torrent so far, and the engine's own count of them, of a live state that follows `before`.

    `seen`: what the engine counts now; None for a torrent that it does not have (yet).
    """
    total, last = (before.uploaded, before.engine_uploaded) if before is not None else (0, 0)
    count = last if seen is None else seen
    return total + max(0, count - last), count


def grown(before: Mapping[uuid.UUID, LiveState], states: Iterable[LiveState]) -> int:
    """Bytes that all these have sent since `before`."""
    return sum(
        live.uploaded - (before[live.torrent_id].uploaded if live.torrent_id in before else 0)
        for live in states
    )


def record_upload(*, engine: Engine, sent: int) -> None:
    """Add bytes to the ledger of today (UTC)."""
    if sent <= 0:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO torrents_swarmtraffic AS total (engine_id, day, sent) VALUES (%s, %s, %s)
            ON CONFLICT (engine_id, day) DO UPDATE SET sent = total.sent + excluded.sent
            """,
            [engine.pk, datetime.now(UTC).date(), sent],
        )
