"""Whether the worker still works.

A Django-Q2 cluster whose idle worker was killed while it held the queue's lock is dead and does not know it (its issue
23): tasks stay where they are, and it cannot even be stopped.
"""

from datetime import timedelta

from django.db import DatabaseError
from django.utils import timezone
from django_q.models import OrmQ, Task

STUCK_AFTER = timedelta(minutes=4)  # a task may take two, and two workers may each have one


def is_stuck(*, after: timedelta = STUCK_AFTER) -> bool:
    """Some task has been ready that long, and none has ended meanwhile. False where the database does not answer."""
    since = timezone.now() - after
    try:
        ready = OrmQ.objects.filter(lock__lt=since).exists()
        return ready and not Task.objects.filter(stopped__gt=since).exists()
    except DatabaseError:
        return False
