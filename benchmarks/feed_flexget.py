"""The same feeds with the same filters in FlexGet (https://flexget.com) and in our checker and rules.

Each feed is a task of FlexGet's, which runs them one after the other, as it does everywhere; ours are fetched at once,
two a host. Both keep what they have seen, FlexGet in its SQLite, we in PostgreSQL; both end with what was accepted, as
an entry of FlexGet's mock output or as a grab of ours, and add nothing. FlexGet's start is taken off; our worker runs
anyway, but the start of what reads feeds is in our time.
"""

import json
import resource
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import Figures, Promise
from benchmarks.feed_box import FeedBox, people
from benchmarks.feed_server import FAR_SECONDS, ITEMS, NEWS, TWINS, FeedServer, series_of

RULES = 20
BAR = 0.1  # their items a second in ours: we are to be ten times as fast
PATTERNS = [rf"{series_of(number).replace(' ', '.')}\D+\d+.*1080p" for number in range(RULES)]
FIRST_FEED = 2 * TWINS


LOOKS = {"first_look": 1, "next_look": 3}  # how often each is measured, in turns


@dataclass(frozen=True)
class _Spent:
    """Seconds; of processor time by what spent it."""

    wall: float
    cpu: dict[str, float]


def beside_flexget(
    box: FeedBox, server: FeedServer, venv: Path, feeds: int, say: Callable[[str], None]
) -> Figures:
    server.move_by(NEWS)
    figures: Figures = {"feeds": feeds, "rules": RULES, "version": _flexget_version(venv)}
    for place, kind in enumerate(("well", "far")):
        first = FIRST_FEED + 2 * place * TWINS
        ours = _Ours(box, [server.url(f"/{kind}/{first + number}", number) for number in range(feeds)], kind)
        theirs = _FlexGet(
            venv,
            box.directory / f"flexget-{kind}",
            [server.url(f"/{kind}/{first + TWINS + number}", number) for number in range(feeds)],
        )
        found: Figures = {}
        for look, times in LOOKS.items():
            say(f"{kind}, {look}: FlexGet, then ours")
            turns = [(theirs.run(), ours.run()) for _ in range(times)]
            found[look] = {
                who: _figures([turn[place] for turn in turns], feeds)
                for place, who in enumerate(("flexget", "ours"))
            }
            ratios = sorted(flexget.wall / own.wall for flexget, own in turns)
            found[look]["times_as_fast"] = round(statistics.median(ratios), 1)
            found[look]["times_as_fast_at_least"] = round(ratios[0], 1)
        found["accepted"] = {"flexget": theirs.accepted(), "ours": ours.accepted()}
        figures[kind] = found
    return figures


def _figures(runs: Sequence[_Spent], feeds: int) -> Figures:
    wall = statistics.median(spent.wall for spent in runs)
    return {
        "items_per_s": round(feeds * ITEMS / wall),
        "seconds": round(wall, 2),
        "cpu_ms_per_feed": {
            part: round(statistics.median(spent.cpu[part] for spent in runs) / feeds * 1000, 2)
            for part in runs[0].cpu
        },
    }


class _Ours:
    """One person with the filters as rules, in a process that runs already."""

    def __init__(self, box: FeedBox, urls: list[str], name: str) -> None:
        from feeds.rule_changes import create_rule
        from feeds.services import subscribe

        self._box = box
        (self._person,) = people(f"compared-{name}")
        for url in urls:
            subscribe(user=self._person, url=url, name=url, back_catalogue=True)
        for pattern in PATTERNS:
            create_rule(user=self._person, name=pattern, regex=pattern)

    def run(self) -> _Spent:
        from django.utils import timezone

        from feeds import checker, consumer
        from feeds.models import FeedSource

        mine = FeedSource.objects.filter(subscriptions__user=self._person)
        FeedSource.objects.update(leased_until=timezone.now() + 10 * checker.LEASE)
        mine.update(leased_until=None, next_check_at=timezone.now())
        begun, before = time.monotonic(), self._cpu()
        left = mine.count()
        # On a busy machine a run leaves some to the next.
        while left and (checked := checker.check_due().checked):
            left -= checked
        consumer.catch_up()
        spent = {part: seconds - before[part] for part, seconds in self._cpu().items()}
        took = _Spent(time.monotonic() - begun, spent)
        if left:
            raise RuntimeError(f"{left} feeds were not checked.")
        return took

    def accepted(self) -> int:
        from feeds.models import Grab

        return Grab.objects.filter(user=self._person).count()

    def _cpu(self) -> dict[str, float]:
        """What the worker does is done in this process."""
        return {
            "worker": time.process_time(),
            "parser": _of_children(),
            "postgres": self._box.postgres_seconds(),
        }


class _FlexGet:
    def __init__(self, venv: Path, directory: Path, urls: list[str]) -> None:
        self._program = venv / "bin" / "flexget"
        self._directory = directory
        directory.mkdir()
        # JSON is YAML.
        nothing = {"mock": [{"title": "x", "url": "http://127.0.0.1/x"}], "mock_output": True}
        (directory / "nothing.yml").write_text(json.dumps({"tasks": {"nothing": nothing}}))
        template = {"regexp": {"accept": PATTERNS}, "mock_output": True}
        tasks = {f"feed{number}": {"template": "all", "rss": url} for number, url in enumerate(urls)}
        (directory / "feeds.yml").write_text(json.dumps({"templates": {"all": template}, "tasks": tasks}))
        self._execute("nothing.yml")  # makes its database
        self._start = self._execute("nothing.yml")

    def run(self) -> _Spent:
        took = self._execute("feeds.yml")
        return _Spent(took.wall - self._start.wall, {"all": took.cpu["all"] - self._start.cpu["all"]})

    def accepted(self) -> int:
        """What it remembers as seen, which is what it accepted; two of its plugins do."""
        with closing(sqlite3.connect(self._directory / "db-feeds.sqlite")) as database:
            return int(database.execute("SELECT count(DISTINCT title) FROM seen_entry").fetchone()[0])

    def _execute(self, config: str) -> _Spent:
        begun, before = time.monotonic(), _of_children()
        done = subprocess.run(
            [self._program, "-c", self._directory / config, "--loglevel", "warning", "execute"],
            cwd=self._directory,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"FlexGet ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}"
            )
        return _Spent(time.monotonic() - begun, {"all": _of_children() - before})


def _flexget_version(venv: Path) -> str:
    code = "import importlib.metadata; print(importlib.metadata.version('flexget'))"
    return subprocess.run(
        [venv / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def _of_children() -> float:
    """Seconds of processor time of those that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def promises(figures: Figures) -> Iterator[Promise]:
    for kind, answering in (("well", "at once"), ("far", f"after {FAR_SECONDS:g} s")):
        for look, news in (("next_look", "a tenth"), ("first_look", "all")):
            yield Promise(
                f"FlexGet's items a second in ours: feeds answer {answering}, {news} of it new",
                round(1 / figures[kind][look]["times_as_fast"], 3),
                BAR,
            )
