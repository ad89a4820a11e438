"""A simulated day of reading lists and airing times: how old they become, and how often AniList is asked."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection, connections

from benchmarks.common import Figures, Promise
from proxy_site import embedded_postgres

OLDEST_LIST = 60.0  # minutes
OLDEST_AIRING = 30.0
MOST_A_MINUTE = 10


def a_day(
    *, people: int, shows: int, distinct: int | None, hours: int, say: Callable[[str], None]
) -> Figures:
    """On a database of its own. One in a process: Django reads its settings once."""
    with _database():
        from watchlist.models import Show
        from watchlist.tests.simulated_day import SETTLING, STORMS, Day

        say(f"{people} people with {shows} shows each, {hours} hours; first everything is read once")
        with Day(people=people, shows=shows, distinct=distinct) as day:
            for hour in range(hours):
                day.live(minutes=60)
                say(
                    f"hour {hour + 1}: lists {day.oldest_list:.0f} min, airing {day.oldest_airing:.0f} min,"
                    f" {len(day.server.asked)} requests"
                )
            day.settle()
            return {
                "people": people,
                "shows_each": shows,
                "different_shows": Show.objects.filter(entries__isnull=False).distinct().count(),
                "minutes_to_read_all_once": day.warming,
                "simulated_hours": hours,
                "storms": len([storm for storm in STORMS if storm.begins < hours * 60 + SETTLING]),
                "requests": len(day.server.asked),
                "refused_by_faults": day.refused,
                "most_requests_in_any_minute": day.server.most_in(60),
                "oldest_list_min": round(day.oldest_list, 1),
                "oldest_airing_min": round(day.oldest_airing, 1),
                "oldest_list_without_storms_min": round(day.oldest_list_in_peace, 1),
                "oldest_airing_without_storms_min": round(day.oldest_airing_in_peace, 1),
                "searches_answered": day.searches_answered,
                "searches": day.searches,
                "lists_that_differ_at_the_end": day.lists_that_differ(),
                "airing_times_that_differ_at_the_end": day.airing_times_that_differ(),
            }


def promises(figures: Figures) -> Iterator[Promise]:
    yield Promise("minutes: the oldest list, storms included", figures["oldest_list_min"], OLDEST_LIST)
    yield Promise("minutes: the oldest airing time, likewise", figures["oldest_airing_min"], OLDEST_AIRING)
    yield Promise(
        "most requests in any minute, as AniList counts",
        figures["most_requests_in_any_minute"],
        MOST_A_MINUTE,
    )
    yield Promise("lists not as AniList has them at the end", figures["lists_that_differ_at_the_end"], 0)
    yield Promise("airing times likewise", figures["airing_times_that_differ_at_the_end"], 0)


@contextmanager
def _database() -> Iterator[None]:
    """It goes with this process."""
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)  # after PostgreSQL, which comes next
    os.environ |= {
        "DATA_DIR": str(directory / "data"),
        "DATABASE_URL": embedded_postgres.own(directory / "data" / "postgres"),
        "DJANGO_SETTINGS_MODULE": "proxy_site.settings",
        "ENVIRONMENT": "development",
        "PYTHON_DOTENV_DISABLED": "1",
    }
    django.setup()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:  # nobody measures here how fast a disk is
        cursor.execute("SELECT current_database()")
        cursor.execute(f'ALTER DATABASE "{cursor.fetchone()[0]}" SET synchronous_commit = off')
    connections.close_all()
    try:
        yield
    finally:
        connections.close_all()
