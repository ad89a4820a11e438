"""Checking feeds: which are due, and what becomes of what they send.

Many workers may do this at once: a source is leased to one of them, and whoever lost its lease stores nothing. A worker
that dies loses nothing: the lease runs out, and what it had stored is known by its keys.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from feeds import schedule, storing
from feeds.models import FeedSource
from feeds.moving import move_source
from feeds.parsing import MAX_BYTES, FeedError
from feeds.parsing.isolated import Parser
from feeds.reading import Check, Reader
from feeds.signals import items_stored
from proxy_site.outbound import OutboundError
from proxy_site.outbound_many import Limits, Request, fetch_many

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
    by_attempts: dict[int, list[FeedSource]] = defaultdict(list)
    for source in sources:
        source.attempts += 1  # before the work: one that kills its worker backs off, too
        source.leased_until = now + LEASE
        source.next_check_at = now + max(LEASE, schedule.after_failure(source.attempts, permanent=False))
        by_attempts[source.attempts].append(source)
    for attempts, alike in by_attempts.items():
        FeedSource.objects.filter(pk__in=[source.pk for source in alike]).update(
            attempts=attempts, leased_until=now + LEASE, next_check_at=alike[0].next_check_at
        )
    return sources


def _check(sources: Sequence[FeedSource], parser: Parser, report: Report, *, ends_at: float) -> None:
    left = {source.pk: source for source in sources}
    gives_up_at = min(ends_at, time.monotonic() + BATCH_SECONDS)
    news = _News()
    limits = Limits(deadline=FETCH_SECONDS, max_bytes=MAX_BYTES, at_once=AT_ONCE)
    requests = [_request(source) for source in sources]
    stop = threading.Event()
    outcomes = fetch_many(requests, limits, allow_private=settings.OUTBOUND_ALLOW_PRIVATE, stop=stop)
    with closing(Reader(outcomes, dict(left), parser, stop).checks()) as ready:
        for checks in ready:
            for check in checks:
                del left[check.source.pk]
            _take(checks, report, news)
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


def _take(checks: Sequence[Check], report: Report, news: _News) -> None:
    report.checked += len(checks)
    for check in checks:
        if check.error is not None:
            _note_error(check.source, check.error, report)
    good = [check for check in checks if check.error is None]
    try:
        _store(good, report, news)
    except Exception:  # what nobody has thought of, in one feed: the others are to be stored
        for check in good:
            try:
                _store([check], report, news)
            except Exception as error:
                _note_error(check.source, error, report)
    for check in good:
        if check.moved_to is not None:
            _move(check.source, check.moved_to)


def _store(checks: Sequence[Check], report: Report, news: _News) -> None:
    if not checks:
        return
    stored = storing.store(checks)
    report.unchanged += sum(check.feed is None for check in checks)
    report.new_items += sum(stored.values())
    if stored or any(check.source.succeeded_at is None for check in checks):
        news.note()


def _move(source: FeedSource, url: str) -> None:
    try:
        move_source(source, url)
    except Exception:  # then it is asked where it was, and moves another time
        logger.exception("feed %s has moved", source.pk)


def _note_error(source: FeedSource, error: Exception, report: Report) -> None:
    report.failed += 1
    match error:
        case OutboundError():
            storing.note_failure(source, str(error), permanent=error.permanent, retry_after=error.retry_after)
        case FeedError():
            storing.note_failure(source, str(error), permanent=error.code in _PERMANENT_CODES)
        case _:
            logger.error("feed %s", source.pk, exc_info=error)
            storing.note_failure(
                source, "This feed could not be stored. The admin can see why.", permanent=False
            )
