"""What feeds need of a box: PostgreSQL, and the worker as `manage.py run_worker` runs it."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import psutil
from django.db import connections

from proxy_site import embedded_postgres
from proxy_site.environment import PROJECT_DIR

if TYPE_CHECKING:
    from accounts.models import User

PATIENCE = 600.0  # seconds


@dataclass(frozen=True)
class Cpu:
    """Seconds that processes have spent, those of their children that have ended included."""

    worker: float
    parser: float  # the worker's child that reads feeds
    postgres: float

    @property
    def all(self) -> float:
        return self.worker + self.parser + self.postgres

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(self.worker - before.worker, self.parser - before.parser, self.postgres - before.postgres)


@dataclass
class FeedBox:
    """A database with people in it, and a worker that can be killed."""

    directory: Path
    environment: dict[str, str]
    postgres: psutil.Process
    worker: subprocess.Popen[bytes] | None = None

    def start_worker(self) -> None:
        assert self.worker is None
        with Path(self.directory, "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "manage.py", "run_worker"],
                cwd=PROJECT_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill_worker(self) -> None:
        """With all its children, at once."""
        assert self.worker is not None
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.worker = None

    def log(self) -> str:
        return Path(self.directory, "worker.log").read_text(errors="replace")

    def cpu(self) -> Cpu:
        """Under the process that we started is Django-Q2's sentinel, under that its workers, under these parsers."""
        assert self.worker is not None
        root = psutil.Process(self.worker.pid)
        upper = [root, *root.children()]
        workers = [process for sentinel in upper[1:] for process in _children(sentinel)]
        parsers = [process for worker in workers for process in _children(worker)]
        return Cpu(
            worker=_seconds(upper) + _seconds(workers) + sum(map(_ended_seconds, upper)),
            parser=_seconds(parsers) + sum(map(_ended_seconds, workers)),
            postgres=self.postgres_seconds(),
        )

    def postgres_seconds(self) -> float:
        """Of processor time, since it started."""
        servers = [self.postgres, *self.postgres.children()]
        return _seconds(servers) + sum(map(_ended_seconds, servers))


@contextmanager
def feed_box() -> Iterator[FeedBox]:
    """One in a process, because Django reads its settings once. PostgreSQL and the directory go with this process."""
    directory = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)  # after PostgreSQL, which comes next
    data = directory / "data"
    os.environ |= {
        "DATA_DIR": str(data),
        "DATABASE_URL": embedded_postgres.own(data / "postgres"),
        "DJANGO_SETTINGS_MODULE": "proxy_site.settings",
        "ENVIRONMENT": "development",
        "DISK_FLOOR": "0",
        "FEEDS_PER_USER": "1000",
        "OUTBOUND_ALLOW_PRIVATE": "true",  # our feeds are on loopback
        "PYTHON_DOTENV_DISABLED": "1",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=PROJECT_DIR, check=True)
    django.setup()
    pid = int((data / "postgres" / "postmaster.pid").read_text().split()[0])
    box = FeedBox(directory, dict(os.environ), psutil.Process(pid))
    try:
        yield box
    finally:
        connections.close_all()
        if box.worker is not None:
            box.kill_worker()


def people(*names: str) -> "list[User]":
    from accounts.models import User

    return [User.objects.create(username=name, password="!") for name in names]  # noqa: S106  no password opens it


def forget_tasks() -> None:
    """Of everything that was asked for while the box was filled."""
    from django_q.models import OrmQ

    OrmQ.objects.all().delete()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {PATIENCE:.0f} s in vain for {what}.")
        time.sleep(0.2)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.Error:
        return []


def _seconds(processes: Any) -> float:
    total = 0.0
    for process in processes:
        try:
            spent = process.cpu_times()
        except psutil.Error:
            continue  # its parent has its time now, and tells next time
        total += spent.user + spent.system
    return total


def _ended_seconds(process: psutil.Process) -> float:
    try:
        spent: Any = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(spent.children_user + spent.children_system)
