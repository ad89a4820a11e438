"""A torrent cannot use the engine to reach this machine, even where our own stripping of torrents failed."""

import contextlib
import http.server
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.swarm import make_torrent
from torrents.tests.engines.harness import RealHarness, write_content
from torrents.tests.engines.real import PEER_ADDRESS, RealQBittorrent

pytestmark = pytest.mark.engine

PATIENCE = 8.0  # seconds; uncontained, the first contact comes within two


class Canary:
    """Listens with TCP and UDP on 127.0.0.1 and counts who comes; and on the peers' address it sends people there."""

    def __init__(self) -> None:
        canary = self
        self.contacts = 0
        self.redirected = 0

        class Counting(http.server.BaseHTTPRequestHandler):
            def setup(self) -> None:
                canary.contacts += 1
                super().setup()

            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, *args: object) -> None:
                """Not on stderr."""

        class CountingDatagrams(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                canary.contacts += 1

        class Redirecting(Counting):
            def setup(self) -> None:
                http.server.BaseHTTPRequestHandler.setup(self)

            def do_GET(self) -> None:
                canary.redirected += 1
                self.send_response(302)
                self.send_header("Location", f"http://127.0.0.1:{canary.port}/announce")
                self.send_header("Content-Length", "0")
                self.end_headers()

        web = [
            http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting),
            http.server.ThreadingHTTPServer((PEER_ADDRESS, 0), Redirecting),
        ]
        self.port, self.redirecting_port = (server.server_port for server in web)
        datagrams = socketserver.UDPServer(("127.0.0.1", self.port), CountingDatagrams)
        self._servers: list[socketserver.BaseServer] = [*web, datagrams]

    @contextlib.contextmanager
    def listening(self) -> Iterator["Canary"]:
        threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in self._servers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for server, thread in zip(self._servers, threads, strict=True):
                server.shutdown()
                thread.join()
                server.server_close()

    def poisoned_torrent(self, content: Path) -> bytes:
        hosts = [f"127.0.0.1:{self.port}", f"localhost:{self.port}", f"127.1:{self.port}"]
        hosts += [f"[::ffff:127.0.0.1]:{self.port}", f"{PEER_ADDRESS}:{self.redirecting_port}"]
        return make_torrent(
            content,
            web_seeds=[f"http://{host}/secret" for host in hosts],
            trackers=[
                *(f"http://{host}/announce" for host in hosts),
                f"udp://127.0.0.1:{self.port}/announce",
            ],
        )


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary().listening() as canary:
        yield canary


def test_web_seeds_and_trackers_on_this_machine_are_never_contacted(
    qbittorrent: RealQBittorrent, canary: Canary, tmp_path: Path
) -> None:
    harness = RealHarness(qbittorrent)
    for name, has_peer in (("served", True), ("lonely", False)):
        content = write_content(tmp_path / name, "one.mkv", size=2_000_000)
        metainfo = canary.poisoned_torrent(content)
        if has_peer:
            harness.offer(metainfo, content, upload_limit=200_000)
        save_path = str(qbittorrent.data_root / "t" / name)
        harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)

    time.sleep(PATIENCE)
    received = sorted(torrent.downloaded for torrent in harness.engine.poll().torrents.values())
    harness.close()

    assert canary.contacts == 0
    assert canary.redirected > 0  # it did try, as far as it is allowed to go
    assert received[0] == 0 < received[1]


def test_without_the_filter_they_would_be_contacted(
    own_qbittorrent: RealQBittorrent, canary: Canary, tmp_path: Path
) -> None:
    own_qbittorrent.start({"BitTorrent": {r"Session\IPFilteringEnabled": "false"}})
    engine = own_qbittorrent.connect()
    metainfo = canary.poisoned_torrent(write_content(tmp_path / "Show", "one.mkv"))
    engine.add(metainfo=metainfo, magnet=None, save_path=str(tmp_path / "saved"), stopped=False)

    deadline = time.monotonic() + PATIENCE
    while not canary.contacts and time.monotonic() < deadline:
        time.sleep(0.1)
    engine.close()

    assert canary.contacts > 0
