"""Many addresses at once, each as guarded as by `outbound.fetch`: one that hangs delays none of the others.

curl's multi interface runs in a thread of its own, so that what is done with one answer does not use up the time of
the others. What waits to be taken counts as being fetched, so memory is bounded by whoever takes.
"""

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import pycurl

from proxy_site.outbound import (
    MAX_REDIRECTS,
    REDIRECTS,
    Hop,
    OutboundError,
    Response,
    fetchable,
    header_lines,
    is_public_address,
    redact,
    redirect_target,
    too_many_redirects,
)

Key = TypeVar("Key")

ALWAYS_BUFFERED = 512 * 1024  # bytes of a body that need no room in the common budget
_PERMANENT = frozenset({301, 308})
_LOOK_AGAIN = 0.05  # seconds, where only the taking of an answer can let the next one start


@dataclass(frozen=True, slots=True)
class Request(Generic[Key]):
    """One address to GET. `credentials` are sent to the host of `url` and to no other that it redirects to."""

    key: Key
    url: str = field(repr=False)  # may hold a passkey
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: tuple[str, str] | None = field(default=None, repr=False)  # user name and password
    stop_at_magnet: bool = False  # as in outbound.fetch


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Key]):
    """Either a response or the reason why there is none."""

    key: Key
    response: Response | None
    error: OutboundError | None
    moved_to: str | None = field(
        repr=False
    )  # where the address has permanently moved, through whatever chain
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """`deadline` in seconds and `max_bytes` of a body hold for each; `buffered_bytes` for all bodies together beyond
    the first half MiB of each."""

    deadline: float
    max_bytes: int
    at_once: int = 24
    at_once_per_host: int = 2
    buffered_bytes: int = 16 * 1024 * 1024


def fetch_many(
    requests: Iterable[Request[Key]],
    limits: Limits,
    *,
    allow_private: bool = False,
    address_allowed: Callable[[str], bool] = is_public_address,
    stop: threading.Event | None = None,
) -> Generator[Outcome[Key], None, None]:
    """GET them all, in turns between hosts; yields each as it ends, never raising for one of them.

    Close the generator to give up those that are under way; `stop`, once set, gives them up within a second while
    another thread waits for the next.
    """
    allowed = (lambda _address: True) if allow_private else address_allowed
    fetcher = _Fetcher(requests, limits, allowed, stop or threading.Event())
    thread = threading.Thread(target=fetcher.run, name="fetch-many", daemon=True)
    thread.start()
    try:
        while (ended := fetcher.outcomes.get()) is not None:
            transfer, outcome = ended
            yield outcome
            fetcher.take(transfer)
    finally:
        fetcher.stop.set()
        thread.join()
    if fetcher.crashed is not None:
        raise fetcher.crashed


class _Budget:
    """Room for what bodies hold beyond their first half MiB, from their first byte until somebody has taken them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: Counter[object] = Counter()
        self._lock = threading.Lock()

    def admits(self, owner: object, body_bytes: int) -> bool:
        beyond = max(0, body_bytes - ALWAYS_BUFFERED)
        with self._lock:
            more = beyond - self._held[owner]
            if more > self._room:
                return False
            self._room -= more
            self._held[owner] = beyond
        return True

    def release(self, owner: object) -> None:
        with self._lock:
            self._room += self._held.pop(owner, 0)


class _Transfer(Generic[Key]):
    """One request through its redirects."""

    def __init__(self, request: Request[Key], limits: Limits) -> None:
        self.request = request
        self.started = time.monotonic()
        self.ends_at = self.started + limits.deadline
        self.url = request.url
        self.redirects = 0
        self.moved_to: str | None = None
        self.only_permanent = True
        self.hop: Hop | None = None
        self.stack = ExitStack()

    @property
    def host(self) -> str:
        return _host(self.request.url)


class _Fetcher(Generic[Key]):
    def __init__(
        self,
        requests: Iterable[Request[Key]],
        limits: Limits,
        allowed: Callable[[str], bool],
        stop: threading.Event,
    ) -> None:
        self.outcomes: queue.SimpleQueue[tuple[_Transfer[Key], Outcome[Key]] | None] = queue.SimpleQueue()
        self.taken = threading.Semaphore(limits.at_once)
        self.stop = stop
        self.crashed: Exception | None = None
        self._waiting = deque(requests)
        self._limits = limits
        self._allowed = allowed
        self._budget = _Budget(limits.buffered_bytes)
        self._hosts: Counter[str] = Counter()
        self._running: dict[pycurl.Curl, _Transfer[Key]] = {}
        self._multi = pycurl.CurlMulti()

    def run(self) -> None:
        try:
            while (self._waiting or self._running) and not self.stop.is_set():
                self._start_some()
                self._perform()
        except Exception as error:  # told to the one who waits for outcomes; a thread's own end nobody sees
            self.crashed = error
        finally:
            for curl, transfer in self._running.items():
                self._multi.remove_handle(curl)
                transfer.stack.close()
            self._multi.close()
            self.outcomes.put(None)

    def take(self, transfer: _Transfer[Key]) -> None:
        """Whoever waited for it has done with it."""
        self._budget.release(transfer)
        self.taken.release()

    def _start_some(self) -> None:
        for _ in range(len(self._waiting)):
            if self._hosts[_host(self._waiting[0].url)] >= self._limits.at_once_per_host:
                self._waiting.rotate(-1)
                continue
            if not self.taken.acquire(blocking=False):
                return
            transfer = _Transfer(self._waiting.popleft(), self._limits)
            self._hosts[transfer.host] += 1
            self._next_hop(transfer)

    def _next_hop(self, transfer: _Transfer[Key]) -> None:
        try:
            url = fetchable(transfer.url)
            hop = Hop(url, self._allowed, self._limits.max_bytes, admits=self._admits(transfer))
            curl = hop.prepare(
                transfer.stack, header_lines(transfer.request.headers), transfer.ends_at - time.monotonic()
            )
            if transfer.request.credentials and _origin(url) == _origin(transfer.request.url):
                username, password = transfer.request.credentials
                curl.setopt(pycurl.USERNAME, username.encode())  # curl takes text in ASCII only
                curl.setopt(pycurl.PASSWORD, password.encode())
        except OutboundError as error:
            self._end(transfer, error=error)
            return
        transfer.hop = hop
        self._running[curl] = transfer
        self._multi.add_handle(curl)

    def _admits(self, transfer: _Transfer[Key]) -> Callable[[int], bool]:
        return lambda body_bytes: self._budget.admits(transfer, body_bytes)

    def _perform(self) -> None:
        if not self._running:
            time.sleep(_LOOK_AGAIN)  # all that has ended is still to be taken
            return
        self._multi.perform()
        while True:
            left, ended, failed = self._multi.info_read()
            for curl in ended:
                self._hop_ended(curl, None)
            for curl, code, _message in failed:
                self._hop_ended(curl, code)
            if not left:
                break
        if self._running:
            self._multi.select(_LOOK_AGAIN if self._waiting else 1.0)

    def _hop_ended(self, curl: pycurl.Curl, code: int | None) -> None:
        transfer = self._running.pop(curl)
        self._multi.remove_handle(curl)
        hop = transfer.hop
        assert hop is not None
        transfer.stack.close()
        transfer.stack = ExitStack()
        try:
            if code is not None:
                hop.explain(code)
            location = hop.headers.get("location")
            if hop.status not in REDIRECTS or location is None:
                self._end(transfer, response=hop.response())
                return
            transfer.url = redirect_target(hop.url, location)
            if transfer.request.stop_at_magnet and transfer.url[:7].lower() == "magnet:":
                self._end(
                    transfer, response=Response(hop.status, hop.headers, b"", hop.url, magnet=transfer.url)
                )
                return
            transfer.redirects += 1
            transfer.only_permanent = transfer.only_permanent and hop.status in _PERMANENT
            if transfer.only_permanent:
                transfer.moved_to = transfer.url
            if transfer.redirects > MAX_REDIRECTS:
                raise too_many_redirects(transfer.request.url)
        except OutboundError as error:
            self._end(transfer, error=error)
            return
        self._budget.release(transfer)
        self._next_hop(transfer)

    def _end(
        self,
        transfer: _Transfer[Key],
        *,
        response: Response | None = None,
        error: OutboundError | None = None,
    ) -> None:
        transfer.stack.close()
        transfer.hop = None  # and with it the buffer of its body
        if response is None:
            self._budget.release(transfer)
        self._hosts[transfer.host] -= 1
        outcome = Outcome(
            transfer.request.key,
            response,
            error,
            transfer.moved_to if response is not None else None,
            time.monotonic() - transfer.started,
        )
        self.outcomes.put((transfer, outcome))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return redact(url)
