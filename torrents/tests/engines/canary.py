"""A service of this machine that a torrent may not reach."""

import contextlib
import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from deploy.swarm import magnet_for, make_torrent
from torrents.tests.engines.real import PEER_ADDRESS


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
        return make_torrent(content, web_seeds=self._web_seeds(), trackers=self._trackers())

    def poisoned_magnet(self, metainfo: bytes) -> str:
        """Of that torrent. It names the canary as everything that a magnet can name."""
        named = {
            "tr": self._trackers(),
            "ws": self._web_seeds(),
            "xs": self._web_seeds(),
            "as": self._web_seeds(),
        }
        named["x.pe"] = [f"127.0.0.1:{self.port}", f"localhost:{self.port}"]
        extras = [f"&{key}={quote(value, safe='')}" for key, values in named.items() for value in values]
        return magnet_for(metainfo) + "".join(extras)

    def _web_seeds(self) -> list[str]:
        return [f"http://{host}/secret" for host in self._hosts()]

    def _trackers(self) -> list[str]:
        return [
            *(f"http://{host}/announce" for host in self._hosts()),
            f"udp://127.0.0.1:{self.port}/announce",
        ]

    def _hosts(self) -> list[str]:
        here = ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"]
        return [*(f"{host}:{self.port}" for host in here), f"{PEER_ADDRESS}:{self.redirecting_port}"]
