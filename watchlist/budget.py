"""How often a provider may be asked, by all processes of this box together, and when it is left alone.

Every request takes a slot in the provider's row, in a short transaction of its own, before it is sent. Who finds no
slot does not wait: what is due comes in the next run.

The breaker: a provider that closes its service (403), asks us to wait (429), or fails several times in a row is asked
nothing for a while. Then one request tries it; the others follow when that one was answered.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from watchlist.models import Provider
from watchlist.providers import enabled, make_provider
from watchlist.providers.base import OF_THE_SERVICE, ProviderError, Trouble, WatchProvider

# A minute, and as much as requests may take to arrive: they are counted there, not here.
WINDOW = timedelta(seconds=60 + 5)
OPEN_FOR = timedelta(minutes=10)
OPEN_AGAIN_FOR = timedelta(minutes=5)  # after a try that failed
PROBE = timedelta(seconds=60)  # longer than a request may take
FAILURES_ALLOWED = 3  # in a row, of the kind that may be a moment's


class Purpose(StrEnum):
    """What a request is for."""

    PERSON = "person"  # somebody links an account, and waits
    AIRING = "airing"
    LISTS = "lists"
    DETAILS = "details"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Share:
    """Of the slots of a minute. `most`: these at most are for one purpose; `reach`: none is taken where more are in
    use, so that what keeps a promise with less time left finds one."""

    most: float
    reach: float


SHARES = {
    Purpose.PERSON: Share(most=0.3, reach=1.0),
    Purpose.AIRING: Share(most=0.6, reach=1.0),
    Purpose.LISTS: Share(most=1.0, reach=0.8),
    Purpose.DETAILS: Share(most=0.2, reach=0.7),
    Purpose.SEARCH: Share(most=0.3, reach=0.9),
}


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What people may know of a provider. `message` is empty while it works."""

    name: str
    title: str
    by_name: bool
    by_code: bool
    code_url: str
    message: str
    blocked_until: datetime | None
    failing_since: datetime | None
    data_at: datetime | None


def open_provider(name: str, purpose: Purpose) -> WatchProvider:
    """A provider whose every request takes a slot. Raises UnknownProvider."""
    return make_provider(name, partial(_gate, name, purpose))


def provider_states() -> list[ProviderState]:
    rows = {row.name: row for row in Provider.objects.filter(name__in=enabled())}
    now = timezone.now()
    states = []
    for name in enabled():
        provider, row = make_provider(name), rows.get(name, Provider(name=name))
        blocked = row.blocked_until is not None and row.blocked_until > now
        states.append(
            ProviderState(
                name=name,
                title=provider.title,
                by_name=provider.links_by_name,
                by_code=provider.links_by_token,
                code_url=provider.code_url,
                message=row.message,
                blocked_until=row.blocked_until if blocked else None,
                failing_since=row.failing_since,
                data_at=row.airing_at,
            )
        )
    return states


def requests_per_minute() -> int:
    """To each provider that has a service."""
    return settings.ANILIST_REQUESTS_PER_MINUTE


@contextmanager
def _gate(name: str, purpose: Purpose) -> Iterator[None]:
    sent_at = _take_slot(name, purpose)
    try:
        yield
    except ProviderError as error:
        if error.trouble in OF_THE_SERVICE:
            _note_failure(name, error)
        else:
            _note_answer(name, sent_at)
        raise
    _note_answer(name, sent_at)


@transaction.atomic(durable=True)
def _take_slot(name: str, purpose: Purpose) -> datetime:
    """When it was taken. Raises ProviderError: busy or blocked."""
    provider = _locked(name)
    now = timezone.now()
    if provider.blocked_until is not None and provider.blocked_until > now:
        raise ProviderError(_until(provider.message, provider.blocked_until), Trouble.BLOCKED)
    recent = [
        (at, what)
        for at, what in zip(provider.asked_at, provider.asked_for, strict=True)
        if at > now - WINDOW
    ]
    share, limit = SHARES[purpose], requests_per_minute()
    same = sum(what == purpose for _at, what in recent)
    if len(recent) >= _slots(share.reach, limit) or same >= _slots(share.most, limit):
        raise ProviderError("This box has asked as often as it may within a minute.", Trouble.BUSY)
    recent.append((now, purpose.value))
    provider.asked_at = [at for at, _what in recent]
    provider.asked_for = [what for _at, what in recent]
    if provider.blocked_until is not None:
        provider.blocked_until = now + PROBE  # this request tries it; the others wait for what it finds
    provider.save(update_fields=["asked_at", "asked_for", "blocked_until"])
    return now


@transaction.atomic(durable=True)
def _note_answer(name: str, sent_at: datetime) -> None:
    if Provider.objects.filter(name=name, failures=0).exists():
        return
    provider = _locked(name)
    if provider.failing_since is not None and provider.failing_since > sent_at:
        return  # it was sent before the trouble began
    provider.failures, provider.message = 0, ""
    provider.blocked_until = provider.failing_since = None
    provider.save(update_fields=["failures", "message", "blocked_until", "failing_since"])


@transaction.atomic(durable=True)
def _note_failure(name: str, error: ProviderError) -> None:
    provider = _locked(name)
    now = timezone.now()
    provider.failures += 1
    provider.failing_since = provider.failing_since or now
    provider.message = str(error)
    wait = _wait(error, provider)
    if wait is not None:
        provider.blocked_until = max(now + wait, provider.blocked_until or now)
    provider.save(update_fields=["failures", "failing_since", "message", "blocked_until"])


def _slots(share: float, limit: int) -> int:
    return max(1, math.floor(share * limit + 1e-9))


def _wait(error: ProviderError, provider: Provider) -> timedelta | None:
    if error.trouble is Trouble.LIMITED:
        return timedelta(seconds=max(error.retry_after or 0, 1) + 1)
    if error.trouble is Trouble.BROKEN and provider.failures < FAILURES_ALLOWED:
        return None
    return OPEN_FOR if provider.blocked_until is None else OPEN_AGAIN_FOR


def _locked(name: str) -> Provider:
    Provider.objects.get_or_create(name=name)
    return Provider.objects.select_for_update(no_key=True).get(name=name)


def _until(message: str, until: datetime) -> str:
    return f"{message} It is asked again at {until:%H:%M} UTC."
