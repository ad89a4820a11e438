"""A running SFTP server for tests, and people's own tools that talk to it."""

import asyncio
import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import asyncssh
import psutil
from django.db import connection
from django.utils import timezone

from accounts.models import TransferCredential, User
from proxy_site.tests import processes
from torrents.tests.factories import person

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds after which something that ends by itself never will, however busy the machine is
WITH_CONSTANTS = """
import json, sys
import django
from django.core.management import call_command
django.setup()
from torrents.sftp import server
for name, value in json.loads(sys.argv[1]).items():
    assert hasattr(server, name)
    setattr(server, name, value)
call_command("run_sftp")
"""
T = TypeVar("T")


def secret_of(username: str) -> str:
    return f"secret of {username}"


def account(username: str) -> User:
    """Somebody with a transfer credential whose secret tests know."""
    user = person(username)
    digest = hashlib.sha256(secret_of(username).encode()).hexdigest()
    in_an_hour = timezone.now() + timedelta(hours=1)
    TransferCredential.objects.create(user=user, secret_sha256=digest, expires_at=in_an_hour)
    return user


async def rows(call: Callable[..., T], *args: Any, **options: Any) -> T:
    """Django's ORM from a test that is a coroutine; its thread's connection is closed again."""

    def run() -> T:
        try:
            return call(*args, **options)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


def database_url() -> str:
    """Of the test's own database."""
    found = connection.settings_dict
    user, password = quote(str(found["USER"]), safe=""), quote(str(found["PASSWORD"]), safe="")
    where = f"?host={quote(str(found['HOST']), safe='')}" + (
        f"&port={found['PORT']}" if found["PORT"] else ""
    )
    return f"postgresql://{user}{':' + password if password else ''}@/{found['NAME']}{where}"


class RunningServer:
    """`directory` holds its state, the downloads it hands over, and what clients need to know of it.

    `constants` of torrents.sftp.server have other values in it, for what would take too long with the real ones.
    """

    def __init__(self, directory: Path, port: int, constants: Mapping[str, int], **settings: str) -> None:
        self.directory = directory
        self.port = port
        self.downloads = directory / "downloads"
        self.known_hosts = directory / "known_hosts"
        self.log = directory / "log"
        self.settings = {
            "DATA_DIR": str(directory / "data"),
            "DOWNLOADS_DIR": str(self.downloads),
            "DATABASE_URL": database_url(),
            "ENGINE": "fake",
            "SFTP_ADDRESS": f"{HOST}:{port}",
            "DJANGO_SETTINGS_MODULE": "proxy_site.settings",
            **settings,
        }
        self.command = processes.manage("run_sftp")
        if constants:
            self.command = processes.python(WITH_CONSTANTS, json.dumps(constants))
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with self.log.open("a") as log:
            process = self.process = processes.start(self.command, output=log.fileno(), **self.settings)
        processes.wait_until(lambda: self._greets() or process.poll() is not None, "a server", PATIENCE)
        assert process.poll() is None, self.log.read_text()
        key = asyncssh.read_private_key(self.directory / "data" / "secrets" / "sftp_host_key")
        public = key.export_public_key().decode().strip()
        self.known_hosts.write_text(f"[{HOST}]:{self.port} {public}\n{HOST} {public}\n")

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def connections(self) -> int:
        """How many clients it has now."""
        assert self.process is not None
        sockets = psutil.Process(self.process.pid).net_connections()
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self.port for one in sockets)

    async def has_connections(self, count: int) -> None:
        """Returns once it does."""
        what = f"{count} connections"
        await asyncio.to_thread(processes.wait_until, lambda: self.connections() == count, what, PATIENCE)

    def most_memory(self) -> int:
        """Bytes that the process has held at most at any moment since it began."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        (found,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
        return int(found) * 1024

    def connect(self, username: str = "alice", **options: Any) -> Any:
        """An asyncssh client, logged in by the person's secret."""
        wanted = {"username": username, "password": secret_of(username), "client_keys": None, **options}
        return asyncssh.connect(HOST, self.port, known_hosts=str(self.known_hosts), config=None, **wanted)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A person's own tool, to its end."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        return subprocess.run(
            command,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )

    def ssh_options(self, identity: Path) -> list[str]:
        options = {
            "UserKnownHostsFile": str(self.known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
        }
        return ["-F", "/dev/null", "-i", str(identity)] + [
            f"-o{name}={value}" for name, value in options.items()
        ]

    def _greets(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False


@contextmanager
def running_server(
    directory: Path, constants: Mapping[str, int] | None = None, /, **settings: str
) -> Iterator[RunningServer]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    server = RunningServer(directory, port, constants or {}, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
