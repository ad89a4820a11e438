"""Several real gunicorn processes tell one truth."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from accounts.models import User
from accounts.tests.factories import UserFactory, access_token
from deploy.box import free_ports
from monitoring.tests.reading import Scrape
from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes
from proxy_site.web_counts import counts_directory
from torrents.tests.caddy_box import database_url, running

QUICK = "/api/v1/torrents/changes/?since=0"
ORDINARY = "/api/v1/me/limits/"


class Web:
    def __init__(self, port: int) -> None:
        self.port = port
        self.token = ""

    def get(self, path: str) -> tuple[int, str]:
        """By a new connection, so that it goes to whoever runs at this moment."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Connection": "close"}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def scrape(self) -> Scrape:
        status, text = self.get("/metrics")
        assert status == 200
        return Scrape(text)

    def answers(self, view: str) -> float | None:
        name = "django_http_responses_total_by_status_view_method_total"
        return self.scrape().value(name, status="200", view=view, method="GET")


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[Web]:
    """Two processes, on the tests' database."""
    (port,) = free_ports(1)
    environment = {
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(tmp_path / "data"),
        "SECRET_KEY": settings.SECRET_KEY,
        "WEB_ADDRESS": f"127.0.0.1:{port}",
        "WEB_WORKERS": "2",
        "WEB_TIMEOUT": "120",  # one of them stands still for a while
        "ENGINE": "fake",
    }
    arguments = [sys.executable, "-m", "gunicorn", "-c", "proxy_site/gunicorn.conf.py"]
    log = tmp_path / "web.log"
    with running(arguments, log, **environment):
        processes.wait_until(lambda: processes.listens(port), f"gunicorn: {log.read_text()}", 60)
        yield Web(port)


@pytest.fixture
def alice(web: Web) -> User:
    user = UserFactory.create(username="alice")
    web.token = access_token(user)
    return user


def workers(web: Web) -> list[psutil.Process]:
    """Both, once both are there."""
    mine = psutil.Process().children(recursive=True)
    address = f"127.0.0.1:{web.port}"
    masters = [
        process
        for process in mine
        if process.ppid() == os.getpid() and process.environ().get("WEB_ADDRESS") == address
    ]
    (master,) = masters
    processes.wait_until(lambda: len(master.children()) == 2, "two workers", 60)
    return master.children()


@contextmanager
def alone(web: Web, place: int) -> Iterator[None]:
    """Only one of the two workers runs, so it is the one that answers."""
    with ExitStack() as stack:
        for number, process in enumerate(workers(web)):
            if number != place:
                process.send_signal(signal.SIGSTOP)
                stack.callback(process.send_signal, signal.SIGCONT)
        yield


def test_what_two_processes_counted_is_told_together_by_either(web: Web, alice: User) -> None:
    for place, (quick, ordinary) in enumerate([(3, 2), (4, 5)]):
        with alone(web, place):
            assert [web.get(QUICK)[0] for _ in range(quick)] == [200] * quick
            assert [web.get(ORDINARY)[0] for _ in range(ordinary)] == [200] * ordinary
            web.scrape()  # what it has not written down yet it counts for this
    for place in range(2):
        with alone(web, place):
            assert web.answers("api:torrent-changes") == 7
            assert web.answers("api:me-limits") == 7
            told = web.scrape()
            latency = "django_http_requests_latency_seconds_by_view_method_count"
            assert told.value(latency, view="api:torrent-changes", method="GET") == 7
            assert told.own("users", state="active") == 1
            queries = told.value("django_db_execute_total", alias="default", vendor="postgresql")
            assert queries is not None
            assert queries > 14


def test_what_one_counts_in_batches_the_others_tell_soon(web: Web, alice: User) -> None:
    def told_by_the_other() -> float | None:
        with alone(web, 1):
            return web.answers("api:torrent-changes")

    with alone(web, 0):
        assert web.get(QUICK)[0] == 200
    processes.wait_until(lambda: told_by_the_other() == 1, "it is counted", 30)


def test_what_a_process_counted_outlives_it(web: Web, alice: User) -> None:
    for place in range(2):
        with alone(web, place):
            assert web.get(ORDINARY)[0] == 200
    first, second = workers(web)
    first.kill()
    processes.wait_until(
        lambda: len(workers(web)) == 2 and first.pid not in [one.pid for one in workers(web)],
        "another worker",
        60,
    )
    assert second.is_running()
    assert web.answers("api:me-limits") == 2


def test_a_web_process_that_starts_begins_anew_and_leaves_others_alone(tmp_path: Path) -> None:
    ours, others = (counts_directory(tmp_path, address) for address in ("127.0.0.1:1", "[::1]:2"))
    for directory in (ours, others):
        (directory / "counter_1.db").touch()
    assert counts_directory(tmp_path, "127.0.0.1:1") == ours
    assert not list(ours.iterdir())
    assert [path.name for path in others.iterdir()] == ["counter_1.db"]


@pytest.mark.parametrize("command", ["run_sftp", "run_engine", "run_worker", "doctor"])
def test_the_other_processes_load_nothing_of_it(command: str, tmp_path: Path) -> None:
    """As far as they get without a database, checks included."""
    code = f"""
import sys
import django
django.setup()
from django.core.management import call_command, load_command_class, get_commands
load_command_class(get_commands()[{command!r}], {command!r})
call_command("check")
assert not [name for name in sys.modules if "prometheus" in name]
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_DIR,
        env=processes.environment(
            DJANGO_SETTINGS_MODULE="proxy_site.settings",
            DATABASE_URL="postgresql://proxy@127.0.0.1:1/proxy",
            DATA_DIR=str(tmp_path),
            ENGINE="fake",
        ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
