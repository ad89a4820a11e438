"""A pretended AniList on loopback: it executes every query, counts, and fails when it is told to."""

import contextlib
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from watchlist.tests.anilist_world import World


@dataclass(frozen=True)
class Asked:
    at: float
    """By the server's clock, in seconds."""
    query: str
    variables: dict[str, Any]
    token: str
    agent: str


@dataclass(frozen=True)
class Fault:
    """An answer that is none. `slow`: seconds before it, of which nothing is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    drips: bool = False
    """A byte now and then, for ever."""


def _error(status: int, message: str, *, http: int | None = None, **headers: str) -> Fault:
    body = {"data": None, "errors": [{"message": message, "status": status, "locations": []}]}
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Fault(http or status, json.dumps(body).encode(), {"Content-Type": "application/json"} | names)


LIMITED = _error(429, "Too Many Requests.", Retry_After="60")
DISABLED = _error(
    403, "The AniList API has been temporarily disabled due to severe stability issues. Try again later."
)
PRIVATE = _error(404, "Private User")
NOT_FOUND = _error(404, "Not Found.")
INVALID_TOKEN = _error(400, "Invalid token")
LIMITED_WITH_200 = _error(429, "Too Many Requests.", http=200)
DISABLED_WITH_200 = _error(403, "temporarily disabled", http=200)
NOT_FOUND_WITH_200 = _error(404, "Not Found.", http=200)
DOWN = Fault(502, b"<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"})


class AniListServer(ThreadingHTTPServer):
    """`fault` is asked before each answer; None: a real one. `clock` counts, in seconds."""

    daemon_threads = True

    def __init__(self, clock: Callable[[], float] = time.monotonic, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.world = World()
        self.clock = clock
        self.fault: Callable[[], Fault | None] = lambda: None
        self.before: Callable[[], None] = lambda: None
        self.asked: list[Asked] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def fail(self, *faults: Fault | None) -> None:
        """These, one after another, then no more."""
        left = list(faults)
        self.fault = lambda: left.pop(0) if left else None

    def always(self, fault: Fault | None) -> None:
        self.fault = lambda: fault

    def most_in(self, seconds: float) -> int:
        """Requests in any such time."""
        times = sorted(asked.at for asked in self.asked)
        most = first = 0
        for last, at in enumerate(times):
            while times[first] <= at - seconds:
                first += 1
            most = max(most, last - first + 1)
        return most


class _Handler(BaseHTTPRequestHandler):
    server: AniListServer

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        query, variables = question["query"], question.get("variables", {})
        self.server.before()
        self.server.asked.append(
            Asked(self.server.clock(), query, variables, token, self.headers["User-Agent"] or "")
        )
        fault = self.server.fault()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if fault is None:
                self._send(*self._answer(query, variables, token))
            else:
                self.server.stopping.wait(fault.slow)
                self._send(fault.status, fault.body, fault.headers, drips=fault.drips)

    def _answer(self, query: str, variables: dict[str, Any], token: str) -> tuple[int, bytes, dict[str, str]]:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "X-RateLimit-Limit": "30"}
        status, answer = self.server.world.answer(query, variables, token)
        return status, gzip.compress(json.dumps(answer).encode(), 1), headers

    def _send(self, status: int, body: bytes, headers: dict[str, str], *, drips: bool = False) -> None:
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body) + (10_000 if drips else 0)))
        self.end_headers()
        self.wfile.write(body)
        while drips and not self.server.stopping.wait(0.05):
            self.wfile.write(b" ")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def anilist_server(
    clock: Callable[[], float] = time.monotonic, host: str = "127.0.0.1"
) -> Iterator[AniListServer]:
    server = AniListServer(clock, host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
