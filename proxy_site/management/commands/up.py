"""`manage.py up`: the whole box on one machine, in the foreground, until Ctrl-C."""

import errno
import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from proxy_site import embedded_postgres, environment
from proxy_site.client_wheel import WheelNotBuilt, build_wheel
from proxy_site.sftp_endpoint import listen_address
from proxy_site.supervisor import Part, Supervisor

PORTS_AFTER_A_KILL = 30.0  # seconds in which the parts of a killed `up` end by themselves


class Command(BaseCommand):
    help = (
        "Start everything on this machine: PostgreSQL (unless DATABASE_URL names one), qBittorrent (unless "
        "QBITTORRENT_MANAGED=false), the web process, the worker, the engine loop and the SFTP server. Brings the "
        "database up to date first, starts again what dies, and stops it all on Ctrl-C."
    )

    postgres: Path | None = None  # data directory of the embedded server; None: DATABASE_URL names another
    nobody_can_log_in = False

    def handle(self, *args: Any, **options: Any) -> None:
        with only_one(settings.DATA_DIR / "run" / "up.lock") as after_a_kill:
            patience = PORTS_AFTER_A_KILL if after_a_kill else 0.0
            for kind, address, setting in addresses():
                require_free(kind, *address, setting=setting, patience=patience)
            self.say(
                f"Starting. State is kept in {settings.DATA_DIR}, downloads in {settings.DOWNLOADS_DIR}."
            )
            self.postgres = embedded_postgres_in_use()
            call_command("migrate", interactive=False, verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
            self.offer_client()
            self.nobody_can_log_in = not get_user_model()._default_manager.exists()
            connections.close_all()
            Supervisor(parts(), say=self.say).run(
                ready=web_answers, when_ready=self.announce, tend=self.revive_postgres
            )

    def say(self, line: str) -> None:
        try:
            self.stdout.write(line)
            self.stdout.flush()
        except OSError:  # nobody reads any more (a closed terminal, `up | head`): there is still all to stop
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def offer_client(self) -> None:
        try:
            build_wheel()
        except WheelNotBuilt as error:
            self.say(f"The client cannot be offered at /client/: {error}")

    def announce(self) -> None:
        self.say(
            f"Ready at http://{settings.WEB_ADDRESS} (administration: /admin/, API: /api/v1/docs/). Stop: Ctrl-C."
        )
        if self.nobody_can_log_in:
            self.say(
                "Nobody has an account yet. In another terminal: python manage.py create_user NAME --role admin"
            )

    def revive_postgres(self) -> None:
        if self.postgres is None or embedded_postgres.running_url(self.postgres):
            return
        self.say("PostgreSQL is gone; starting it again.")
        try:
            embedded_postgres.own(self.postgres)
        except embedded_postgres.EmbeddedPostgresError as error:
            self.say(str(error))


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
        Part("web", gunicorn),
        # A cluster that is told to stop while it starts can hang (Django-Q2); what it was doing is done again.
        Part("worker", [*manage, "run_worker"], stop_seconds=10),
        Part("engine", [*manage, "run_engine"]),
    ]
    if settings.HANDOVER_BY_CADDY and settings.CADDY_LOG:
        chosen.append(Part("traffic", [*manage, "count_handover", "--follow", settings.CADDY_LOG]))
    if listen_address() is not None:
        chosen.append(Part("sftp", [*manage, "run_sftp"]))
    if qbittorrent_is_ours():
        chosen.append(Part("qbittorrent", [*manage, "run_qbittorrent"]))
    return chosen


def qbittorrent_is_ours() -> bool:
    return settings.ENGINE == "qbittorrent" and settings.QBITTORRENT_MANAGED


def web_address() -> tuple[str, int]:
    host, _, port = settings.WEB_ADDRESS.rpartition(":")
    return host.strip("[]") or "127.0.0.1", int(port)


def embedded_postgres_in_use() -> Path | None:
    pgdata = environment.data_dir() / "postgres"
    return pgdata if os.environ["DATABASE_URL"] == embedded_postgres.running_url(pgdata) else None


def addresses() -> Iterator[tuple[socket.SocketKind, tuple[str, int], str]]:
    """Every address that a part will listen on, with the setting that changes it."""
    yield socket.SOCK_STREAM, web_address(), "WEB_ADDRESS"
    if (sftp := listen_address()) is not None:
        yield socket.SOCK_STREAM, sftp, "SFTP_ADDRESS"
    if qbittorrent_is_ours():
        url = urlsplit(settings.QBITTORRENT_URL)
        yield socket.SOCK_STREAM, ("127.0.0.1", url.port or 80), "QBITTORRENT_URL"
        yield socket.SOCK_STREAM, ("", settings.TORRENT_PORT), "TORRENT_PORT"
        yield socket.SOCK_DGRAM, ("", settings.TORRENT_PORT), "TORRENT_PORT"


def require_free(
    kind: socket.SocketKind, host: str, port: int, *, setting: str, patience: float = 0.0
) -> None:
    """Raise CommandError where something still listens there after `patience` seconds."""
    deadline = time.monotonic() + patience
    while (error := bind_error(kind, host, port)) is not None:
        if error.errno != errno.EADDRINUSE:
            raise CommandError(f"Cannot listen on {host or 'any address'} port {port} ({setting}): {error}")
        if time.monotonic() >= deadline:
            raise CommandError(
                f"Port {port} is in use by another program. Stop that program, or choose another port by "
                f"{setting} in the environment or in .env."
            )
        time.sleep(0.2)


def bind_error(kind: socket.SocketKind, host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:  # connections in TIME_WAIT do not matter
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def web_answers() -> bool:
    host, port = web_address()
    try:
        with socket.create_connection(("127.0.0.1" if host == "0.0.0.0" else host, port), timeout=1):  # noqa: S104
            return True
    except OSError:
        return False


@contextmanager
def only_one(path: Path) -> Iterator[bool]:
    """Refuse to run twice on one DATA_DIR. The lock goes with the process, however it ends.

    Gives whether the process that held it before was killed: its parts may still be ending.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+")
    except OSError as error:
        raise CommandError(
            f"DATA_DIR cannot be used: {error}. Choose another, or start as the user it belongs to."
        ) from error
    with lock:
        lock.seek(0)
        holder = lock.read().strip()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(
                f"The box is running already (process {holder}, state in {path.parent.parent}). "
                "Stop that one first, or choose another DATA_DIR."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield bool(holder)
        finally:
            lock.truncate(0)
