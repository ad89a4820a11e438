"""The HTTP of the fake server: requests in, answers out, and what goes wrong between."""

import contextlib
import hashlib
import json
import re
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tui_client.tests.fake_server import FakeServer

_CHUNK = 64 * 1024


class Problem(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, detail: str, attr: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        kind = "validation_error" if attr else "client_error"
        self.body = {"type": kind, "errors": [{"code": code, "detail": detail, "attr": attr}]}


class Wire(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake: "FakeServer") -> None:
        self.fake = fake
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), Request)

    def stop(self) -> None:
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        deadline = time.monotonic() + 5
        while self.open and time.monotonic() < deadline:
            time.sleep(0.01)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error of the test's."""


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Wire
    body: bytes

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.server.open.discard(self.connection)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def json(self) -> Any:
        return json.loads(self.body)

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PATCH(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        fake = self.server.fake
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        fake.requests.append((self.command, url.path, self.headers))
        if fake.silent:
            self.close_connection = True
            return
        try:
            if fake.away:
                raise Problem(503, "unavailable", "Maintenance.")
            if fake.redirect_to:
                self._send(302, None, {"Location": fake.redirect_to})
                return
            if match := re.fullmatch(r"/api/v1/torrents/([^/]+)/files/(\d+)/content/", url.path):
                fake.authorise(self)
                if match[1] in fake.failing:
                    raise Problem(500, "error", "The disk has a scratch.")
                self._send_content(fake, fake.content(match[1], match[2]))
                return
            path = url.path.removeprefix("/api/v1/")
            self._send(*fake.answer(self.command, path, parse_qs(url.query), self))
        except Problem as problem:
            self._send(problem.status, problem.body)

    def _send(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_content(self, fake: "FakeServer", data: bytes) -> None:
        etag = f'"{hashlib.sha1(data).hexdigest()}-{fake.version}"'
        start, stop = 0, len(data)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted and not fake.ignores_range and self.headers.get("If-Range", etag) == etag:
            start = int(wanted[1])
            if start >= len(data):
                self._send(416, None, {"Content-Range": f"bytes */{len(data)}"})
                return
            stop = min(int(wanted[2]) + 1, stop) if wanted[2] else stop
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        else:
            self.send_response(200)
        fake.content_starts.append(start)
        if fake.damaged_answers:
            fake.damaged_answers -= 1
            data = data[:-1] + bytes([data[-1] ^ 1])
        if fake.version:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        end = stop
        if fake.cut_after:
            end = min(start + fake.cut_after.pop(0), end)
        for offset in range(start, end, _CHUNK):
            while fake.hold_after is not None and offset - start >= fake.hold_after:
                time.sleep(0.005)
            self.wfile.write(data[offset : min(offset + _CHUNK, end)])
            sent_at = time.monotonic()
            while time.monotonic() < sent_at + fake.chunk_delay:
                time.sleep(0.005)
        if end < stop:
            self.wfile.flush()
            self.close_connection = True
