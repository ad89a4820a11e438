"""`manage.py up`: the whole box on one machine, in the foreground, until Ctrl-C."""

import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from proxy_site.supervisor import Part, Supervisor


class Command(BaseCommand):
    help = (
        "Start everything on this machine: PostgreSQL (unless DATABASE_URL names one), qBittorrent (unless "
        "QBITTORRENT_MANAGED=false), the web process, the worker and the engine loop. Brings the database up to "
        "date first, starts again what dies, and stops it all on Ctrl-C."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with only_one(settings.DATA_DIR / "run" / "up.lock"):
            for address, setting in addresses():
                require_free(*address, setting=setting)
            call_command("migrate", interactive=False, verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
            Supervisor(parts(), say=self.say).run(ready=web_answers, when_ready=self.announce)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def announce(self) -> None:
        self.say(
            f"Ready at http://{settings.WEB_ADDRESS} (administration: /admin/, API: /api/v1/docs/). Stop: Ctrl-C."
        )


def parts() -> list[Part]:
    """Every process of the box that this machine is configured to run."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        str(settings.BASE_DIR / "proxy_site" / "gunicorn.conf.py"),
    ]
    chosen = [
        Part("web", [*gunicorn, "--chdir", str(settings.BASE_DIR)]),
        Part("worker", [*manage, "qcluster"]),
        Part("engine", [*manage, "run_engine"]),
    ]
    if qbittorrent_is_ours():
        chosen.append(Part("qbittorrent", [*manage, "run_qbittorrent"]))
    return chosen


def qbittorrent_is_ours() -> bool:
    return settings.ENGINE == "qbittorrent" and settings.QBITTORRENT_MANAGED


def web_address() -> tuple[str, int]:
    host, _, port = settings.WEB_ADDRESS.rpartition(":")
    return host.strip("[]") or "127.0.0.1", int(port)


def addresses() -> Iterator[tuple[tuple[str, int], str]]:
    """Every address that a part will listen on, with the setting that changes it."""
    yield web_address(), "WEB_ADDRESS"
    if qbittorrent_is_ours():
        url = urlsplit(settings.QBITTORRENT_URL)
        yield ("127.0.0.1", url.port or 80), "QBITTORRENT_URL"
        yield ("", settings.TORRENT_PORT), "TORRENT_PORT"


def require_free(host: str, port: int, *, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is in use by another program. Stop that program, or choose another port by "
                    f"{setting} in the environment or in .env."
                ) from error
            raise CommandError(
                f"Cannot listen on {host or 'any address'} port {port} ({setting}): {error}"
            ) from error


def web_answers() -> bool:
    host, port = web_address()
    try:
        with socket.create_connection(("127.0.0.1" if host == "0.0.0.0" else host, port), timeout=1):  # noqa: S104
            return True
    except OSError:
        return False


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Refuse to run twice on one DATA_DIR. The lock goes with the process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise CommandError(f"It is running already (process {lock.read().strip()}).") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
