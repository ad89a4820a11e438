"""The benchmarks run, and report in their common shape. How fast this machine is today is not a test's business."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.common import Promise, percentile, report
from benchmarks.references import missing_programs
from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes


@pytest.fixture
def short_folder() -> Iterator[str]:
    """Its path is shorter than pytest's, which may be too long for PostgreSQL's socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def quick_run(name: str, folder: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--json"],
        cwd=PROJECT_DIR,
        env=processes.environment(TMPDIR=folder),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert set(answer) == {"name", "figures", "promises"}
    assert answer["name"] == name
    assert answer["promises"]
    assert all(set(promise) == {"what", "figure", "bar", "held"} for promise in answer["promises"])
    assert processes.using(folder) == []
    return answer


@pytest.mark.engine
def test_the_benchmark_of_the_api_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    answer = quick_run("api", short_folder)
    asked = answer["figures"]["torrents"]["50"]
    kinds = {"raw", "list", "unchanged", "delta_of_1", "delta_of_20"}
    assert set(asked) == {*kinds, *(f"{kind}_by_requests" for kind in kinds), "raw_by_library"}
    assert set(answer["figures"]["active"]) == {"raw", "list", "poll"}
    assert all(figures["median_ms"] > 0 for figures in asked.values())
    assert answer["figures"]["clients"]["5"]["errors"] == 0
    assert answer["figures"]["clients"]["5"]["with_changes"] > 0


@pytest.mark.engine
def test_the_benchmark_of_the_reconciler_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    answer = quick_run("reconciler", short_folder)
    assert set(answer["figures"]) == {"idle", "active"}
    assert all(rounds["reload"]["cpu_ms"] > 0 for rounds in answer["figures"].values())


@pytest.mark.engine
@pytest.mark.skipif(
    missing_programs() != [], reason="needs OpenSSH's server, which starts itself where it is installed"
)
def test_the_benchmark_of_transfers_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    figures = quick_run("transfers", short_folder)["figures"]
    for compared in ("https_1", "https_10", "sftp_1", "sftp_10", "own_client_1"):
        assert figures[compared]["ratio"] > 0
        for side in ("ours", "theirs"):
            assert figures[compared][side]["mb_per_s"] > 0
            assert figures[compared][side]["peak_mb"] > 0


@pytest.mark.engine
def test_the_benchmark_of_memory_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    figures = quick_run("footprint", short_folder)["figures"]
    assert figures["load"]["errors"] == 0
    for state in ("idle", "load"):
        parts = {"web", "worker", "engine", "sftp", "qbittorrent", "postgres", "up"}
        assert parts <= {part for part, taken in figures[state].items() if isinstance(taken, dict)}
        assert all(figures[state][part]["mib"] > 0 for part in parts)


@pytest.mark.journey
def test_the_benchmark_of_feeds_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.feeds", "--quick", "--json", "--parts", "rules,checking"],
        cwd=PROJECT_DIR,
        env=processes.environment(TMPDIR=short_folder),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"name", "figures", "promises"}
    assert answer["name"] == "feeds"
    assert answer["figures"]["rules"]["words"]["taken"] > 0
    checking = answer["figures"]["checking"]
    assert checking["checks"] >= checking["sources"] == 20
    assert checking["first_look"]["items"] == 17 * 75  # one hangs, two fail
    assert set(checking["worst_processing_s"]) == {"hang", "fail", "slow", "well"}
    assert all(set(promise) == {"what", "figure", "bar", "held"} for promise in answer["promises"])
    assert processes.using(short_folder) == []


def test_the_benchmark_of_the_watchlist_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    answer = quick_run("watchlist", short_folder)
    figures = answer["figures"]["sync"]
    assert figures["refused_by_faults"] > 0
    assert figures["searches_answered"] > 0
    assert all(promise["held"] for promise in answer["promises"])


def test_the_benchmark_of_monitoring_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    figures = quick_run("monitoring", short_folder)["figures"]
    assert figures["series"] > 500
    assert figures["counting_a_poll_us"] > 0


def test_the_benchmark_of_the_free_tier_runs_and_outruns_no_month(short_folder: str) -> None:
    answer = quick_run("free_tier", short_folder)
    assert {"January", "February", "March"} <= answer["figures"]["as it is shipped"].keys()
    assert all(promise["held"] for promise in answer["promises"])


def test_the_benchmark_of_backups_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    answer = quick_run("backups", short_folder)
    assert answer["figures"]["archive_mb"] > 1
    assert all(promise["held"] for promise in answer["promises"])


def test_flexget_is_compared_only_where_somebody_says_where_it_is() -> None:
    done = processes.run([sys.executable, "-m", "benchmarks.feeds", "--parts", "flexget"])
    assert done.returncode == 2
    assert "pip install flexget" in done.stderr


def test_a_promise_is_held_up_to_its_bar() -> None:
    assert [Promise("x", figure, 1.0).held for figure in (0.9, 1.0, 1.1)] == [True, True, False]


def test_a_promise_of_at_least_something_is_held_down_to_its_bar() -> None:
    assert [Promise("x", figure, 1.0, at_least=True).held for figure in (0.9, 1.0, 1.1)] == [
        False,
        True,
        True,
    ]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 50.0, 95.0, 100.0]
    assert percentile([7.0], 0.95) == 7.0


def test_the_table_for_people_tells_every_figure_and_verdict() -> None:
    promises = [Promise("fast", 2.0, 1.0, at_least=True), Promise("faster", 2.0, 1.0)]
    table = report(name="it", figures={"a": {"b": 1.5}}, promises=promises, as_json=False)
    assert "a · b" in table
    assert "1.5" in table
    assert [line.rsplit(maxsplit=1)[1] for line in table.splitlines()[-2:]] == ["held", "BROKEN"]
