"""Feeds, the watchlist, and the tasks that work on them."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, Max, Min, OuterRef, Q
from django_q.models import Schedule, Task

from feeds.models import Decision, FeedSource, Grab, Subscription
from monitoring.metrics.catalogue import Samples
from watchlist.budget import requests_per_minute
from watchlist.models import Decision as WatchDecision
from watchlist.models import Entry, Link, Provider
from watchlist.providers import enabled, make_provider

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

# In one round trip.
_FEW = """
SELECT (SELECT count(*) FROM feeds_item WHERE seen_at > %(yesterday)s),
       (SELECT count(*) FROM watchlist_entry WHERE state = %(followed)s),
       (SELECT count(*) FROM django_q_ormq),
       (SELECT min(lock) FROM django_q_ormq WHERE lock < %(now)s),
       (SELECT count(*) FROM django_q_task WHERE NOT success AND stopped > %(yesterday)s),
       (SELECT max(stopped) FROM django_q_task)
"""


def read(samples: Samples, now: datetime) -> None:
    _feeds(samples, now)
    _watchlist(samples, now)
    _providers(samples, now)
    _few(samples, now)
    _schedules(samples)


def _feeds(samples: Samples, now: datetime) -> None:
    followed = Subscription.objects.filter(source=OuterRef("pk"), enabled=True, user__is_active=True)
    told = FeedSource.objects.filter(Exists(followed)).aggregate(
        number=Count("pk"),
        failing=Count("pk", filter=Q(failing_since__isnull=False)),
        most_overdue=Min("next_check_at", filter=Q(next_check_at__lt=now)),
    )
    samples.add("feed_sources", told["number"])
    samples.add("feed_sources_failing", told["failing"])
    samples.add("feed_most_overdue_seconds", _age(told["most_overdue"], now))
    decided = Decision.objects.filter(at__gt=now - DAY).values_list("outcome").annotate(Count("pk"))
    _each(samples, "feed_decisions_last_day", Decision.Outcome.values, dict(decided.order_by()))
    grabs = {
        (origin, state): number
        for origin, state, number in Grab.objects.values_list("origin", "state")
        .annotate(Count("pk"))
        .order_by()
    }
    for origin in Grab.Origin.values:
        for state in Grab.State.values:
            samples.add("feed_grabs", grabs.get((origin, state), 0), origin, state)


def _watchlist(samples: Samples, now: datetime) -> None:
    decided = WatchDecision.objects.filter(at__gt=now - DAY).values_list("outcome").annotate(Count("pk"))
    _each(samples, "watchlist_decisions_last_day", WatchDecision.Outcome.values, dict(decided.order_by()))


def _providers(samples: Samples, now: datetime) -> None:
    rows = {row.name: row for row in Provider.objects.all()}
    links = Link.objects.filter(user__is_active=True).values("provider")
    lists: dict[str, dict[str, Any]] = {
        row["provider"]: dict(row)
        for row in links.annotate(
            number=Count("pk"),
            failing=Count("pk", filter=Q(failing_since__isnull=False)),
            oldest=Min("synced_at"),
        )
    }
    for name in enabled():
        provider = make_provider(name)
        if not (provider.links_by_name or provider.links_by_token):  # shows typed in by hand: nobody is asked
            continue
        row = rows.get(name, Provider(name=name))
        recent = sum(at > now - MINUTE for at in row.asked_at)
        samples.add("watchlist_requests_last_minute", recent, name)
        samples.add("watchlist_requests_allowed", requests_per_minute(), name)
        blocked = (row.blocked_until - now).total_seconds() if row.blocked_until else 0.0
        samples.add("watchlist_blocked_seconds", max(0.0, blocked), name)
        samples.add("watchlist_failures", row.failures, name)
        if row.airing_at is not None:
            samples.add("watchlist_airing_age_seconds", _age(row.airing_at, now), name)
        told = lists.get(name, {"number": 0, "failing": 0, "oldest": None})
        samples.add("watchlist_links", told["number"] - told["failing"], name, "working")
        samples.add("watchlist_links", told["failing"], name, "failing")
        if told["oldest"] is not None:
            samples.add("watchlist_list_age_seconds", _age(told["oldest"], now), name)


def _few(samples: Samples, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FEW, {"now": now, "yesterday": now - DAY, "followed": Entry.State.FOLLOWED.value})
        ((items, entries, tasks, oldest, failed, last_end),) = cursor.fetchall()
    samples.add("feed_items_last_day", items)
    samples.add("watchlist_entries", entries)
    samples.add("queue_tasks", tasks)
    samples.add("queue_oldest_ready_seconds", _age(oldest, now))
    samples.add("queue_failures_last_day", failed)
    if last_end is not None:
        samples.add("queue_last_end_age_seconds", _age(last_end, now))


def _schedules(samples: Samples) -> None:
    successes = dict(
        Task.objects.filter(success=True).values_list("func").annotate(Max("stopped")).order_by()
    )
    for task, minutes in Schedule.objects.order_by("func").values_list("func", "minutes").distinct():
        if minutes:
            samples.add("schedule_interval_seconds", minutes * 60, task)
        if task in successes:
            samples.add("schedule_last_success_timestamp_seconds", successes[task].timestamp(), task)


def _each(samples: Samples, name: str, values: list[str], counts: dict[str, int]) -> None:
    """Also of what there is none: a time series that comes and goes tells no difference."""
    for value in values:
        samples.add(name, counts.get(value, 0), value)


def _age(moment: datetime | None, now: datetime) -> float:
    """Seconds; 0 where there is nothing."""
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())
