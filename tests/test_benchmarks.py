"""The benchmarks run, and report in their common shape. How fast this machine is today is not a test's business."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest

from benchmarks.common import Promise, percentile, report
from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes


@pytest.fixture
def short_folder() -> Iterator[str]:
    """Its path is shorter than pytest's, which may be too long for PostgreSQL's socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


@pytest.mark.engine
def test_the_benchmark_of_the_api_runs_and_leaves_nothing_behind(short_folder: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.api", "--quick", "--json"],
        cwd=PROJECT_DIR,
        env=processes.environment(TMPDIR=short_folder),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"name", "figures", "promises"}
    assert answer["name"] == "api"
    asked = answer["figures"]["torrents"]["50"]
    assert set(asked) == {"raw", "list", "unchanged", "delta_of_1", "delta_of_20"}
    assert all(figures["median_ms"] > 0 for figures in asked.values())
    assert answer["figures"]["clients"]["5"]["errors"] == 0
    assert answer["figures"]["clients"]["5"]["with_changes"] > 0
    assert all(set(promise) == {"what", "figure", "bar", "held"} for promise in answer["promises"])
    assert processes.using(short_folder) == []


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


def test_flexget_is_compared_only_where_somebody_says_where_it_is() -> None:
    done = processes.run([sys.executable, "-m", "benchmarks.feeds", "--parts", "flexget"])
    assert done.returncode == 2
    assert "pip install flexget" in done.stderr


def test_a_promise_is_held_up_to_its_bar() -> None:
    assert [Promise("x", figure, 1.0).held for figure in (0.9, 1.0, 1.1)] == [True, True, False]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 50.0, 95.0, 100.0]
    assert percentile([7.0], 0.95) == 7.0


def test_the_table_for_people_tells_every_figure_and_verdict() -> None:
    promises = [Promise("fast", 0.5, 1.0), Promise("faster", 2.0, 1.0)]
    table = report(name="it", figures={"a": {"b": 1.5}}, promises=promises, as_json=False)
    assert "a · b" in table
    assert "1.5" in table
    assert [line.rsplit(maxsplit=1)[1] for line in table.splitlines()[-2:]] == ["held", "BROKEN"]
