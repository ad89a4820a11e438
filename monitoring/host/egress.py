"""From interfaces' counters, which start again from nothing, to bytes of a month, and where that leads. Pure.

Sizes are bytes. What is uncertain is rather counted than not: it is the free allowance that must not be outrun.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from monitoring.host.readings import Counters, Reading

WRAP = 2**32  # where the counters of some drivers and 32-bit kernels begin again
RATE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Known:
    """A machine's counters as they were last read."""

    boot_id: str
    read_at: datetime
    interfaces: Mapping[str, Counters]


@dataclass(frozen=True, slots=True)
class Passed:
    """Bytes since the last reading."""

    sent: int = 0
    received: int = 0


def passed(before: Known | None, reading: Reading, *, at: datetime, line_rate: int) -> Passed:
    """What went through all interfaces since `before`; None: this machine was never read.

    - After a reboot all that the counters show came since; what was sent between the last reading and the end of the
      boot before is lost.
    - A machine that is read for the first time counts from its boot, if that was this month (UTC): else nobody can
      tell what of it was.
    - An interface that is new has been there since it appeared: all that it shows.
    - A smaller counter has wrapped at 32 bits, if a line of `line_rate` bytes a second can have sent that much in the
      time; else it was reset.
    """
    if before is None:
        this_month = _month(reading.booted_at) == _month(at)
        return _sum(reading.interfaces) if this_month else Passed()
    if before.boot_id != reading.boot_id:
        return _sum(reading.interfaces)
    most = int(line_rate * max(0.0, (at - before.read_at).total_seconds()))
    nothing = Counters(0, 0)
    sent = received = 0
    for name, now in reading.interfaces.items():
        last = before.interfaces.get(name, nothing)
        sent += grown(last.sent, now.sent, most=most)
        received += grown(last.received, now.received, most=most)
    return Passed(sent, received)


def grown(last: int, now: int, *, most: int) -> int:
    """By how much one counter has grown within a boot."""
    if now >= last:
        return now - last
    wrapped = now + WRAP - last
    return wrapped if last < WRAP and wrapped <= most else now


def forecast(days: Mapping[date, int], *, now: datetime, since: datetime | None) -> int:
    """What will have been sent at this month's end (UTC): what was, and the rest at the rate of the last seven days.

    `days`: bytes sent by day, absent: none. `since`: when counting began, so that fewer days are no slower ones.
    """
    today = now.astimezone(UTC).date()
    so_far = of_month(days, today)
    start = datetime.combine(today - timedelta(days=RATE_DAYS - 1), datetime.min.time(), UTC)
    if since is not None and since > start:
        start = since
    counted = sum(sent for day, sent in days.items() if start.date() <= day <= today)
    elapsed = max((now - start).total_seconds(), 3600.0)  # the first minutes are no rate yet
    end = datetime.combine(
        (today.replace(day=1) + timedelta(days=31)).replace(day=1), datetime.min.time(), UTC
    )
    return so_far + int(counted / elapsed * (end - now).total_seconds())


def of_month(days: Mapping[date, int], today: date) -> int:
    return sum(sent for day, sent in days.items() if _same_month(day, today) and day <= today)


def _sum(interfaces: Mapping[str, Counters]) -> Passed:
    return Passed(
        sum(counters.sent for counters in interfaces.values()),
        sum(counters.received for counters in interfaces.values()),
    )


def _month(moment: datetime) -> tuple[int, int]:
    utc = moment.astimezone(UTC)
    return utc.year, utc.month


def _same_month(one: date, other: date) -> bool:
    return (one.year, one.month) == (other.year, other.month)
