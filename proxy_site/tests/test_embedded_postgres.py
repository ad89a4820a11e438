"""The PostgreSQL of the wheel, really started, in directories of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from proxy_site import embedded_postgres
from proxy_site.embedded_postgres import EmbeddedPostgresError, own, running_url
from proxy_site.tests import processes

OWNER = """
import sys
from pathlib import Path
from proxy_site import embedded_postgres
print(getattr(embedded_postgres, sys.argv[1])(Path(sys.argv[2])), flush=True)
sys.stdin.read()
"""
NOBODY = 65534


@pytest.fixture
def pgdata() -> Iterator[Path]:
    """A short path: a test's own directory can be too long for a socket."""
    state = Path(tempfile.mkdtemp(prefix="pg-"))
    yield state / "postgres"
    if leftovers := processes.using(str(state)):
        pid = int((state / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        pytest.fail(f"still running: {leftovers}")
    shutil.rmtree(state)


@contextmanager
def process_that(verb: str, pgdata: Path, *, prefix: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """Another process that has called `own` or `attach_or_own`; it ends in order when the block does."""
    with processes.start([*prefix, *processes.python(OWNER, verb, str(pgdata))]) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        first_line = process.stdout.readline()
        assert first_line.startswith("postgresql://"), first_line + process.stdout.read()
        yield process
        process.stdin.close()
        assert process.stdout.read() == ""  # no warning, no traceback at its exit
        process.wait(timeout=20)


def execute(pgdata: Path, statement: str) -> list[tuple[object, ...]]:
    url = running_url(pgdata)
    assert url is not None
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def postmaster(pgdata: Path) -> int:
    return int((pgdata / "postmaster.pid").read_text().split()[0])


def test_it_stops_when_its_owner_exits_whoever_else_was_attached(pgdata: Path) -> None:
    with process_that("own", pgdata):
        with process_that("attach_or_own", pgdata):
            pass
        assert execute(pgdata, "SELECT 1") == [(1,)]
    assert running_url(pgdata) is None


def test_of_two_owners_the_last_one_stops_it(pgdata: Path) -> None:
    with process_that("own", pgdata):
        with process_that("own", pgdata):
            pass
        assert execute(pgdata, "SELECT 1") == [(1,)]
    assert running_url(pgdata) is None


def test_owners_that_start_at_once_share_one_server(pgdata: Path) -> None:
    starting = [processes.start(processes.python(OWNER, "own", str(pgdata))) for _ in range(4)]
    urls = set()
    for process in starting:
        assert process.stdout is not None
        urls.add(process.stdout.readline())
    outputs = [process.communicate(timeout=30)[0] for process in starting]
    assert len(urls) == 1
    assert outputs == [""] * 4
    assert running_url(pgdata) is None


def test_nothing_committed_is_lost_when_it_is_killed_and_owned_again_at_once(pgdata: Path) -> None:
    with process_that("own", pgdata):
        execute(pgdata, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster(pgdata), signal.SIGKILL)
        with process_that("own", pgdata):
            assert execute(pgdata, "SELECT answer FROM kept") == [(42,)]


def test_after_its_owner_was_killed_the_next_one_takes_over_and_stops_it(pgdata: Path) -> None:
    with process_that("own", pgdata) as killed:
        first = postmaster(pgdata)
        killed.kill()
        killed.wait()
    with process_that("own", pgdata):
        assert postmaster(pgdata) == first
    assert running_url(pgdata) is None


def test_a_process_that_got_the_old_number_after_a_crash_is_not_taken_for_the_server(pgdata: Path) -> None:
    with process_that("own", pgdata) as killed:
        crashed = postmaster(pgdata)
        os.kill(crashed, signal.SIGKILL)
        killed.kill()
        killed.wait()
    pid_file = pgdata / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(crashed), str(os.getpid()), 1))
    started = time.monotonic()
    with process_that("own", pgdata):
        assert time.monotonic() - started < 20


def test_the_exit_of_a_forked_child_does_not_stop_it(pgdata: Path) -> None:
    forks = OWNER.replace("sys.stdin.read()", "import os\nif os.fork():\n    os.wait()\n    sys.stdin.read()")
    with processes.start(processes.python(forks, "own", str(pgdata))) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5)  # the child is gone
        assert execute(pgdata, "SELECT 1") == [(1,)]
        process.communicate(timeout=20)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_can_start_one_where_root_has_before(pgdata: Path) -> None:
    with process_that("own", pgdata):
        pass
    theirs = pgdata.parent / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    pgdata.parent.chmod(0o755)
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    with process_that("own", theirs / "postgres", prefix=become):
        assert (theirs / "postgres").stat().st_uid == NOBODY
        assert execute(theirs / "postgres", "SELECT 1") == [(1,)]
    assert running_url(theirs / "postgres") is None


def test_only_its_owner_can_open_its_files(pgdata: Path) -> None:
    with process_that("own", pgdata):
        assert pgdata.stat().st_mode & 0o077 == 0


def test_a_path_too_long_for_a_socket_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="Choose a shorter DATA_DIR"):
        own(tmp_path / ("long" * 20) / "postgres")


def test_the_longest_path_that_is_not_refused_works(pgdata: Path) -> None:
    filler = embedded_postgres.LONGEST_PATH - len(os.fsencode(pgdata)) - 1
    longest = pgdata.parent / ("x" * filler) / "postgres"
    with process_that("own", longest):
        assert execute(longest, "SELECT 1") == [(1,)]


def test_a_directory_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="Choose another DATA_DIR"):
        own(tmp_path / "file" / "postgres")


def test_data_of_another_major_version_is_refused_at_once(pgdata: Path) -> None:
    pgdata.mkdir()
    (pgdata / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedPostgresError, match="version 12"):
        own(pgdata)


def test_no_server_is_no_url(tmp_path: Path) -> None:
    assert running_url(tmp_path) is None


def debian_postgresql() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[0].parent if found else None


@pytest.mark.skipif(
    os.geteuid() != 0 or debian_postgresql() is None, reason="needs root and Debian's postgresql"
)
def test_a_system_postgresql_takes_every_migration(pgdata: Path) -> None:
    binaries = debian_postgresql()
    assert binaries is not None
    cluster = pgdata.parent / "system"
    cluster.mkdir()
    shutil.chown(cluster, "postgres", "postgres")
    pgdata.parent.chmod(0o755)
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    initdb = [*as_postgres, str(binaries / "initdb"), "-D", str(cluster), "-A", "trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    where = ["-D", str(cluster), "-k", str(cluster), "-c", "listen_addresses="]
    server = [*as_postgres, str(binaries / "postgres"), *where]
    url = f"postgresql://postgres@/postgres?host={cluster}"
    with subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as process:
        try:
            processes.wait_until(lambda: running_url(cluster), "PostgreSQL answers")
            migrated = processes.run(
                processes.manage("migrate", "-v0"), DATABASE_URL=url, DATA_DIR=str(pgdata.parent / "data")
            )
            assert migrated.returncode == 0, migrated.stderr
            assert migrated.stderr == ""
        finally:
            process.send_signal(signal.SIGINT)
