"""What people take of the box: one time series each, of a bounded number of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, Sum

from accounts.models import AuditEvent, User
from monitoring.metrics.catalogue import Samples
from torrents.allowances import use_of_everybody, utc_today
from torrents.models import Traffic

MOST_PEOPLE = 200
OTHERS = "(others)"  # no user name may have parentheses
REFUSED = (AuditEvent.Action.LOGIN_FAILED, AuditEvent.Action.LOCKED_OUT)


@dataclass
class Taken:
    """Bytes; `ever` and `month` by channel."""

    disk: int = 0
    quota: int = 0
    active: int = 0
    ever: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Traffic.Channel.values, 0))
    month: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Traffic.Channel.values, 0))

    def add(self, other: "Taken") -> None:
        self.disk += other.disk
        self.quota += other.quota
        self.active += other.active
        for channel in self.ever:
            self.ever[channel] += other.ever[channel]
            self.month[channel] += other.month[channel]


def read(samples: Samples, now: datetime) -> None:
    people = list(User.objects.order_by("pk").values_list("pk", "username", "is_active", "disk_quota"))
    _accounts(samples, [active for _, _, active, _ in people])
    taken = taken_by_everybody()
    told: dict[str, Taken] = {}
    for place, (user_id, username, _, quota) in enumerate(people):
        person = taken[user_id]
        person.quota = settings.DEFAULT_DISK_QUOTA if quota is None else quota
        name = username if settings.METRICS_USERNAMES else str(user_id)
        told.setdefault(name if place < MOST_PEOPLE else OTHERS, Taken()).add(person)
    for name, person in told.items():
        samples.add("user_disk_used_bytes", person.disk, name)
        samples.add("user_disk_quota_bytes", person.quota, name)
        samples.add("user_active_torrents", person.active, name)
        for channel in Traffic.Channel.values:
            samples.add("user_handed_over_bytes_total", person.ever[channel], name, channel)
            samples.add("user_handed_over_month_bytes", person.month[channel], name, channel)
    _refused_logins(samples, now)


def _accounts(samples: Samples, active: Iterable[bool]) -> None:
    counts = {"active": 0, "disabled": 0}
    for is_active in active:
        counts["active" if is_active else "disabled"] += 1
    for state, number in counts.items():
        samples.add("users", number, state)


def taken_by_everybody() -> defaultdict[int, Taken]:
    """By the number of their account; quotas are left out."""
    taken: defaultdict[int, Taken] = defaultdict(Taken)
    for user_id, (disk, active) in use_of_everybody().items():
        taken[user_id].disk, taken[user_id].active = disk, active
    this_month = Q(day__gte=utc_today().replace(day=1))
    sums = Traffic.objects.values("user_id", "channel").annotate(
        ever=Sum("sent"), month=Sum("sent", filter=this_month, default=0)
    )
    for row in sums:
        taken[row["user_id"]].ever[row["channel"]] = row["ever"]
        taken[row["user_id"]].month[row["channel"]] = row["month"]
    return taken


def _refused_logins(samples: Samples, now: datetime) -> None:
    events = AuditEvent.objects.filter(at__gt=now - timedelta(days=1), action__in=REFUSED)
    found = events.values_list("action", "channel").annotate(Count("pk")).order_by()
    counts = {(reason, channel): number for reason, channel, number in found}
    for reason in REFUSED:
        for channel in AuditEvent.Channel.values:
            number = counts.get((reason.value, channel), 0)
            samples.add("logins_refused_last_day", number, reason.value, channel)
