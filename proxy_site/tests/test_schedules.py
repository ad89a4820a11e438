"""Recurring tasks: declared by the apps after `migrate`. That the worker runs them is seen in test_up.py."""

import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.models import Schedule

from proxy_site.schedules import every_minutes

pytestmark = pytest.mark.django_db


def test_a_task_is_scheduled_for_ever() -> None:
    every_minutes("wash up", "kitchen.tasks.wash_up", 5)
    schedule = Schedule.objects.get(name="wash up")
    assert (schedule.func, schedule.minutes, schedule.repeats) == ("kitchen.tasks.wash_up", 5, -1)
    assert schedule.schedule_type == Schedule.MINUTES


def test_declaring_it_again_changes_the_one_that_is_there() -> None:
    every_minutes("wash up", "kitchen.tasks.wash_up", 5)
    due = Schedule.objects.get(name="wash up").next_run
    every_minutes("wash up", "kitchen.tasks.wash_all_up", 10)
    schedule = Schedule.objects.get(name="wash up")
    assert (schedule.func, schedule.minutes) == ("kitchen.tasks.wash_all_up", 10)
    assert schedule.next_run == due


def test_migrating_declares_what_the_apps_need() -> None:
    Schedule.objects.all().delete()
    call_command("migrate", verbosity=0)
    declared = {schedule.func: schedule.minutes for schedule in Schedule.objects.all()}
    assert declared["torrents.tasks.retire_unclaimed_torrents"] == 1
    assert declared["accounts.tasks.prune"] == 60
    assert len(declared) == Schedule.objects.count()


def test_every_declared_task_exists() -> None:
    """One that cannot be imported would fail each minute, for ever."""
    for schedule in Schedule.objects.all():
        assert callable(import_string(schedule.func))
