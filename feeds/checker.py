"""Checking feeds: which are due, what they send, and storing what is new.

Many workers may do this at once: a source is leased to one of them, and whoever lost its lease stores nothing. A worker
that dies loses nothing: the lease runs out, and what it had stored is known by its keys.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from feeds import schedule
from feeds.models import FeedSource, Item
from feeds.moving import move_source
from feeds.parsing import MAX_BYTES, FeedError, ParsedFeed
from feeds.parsing.isolated import Parser
from feeds.signals import items_stored
from proxy_site.outbound import Response
from proxy_site.outbound_many import Limits, Outcome, Request, fetch_many

FETCH_SECONDS = 15.0  # a source, redirects included
AT_ONCE = 40
BATCH = 120
BUDGET_SECONDS = (
    50.0  # no batch is begun later than that in a run, which the worker ends after Q_CLUSTER["timeout"]
)
LONGEST_SECONDS = (
    90.0  # of a run: what was not reached by then, because feeds are slow to read, is left to the next
)
# After that what a batch has not got to is given back: of one host only two are fetched at a time, and one that hangs
# would hold the whole batch, beyond what a run may take.
BATCH_SECONDS = 30.0
TELL_EVERY = 5.0  # seconds
LONGEST_HEADER = 1000  # characters
LEASE = timedelta(minutes=4)  # longer than a run may take
ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Report:
    """What one run did."""

    checked: int = 0
    failed: int = 0
    unchanged: int = 0
    new_items: int = 0


def check_due() -> Report:
    """Check all sources that are due, the healthy ones first, for as long as a run may take."""
    report = Report()
    begun = time.monotonic()
    with Parser() as parser:
        while time.monotonic() - begun < BUDGET_SECONDS and (sources := _claim_due()):
            _check(sources, parser, report, ends_at=begun + LONGEST_SECONDS)
            if len(sources) < BATCH:
                break
    return report


@transaction.atomic
def _claim_due() -> list[FeedSource]:
    now = timezone.now()
    sources = list(FeedSource.objects.due(now)[:BATCH])
    for source in sources:
        source.attempts += 1  # before the work: one that kills its worker backs off, too
        source.leased_until = now + LEASE
        source.next_check_at = now + max(LEASE, schedule.after_failure(source.attempts, permanent=False))
    FeedSource.objects.bulk_update(sources, ["attempts", "leased_until", "next_check_at"])
    return sources


def _check(sources: Sequence[FeedSource], parser: Parser, report: Report, *, ends_at: float) -> None:
    left = {source.pk: source for source in sources}
    gives_up_at = min(ends_at, time.monotonic() + BATCH_SECONDS)
    news = _News()
    limits = Limits(deadline=FETCH_SECONDS, max_bytes=MAX_BYTES, at_once=AT_ONCE)
    requests = [_request(source) for source in sources]
    with closing(fetch_many(requests, limits, allow_private=settings.OUTBOUND_ALLOW_PRIVATE)) as outcomes:
        for outcome in outcomes:
            source = left.pop(outcome.key)
            report.checked += 1
            try:
                _take(source, outcome, parser, report, news)
            except FeedError as error:
                _note_failure(source, str(error), permanent=error.code in _PERMANENT_CODES)
                report.failed += 1
            except Exception:  # what nobody has thought of, in one feed: the others are to be stored
                logger.exception("feed %s", source.pk)
                _note_failure(
                    source, "This feed could not be stored. The admin can see why.", permanent=False
                )
                report.failed += 1
            if time.monotonic() > gives_up_at:
                break
    news.tell()
    FeedSource.objects.give_back(left.values())


class _News:
    """Wakes those who wait for new items: with the first ones, then every few seconds. Each time costs a task."""

    def __init__(self) -> None:
        self._untold = False
        self._told_at = float("-inf")

    def note(self) -> None:
        self._untold = True
        if time.monotonic() - self._told_at >= TELL_EVERY:
            self.tell()

    def tell(self) -> None:
        if self._untold:
            self._untold, self._told_at = False, time.monotonic()
            items_stored.send(sender=FeedSource)


# A body like that stays like that until somebody changes something. Others may be a server's bad moment.
_PERMANENT_CODES = frozenset(
    {
        "caps",
        "entities",
        "hostile",
        "html",
        "not_a_feed",
        "refused",
        "too_large",
        "too_many_items",
        "too_slow",
    }
)


def _request(source: FeedSource) -> Request[int]:
    headers = {"Accept": ACCEPT}
    if source.etag:
        headers["If-None-Match"] = source.etag
    if source.last_modified:
        headers["If-Modified-Since"] = source.last_modified
    credentials = (source.username, source.password) if source.username or source.password else None
    return Request(source.pk, source.url, headers, credentials)


def _take(source: FeedSource, outcome: Outcome[int], parser: Parser, report: Report, news: _News) -> None:
    """Raises FeedError for a body that is no feed."""
    if (error := outcome.error) is not None:
        report.failed += 1
        _note_failure(source, str(error), permanent=error.permanent, retry_after=error.retry_after)
        return
    response = outcome.response
    assert response is not None
    digest = hashlib.sha256(response.body).hexdigest()
    feed: ParsedFeed | None = None
    if response.status != 304 and digest != source.body_digest:
        feed = parser.read(
            response.body,
            content_type=response.headers.get("content-type", ""),
            url=response.url,
            known=[key.hex for key in source.present],
        )
    else:
        report.unchanged += 1
    stored = _store(source, response, digest, feed)
    report.new_items += stored
    if stored or source.succeeded_at is None:
        news.note()
    if outcome.moved_to is not None:
        move_source(source, outcome.moved_to)


@transaction.atomic
def _store(source: FeedSource, response: Response, digest: str, feed: ParsedFeed | None) -> int:
    """What a check that worked found, and when the next is due; how many items are new."""
    now = timezone.now()
    locked = FeedSource.objects.select_for_update().filter(pk=source.pk).first()
    if locked is None or locked.leased_until != source.leased_until:
        return 0  # too late: it is gone, or somebody else has it
    stored = 0
    if feed is not None:
        stored = _store_items(locked, feed, now)
        locked.title = feed.title or locked.title
        locked.interval_seconds = feed.ttl
        locked.body_digest = digest
        locked.etag = _storable(response.headers.get("etag", ""))
        locked.last_modified = _storable(response.headers.get("last-modified", ""))
    locked.checked_at = locked.succeeded_at = now
    locked.failing_since, locked.failures, locked.message, locked.attempts = None, 0, "", 0
    ttl = timedelta(seconds=locked.interval_seconds) if locked.interval_seconds else None
    locked.next_check_at, locked.leased_until = now + schedule.after_success(ttl), None
    locked.save(update_fields=_STORED)
    return stored


# Not the encrypted ones: writing them again costs time and says nothing new.
_STORED = (
    "title",
    "interval_seconds",
    "body_digest",
    "etag",
    "last_modified",
    "present",
    "last_number",
    "checked_at",
    "succeeded_at",
    "failing_since",
    "failures",
    "message",
    "attempts",
    "next_check_at",
    "leased_until",
)


def _store_items(source: FeedSource, feed: ParsedFeed, now: datetime) -> int:
    keys = [parsed.key for parsed in feed.items]
    there = {
        key.hex for key in Item.objects.filter(source=source, key__in=keys).values_list("key", flat=True)
    }
    items = [
        Item(
            source=source,
            number=source.last_number + offset,
            key=parsed.key,
            title=parsed.title,
            page=parsed.page,
            download=parsed.download,
            infohash=parsed.infohash,
            size=parsed.size,
            published_at=_no_later_than(now, parsed.published_at),
            release=parsed.release,
        )
        for offset, parsed in enumerate((parsed for parsed in feed.items if parsed.key not in there), start=1)
    ]
    Item.objects.bulk_create(items)
    source.last_number += len(items)
    source.present = feed.keys
    return len(items)


def _storable(header: str) -> str:
    """A header that cannot be sent back is forgotten: then the feed is sent in full."""
    return header if len(header) <= LONGEST_HEADER and header.isascii() and header.isprintable() else ""


def _no_later_than(now: datetime, text: str) -> datetime | None:
    """Some feeds are from the future, by a time zone that they do not tell."""
    published = parse_datetime(text) if text else None
    return min(published, now) if published else None


@transaction.atomic
def _note_failure(source: FeedSource, message: str, *, permanent: bool, retry_after: str = "") -> None:
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
