"""A server that means harm, on loopback, and how tests ask it."""

import contextlib
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from proxy_site.outbound import OutboundError, Response, fetch

MAX_BYTES = 5 * 2**20


class HostileHandler(BaseHTTPRequestHandler):
    """Does what the first part of the path names."""

    server: "HostileServer"

    def do_GET(self) -> None:
        self.server.requests.append(self)
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # the client had enough, as it should
            getattr(self, "serve_" + urlsplit(self.path).path.split("/")[1])()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def serve_hello(self) -> None:
        self.answer(200, b"hello", ETag='"one"', Content_Length="5")

    def serve_conditional(self) -> None:
        self.answer(304 if self.headers["If-None-Match"] == '"one"' else 200)

    def serve_zipped(self) -> None:
        packer = zlib.compressobj(wbits=31)
        self.answer(200, packer.compress(b"hello") + packer.flush(), Content_Encoding="gzip")

    def serve_bomb(self) -> None:
        packer = zlib.compressobj(9, wbits=31)
        self.answer(200, Content_Encoding="gzip")
        for _ in range(512):
            self.wfile.write(packer.compress(bytes(2**20)))
        self.wfile.write(packer.flush())

    def serve_large(self) -> None:
        self.answer(200, bytes(2 * 2**20))

    def serve_endless(self, status: int = 200) -> None:
        self.answer(status)
        while not self.server.stopping.is_set():
            self.wfile.write(bytes(65536))

    def serve_endless_404(self) -> None:
        self.serve_endless(404)

    def serve_drip(self) -> None:
        self.answer(200, Content_Length="1000")
        while not self.server.stopping.wait(0.5):
            self.wfile.write(b"x")

    def serve_headers(self) -> None:
        self.send_response(200)
        for number in range(2000):
            self.send_header(f"X-{number}", "x" * 100)
        self.end_headers()

    def serve_cut(self) -> None:
        self.answer(200, b"half", Content_Length="8")

    def serve_no_http(self) -> None:
        self.wfile.write(b"220 mail.example.org ESMTP\r\n")

    def serve_status(self) -> None:
        self.answer(int(urlsplit(self.path).path.rpartition("/")[2]))

    def serve_to(self) -> None:
        self.answer(302, b"moved", Location=self.server.location)

    def serve_loop(self) -> None:
        self.answer(302, Location="/loop")


class HostileServer(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), HostileHandler)
        self.requests: list[HostileHandler] = []
        self.stopping = threading.Event()
        self.location = ""
        self.url = f"http://{address}:{self.server_port}"


def run_server(address: str = "127.0.0.1") -> Iterator[HostileServer]:
    with HostileServer(address) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


def get(url: str, *, deadline: float = 10.0, stop_at_magnet: bool = False) -> Response:
    return fetch(
        url, max_bytes=MAX_BYTES, deadline=deadline, allow_private=True, stop_at_magnet=stop_at_magnet
    )


def refusal(url: str, *, deadline: float = 10.0) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        get(url, deadline=deadline)
    return caught.value
