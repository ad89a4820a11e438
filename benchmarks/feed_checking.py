"""Many feeds that are due every ten minutes, some of them broken: how late they are checked, and what that costs.

Time is compressed: all are due once, spread evenly over a window that is shorter than the interval after which they
would really be due again. What a check costs does not depend on that; shares of a core are computed for the real
interval.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks.common import Figures, Promise, percentile
from benchmarks.feed_box import PATIENCE, Cpu, FeedBox, forget_tasks, people, wait_until
from benchmarks.feed_server import FeedServer, series_of

PEOPLE = 10
RULES_EACH = 20
PROMISED_SECONDS = 600.0  # between two checks of one feed
KINDS = ("hang", "fail", "slow", "fail", "slow", *("well",) * 15)  # 5, 10, 10 and 75 in a hundred


@dataclass
class Watched:
    """What was seen of the sources, by primary key; seconds."""

    late: dict[int, float] = field(default_factory=dict)  # from due to stored
    processed: dict[int, float] = field(default_factory=dict)  # from its turn to stored, the worst


def checking(
    box: FeedBox, server: FeedServer, sources: int, window: float, say: Callable[[str], None]
) -> Figures:
    kinds = fill(server, sources)
    box.start_worker()
    say(f"looking at {sources} feeds for the first time")
    started = time.monotonic()
    before = _cpu_when_ready(box)
    _first_look(kinds)
    first = {
        "seconds": round(time.monotonic() - started, 1),
        "items": sum(server.shown().values()),
        "cpu_s": round(box.cpu().since(before).all, 1),
    }
    say("watching the worker do nothing")
    quiet = min(60.0, window)
    before = box.cpu()
    time.sleep(quiet)
    idle = box.cpu().since(before)
    say(f"checking them all within {window:g} s")
    asked, before, started = server.asked(), box.cpu(), time.monotonic()
    watched = _watch(_spread(kinds, window), kinds, window)
    spent, lasted, checks = box.cpu().since(before), time.monotonic() - started, server.asked() - asked
    box.kill_worker()
    return _figures(kinds, watched, window, checks, _Costs(spent, lasted, idle, quiet)) | {
        "first_look": first
    }


def fill(server: FeedServer, sources: int) -> dict[int, str]:
    """Ten people who follow a tenth of the feeds each, with rules for some of what is in them; each source's kind."""
    from feeds.rule_changes import create_rule
    from feeds.services import subscribe

    kinds = {}
    for place, person in enumerate(people(*(f"person{number}" for number in range(PEOPLE)))):
        for number in range(place, sources, PEOPLE):
            kind = KINDS[number % len(KINDS)]
            # Twenty kinds and two hundred hosts: a host is of one kind.
            url = server.url(f"/{kind}/{number}", host=number)
            kinds[subscribe(user=person, url=url, name=f"Feed {number}").source_id] = kind
        for number in range(RULES_EACH):
            words = series_of(place * RULES_EACH + number)
            create_rule(user=person, name=f"Rule {number}", must_contain=words, resolutions=["1080p"])
    forget_tasks()
    return kinds


def _cpu_when_ready(box: FeedBox) -> Cpu:
    """When it takes tasks, its own start is over."""
    from django_q.models import OrmQ
    from django_q.tasks import async_task

    async_task("feeds.tasks.decide")
    wait_until(lambda: not OrmQ.objects.exists(), "the worker to start")
    return box.cpu()


def _first_look(kinds: dict[int, str]) -> None:
    from django_q.models import OrmQ
    from django_q.tasks import async_task

    from feeds.models import FeedSource, Subscription

    healthy = [pk for pk, kind in kinds.items() if kind in ("well", "slow")]

    def looked() -> bool:
        if not OrmQ.objects.exists():
            async_task("feeds.tasks.check_feeds")
        seen = FeedSource.objects.filter(pk__in=healthy, leased_until=None).exclude(succeeded_at=None)
        return seen.count() == len(healthy)

    wait_until(looked, "the first look at every feed")
    wait_until(
        lambda: (
            not OrmQ.objects.exists()
            and not FeedSource.objects.exclude(leased_until=None).exists()
            and not Subscription.objects.filter(source__in=healthy, position=None).exists()
        ),
        "the worker to have nothing to do",
    )


def _spread(kinds: dict[int, str], window: float) -> dict[int, datetime]:
    """Have each be due at its own moment of the window, in random order."""
    from feeds.models import FeedSource

    order = random.sample(list(kinds), len(kinds))
    begin = datetime.now(UTC)
    due = {pk: begin + timedelta(seconds=window * place / len(order)) for place, pk in enumerate(order)}
    FeedSource.objects.bulk_update(
        [FeedSource(pk=pk, next_check_at=at) for pk, at in due.items()], ["next_check_at"]
    )
    return due


def _watch(due: dict[int, datetime], kinds: dict[int, str], window: float) -> Watched:
    """Until each has been checked since it was due."""
    from feeds.checker import LEASE

    watched, turns = Watched(), dict[int, datetime]()
    deadline = time.monotonic() + window + PATIENCE
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        while len(watched.late) < len(due):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(due) - len(watched.late)} feeds were not checked.")
            time.sleep(0.5)
            for pk, leased_until, checked_at in connection.execute(
                "SELECT id, leased_until, checked_at FROM feeds_feedsource"
            ):
                if leased_until is not None:
                    turns[pk] = leased_until - LEASE
                elif (turn := turns.pop(pk, None)) is not None:
                    took = (checked_at - turn).total_seconds()
                    watched.processed[pk] = max(took, watched.processed.get(pk, 0.0))
                if pk not in watched.late and checked_at is not None and checked_at >= due[pk]:
                    watched.late[pk] = (checked_at - due[pk]).total_seconds()
    return watched


@dataclass(frozen=True)
class _Costs:
    spent: Cpu
    lasted: float
    idle: Cpu
    quiet: float

    def per_check(self, part: str, checks: int) -> float:
        """Seconds, without what the same time would have cost with nothing to do."""
        return max(0.0, float(getattr(self.spent, part)) - self.idle_share(part) * self.lasted) / checks

    def idle_share(self, part: str) -> float:
        return float(getattr(self.idle, part) / self.quiet)


def _figures(kinds: dict[int, str], watched: Watched, window: float, checks: int, costs: _Costs) -> Figures:
    from feeds.schedule import EVERY

    late = [seconds for pk, seconds in watched.late.items() if kinds[pk] in ("well", "slow")]
    processed = {
        kind: max((seconds for pk, seconds in watched.processed.items() if kinds[pk] == kind), default=0.0)
        for kind in dict.fromkeys(KINDS)
    }
    every = EVERY.total_seconds()
    figures: Figures = {
        "sources": len(kinds),
        "window_s": window,
        "compression": round(every / window, 2),
        "checks": checks,
        "late_s": {"median": round(percentile(late, 0.5), 1), "worst": round(max(late), 1)},
        "worst_gap_s": round(every + max(late), 1),
        "worst_processing_s": {kind: round(seconds, 1) for kind, seconds in processed.items()},
    }
    for part in ("worker", "parser", "postgres", "all"):
        per_check, idle = costs.per_check(part, checks), costs.idle_share(part)
        figures[f"cpu_{part}"] = {
            "ms_per_check": round(per_check * 1000, 2),
            "idle_percent_of_a_core": round(idle * 100, 2),
            "percent_of_a_core": round((per_check * len(kinds) / every + idle) * 100, 2),
        }
    return figures


def promises(figures: Figures) -> Iterator[Promise]:
    count, worst = figures["sources"], figures["worst_processing_s"]
    yield Promise(
        f"{count} feeds: worst time between two checks of a healthy one, s",
        figures["worst_gap_s"],
        PROMISED_SECONDS,
    )
    yield Promise(
        f"{count} feeds: worst processing of a healthy one, s", max(worst["well"], worst["slow"]), 30
    )
    yield Promise("the same while others hang for 15 s, those that answer at once", worst["well"], 15)
    yield Promise(
        f"{count} feeds: share of one core, children and PostgreSQL included, %",
        figures["cpu_all"]["percent_of_a_core"],
        25,
    )
