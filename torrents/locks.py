"""What a transaction holds until it ends: infohashes that it adds or learns, and people's change numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from accounts.models import User
    from torrents.models import Torrent


def lock_infohashes(*infohashes: str | None) -> None:
    """Until the transaction ends nobody else adds or learns these infohashes: a row that somebody is just inserting
    cannot be locked, and would break the unique constraint of whoever did not see it."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        for infohash in sorted(infohash for infohash in infohashes if infohash):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(infohash[:15], 16)])


def lock_change_counters(torrents: Iterable[Torrent], *users: User) -> None:
    """Lock, in their order, the counters of all who claim these torrents and of `users`, for a transaction that
    counts more than once. The caller holds the torrents' row locks."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO torrents_changecounter AS counter (user_id, value, pruned)
            SELECT user_id, 0, 0 FROM (
                SELECT user_id FROM torrents_claim WHERE torrent_id = ANY(%s) UNION SELECT unnest(%s::bigint[])
            ) AS concerned (user_id) ORDER BY user_id
            ON CONFLICT (user_id) DO UPDATE SET value = counter.value
            """,
            [[torrent.pk for torrent in torrents], [user.pk for user in users]],
        )


def next_change(user: User) -> int:
    """Take the user's next change number; their counter stays locked until the transaction ends."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO torrents_changecounter AS counter (user_id, value, pruned) VALUES (%s, 1, 0)
            ON CONFLICT (user_id) DO UPDATE SET value = counter.value + 1 RETURNING value
            """,
            [user.pk],
        )
        row: tuple[Any, ...] = cursor.fetchone()
    return int(row[0])
