"""What being watched costs: `python -m benchmarks.monitoring [--quick] [--json]`.

A scrape of /metrics with 5,000 torrents and 50 people, answered by a real gunicorn with two processes on a real
PostgreSQL: as the client waits for it, which other work on the machine lengthens, and the CPU time that it takes of the
web and the database, which the promise is about; and what counting adds to a poll.
"""

import argparse
import atexit
import http.client
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import django
import psutil

from benchmarks.common import Figures, Promise, median_and_p95, report
from benchmarks.usage import cpu_seconds
from deploy.box import free_ports
from proxy_site import embedded_postgres
from proxy_site.environment import PROJECT_DIR

MOST_SECONDS = 0.050
MOST_SERIES = 2000
MOST_COUNTING = 20e-6  # seconds
COUNTED = 20_000
START_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few of everything: does it work at all?")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # whatever ends us, the rest ends too
    people, torrents, scrapes = (5, 100, 5) if options.quick else (50, 5000, 100)
    figures = _measured(people, torrents, scrapes)
    promises = [
        # One after the other, so this is how long it takes where nothing else is to be done.
        Promise("a scrape, seconds of CPU", figures["scrape_cpu_ms"] / 1000, MOST_SECONDS),
        Promise("time series", figures["series"], MOST_SERIES),
        Promise("counting a poll, seconds of CPU", figures["counting_a_poll_us"] / 1e6, MOST_COUNTING),
    ]
    print(report(name="monitoring", figures=figures, promises=promises, as_json=options.json))
    return 0


def _measured(people: int, torrents: int, scrapes: int) -> Figures:
    """On a database that goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after PostgreSQL, which comes next
    os.environ |= {
        "DATABASE_URL": embedded_postgres.own(folder / "data" / "postgres"),
        "DATA_DIR": str(folder / "data"),
        "ENGINE": "fake",
        "ENVIRONMENT": "development",
        "PYTHON_DOTENV_DISABLED": "1",
        "DJANGO_SETTINGS_MODULE": "proxy_site.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(
            folder
        ),  # of this process, which counts polls into files as the web does
    }
    django.setup()
    _fill(people, torrents)
    return {
        "people": people,
        "torrents": torrents,
        **_scraped(folder, scrapes),
        "counting_a_poll_us": _counting_a_poll(),
    }


def _fill(people: int, torrents: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from monitoring.tests.rows import everything, many_torrents
    from torrents.models import Engine

    call_command("migrate", interactive=False, verbosity=0)
    everything()
    many_torrents(people=people, torrents=torrents)
    Engine.objects.update(reachable=True, version="v5", connection="connected", free_space=2**40)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.close()


def _scraped(folder: Path, scrapes: int) -> Figures:
    (port,) = free_ports(1)
    environment = {**os.environ, "WEB_ADDRESS": f"127.0.0.1:{port}", "WEB_WORKERS": "2"}
    with (folder / "web.log").open("wb") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "proxy_site/gunicorn.conf.py"],
            cwd=PROJECT_DIR,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, folder / "web.log")
        _visit_everything(port)
        _get(port, "/metrics")  # so that connections are there
        processes = [*_with_children(web.pid), *_with_children(_postgres(folder))]
        seconds, text = [], ""
        before = cpu_seconds(processes)
        for _ in range(scrapes):
            began = time.perf_counter()
            text = _get(port, "/metrics")
            seconds.append(time.perf_counter() - began)
        cpu = (cpu_seconds(processes) - before) / scrapes
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        own = next(line for line in lines if line.startswith("torrentproxy_scrape_seconds "))
        return {
            "scrape": median_and_p95(seconds),
            "scrape_cpu_ms": round(cpu * 1000, 2),
            "of_it_reading_rows_ms": round(float(own.split()[1]) * 1000, 2),
            "series": len(lines),
            "kilobytes": round(len(text) / 1000),
        }
    finally:
        web.terminate()
        web.wait(30)


def _postgres(folder: Path) -> int:
    return int((folder / "data" / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def _with_children(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children())]


def _visit_everything(port: int) -> None:
    """Every view by some methods, so that each has its time series: refused without a session, but counted."""
    from django.urls import URLPattern, get_resolver

    def paths(resolver: object, before: str) -> list[str]:
        found: list[str] = []
        for pattern in resolver.url_patterns:  # type: ignore[attr-defined]
            path = before + str(pattern.pattern)
            found += [path] if isinstance(pattern, URLPattern) else paths(pattern, path)
        return found

    samples = {"uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "int": "1", "str": "a", "path": "a"}
    for path in paths(get_resolver(), "/"):
        if "^" in path or "\\" in path or path.startswith("/admin"):
            continue
        for kind, sample in samples.items():
            path = _filled(path, kind, sample)
        for method in ("GET", "POST"):
            _get(port, path, method)


def _filled(path: str, kind: str, sample: str) -> str:
    while f"<{kind}:" in path:
        head, _, rest = path.partition(f"<{kind}:")
        path = head + sample + rest.partition(">")[2]
    return path


def _counting_a_poll() -> float:
    """Microseconds of CPU for the two counts of HTTP and the two of its query, into files as in the web process."""
    from monitoring.metrics.batched import later
    from monitoring.metrics.http import count_quick_answer
    from monitoring.postgresql.base import count_query

    rounds = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(COUNTED):
            count_quick_answer("/api/v1/torrents/changes/", 0.0004)
            later(count_query, 0.0002)
        rounds.append((time.process_time() - began) / COUNTED * 1e6)
    return round(statistics.median(rounds), 2)


def _get(port: int, path: str, method: str = "GET") -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={"Connection": "close"})
        return connection.getresponse().read().decode(errors="replace")
    finally:
        connection.close()


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _get(port, "/health/live")
            return
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"gunicorn does not answer: {log.read_text()}") from None
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
