"""`manage.py up`, really started: everything on one machine, and nothing of it left afterwards."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import HTTPError

import psutil
import psycopg
import pytest

from proxy_site.embedded_postgres import running_url
from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes

pytestmark = pytest.mark.journey


class Box:
    """One machine's worth: a DATA_DIR, its ports and settings, and what `up` has said on it."""

    def __init__(self) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="up-"))
        self.log = self.data_dir / "up.log"
        self.settings = {
            "DATA_DIR": str(self.data_dir),
            "ENGINE": "fake",
            "ANIME_RELATIONS_URL": "http://127.0.0.1:9/",  # where nobody answers
            "WEB_ADDRESS": f"127.0.0.1:{free_port()}",
            "QBITTORRENT_URL": f"http://127.0.0.1:{free_port()}",
            "SFTP_ADDRESS": f"127.0.0.1:{free_port()}",
            "TORRENT_PORT": str(free_port()),
            "TORRENT_INTERFACE": "lo",
            "TORRENT_DISCOVERY": "false",
        }

    def start(self, *, cwd: str = str(PROJECT_DIR), **settings: str) -> subprocess.Popen[str]:
        with self.log.open("w") as output:
            everything = {**self.settings, **settings}
            return processes.start(processes.manage("up"), output=output.fileno(), cwd=cwd, **everything)

    @contextmanager
    def up(self, *, cwd: str = str(PROJECT_DIR), **settings: str) -> Iterator[subprocess.Popen[str]]:
        """A running box; asked to stop at the end of the block, if it still runs."""
        process = self.start(cwd=cwd, **settings)
        try:
            self.wait_for("Ready at")
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=45)

    def refused(self, **settings: str) -> str:
        """What `up` says as it refuses to start."""
        result = processes.run(processes.manage("up"), **{**self.settings, **settings})
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        return result.stderr

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, times: int = 1, seconds: float = 30.0) -> None:
        processes.wait_until(
            lambda: self.output().count(text) >= times, f"{text!r} in {self.output()}", seconds
        )

    def leftovers(self) -> list[str]:
        return processes.using(str(self.data_dir))

    def health(self) -> str:
        """What health says: ok, degraded, or nothing while it cannot be asked."""
        url = f"http://{self.settings['WEB_ADDRESS']}/api/v1/health/"
        try:
            response = urllib.request.urlopen(url, timeout=10)
        except HTTPError as error:
            response = error
        except OSError:
            return ""
        with response:
            return str(json.load(response).get("status", ""))

    def query(self, statement: str) -> list[tuple[object, ...]]:
        url = running_url(self.data_dir / "postgres")
        assert url is not None
        with closing(psycopg.connect(url)) as connection:
            return connection.execute(statement.encode()).fetchall()

    def part(self, words: str) -> psutil.Process | None:
        """The first process of a part: the child of `up` whose command has these words. None while there is none."""
        lock = self.data_dir / "run" / "up.lock"
        for child in psutil.Process(int(lock.read_text())).children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                if words in " ".join(child.cmdline()):
                    return child
        return None

    def kill_part(self, words: str) -> None:
        """SIGKILL the first process of a part, and wait until it is back."""
        killed = self.part(words)
        assert killed is not None
        killed.kill()
        processes.wait_until(lambda: self.part(words) not in (killed, None), f"{words} is back", 10)

    def remove(self) -> None:
        processes.wait_until(lambda: not self.leftovers(), f"nothing is left of the box: {self.leftovers()}")
        shutil.rmtree(self.data_dir)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def idle_box() -> Iterator[Box]:
    """A box that has run before and is started by each test itself."""
    box = Box()
    yield box
    box.remove()


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A running box that tests share; each leaves it running."""
    box = Box()
    with box.up():
        yield box
    box.remove()


def test_it_gets_healthy_soon_after_it_says_ready(box: Box) -> None:
    processes.wait_until(lambda: box.health() == "ok", "health is ok")


def test_it_says_where_things_are_kept_and_how_to_make_an_account(box: Box) -> None:
    processes.wait_until(lambda: "create_user" in box.output(), "the hint")
    assert f"State is kept in {box.data_dir}, downloads in {box.data_dir}/downloads." in box.output()


def test_secrets_are_for_their_owner_only(box: Box) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in (box.data_dir / "secrets").iterdir()}
    assert modes == {"secret_key": 0o600, "qbittorrent_password": 0o600, "sftp_host_key": 0o600}
    assert (box.data_dir / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_second_one_says_that_the_first_is_running_and_leaves_it_alone(box: Box) -> None:
    refusal = box.refused(WEB_ADDRESS=f"127.0.0.1:{free_port()}")
    assert re.match(r"CommandError: The box is running already \(process \d+, state in /", refusal)
    assert box.health() == "ok"


def test_a_command_uses_the_running_postgresql_and_leaves_it_running(box: Box) -> None:
    assert processes.run(processes.manage("migrate", "--check"), **box.settings).returncode == 0
    assert box.query("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("name", "words"), [("web", "gunicorn"), ("engine", "run_engine"), ("sftp", "run_sftp")]
)
def test_a_part_that_is_killed_comes_back(box: Box, name: str, words: str) -> None:
    box.kill_part(words)
    assert f"{name:<6} | ended by signal SIGKILL; starting it again in 1 s." in box.output()
    processes.wait_until(lambda: box.health() == "ok", "health is ok")


def test_postgresql_that_is_killed_comes_back(box: Box) -> None:
    pid_file = box.data_dir / "postgres" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    box.wait_for("PostgreSQL is gone; starting it again.")
    processes.wait_until(lambda: box.health() == "ok", "health is ok")


def test_the_schedules_of_the_apps_are_run(box: Box) -> None:
    """After the death of PostgreSQL, too: the worker has found its way back."""

    task = "torrents.tasks.retire_unclaimed_torrents"
    ran = f"SELECT FROM django_q_task WHERE success AND func = '{task}'"
    processes.wait_until(lambda: box.query(ran), "a task of a schedule", 60)


def test_idle_parts_hold_few_connections(box: Box) -> None:
    ((count,),) = box.query(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'oci-torrent-proxy'"
    )
    assert isinstance(count, int)
    assert 0 < count <= 15


def test_the_worker_that_is_killed_comes_back(box: Box) -> None:
    box.kill_part("run_worker")


def test_ctrl_c_ends_it_in_order_and_it_starts_again(idle_box: Box) -> None:
    for _ in range(2):
        with idle_box.up() as process:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0
        assert idle_box.leftovers() == []
        assert "Traceback" not in idle_box.output()


def test_it_can_be_started_from_any_directory(idle_box: Box, tmp_path: Path) -> None:
    with idle_box.up(cwd=str(tmp_path)):
        processes.wait_until(lambda: idle_box.health() == "ok", "health is ok")
    assert list(tmp_path.iterdir()) == []


def test_told_to_stop_while_it_starts_it_leaves_nothing(idle_box: Box) -> None:
    process = idle_box.start()
    processes.wait_until(lambda: running_url(idle_box.data_dir / "postgres"), "PostgreSQL runs")
    process.terminate()
    process.communicate(timeout=20)
    assert idle_box.leftovers() == []
    assert "Traceback" not in idle_box.output()


def test_killed_it_takes_its_parts_along_and_starts_again_at_once(idle_box: Box) -> None:
    with idle_box.up() as killed:
        killed.kill()
        killed.wait()
    with idle_box.up() as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert idle_box.leftovers() == []


def test_closing_its_terminal_ends_it_in_order(idle_box: Box) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *processes.manage("up")],
        cwd=PROJECT_DIR,
        env=processes.environment(**idle_box.settings),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"Ready at" not in shown:
        shown += os.read(ours, 65536)
    os.close(ours)
    processes.wait_until(lambda: not idle_box.leftovers(), "nothing is left", 20)
    process.wait(timeout=10)
    assert (idle_box.data_dir / "run" / "up.lock").read_text() == ""  # not killed


@pytest.mark.parametrize("setting", ["WEB_ADDRESS", "SFTP_ADDRESS", "QBITTORRENT_URL", "TORRENT_PORT"])
def test_a_port_in_use_is_named_with_its_setting(idle_box: Box, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        address = f"127.0.0.1:{port}"
        value = {
            "WEB_ADDRESS": address,
            "SFTP_ADDRESS": address,
            "QBITTORRENT_URL": f"http://127.0.0.1:{port}",
        }
        refusal = idle_box.refused(ENGINE="qbittorrent", **{setting: value.get(setting, str(port))})
    assert f"Port {port} is in use by another program." in refusal
    assert f" {setting} " in refusal


def test_a_udp_port_in_use_is_named_with_its_setting(idle_box: Box) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        refusal = idle_box.refused(ENGINE="qbittorrent", TORRENT_PORT=str(port))
    assert f"Port {port} is in use by another program." in refusal


def test_a_database_that_is_away_is_a_sentence(idle_box: Box) -> None:
    refusal = idle_box.refused(DATABASE_URL="postgresql://proxy@127.0.0.1:1/proxy")
    assert refusal.startswith("PostgreSQL cannot be reached (DATABASE_URL names it)")


def test_a_data_directory_that_cannot_be_used_is_a_sentence(idle_box: Box) -> None:
    assert "Choose another" in idle_box.refused(DATA_DIR=str(idle_box.log))


def test_it_counts_what_caddy_logs_where_caddy_hands_files_over(idle_box: Box, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text('{"user_id": "", "size": 5, "ts": 1}\n')
    with idle_box.up(HANDOVER_BY_CADDY="true", CADDY_LOG=str(log)):
        position = f"SELECT \"offset\" FROM torrents_accesslogposition WHERE path = '{log}'"
        processes.wait_until(
            lambda: idle_box.query(position) == [(log.stat().st_size,)], "the log is counted"
        )
    assert idle_box.leftovers() == []
    assert "Traceback" not in idle_box.output()


def test_a_qbittorrent_that_is_missing_is_said_once_with_what_to_do_and_the_rest_runs(idle_box: Box) -> None:
    with idle_box.up(ENGINE="qbittorrent", QBITTORRENT_BINARY="/nonexistent/qbittorrent"):
        idle_box.wait_for("qbittorrent | cannot work like this.")
        idle_box.kill_part("run_sftp")  # meanwhile a restart would have shown
        assert idle_box.output().count("There is no program /nonexistent/qbittorrent. Install it") == 1
        assert "qbittorrent | ended" not in idle_box.output()
        assert idle_box.health() == "degraded"


@pytest.mark.engine
def test_with_a_real_qbittorrent_it_gets_healthy_and_leaves_nothing(idle_box: Box) -> None:
    with idle_box.up(ENGINE="qbittorrent") as process:
        processes.wait_until(lambda: idle_box.health() == "ok", idle_box.output(), 30)
        assert (idle_box.data_dir / "downloads").is_dir()
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - started < 25
    assert idle_box.leftovers() == []
