"""Recurring tasks of the worker. Each app declares its own after `migrate`, so they are there on every machine."""

from django_q.models import Schedule


def every_minutes(name: str, task: str, minutes: int) -> None:
    """Have the worker call `task` (a dotted path) that often; changes an existing schedule of that name.

    Never built from anything a person typed: one malformed schedule stops all the others.
    """
    Schedule.objects.update_or_create(
        name=name,
        defaults={"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1},
    )
