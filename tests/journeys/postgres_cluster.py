"""A PostgreSQL of the system's packages that a test may stop and start."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from proxy_site.embedded_postgres import running_url
from proxy_site.tests import processes

STARTS_WITHIN = 60.0  # seconds


def binaries() -> Path | None:
    """Where Debian keeps those of the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Cluster:
    """Listens on a Unix socket in its own folder only."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self._folder = folder
        self._binaries = binaries
        self._prefix = ["setpriv", "--pdeathsig", "TERM"]
        if os.geteuid() == 0:  # which PostgreSQL refuses to be
            shutil.chown(folder, "postgres", "postgres")
            self._prefix += ["--reuid=postgres", "--regid=postgres", "--init-groups"]
        self._prefix.append("--")
        self._process: subprocess.Popen[bytes] | None = None
        initdb = [str(binaries / "initdb"), "-D", str(folder), "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run([*self._prefix, *initdb], check=True, capture_output=True, cwd="/")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._folder}"

    def start(self) -> None:
        where = ["-D", str(self._folder), "-k", str(self._folder), "-c", "listen_addresses="]
        with (self._folder.parent / f"{self._folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, str(self._binaries / "postgres"), *where], stdout=log, stderr=log, cwd="/"
            )
        processes.wait_until(lambda: running_url(self._folder), "PostgreSQL answers", STARTS_WITHIN)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """As `pg_ctl stop -m fast` does; SIGQUIT is `-m immediate`, as after a crash."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(STARTS_WITHIN)

    @contextmanager
    def away(self, number: signal.Signals = signal.SIGINT) -> Iterator[None]:
        self.stop(number)
        try:
            yield
        finally:
            self.start()

    @property
    def folder(self) -> Path:
        """Its data, and its socket."""
        return self._folder

    def run_file(self, sql: Path) -> None:
        """As `psql -f` does: all of it, or none."""
        with psycopg.connect(self.url) as connection:
            connection.execute(sql.read_bytes())

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(sql.encode(), values).fetchall()


@contextmanager
def cluster(found: Path) -> Iterator[Cluster]:
    """A running one. Not below pytest's folder, which nobody but its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="proxy-pg-"))
    try:
        started = Cluster(folder, found)
        started.start()
        try:
            yield started
        finally:
            started.stop()
    finally:
        shutil.rmtree(folder)
        folder.with_name(f"{folder.name}.log").unlink(missing_ok=True)
