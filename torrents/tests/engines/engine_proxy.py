"""A proxy between our adapter and a real qBittorrent, for the ways in which engines and networks fail."""

import http.client
import json
import math
import select
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

# qBittorrent compares these with the address that it listens at itself.
OF_THE_ADDRESS = {"host", "origin", "referer", "connection"}
COMPRESSED = "accept-encoding"  # not asked for: what is cut short shall be readable until there
READS = ("info", "files", "trackers", "export")
WATCH_SECONDS = 0.05
BLOCK = bytes(2**20)
HTML = b"<html><title>Welcome</title>Log in to this network first.</html>"
WRONG_TYPES = {
    "rid": "one",
    "full_update": True,
    "torrents": {"a" * 40: {"state": [], "progress": "half", "name": 5, "size": None}},
    "server_state": [],
}


@dataclass
class Asked:
    """One request. `who`: whose proxy it came through. Times are time.monotonic(); None while we are at it."""

    who: str
    method: str
    path: str
    began: float
    ended: float | None = None
    held: bool = False  # by a fault, for a while or until the end

    @property
    def writes(self) -> bool:
        """Whether it may change something in the engine."""
        return "/torrents/" in self.path and self.path.rpartition("/")[2] not in READS


@dataclass
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Exchange(BaseHTTPRequestHandler):
    """One request and what becomes of it, as the proxy's `fault` decides. Unanswered, its connection is closed."""

    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.name = ""

    def do_GET(self) -> None:
        proxy = self.server.proxy
        self.name = self.path.partition("?")[0].removeprefix("/api/v2/")
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = self.asked = Asked(proxy.who, self.command, self.path.partition("?")[0], time.monotonic())
        proxy.log.append(asked)
        try:
            # An adapter that has given up closes its end, and a qBittorrent that is being restarted is not there.
            with suppress(OSError, http.client.HTTPException):
                proxy.fault(self)
        finally:
            asked.ended = time.monotonic()

    do_POST = do_GET  # noqa: N815  http.server looks for it by this name

    def forward(self) -> Reply:
        """What qBittorrent answers. By then it has done what it was asked."""
        target = http.client.HTTPConnection("127.0.0.1", self.server.proxy.target, timeout=60)
        try:
            left_out = {*OF_THE_ADDRESS, COMPRESSED}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
            target.request(self.command, self.path, self.body or None, headers)
            response = target.getresponse()
            kept = {
                name: value
                for name, value in response.getheaders()
                if name.lower() not in ("connection", "content-length", "transfer-encoding")
            }
            return Reply(response.status, response.read(), kept)
        finally:
            target.close()

    def answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def hold(self, seconds: float | None = None) -> None:
        """Until the fault is another one, or the time is over. Raises ConnectionAbortedError when nobody waits for it
        any more."""
        self.asked.held = True
        changed = self.server.proxy.changed
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        while not changed.wait(min(WATCH_SECONDS, max(0.0, deadline - time.monotonic()))):
            if select.select([self.connection], [], [], 0)[0] and not self.connection.recv(
                1, socket.MSG_PEEK
            ):
                raise ConnectionAbortedError
            if time.monotonic() >= deadline:
                return

    def log_message(self, format: str, *args: object) -> None:
        pass


Fault = Callable[[Exchange], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: "EngineProxy"


class EngineProxy:
    """Use as a context manager. `fault` may be changed at any time; what is held by the one before goes on then.

    `log` may be shared by several, who are told apart by `who`.
    """

    def __init__(self, target: int, *, who: str = "", log: list[Asked] | None = None) -> None:
        self.target = target
        self.who = who
        self.log: list[Asked] = [] if log is None else log
        self.changed = threading.Event()
        self._fault: Fault = healthy
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def fault(self) -> Fault:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        self._fault = fault
        held, self.changed = self.changed, threading.Event()
        held.set()

    @property
    def held(self) -> list[Asked]:
        """What a fault is holding now."""
        return [asked for asked in self.log if asked.who == self.who and asked.held and asked.ended is None]

    def asked(self, name: str) -> int:
        """How often; `name` as in `auth/login`."""
        return sum(asked.who == self.who and asked.path.endswith(f"/{name}") for asked in self.log)

    def listen(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), Exchange)
        self._server.proxy = self
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def refuse(self) -> None:
        """Connections, until it listens again."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.fault = cut  # whoever is held
        self.refuse()


def healthy(exchange: Exchange) -> None:
    exchange.answer(exchange.forward())


def silent(exchange: Exchange) -> None:
    exchange.hold()
    healthy(exchange)


def cut(exchange: Exchange) -> None:
    pass


def slow(seconds: float) -> Fault:
    def fault(exchange: Exchange) -> None:
        exchange.hold(seconds)
        healthy(exchange)

    return fault


def saying(body: bytes, *, status: int = 200, **headers: str) -> Fault:
    """The same to everything."""
    reply = Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    return lambda exchange: exchange.answer(reply)


def saying_json(value: object) -> Fault:
    return saying(json.dumps(value).encode(), Content_Type="application/json")


def instead_of(names: Collection[str], fault: Fault) -> Fault:
    """`fault` where one of these is asked for, as in `torrents/add`; all else is well."""
    return lambda exchange: (fault if exchange.name in names else healthy)(exchange)


def truncating(exchange: Exchange) -> None:
    reply = exchange.forward()
    exchange.answer(Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers))


def losing(exchange: Exchange) -> None:
    """qBittorrent does it, and nobody hears of that."""
    exchange.forward()


def endless(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.end_headers()
    while True:
        exchange.wfile.write(BLOCK)
