"""The month's egress of the whole machine, and what of it peers may still get.

Monitoring measures the machine's interfaces and reports here; the reconciler applies what follows. Only what goes to
peers is ever held back: people's finished files are handed over whatever the month says.

- From THROTTLE_AT of the allowance on, what is left until STOP_AT is spread evenly over the rest of the month (UTC).
- From STOP_AT on nothing finished is seeded. Unfinished downloads keep the trickle FLOOR, without which other peers
  would hardly send them anything.
- Where reports cease, nobody knows what is left: the same even spread holds until the next one, counted from the
  last. Before the first report ever, on a machine that measures nothing, only UPLOAD_SPEED_LIMIT holds.
- The next month begins with the whole allowance, whether or not anybody reports.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from torrents.engines.base import MAX_LIMIT
from torrents.models import EgressReport

THROTTLE_AT, STOP_AT = 0.80, 0.95  # of the month's allowance
FLOOR = 20 * 1024  # bytes a second: 55 GB in a whole month
SILENT_AFTER = timedelta(minutes=10)  # the worker reports once a minute
STEP = 1024  # engines take multiples of it


class Seeding(StrEnum):
    NORMAL = "normal"
    THROTTLED = "throttled"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PeerPolicy:
    """What goes to peers from all torrents together."""

    seeding: Seeding
    upload_limit: int | None  # bytes a second, a multiple of STEP; None: none
    silent: bool = False  # throttled because nobody reports any more


def report_egress(share_of_month: float) -> PeerPolicy:
    """Note how much of the month's allowance the machine has sent, 1.0 being all of it, and tell what follows.

    ValueError for what is no share.
    """
    if not (math.isfinite(share_of_month) and share_of_month >= 0):
        raise ValueError(f"{share_of_month} is no share of the month's egress")
    EgressReport.objects.update_or_create(
        pk=EgressReport.ONLY, defaults={"share": share_of_month, "reported_at": timezone.now()}
    )
    return current_policy()


def current_policy() -> PeerPolicy:
    """As of the last report and the time: one query."""
    report = EgressReport.objects.filter(pk=EgressReport.ONLY).first()
    return peer_policy(
        share=None if report is None else report.share,
        reported_at=None if report is None else report.reported_at,
        allowance=settings.EGRESS_LIMIT,
        most=settings.UPLOAD_SPEED_LIMIT or None,
        now=timezone.now(),
    )


def peer_policy(
    *, share: float | None, reported_at: datetime | None, allowance: int, most: int | None, now: datetime
) -> PeerPolicy:
    """Pure. `share` of `allowance` (bytes a month) was used at `reported_at`; both None: nobody ever reported.

    `most`: bytes a second that peers never get more than; None: no such limit.
    """
    if share is None or reported_at is None:
        return PeerPolicy(Seeding.NORMAL, _possible(most))
    first, end = month_of(now)
    silent = now - reported_at > SILENT_AFTER
    if reported_at < first:
        share, reported_at = 0.0, first
    if share >= STOP_AT:
        return PeerPolicy(Seeding.STOPPED, _possible(min(FLOOR, most or FLOOR)))
    if share < THROTTLE_AT and not silent:
        return PeerPolicy(Seeding.NORMAL, _possible(most))
    # Not from now on: while nobody reports, each moment would spend the same rest again.
    evenly = (STOP_AT - share) * allowance / max(1.0, (end - reported_at).total_seconds())
    limit = min(max(int(evenly), FLOOR), most or MAX_LIMIT)
    return PeerPolicy(Seeding.THROTTLED, _possible(limit), silent)


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Its month's first moment and the next month's, in UTC, by which Oracle counts."""
    first = moment.astimezone(UTC).date().replace(day=1)
    return _midnight(first), _midnight((first + timedelta(days=31)).replace(day=1))


def current_notice() -> str:
    """Why other peers get finished torrents more slowly than usual or not at all, for everybody; else empty."""
    return in_words(current_policy(), now=timezone.now())


def in_words(policy: PeerPolicy, *, now: datetime) -> str:
    """The same of any policy."""
    _, next_month = month_of(now)
    ends = f"{next_month.day} {next_month:%B}"
    match policy.seeding:
        case Seeding.STOPPED:
            return (
                f"The box has sent more than {STOP_AT:.0%} of all that it may send for free this month, so finished "
                f"torrents are not given to other peers until {ends}. Downloads go on, and you can fetch your files as "
                "usual."
            )
        case Seeding.THROTTLED if policy.silent:
            return (
                "The box does not know how much it has sent this month, so it sends slowly to other peers until it "
                "does. Downloads go on, and you can fetch your files as usual. If this stays for an hour, tell your "
                "admin that the worker measures no traffic."
            )
        case Seeding.THROTTLED:
            return (
                f"The box has sent more than {THROTTLE_AT:.0%} of all that it may send for free this month, so it "
                f"sends slowly to other peers until {ends}. Downloads go on, and you can fetch your files as usual."
            )
        case Seeding.NORMAL:
            return ""


def _possible(limit: int | None) -> int | None:
    return None if limit is None else max(STEP, min(limit, MAX_LIMIT) // STEP * STEP)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
