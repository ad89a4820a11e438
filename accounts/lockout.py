"""Who has failed too often must wait: shared by the API's login, the admin pages and SFTP, kept in PostgreSQL.

Not django-axes: it wants an HttpRequest, which SFTP has not, and has one limit for everything it counts by. We need
two. An account and an address *together*, so that strangers cannot lock a person out from elsewhere; and, slower, an
address alone, for who tries one password with many names.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts import audit
from accounts.addresses import network
from accounts.models import USERNAME_LENGTH, FailedLogins, User
from proxy_site.api.errors import ApiError


@dataclass(frozen=True, slots=True)
class Rule:
    failures: int  # that many are free; the last of them, and each one after it, locks
    forgotten_after: timedelta  # without another failure


PAIR = Rule(failures=5, forgotten_after=timedelta(hours=24))
ADDRESS = Rule(failures=30, forgotten_after=timedelta(hours=1))
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=15), timedelta(hours=24)  # doubled by each further failure
KEPT = LONGEST_LOCK + PAIR.forgotten_after


class LockedOut(ApiError):
    """HTTP 429 with Retry-After. The same words whether or not there is such an account."""

    status_code = 429
    default_code = "locked_out"

    def __init__(self, until: datetime) -> None:
        self.wait = max(1, ceil((until - timezone.now()).total_seconds()))  # DRF makes it Retry-After
        minutes = ceil(self.wait / 60)
        super().__init__(
            f"Too many failed attempts to log in. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        )


def locked_until(*, username: str, address: str) -> datetime | None:
    """When this person may try again from there; None: now."""
    rows = FailedLogins.objects.locked().filter(_of(username, address))
    until: datetime | None = rows.aggregate(until=Max("locked_until"))["until"]
    return until


def is_locked_out(*, username: str, address: str) -> bool:
    """Ask before anything of the attempt is looked at, and do not note a failure for what was not looked at."""
    return locked_until(username=username, address=address) is not None


def refuse_if_locked(*, username: str, address: str) -> None:
    """Raises LockedOut."""
    until = locked_until(username=username, address=address)
    if until is not None:
        raise LockedOut(until)


@transaction.atomic
def note_failure(*, username: str, address: str, channel: audit.Channel) -> None:
    """Count a wrong password, key or secret."""
    # What was typed as a name may be a password: only names of people get into the audit log.
    user = User.objects.named(_name(username)).first()
    by = audit.By(address=address, channel=channel)
    audit.record(audit.Action.LOGIN_FAILED, user=user, by=by)
    # The address first, always: two failures at once must not wait for each other.
    locked = _count("", address, ADDRESS)
    if _name(username):
        locked = _count(_name(username), address, PAIR) or locked
    if locked:
        audit.record(audit.Action.LOCKED_OUT, user=user, by=by)


def note_success(*, username: str, address: str) -> None:
    """Forget this person's failures from there. Those of the address stay: a thief may have an account, too."""
    FailedLogins.objects.filter(username=_name(username), address=network(address)).exclude(
        username=""
    ).delete()


@transaction.atomic
def unlock(*, failures: FailedLogins, by: audit.By) -> None:
    """Forget these failures, so that whoever has to wait for their sake may try again at once. Twice is no error."""
    failures.delete()
    audit.record(
        audit.Action.UNLOCKED,
        user=User.objects.named(failures.username).first(),
        by=by,
        detail=f"{'From' if failures.username else 'Everybody from'} {failures.address or 'an unknown address'}.",
    )


def prune() -> int:
    """Delete what no rule remembers any more; how many rows that were."""
    now = timezone.now()
    over = Q(locked_until=None) | Q(locked_until__lt=now)
    return FailedLogins.objects.filter(over, last_failure_at__lt=now - KEPT).delete()[0]


def _count(username: str, address: str, rule: Rule) -> bool:
    """Whether this failure locked."""
    now = timezone.now()
    FailedLogins.objects.bulk_create(  # where the row is there already, this locks it
        [FailedLogins(username=username, address=network(address), last_failure_at=now)],
        update_conflicts=True,
        unique_fields=["username", "address"],
        update_fields=["address"],
    )
    row = FailedLogins.objects.select_for_update().get(username=username, address=network(address))
    if max(row.last_failure_at, row.locked_until or row.last_failure_at) < now - rule.forgotten_after:
        row.failures = 0
    row.failures += 1
    row.last_failure_at = now
    excess = row.failures - rule.failures
    if excess >= 0:
        row.locked_until = now + min(FIRST_LOCK * 2 ** min(excess, 10), LONGEST_LOCK)
    row.save()
    return excess >= 0


def _of(username: str, address: str) -> Q:
    return Q(address=network(address), username__in=["", _name(username)])


def _name(username: str) -> str:
    return username.replace("\0", "").lower()[:USERNAME_LENGTH]
