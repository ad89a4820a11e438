"""Storing what checks found: what is new, and when a source is due again.

Many sources in one transaction, because each costs round trips. Whoever lost its lease stores nothing.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from feeds import schedule
from feeds.bulk_writes import NewItem, Success, note_successes, store_items
from feeds.models import FeedSource
from feeds.reading import Check

LONGEST_HEADER = 1000  # characters

logger = logging.getLogger(__name__)


@transaction.atomic
def store(checks: Sequence[Check]) -> dict[int, int]:
    """What checks without an error found; how many items are new, by source."""
    now = timezone.now()
    held = FeedSource.objects.lock_leased([check.source for check in checks])
    ours = [
        check for check in checks if check.source.pk in held
    ]  # others are gone, or somebody else has them
    stored = store_items(_new_items(ours, now))
    note_successes([_success(check, now, stored.get(check.source.pk, 0)) for check in ours], now)
    return stored


def _new_items(checks: Sequence[Check], now: datetime) -> list[NewItem]:
    return [
        NewItem(check.source.pk, parsed, _no_later_than(now, parsed.published_at))
        for check in checks
        if check.feed is not None
        for parsed in check.feed.items
    ]


def _success(check: Check, now: datetime, stored: int) -> Success:
    source, feed = check.source, check.feed
    seconds = source.interval_seconds if feed is None else feed.ttl
    ttl = timedelta(seconds=seconds) if seconds else None
    return Success(
        source_id=source.pk,
        title=source.title if feed is None else feed.title or source.title,
        interval_seconds=seconds,
        body_digest=source.body_digest if feed is None else check.digest,
        etag=source.etag if feed is None else _storable(check.etag),
        last_modified=source.last_modified if feed is None else _storable(check.last_modified),
        present=[key.hex for key in source.present] if feed is None else feed.keys,
        more_items=stored,
        next_check_at=now + schedule.after_success(ttl),
    )


def _storable(header: str) -> str:
    """A header that cannot be sent back is forgotten: then the feed is sent in full."""
    return header if len(header) <= LONGEST_HEADER and header.isascii() and header.isprintable() else ""


def _no_later_than(now: datetime, text: str) -> datetime | None:
    """Some feeds are from the future, by a time zone that they do not tell."""
    published = parse_datetime(text) if text else None
    return min(published, now) if published else None


@transaction.atomic
def note_failure(source: FeedSource, message: str, *, permanent: bool, retry_after: str = "") -> None:
    now = timezone.now()
    locked = FeedSource.objects.select_for_update().filter(pk=source.pk).first()
    if locked is None or locked.leased_until != source.leased_until:
        return
    if locked.failing_since is None:
        locked.failing_since = now
        logger.warning("feed %s of %s: %s", locked.pk, locked.host, message)  # once, not each time
    locked.failures += 1
    locked.message, locked.checked_at, locked.attempts, locked.leased_until = message, now, 0, None
    locked.next_check_at = now + schedule.after_failure(
        locked.failures, permanent=permanent, retry_after=retry_after
    )
    locked.save(
        update_fields=(
            "failing_since",
            "failures",
            "message",
            "checked_at",
            "attempts",
            "leased_until",
            "next_check_at",
        )
    )
