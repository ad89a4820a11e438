"""A box on a machine of its own, installed as its operator does it, and people who use it from elsewhere."""

import asyncio
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from deploy.check import fetch_by_sftp
from deploy.swarm import Peer, make_torrent
from tests.machine.internet import SOMEBODY
from tests.machine.machine import Machine
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download
from torrent_proxy_client.models import Torrent

CHECKOUT = "/root/oci-torrent-proxy"
INSTALL_SECONDS = 1200.0
DOWNLOAD_SECONDS = 120.0
TORRENT_PORT = 51413
SERVICES = ("web", "worker", "reconciler", "sftp", "handover", "qbittorrent")

Result = TypeVar("Result")


class InstalledBox:
    """`seconds` and `memory` (MB) collect what was measured, for the end of a drill."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.url = f"https://{machine.address}"
        self.fingerprint = self.admin_password = self.backup_key = ""
        self.seconds: dict[str, float] = {}
        self.memory: dict[str, float] = {}

    def install(self, options: str = "", *, step: str = "install") -> str:
        """Run the installer of the checkout; what it says. Raises MachineError where it fails."""
        with self.timed(step):
            said = self.machine.says(f"bash {CHECKOUT}/deploy/install.sh {options}", timeout=INSTALL_SECONDS)
        for name, pattern in (
            ("fingerprint", r"--fingerprint (\S+)"),
            ("admin_password", r"Password: +(\S+)"),
            ("backup_key", r"(AGE-SECRET-KEY-\S+)"),
        ):
            if found := re.search(pattern, said):
                setattr(self, name, found[1])
        return said

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - began

    def manage(self, command: str) -> str:
        """What a management command says, as its operator runs it on the machine."""
        return self.machine.says(f"torrentproxy-manage {command}", timeout=120)

    def create_user(self, name: str) -> str:
        """A person's password."""
        password = secrets.token_urlsafe(12)
        self.machine.run(
            f"torrentproxy-manage create_user {name} --password-stdin", stdin=password + "\n", timeout=120
        )
        return password

    def prometheus(self, query: str) -> list[tuple[dict[str, str], float]]:
        """The labels and values that its Prometheus answers with."""
        url = f"http://127.0.0.1:9090/api/v1/query?query={quote(query)}"
        answer = self.machine.says(
            f"python3 -c \"import urllib.request as u; print(u.urlopen('{url}', timeout=10).read().decode())\""
        )
        return [(one["metric"], float(one["value"][1])) for one in json.loads(answer)["data"]["result"]]

    def elsewhere(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """What this comes to for somebody on the internet."""
        with self.machine.internet.inside():
            return asyncio.run(work())

    def client(self) -> ApiClient:
        """Trusts the certificate that the installer named, and no other."""
        return ApiClient(self.url, fingerprint=self.fingerprint)

    def wait_until_running(self) -> None:
        """All that starts at boot has started, and the web process says that the box is ready."""
        ready = (
            "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=10)"
        )
        self.machine.run(
            f'systemctl is-system-running --wait; until python3 -c "{ready}" 2>/dev/null; do sleep 0.5; done',
            timeout=300,
        )

    def resident_mb(self) -> float:
        """All processes of the machine; what several share counts once."""
        total = self.machine.says(
            "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { s += $2 } END { print s }'"
        )
        return int(total) / 1024


@contextmanager
def peer_on_the_internet(box: InstalledBox, *, upload_limit: int = 0) -> Iterator[Peer]:
    """A real BitTorrent client elsewhere, that knocks at the box."""
    with box.machine.internet.inside():
        peer = Peer(SOMEBODY, upload_limit=upload_limit)
        peer.knock_at(TORRENT_PORT, box.machine.address)
        with peer:
            yield peer


def random_torrent(directory: Path, size: int) -> tuple[bytes, Path]:
    """A new file and its .torrent."""
    directory.mkdir(parents=True, exist_ok=True)
    content = directory / f"random-{secrets.token_hex(6)}.bin"
    content.write_bytes(secrets.token_bytes(size))
    return make_torrent(content, version="v1", piece_size=256 * 1024), content


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def until(
    api: ApiClient, torrent_id: str, holds: Callable[[Torrent], bool], seconds: float = DOWNLOAD_SECONDS
) -> Torrent:
    deadline = time.monotonic() + seconds
    while not holds(torrent := await api.torrent(torrent_id)):
        assert time.monotonic() < deadline, f"still {torrent}"
        await asyncio.sleep(0.3)
    return torrent


async def until_finished(api: ApiClient, torrent_id: str) -> Torrent:
    return await until(api, torrent_id, lambda torrent: torrent.state == "finished")


async def until_hashed(api: ApiClient, torrent: Torrent) -> None:
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    while not all(file.sha256 for file in await api.files(torrent.id)):
        assert time.monotonic() < deadline, "the box has not computed the checksums"
        await asyncio.sleep(0.3)


async def fetched_by_https(api: ApiClient, torrent: Torrent, directory: Path) -> str:
    """The SHA-256 of a torrent of one file, as it arrives; the client has compared it with what the box says."""
    (fetched,) = await Download(api, torrent, directory).run()
    assert fetched.verified
    return sha256(fetched.path)


async def fetched_by_sftp(api: ApiClient, torrent: Torrent, target: Path) -> str:
    return await fetch_by_sftp(api, (await api.links(torrent.id)).sftp_path, target)
