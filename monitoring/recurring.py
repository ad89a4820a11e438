"""Whether the worker's recurring tasks still run well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from django_q.models import Schedule, Task

MISSED = 3  # intervals without a success


@dataclass(frozen=True, slots=True)
class RecurringTask:
    name: str
    interval: timedelta
    succeeded_at: datetime | None  # None: never, as far as is known
    is_late: bool  # it ran once and does not any more; what never did may have its first time still to come


def recurring_tasks() -> list[RecurringTask]:
    """By name. Two queries; raises DatabaseError."""
    successes = dict(
        Task.objects.filter(success=True).values_list("func").annotate(Max("stopped")).order_by()
    )
    now = timezone.now()
    found = []
    for schedule in Schedule.objects.exclude(minutes=None).order_by("name", "func"):
        interval = timedelta(minutes=schedule.minutes)
        at = successes.get(schedule.func)
        late = at is not None and now - at > MISSED * interval
        found.append(RecurringTask(schedule.name or schedule.func, interval, at, late))
    return found
