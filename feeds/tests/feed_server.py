"""A real HTTP server on loopback with feeds that tests change as they go."""

import base64
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Page:
    """What one path answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    credentials: tuple[str, str] | None = None
    hangs: bool = False


class FeedServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []  # path and headers in lower case, in order
        self.stopping = threading.Event()

    def url(self, path: str) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}{path}"

    def serve(self, path: str, body: bytes, **headers: str) -> str:
        """The address of this feed, from now on with this content."""
        self.pages[path] = Page(
            body, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        return self.url(path)

    def redirect(self, path: str, to: str, status: int = 301) -> str:
        self.pages[path] = Page(status=status, headers={"Location": to})
        return self.url(path)

    def fail(self, path: str, status: int, **headers: str) -> str:
        self.pages[path] = Page(
            status=status, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        return self.url(path)

    def times_asked(self, path: str) -> int:
        return sum(asked == path for asked, _headers in self.asked)


class _Handler(BaseHTTPRequestHandler):
    server: FeedServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append((path, {name.lower(): text for name, text in self.headers.items()}))
        page = self.server.pages.get(path, Page(status=404))
        if page.hangs:
            self.server.stopping.wait(30)
            return
        status, body = page.status, page.body
        if page.credentials is not None:
            wanted = base64.b64encode(":".join(page.credentials).encode()).decode()
            if self.headers["Authorization"] != f"Basic {wanted}":
                status, body = 401, b""
        if page.headers.get("ETag") and self.headers["If-None-Match"] == page.headers["ETag"]:
            status, body = 304, b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            for name, text in page.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def run_feed_server(host: str = "127.0.0.1") -> Iterator[FeedServer]:
    server = FeedServer(host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
