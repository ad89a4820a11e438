"""A real gunicorn, alone and behind a real Caddy with the committed Caddyfile, on the tests' database."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from deploy.box import free_ports
from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes
from torrents.access_log import count_new_lines

CADDYFILE = PROJECT_DIR / "deploy" / "Caddyfile"
WEB_TIMEOUT = 2  # seconds


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class CaddyBox:
    """Ports: `caddy` is the one people use, `direct` a gunicorn that sends the bytes itself, `behind` Caddy's.
    At `grafana` nobody listens until a test does."""

    downloads: Path
    log: Path
    errors: Path
    caddy: int
    direct: int
    behind: int
    grafana: int

    def connect(
        self, url: str, *, port: int | None = None, method: str = "GET", **headers: str
    ) -> http.client.HTTPResponse:
        """An answer whose body is still to be read. Header names have underscores for hyphens."""
        client = http.client.HTTPConnection("127.0.0.1", port or self.caddy, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, url, headers={"Connection": "close", **named})
        return client.getresponse()

    def fetch(self, url: str, *, port: int | None = None, method: str = "GET", **headers: str) -> Answer:
        with self.connect(url, port=port, method=method, **headers) as response:
            body = response.read()
            return Answer(response.status, dict(response.getheaders()), body)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def count(self, requests: int) -> None:
        """Count what Caddy logs, once it has logged so many requests since the box started."""
        processes.wait_until(lambda: len(self.lines()) >= requests, f"{requests} lines in the access log")
        count_new_lines(self.log)


@contextmanager
def started(directory: Path) -> Iterator[CaddyBox]:
    direct, behind, caddy, grafana = free_ports(4)
    box = CaddyBox(
        directory / "downloads",
        directory / "access.log",
        directory / "caddy.log",
        caddy,
        direct,
        behind,
        grafana,
    )
    with ExitStack() as stack:
        for port, handover in ((direct, "false"), (behind, "true")):
            arguments = [sys.executable, "-m", "gunicorn", "-c", "proxy_site/gunicorn.conf.py"]
            environment = {
                "DATABASE_URL": database_url(),
                "DATA_DIR": str(directory / "data"),
                "DOWNLOADS_DIR": str(box.downloads),
                "SECRET_KEY": settings.SECRET_KEY,
                "WEB_ADDRESS": f"127.0.0.1:{port}",
                "WEB_WORKERS": "1",
                "WEB_TIMEOUT": str(WEB_TIMEOUT),
                "BEHIND_HTTPS_PROXY": handover,
                "HANDOVER_BY_CADDY": handover,
            }
            stack.enter_context(running(arguments, directory / f"web-{port}.log", **environment))
        stack.enter_context(caddy_of(box, directory))
        for port in (direct, behind, caddy):
            processes.wait_until(lambda port=port: answers(box, port), f"port {port} answers", 30)  # type: ignore[misc]
        yield box


@contextmanager
def caddy_of(box: CaddyBox, directory: Path) -> Iterator[None]:
    """Caddy alone, in front of whatever listens."""
    environment = {
        "SITE_ADDRESS": f"http://127.0.0.1:{box.caddy}",
        "UPSTREAM": f"127.0.0.1:{box.behind}",
        "GRAFANA_UPSTREAM": f"127.0.0.1:{box.grafana}",
        "DOWNLOADS_DIR": str(box.downloads),
        "CADDY_LOG": str(box.log),
        "XDG_CONFIG_HOME": str(directory / "config"),
        "XDG_DATA_HOME": str(directory / "state"),
    }
    arguments = ["caddy", "run", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    with running(arguments, box.errors, **environment):
        yield


@contextmanager
def running(arguments: list[str], log: Path, **environment: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *arguments],
            cwd=PROJECT_DIR,
            env=processes.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(box: CaddyBox, port: int) -> bool:
    try:
        return box.fetch("/api/v1/me/", port=port).status == 401
    except OSError:
        return False


def database_url() -> str:
    """The tests' database, for a process of its own."""
    options = connection.settings_dict
    login = quote(options["USER"] or "") + (f":{quote(options['PASSWORD'])}" if options["PASSWORD"] else "")
    host, port = quote(str(options["HOST"]), safe=""), options["PORT"]
    return f"postgresql://{login}@/{options['NAME']}?host={host}" + (f"&port={port}" if port else "")
