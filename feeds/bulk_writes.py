"""What is written for many feeds at once, in one statement each: through models it would take several times as long.

Rows go to the server as one JSON array, whose fields are columns of feeds.models: arrays of each column are no faster
there, and psycopg takes long to write them.
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
        new.key, new.title, new.page, new.download, new.infohash, new.size, new.published_at, new.release
    FROM ROWS FROM (
        json_to_recordset(%s) AS (
            source_id bigint, key uuid, title text, page text, download text, infohash text, size bigint,
            published_at timestamptz, release jsonb
        )
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
    rows = [
        {
            "source_id": item.source_id,
            "key": item.parsed.key,
            "title": item.parsed.title,
            "page": encrypt(item.parsed.page),
            "download": encrypt(item.parsed.download),
            "infohash": item.parsed.infohash,
            "size": item.parsed.size,
            "published_at": item.published_at and item.published_at.isoformat(),
            "release": item.parsed.release,
        }
        for item in items
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE_ITEMS, [json.dumps(rows)])
        return dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Success:
    """What a check that worked leaves at its source."""

    source_id: int
    title: str
    interval_seconds: int | None
    body_digest: str
    etag: str
    last_modified: str
    present: Sequence[str]  # keys in hexadecimal
    more_items: int
    next_check_at: datetime


_NOTE_SUCCESSES = """
UPDATE feeds_feedsource AS source
SET title = success.title, interval_seconds = success.interval_seconds, body_digest = success.body_digest,
    etag = success.etag, last_modified = success.last_modified, present = success.present,
    last_number = source.last_number + success.more_items, next_check_at = success.next_check_at,
    checked_at = %s, succeeded_at = %s, leased_until = NULL, attempts = 0,
    failing_since = NULL, failures = 0, message = ''
FROM json_to_recordset(%s) AS success (
    source_id bigint, title text, interval_seconds integer, body_digest text, etag text, last_modified text,
    present uuid[], more_items integer, next_check_at timestamptz
)
WHERE source.id = success.source_id
"""


def note_successes(successes: Iterable[Success], now: datetime) -> None:
    """Of locked sources."""
    rows = [
        {
            "source_id": success.source_id,
            "title": success.title,
            "interval_seconds": success.interval_seconds,
            "body_digest": success.body_digest,
            "etag": success.etag,
            "last_modified": success.last_modified,
            "present": success.present,
            "more_items": success.more_items,
            "next_check_at": success.next_check_at.isoformat(),
        }
        for success in successes
    ]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_SUCCESSES, [now, now, json.dumps(rows)])


# As `feeds.positions.beginning`, for all of a person's.
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
SET position = step.to
FROM json_to_recordset(%s) AS step (id uuid, source_id bigint, was bigint, "to" bigint)
WHERE subscription.id = step.id AND subscription.source_id = step.source_id AND subscription.position = step.was
"""


def advance(steps: Sequence[Step]) -> int:
    """How many moved."""
    rows: list[dict[str, Any]] = [
        {"id": str(step.subscription_id), "source_id": step.source_id, "was": step.was, "to": step.to}
        for step in steps
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, [json.dumps(rows)])
        return int(cursor.rowcount)
