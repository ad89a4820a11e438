"""People, a real web process and the reconciler on a real qBittorrent, with a proxy between the two that can fail."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.tests.factories import access_token
from deploy.swarm import Peer, make_torrent
from torrents.engines.base import Engine, EngineTorrent
from torrents.engines.qbittorrent import QBittorrentEngine
from torrents.management.commands import run_engine
from torrents.metainfo import parse_torrent
from torrents.models import Claim
from torrents.tests.engines.engine_proxy import EngineProxy
from torrents.tests.engines.harness import same_files, write_content
from torrents.tests.engines.real import PASSWORD, PEER_ADDRESS, USERNAME, RealQBittorrent
from torrents.tests.factories import add, person

PATIENCE = 120.0  # seconds after which what comes by itself never will, however busy the machine is
AT_ONCE = 15.0  # seconds; an answer takes some hundredths, more only where much else runs on the machine
TORRENTS = "/api/v1/torrents/"


@dataclass(frozen=True)
class Told:
    status: int
    body: Any


class Visitor:
    """Asks the web process, and holds every answer to be there at once, whatever else is at fault."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port = port
        self._token = token

    def log_in(self, username: str, password: str) -> None:
        told = self.ask("POST", "/api/v1/session/", username=username, password=password)
        self._token = told.body["access"]

    def ask(self, method: str, path: str, *, within: float = AT_ONCE, **body: object) -> Told:
        client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        started = time.monotonic()
        try:
            client.request(method, path, json.dumps(body) if body else None, headers)
            response = client.getresponse()
            answer = response.read()
        finally:
            client.close()
        took = time.monotonic() - started
        assert took < within, f"{method} {path} took {took:.1f} s"
        return Told(response.status, json.loads(answer) if answer else None)

    def torrent(self, claim_id: object) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"{TORRENTS}{claim_id}/").body
        return found

    def health(self) -> str:
        """What is wrong, in the server's words."""
        told = self.ask("GET", "/api/v1/health/")
        assert (told.status == 200) == (told.body["status"] == "ok") == (told.body["engine"]["message"] == "")
        return str(told.body["engine"]["message"])

    def do_everything(self, magnet: str, other: Claim) -> Claim:
        """What people do all day; `other` ends as it was. Gives the claim on what the magnet names."""
        added = self.ask("POST", TORRENTS, source=magnet)
        assert added.status == 201, added
        own = f"{TORRENTS}{added.body['id']}/"
        for method, path in (
            ("POST", f"{own}pause/"),
            ("POST", f"{own}resume/"),
            ("GET", own),
            ("GET", f"{own}files/"),
            ("GET", f"{own}swarm/"),
            ("GET", TORRENTS),
            ("GET", f"{TORRENTS}changes/?since=0"),
            ("GET", "/api/v1/me/limits/"),
            ("DELETE", f"{TORRENTS}{other.pk}/"),
            ("POST", f"{TORRENTS}{other.pk}/restore/"),
        ):
            told = self.ask(method, path)
            assert told.status < 300, (method, path, told)
        return Claim.objects.get(pk=added.body["id"])


class FaultyBox:
    """`direct` talks to qBittorrent beside the proxy."""

    def __init__(self, qbittorrent: RealQBittorrent, proxy: EngineProxy, web_port: int, folder: Path) -> None:
        self.qbittorrent = qbittorrent
        self.proxy = proxy
        self.direct: Engine = qbittorrent.connect()
        self.alice = person("alice")
        self.visitor = Visitor(web_port, access_token(self.alice))
        self._folder = folder
        self._stack = ExitStack()
        self._peer: Peer | None = None

    def close(self) -> None:
        self._stack.close()
        self.direct.remove(self.direct.poll().torrents.keys(), delete_data=True)
        self.direct.close()

    def reconcile(self, *, timeout: float = 1.0) -> None:
        """From now on, as `run_engine` does."""
        self._stack.enter_context(reconciling(QBittorrentEngine(self.proxy.url, USERNAME, PASSWORD, timeout)))

    def make(
        self, name: str, *, size: int = 1_000_000, files: tuple[str, ...] = ("1.mkv",)
    ) -> tuple[bytes, Path]:
        """A .torrent and its content, which nobody has yet; `size` in bytes, of each file."""
        content = write_content(self._folder / name, *files, size=size)
        return make_torrent(content, version="v1"), content

    def add(self, metainfo: bytes, *, paused: bool = False) -> Claim:
        return add(self.alice, parse_torrent(metainfo), paused=paused)

    def seed(self, *offers: tuple[bytes, Path], upload_limit: int = 0) -> None:
        """From now on, somebody in the swarm has these."""
        if self._peer is None:
            self._peer = self._stack.enter_context(Peer(PEER_ADDRESS, upload_limit=upload_limit))
            self._peer.knock_at(self.qbittorrent.options.torrent_port)
        for metainfo, content in offers:
            self._peer.seed(metainfo, content)

    def held(self) -> dict[str, EngineTorrent]:
        """What qBittorrent has, by save path."""
        torrents = list(self.direct.poll().torrents.values())
        found = {torrent.save_path: torrent for torrent in torrents}
        assert len(found) == len(torrents), "doubled"
        return found

    def in_engine(self, claim: Claim) -> EngineTorrent | None:
        return self.held().get(str(claim.torrent.data_dir))

    def until(self, holds: Callable[[], object], what: str = "") -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, (
                what,
                self.visitor.ask("GET", TORRENTS).body,
                self.visitor.health(),
                self.held(),
            )
            time.sleep(0.05)

    def until_state(self, claim: Claim, state: str) -> None:
        self.until(
            lambda: self.visitor.torrent(claim.pk)["state"] == state, f"{claim.torrent.name} is {state}"
        )

    def arrives(self, claim: Claim, content: Path) -> None:
        """By itself, and byte for byte."""
        self.until_state(claim, "finished")
        assert same_files(Path(claim.torrent.data_dir), content)


@contextmanager
def reconciling(adapter: Engine) -> Iterator[None]:
    stop = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_engine.reconcile(adapter, stop)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        adapter.close()
    if errors:
        raise errors[0]
