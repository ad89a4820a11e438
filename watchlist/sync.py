"""Reading lists, airing times and shows on schedule. Each function may run twice, and several at once.

A list is leased to one worker, and who lost the lease stores nothing; airing times and shows of a provider are read by
one worker at a time. A worker that is killed loses nothing: what it had not stored is due as before. A run ends when
its time is over, or when the budget is; what was not reached is the oldest, and so comes first in the next.

How old things may become is a promise: lists 60 minutes, airing times 30. They are read every 20 and 6, so that what
is left covers a provider that is out of order for a quarter of an hour (and up to five minutes until that is over for
us, too: see budget.py), and reading everything after that. Runs a minute apart find at least half of the budget free.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from feeds.services import lock_person
from proxy_site.encryption import Unreadable
from watchlist.budget import Purpose, open_provider
from watchlist.list_entries import apply_list, wanted_shows
from watchlist.models import Link, Provider, Show
from watchlist.providers import enabled, make_provider
from watchlist.providers.base import ProviderError, Trouble, WatchProvider
from watchlist.records import AccountRecord, ListedRecord
from watchlist.search import forget_searches
from watchlist.shows import (
    details_due,
    forget_unused,
    note_missing,
    still_airing,
    store_airing,
    store_details,
    store_shows,
)

LISTS_EVERY = timedelta(minutes=20)
AIRING_EVERY = timedelta(minutes=6)
AIRING_TOGETHER = timedelta(minutes=3)  # what is due soon is read with what is due
RUN = timedelta(seconds=50)  # nothing is begun later than that in a run
LEASE = timedelta(minutes=4)  # longer than a run may take
SHOWS_AT_ONCE = 150
AIRING_AT_ONCE = 250  # shows: about as many as one request can tell of, as is what follows
AIRING_AT_ONCE_OF_MANY = 1000
NEW_AIRING_AT_ONCE = 75  # shows whose past episodes are read, too
PAST = timedelta(days=100)
OVERLAP = timedelta(days=1)  # what has aired is read again for that long
AHEAD = timedelta(days=35)
AHEAD_OF_MANY = timedelta(days=8)
MANY = 1000  # airing shows: beyond that the budget does not allow to look far ahead
_TRANSIENT = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 10, 20))
_PERMANENT = tuple(timedelta(hours=hours) for hours in (1, 3, 6, 24))

logger = logging.getLogger(__name__)


def sync_all() -> str:
    """Everything that is due, what may wait least first: so it finds a slot where there are few."""
    ends_at = timezone.now() + RUN
    return ", ".join(read(ends_at) for read in (sync_airing, sync_due_lists, sync_details))


def sync_due_lists(ends_at: datetime | None = None) -> str:
    """Lists of all people, those that have waited longest first."""
    ends_at = ends_at or timezone.now() + RUN
    silent: set[str] = set()  # providers that are not to be asked now
    read = failed = 0
    while timezone.now() < ends_at and (link := _claim_list(silent)):
        try:
            _sync_list(link)
            read += 1
        except ProviderError as error:
            if not error.asked or error.trouble in (Trouble.LIMITED, Trouble.DISABLED):
                _give_back(link)  # nothing is the matter with this list
                silent.add(link.provider)
            elif error.trouble is Trouble.TOO_LONG and not link.long:
                _give_back(link, long=True)
            else:
                _note_failure(link, str(error), permanent=error.permanent)
                failed += 1
        except Unreadable:
            _note_failure(link, "Your token cannot be read any more. Link again.", permanent=True)
            failed += 1
        except Exception:  # what nobody has thought of, in one list: the others are to be read
            logger.exception("list %s", link.pk)
            _note_failure(link, "Your list could not be stored. The admin can see why.", permanent=False)
            failed += 1
    return f"{read} lists read, {failed} failed"


def sync_airing(ends_at: datetime | None = None) -> str:
    """Airing times of everybody's shows, in as few requests as possible."""
    ends_at = ends_at or timezone.now() + RUN
    read = 0
    for name in _services():
        with _leased(name, "airing_leased_until") as leased:
            provider = open_provider(name, Purpose.AIRING)
            try:
                while leased and timezone.now() < ends_at and (shows := _airing_due(name)):
                    _read_airing(provider, shows)
                    read += len(shows)
            except ProviderError as error:
                _note_trouble(name, error)
            oldest = still_airing(name).aggregate(oldest=Min("airing_at"))["oldest"]
            if oldest is not None:
                Provider.objects.filter(name=name).update(airing_at=oldest)
    return f"airing times of {read} shows read"


def sync_details(ends_at: datetime | None = None) -> str:
    """Titles, numbers of episodes and relations of shows that are followed, and of their other seasons."""
    ends_at = ends_at or timezone.now() + RUN
    read = 0
    for name in _services():
        with _leased(name, "details_leased_until") as leased:
            provider = open_provider(name, Purpose.DETAILS)
            try:
                while leased and timezone.now() < ends_at and (shows := details_due(name, SHOWS_AT_ONCE)):
                    found = store_details(name, provider.shows([show.external_id for show in shows]))
                    note_missing(show for show in shows if show.external_id not in found)
                    read += len(shows)
            except ProviderError as error:
                _note_trouble(name, error)
    return f"{read} shows read"


def forget() -> int:
    """Searches, and shows that nobody needs any more: providers are no storage, and we are none of theirs; how many."""
    return forget_searches() + sum(forget_unused(name) for name in _services())


def _note_trouble(name: str, error: ProviderError) -> None:
    if error.asked:  # that it is still left alone is no news
        logger.info("%s: %s", name, error)


def _services() -> list[str]:
    return [name for name in enabled() if make_provider(name).has_service]


@transaction.atomic
def _claim_list(silent: set[str]) -> Link | None:
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = Link.objects.filter(free, next_sync_at__lte=now, user__is_active=True, provider__in=enabled())
    link = (
        due.exclude(provider__in=silent)
        .defer("token")  # one that cannot be decrypted holds up nobody else
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("next_sync_at", "pk")
        .first()
    )
    if link is not None:
        link.leased_until = now + LEASE
        link.save(update_fields=["leased_until"])
    return link


def _sync_list(link: Link) -> None:
    """Raises ProviderError or Unreadable."""
    asked_at = timezone.now()
    provider = open_provider(link.provider, Purpose.LISTS)
    token = link.token
    if link.external_id:
        account = AccountRecord(external_id=link.external_id, name=link.name)
    else:
        account = provider.account(name=link.name, token=token)
        mine = Link.objects.filter(pk=link.pk, leased_until=link.leased_until)
        mine.update(external_id=account.external_id, name=account.name)  # also if the list has to wait
    statuses = link.statuses if link.long else []
    listed = provider.listed(account, token, statuses) if statuses or not link.long else []
    shows = store_shows(link.provider, [record.show for record in wanted_shows(link, listed)])
    _store_list(link, account, listed, shows, asked_at)


@transaction.atomic
def _store_list(
    link: Link,
    account: AccountRecord,
    listed: list[ListedRecord],
    shows: dict[str, Show],
    asked_at: datetime,
) -> None:
    lock_person(link.user_id)
    locked = _still_leased(link)
    if locked is None:
        return
    locked.message = apply_list(locked, listed, shows)
    locked.external_id, locked.name = account.external_id, account.name
    locked.synced_at, locked.next_sync_at = asked_at, asked_at + LISTS_EVERY
    locked.failing_since, locked.failures, locked.leased_until = None, 0, None
    locked.save(
        update_fields=(
            "message",
            "external_id",
            "name",
            "synced_at",
            "next_sync_at",
            "failing_since",
            "failures",
            "leased_until",
        )
    )


@transaction.atomic
def _note_failure(link: Link, message: str, *, permanent: bool) -> None:
    locked = _still_leased(link)
    if locked is None:
        return
    now = timezone.now()
    ladder = _PERMANENT if permanent else _TRANSIENT
    locked.failures += 1
    locked.failing_since = locked.failing_since or now
    locked.message, locked.leased_until = message, None
    locked.next_sync_at = now + ladder[min(locked.failures, len(ladder)) - 1]
    locked.save(update_fields=["failures", "failing_since", "message", "leased_until", "next_sync_at"])


def _give_back(link: Link, **found: bool) -> None:
    """It is due as before."""
    Link.objects.filter(pk=link.pk, leased_until=link.leased_until).update(leased_until=None, **found)


def _still_leased(link: Link) -> Link | None:
    """Locked. None: somebody else has it, its owner has changed it meanwhile, or it is gone."""
    locked = Link.objects.defer("token").select_for_update().filter(pk=link.pk).first()
    return locked if locked is not None and locked.leased_until == link.leased_until else None


@contextmanager
def _leased(name: str, column: str) -> Iterator[bool]:
    """Whether we have it; then nobody else has."""
    Provider.objects.get_or_create(name=name)
    now = timezone.now()
    free = Q(**{column: None}) | Q(**{f"{column}__lt": now})
    mine = Provider.objects.filter(name=name)
    leased = bool(mine.filter(free).update(**{column: now + LEASE}))
    try:
        yield leased
    finally:
        if leased:
            mine.filter(**{column: now + LEASE}).update(**{column: None})


def _airing_due(name: str) -> list[Show]:
    """Those never read apart from the others: of them the past is wanted, too."""
    shows = still_airing(name)
    if new := list(shows.filter(airing_at=None).order_by("pk")[:NEW_AIRING_AT_ONCE]):
        return new
    now = timezone.now()
    if not shows.filter(airing_at__lte=now - AIRING_EVERY).exists():
        return []
    soon = shows.filter(airing_at__lte=now - AIRING_TOGETHER)
    at_once = AIRING_AT_ONCE if shows.count() <= MANY else AIRING_AT_ONCE_OF_MANY
    return list(soon.order_by("airing_at", "pk")[:at_once])


def _read_airing(provider: WatchProvider, shows: list[Show]) -> None:
    now = timezone.now()
    last = min((show.airing_at for show in shows if show.airing_at), default=None)
    since = max(now - PAST, last - OVERLAP) if last else now - PAST
    ahead = AHEAD if still_airing(provider.name).count() <= MANY else AHEAD_OF_MANY
    records = provider.airing([show.external_id for show in shows], since, now + ahead)
    by_id = {show.external_id: show for show in shows}
    store_airing(
        by_id,
        [record for record in records if record.external_id in by_id],
        since=since,
        until=now + ahead,
        read_at=now,
    )
