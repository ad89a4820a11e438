"""Feeds, the watchlist, and the worker's tasks."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.text import capfirst

from monitoring.home.figures import Figure, Link, Section, ago, duration, interval, number
from monitoring.metrics.catalogue import Samples
from monitoring.recurring import recurring_tasks

LONG_OVERDUE = 600  # seconds: every feed is checked at least that often


def sections(samples: Samples, now: datetime) -> Iterator[Section]:
    yield _feeds(samples)
    yield from _watchlist(samples)
    yield _tasks(samples)
    yield _recurring(now)


def _feeds(samples: Samples) -> Section:
    page = reverse("admin:feeds_feedsource_changelist")
    failing = samples.value("feed_sources_failing") or 0
    overdue = samples.value("feed_most_overdue_seconds") or 0
    figures = [
        Figure("Followed", number(samples.value("feed_sources"))),
        Figure("Failing", number(failing), wrong=failing > 0, url=f"{page}?health=failing"),
        Figure(
            "Most overdue",
            duration(overdue) if overdue else "none",
            wrong=overdue > LONG_OVERDUE,
            url=f"{page}?health=overdue",
        ),
        Figure("New items", number(samples.value("feed_items_last_day")), "in a day"),
        *_decided(samples, "feed_decisions_last_day"),
    ]
    return Section("Feeds", figures, [Link("Feeds", page)])


def _watchlist(samples: Samples) -> Iterator[Section]:
    entries = Figure("Shows that people follow", number(samples.value("watchlist_entries")))
    for (provider,), blocked in samples.of("watchlist_blocked_seconds").items():
        failures = samples.value("watchlist_failures", provider) or 0
        state = f"left alone for {duration(blocked)}" if blocked else "failing" if failures else "answers"
        failing = samples.value("watchlist_links", provider, "failing") or 0
        working = samples.value("watchlist_links", provider, "working") or 0
        asked = number(samples.value("watchlist_requests_last_minute", provider))
        allowed = number(samples.value("watchlist_requests_allowed", provider))
        yield Section(
            f"Shows: {provider}",
            [
                Figure(
                    "Service",
                    state,
                    f"{number(failures)} failures in a row" if failures else "",
                    wrong=bool(blocked or failures),
                ),
                Figure("Asked", f"{asked} of {allowed}", "in a minute"),
                Figure("Lists read", number(working), f"{number(failing)} failing", wrong=failing > 0),
                Figure("Oldest list", ago(samples.value("watchlist_list_age_seconds", provider))),
                Figure("Oldest airing times", ago(samples.value("watchlist_airing_age_seconds", provider))),
                entries,
                *_decided(samples, "watchlist_decisions_last_day"),
            ],
            [
                Link("Services", reverse("admin:watchlist_provider_changelist")),
                Link("Lists", reverse("admin:watchlist_link_changelist")),
            ],
        )


def _decided(samples: Samples, metric: str) -> Iterator[Figure]:
    """What there was of it."""
    for (outcome,), count in samples.of(metric).items():
        if count:
            yield Figure(f"Decided: {outcome.replace('_', ' ')}", number(count), "in a day")


def _tasks(samples: Samples) -> Section:
    oldest = samples.value("queue_oldest_ready_seconds") or 0
    failed = samples.value("queue_failures_last_day") or 0
    failures = reverse("admin:django_q_failure_changelist")
    figures = [
        Figure("Ready or being done", number(samples.value("queue_tasks"))),
        Figure("Oldest ready", duration(oldest) if oldest else "none"),
        Figure("Last ended", ago(samples.value("queue_last_end_age_seconds"))),
        Figure("Failed", number(failed), "in a day", wrong=failed > 0, url=failures),
    ]
    links = [Link("Failed tasks", failures), Link("Queued", reverse("admin:django_q_ormq_changelist"))]
    return Section("Background tasks", figures, links)


def _recurring(now: datetime) -> Section:
    figures = [
        Figure(
            capfirst(task.name),
            ago((now - task.succeeded_at).total_seconds() if task.succeeded_at else None),
            interval(task.interval),
            wrong=task.is_late,
        )
        for task in recurring_tasks()
    ]
    links = [Link("Schedules", reverse("admin:django_q_schedule_changelist"))]
    return Section("Ran well", figures, links, none="Nothing recurs: run migrate.")
