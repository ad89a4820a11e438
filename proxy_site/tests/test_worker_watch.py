"""A worker that does nothing any more is noticed and replaced."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task

from proxy_site.worker_watch import is_stuck

PATIENCE = 6.0  # seconds


def task(*, ready_for: timedelta) -> None:
    OrmQ.objects.create(key="test", payload="", lock=timezone.now() - ready_for)


@pytest.mark.django_db
class TestWhatIsStuck:
    def test_a_task_that_nobody_takes_is_a_sign(self) -> None:
        task(ready_for=timedelta(minutes=5))
        assert is_stuck()

    def test_a_task_that_has_just_become_ready_is_none(self) -> None:
        task(ready_for=timedelta(minutes=1))
        assert not is_stuck()

    def test_a_task_that_is_being_done_is_none(self) -> None:
        task(ready_for=timedelta(minutes=-5))
        assert not is_stuck()

    def test_a_worker_that_has_much_to_do_is_not_stuck(self) -> None:
        task(ready_for=timedelta(minutes=5))
        now = timezone.now()
        Task.objects.create(id="0" * 32, name="x", func="x", started=now, stopped=now, success=True)
        assert not is_stuck()


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """On the test's own database, in a process group of its own."""
    database = connection.settings_dict
    url = "postgresql://{USER}@/{NAME}?host={HOST}&port={PORT}".format(
        **{key: database[key] or "" for key in database}
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker", "--stuck-after", str(PATIENCE)],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": url.removesuffix("&port=")},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for leftover in (
            (*psutil.Process(process.pid).children(recursive=True),) if process.poll() is None else ()
        ):
            leftover.kill()
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.1)


def is_idle() -> bool:
    """It has done what was asked first, so it is up, and waits for more."""
    return Task.objects.filter(func="proxy_site.worker_watch.is_stuck").exists() and not OrmQ.objects.exists()


def test_a_worker_that_was_silently_lost_ends_so_that_it_is_started_again(
    worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    from django_q.tasks import async_task

    async_task("proxy_site.worker_watch.is_stuck")
    wait_until(is_idle)
    # Stopped is as good as dead to the others, and does not depend on who holds the lock at this moment.
    cluster = psutil.Process(worker.pid).children(recursive=True)
    for process in cluster:
        process.send_signal(signal.SIGSTOP)
    async_task("proxy_site.worker_watch.is_stuck")
    assert worker.wait(PATIENCE * 10) == 1
    assert b"stuck" in (tmp_path / "log").read_bytes()
    wait_until(lambda: not any(process.is_running() and process.status() != "zombie" for process in cluster))


def where_it_sleeps(process: psutil.Process) -> str:
    """In which function of the kernel."""
    return Path(f"/proc/{process.pid}/wchan").read_text()


def test_a_worker_that_dies_with_the_queues_lock_is_replaced(
    worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    from django_q.tasks import async_task

    async_task("proxy_site.worker_watch.is_stuck")
    wait_until(is_idle)
    (sentinel,) = psutil.Process(worker.pid).children()
    if where_it_sleeps(sentinel) in ("", "0"):
        pytest.skip("the kernel does not tell where a process sleeps")
    # Of the processes that wait at the queue, one holds its lock and reads the pipe; the others wait for the lock.
    wait_until(lambda: any("pipe" in where_it_sleeps(process) for process in sentinel.children()))
    for process in sentinel.children():
        if "pipe" in where_it_sleeps(process):
            process.kill()
    async_task("proxy_site.worker_watch.is_stuck")
    assert worker.wait(PATIENCE * 10) == 1
    assert b"stuck" in (tmp_path / "log").read_bytes()
    wait_until(lambda: not sentinel.is_running())


def test_a_worker_that_works_is_left_alone_and_stops_when_told(worker: subprocess.Popen[bytes]) -> None:
    from django_q.tasks import async_task

    async_task("proxy_site.worker_watch.is_stuck")
    wait_until(is_idle)
    time.sleep(PATIENCE * 1.5)
    assert worker.poll() is None
    worker.terminate()
    assert worker.wait(60) == 0
