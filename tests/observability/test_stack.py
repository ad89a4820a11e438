"""Prometheus sees what the box does, soon enough, and raises alarm when a part of it dies."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.observability.listener import HEARTBEAT, OPERATOR
from tests.observability.missing_metrics import ELSEWHERE
from tests.observability.programs import PROGRAMS
from tests.observability.rules import all_rules, metrics_of, recorded
from tests.observability.stack import Stack

pytestmark = [pytest.mark.journey, pytest.mark.engine]

SEEN_WITHIN = 30.0  # seconds from what happens to what Prometheus answers
TOLD_WITHIN = 120.0  # from a part's death to an alert that fires
MOST_MEMORY = 320 * 2**20  # bytes, of Prometheus and all its companions
PATIENCE = 180.0


def until(holds: Callable[[], object], what: str) -> float:
    """When it did, as Unix time."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.25)
    return time.time()


def test_every_job_is_asked_and_answers(stack: Stack) -> None:
    jobs = {"torrent-proxy", "node", "postgres", "prometheus", "alertmanager", "blackbox"}
    assert stack.prometheus.targets() == dict.fromkeys(jobs, "")
    assert stack.prometheus.value("probe_success") == 1
    assert stack.prometheus.value("pg_up") == 1


def test_nothing_fires_while_all_is_well(stack: Stack) -> None:
    assert stack.prometheus.firing() == {"BoxIsWell"}


def test_every_metric_that_a_rule_asks_for_is_there(stack: Stack) -> None:
    asked = set().union(*(metrics_of(rule["expr"]) for rule in all_rules())) - recorded()
    there = stack.prometheus.metric_names()

    assert asked - there <= set(ELSEWHERE)


def test_a_finished_torrent_is_seen_within_half_a_minute(stack: Stack) -> None:
    finished = 'torrentproxy_claims{state="finished"}'
    before = stack.prometheus.value(finished) or 0

    _, happened = asyncio.run(stack.finish_torrent())
    seen = until(lambda: (stack.prometheus.value(finished) or 0) > before, "a finished torrent")

    print(f"a finished torrent was seen after {seen - happened:.1f} s")
    assert seen - happened < SEEN_WITHIN


def test_the_death_of_the_engine_is_seen_within_half_a_minute_and_told_within_two(stack: Stack) -> None:
    with engine_dead(stack) as died:
        seen = until(lambda: stack.prometheus.value("torrentproxy_engine_up") == 0, "the engine is away")
        fired = until(lambda: "EngineUnreachable" in stack.prometheus.firing(), "an alert fires")
        told = until(lambda: "EngineUnreachable" in stack.listener.alerts(OPERATOR), "somebody is told")
        print(
            f"the engine's death: seen after {seen - died:.1f} s, fired {fired - died:.1f}, told {told - died:.1f}"
        )

    assert seen - died < SEEN_WITHIN
    assert told - died < TOLD_WITHIN


@contextmanager
def engine_dead(stack: Stack) -> Iterator[float]:
    """qBittorrent killed, and not to be started again meanwhile; gives when, as Unix time."""
    process = stack.box.engine_process()
    assert process is not None
    stack.engine_may_start.unlink()
    try:
        os.kill(process, signal.SIGKILL)
        yield time.time()
    finally:
        stack.engine_may_start.touch()
        until(lambda: stack.prometheus.value("torrentproxy_engine_up") == 1, "the engine is back")
        until(lambda: "EngineUnreachable" not in stack.prometheus.firing(), "the alert ends")


def test_an_observer_elsewhere_hears_that_the_box_is_well_and_the_operator_does_not(stack: Stack) -> None:
    until(lambda: "BoxIsWell" in stack.listener.alerts(HEARTBEAT), "the observer is called")

    assert stack.listener.alerts(HEARTBEAT) == {"BoxIsWell"}
    assert "BoxIsWell" not in stack.listener.alerts(OPERATOR)


def test_prometheus_and_its_companions_are_small(stack: Stack) -> None:
    taken = {name: psutil.Process(stack.programs.pid(name)).memory_info().rss for name in PROGRAMS}

    print(", ".join(f"{name} {rss / 2**20:.0f} MiB" for name, rss in taken.items()))
    assert sum(taken.values()) < MOST_MEMORY


def test_what_prometheus_keeps_is_bounded(stack: Stack) -> None:
    assert stack.prometheus.value("prometheus_tsdb_retention_limit_bytes") == 2 * 2**30


def test_they_listen_on_this_machine_only(stack: Stack) -> None:
    for name in PROGRAMS:
        listening = {
            connection.laddr.ip
            for connection in psutil.Process(stack.programs.pid(name)).net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}, name


def test_postgres_exporter_reads_no_rows_of_the_box(stack: Stack) -> None:
    ((may_read,),) = stack.cluster.query(
        "SELECT has_table_privilege('prometheus', 'accounts_user', 'SELECT')"
    )

    assert may_read is False
