"""A private copy of everything, on ports of its own, for the check and for the tests that run the whole product."""

import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PEER_ADDRESS = "127.0.0.77"  # the one loopback address that this copy's engine may talk to
NOBODY = "http://127.0.0.1:9/"  # where nothing answers: a copy asks no service of the internet
START_SECONDS = 150.0  # on a machine that has much else to do
STOP_SECONDS = 45.0
GONE_SECONDS = 5.0
FIRST_PORT, PORTS = 12000, 20000  # those of outgoing connections begin at 32768
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "USER")


class CheckFailed(Exception):
    """A promise did not hold; the text says which and what was seen instead."""


class Box:
    """A private copy of everything, started as a person would: `manage.py up`."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.web_port, engine_web, self.torrent_port, self.relay_port, self.sftp_port = free_ports(5)
        self.url = f"http://127.0.0.1:{self.web_port}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "USER")
        }
        self.environment = {
            **kept,
            "DATA_DIR": str(directory / "data"),
            "WEB_ADDRESS": f"127.0.0.1:{self.web_port}",
            "QBITTORRENT_URL": f"http://127.0.0.1:{engine_web}",
            "SFTP_ADDRESS": f"127.0.0.1:{self.sftp_port}",
            "TORRENT_PORT": str(self.torrent_port),
            "TORRENT_INTERFACE": "lo",
            "TORRENT_DISCOVERY": "false",
            "TORRENT_LOOPBACK_PEERS": PEER_ADDRESS,
            "ANILIST_URL": NOBODY,
            "ANIME_RELATIONS_URL": NOBODY,
            "ENVIRONMENT": "development",
            "DATABASE_URL": "",
            "DISK_FLOOR": "0",  # however full this machine's disk is
            **settings,
        }
        self.log = directory / "up.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("wb") as log:
            # The box stops even if this script is killed.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "manage.py", "up"],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while "\nReady at " not in "\n" + self.log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise CheckFailed(f"the box did not start:\n{self.tail()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask everything to stop and make sure that nothing is left of it."""
        if self._process is None:
            return
        self._process.terminate()  # not SIGINT: a script that runs in the background has it ignored
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise CheckFailed(f"the box did not stop within {STOP_SECONDS:.0f} s:\n{self.tail()}") from None
        finally:
            self._process = None
        if code != 0:
            raise CheckFailed(f"the box ended with exit code {code}:\n{self.tail()}")
        # PostgreSQL takes its pid file away, which is what its stopping is told by, a moment before it is gone.
        deadline = time.monotonic() + GONE_SECONDS
        while left := self._left_over():
            if time.monotonic() > deadline:
                raise CheckFailed("processes are left: " + ", ".join(left))
            time.sleep(0.1)

    def create_user(self, name: str) -> str:
        """Returns the generated password."""
        command = [sys.executable, "manage.py", "create_user", name, "--role", "user", "--generate"]
        made = subprocess.run(
            command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            raise CheckFailed(f"create_user failed: {made.stderr.strip()}")
        return made.stdout.strip().splitlines()[-1]

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:])

    def parts(self) -> set[int]:
        """The process ids of what it has started: web, worker, engine loop and so on."""
        assert self._process is not None
        pid = self._process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def engine_process(self) -> int | None:
        """The process id of the qBittorrent that runs now."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                arguments = (process / "cmdline").read_bytes()
                if b"qbittorrent-nox\0" in arguments and os.fsencode(self.directory) in arguments:
                    return int(process.name)
        return None

    def _left_over(self) -> list[str]:
        """Processes that carry our private directory in their environment or arguments."""
        mark = os.fsencode(self.directory)
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            if int(process.name) == os.getpid():
                continue
            with suppress(OSError):
                arguments = (process / "cmdline").read_bytes()
                if mark in arguments or mark in (process / "environ").read_bytes():
                    found.append(
                        f"{process.name} {arguments.replace(bytes(1), b' ').decode(errors='replace')}"
                    )
        return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; all different. Not of those that Linux gives to outgoing connections: one of
    these could take a port before whoever it is for has started."""
    found: set[int] = set()
    while len(found) < count:
        port = FIRST_PORT + secrets.randbelow(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)
