"""What is written for many feeds at once, in one statement each: through models it would take several times as long.

Column names are those of feeds.models.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from feeds.parsing import ParsedItem
from proxy_site.encryption import encrypt


@dataclass(frozen=True, slots=True)
class NewItem:
    source_id: int
    parsed: ParsedItem
    published_at: datetime | None


# Numbers go on where those of the source end, whose row is locked. What had left its feed and came back is not new.
_STORE_ITEMS = """
WITH stored AS (
    INSERT INTO feeds_item
        (source_id, number, key, title, page, download, infohash, size, published_at, release)
    SELECT
        new.source_id,
        source.last_number + row_number() OVER (PARTITION BY new.source_id ORDER BY new.place),
        new.key, new.title, new.page, new.download, new.infohash, new.size, new.published_at, new.release::jsonb
    FROM unnest(
        %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[],
        %s::text[]
    ) WITH ORDINALITY
        AS new (source_id, key, title, page, download, infohash, size, published_at, release, place)
    JOIN feeds_feedsource AS source ON source.id = new.source_id
    WHERE NOT EXISTS (
        SELECT FROM feeds_item AS there WHERE there.source_id = new.source_id AND there.key = new.key
    )
    RETURNING source_id
)
SELECT source_id, count(*) FROM stored GROUP BY source_id
"""


def store_items(items: Sequence[NewItem]) -> dict[int, int]:
    """Number and store those that are not there, in this order; how many, by source. Their sources are locked."""
    if not items:
        return {}
    columns: list[list[Any]] = [
        [item.source_id for item in items],
        [item.parsed.key for item in items],
        [item.parsed.title for item in items],
        [encrypt(item.parsed.page) for item in items],
        [encrypt(item.parsed.download) for item in items],
        [item.parsed.infohash for item in items],
        [item.parsed.size for item in items],
        [item.published_at for item in items],
        [json.dumps(item.parsed.release) for item in items],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_ITEMS, columns)
        return dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Success:
    """What a check that worked leaves at its source. `present` are keys in hexadecimal."""

    source_id: int
    title: str
    interval_seconds: int | None
    body_digest: str
    etag: str
    last_modified: str
    present: Sequence[str]
    more_items: int
    next_check_at: datetime


_NOTE_SUCCESS = """
UPDATE feeds_feedsource
SET title = %s, interval_seconds = %s, body_digest = %s, etag = %s, last_modified = %s, present = %s::uuid[],
    last_number = last_number + %s, next_check_at = %s, checked_at = %s, succeeded_at = %s,
    leased_until = NULL, attempts = 0, failing_since = NULL, failures = 0, message = ''
WHERE id = %s
"""


def note_successes(successes: Iterable[Success], now: datetime) -> None:
    """Of locked sources."""
    rows = [
        (
            one.title,
            one.interval_seconds,
            one.body_digest,
            one.etag,
            one.last_modified,
            list(one.present),
            one.more_items,
            one.next_check_at,
            now,
            now,
            one.source_id,
        )
        for one in successes
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_NOTE_SUCCESS, rows)


# Behind what the first check after it was added found, or before, if that was asked for.
_BEGIN = """
UPDATE feeds_subscription AS subscription
SET position = CASE WHEN subscription.back_catalogue
    THEN coalesce(
        (SELECT min(item.number) - 1 FROM feeds_item AS item
         WHERE item.source_id = source.id AND item.key = ANY (source.present)),
        source.last_number
    )
    ELSE source.last_number
END
FROM feeds_feedsource AS source
WHERE source.id = subscription.source_id AND source.succeeded_at >= subscription.since
    AND subscription.user_id = %s AND subscription.enabled AND subscription.position IS NULL
"""


def begin_subscriptions(user_id: int) -> None:
    """Where the rules of this person begin in feeds that were checked since they follow them."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [user_id])


@dataclass(frozen=True, slots=True)
class Step:
    """A subscription's position moves on, if it is still at `was` of this source."""

    subscription_id: UUID
    source_id: int
    was: int
    to: int


_ADVANCE = """
UPDATE feeds_subscription AS subscription
SET position = step.new
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[]) AS step (id, source_id, was, new)
WHERE subscription.id = step.id AND subscription.source_id = step.source_id AND subscription.position = step.was
"""


def advance(steps: Sequence[Step]) -> int:
    """How many moved."""
    if not steps:
        return 0
    columns: list[list[Any]] = [
        [step.subscription_id for step in steps],
        [step.source_id for step in steps],
        [step.was for step in steps],
        [step.to for step in steps],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, columns)
        return int(cursor.rowcount)
