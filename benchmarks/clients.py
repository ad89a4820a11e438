"""Who asks: the same client for raw qBittorrent and for us, for what it takes itself is part of each answer."""

import http.client
import os
import select
import time
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlencode, urlsplit

import qbittorrentapi
import requests

from benchmarks.populated import ENGINE_PASSWORD


class Client(Protocol):
    def get(self, path: str) -> bytes:
        """The body of a 200; anything else raises."""

    def close(self) -> None:
        """Hang up; the next question connects again."""


class PlainClient:
    """Python's own http.client, which takes least, over one kept HTTP/1.1 connection."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self._headers = headers

    def get(self, path: str) -> bytes:
        waiting = self._connection.sock
        if waiting is not None and select.select([waiting], [], [], 0)[0]:
            self.close()  # nothing is asked, so what is there to read is that the server has hung up
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {body[:200]!r}")
        return body

    def close(self) -> None:
        self._connection.close()


class RequestsClient:
    """requests, which most Python programs use, also over one kept connection."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers.update(headers)

    def get(self, path: str) -> bytes:
        response = self._session.get(self._url + path, timeout=30)
        response.raise_for_status()
        return response.content

    def close(self) -> None:
        self._session.close()


def engine_headers() -> dict[str, str]:
    """What opens the box's qBittorrent itself."""
    url = os.environ["QBITTORRENT_URL"]
    login = http.client.HTTPConnection(urlsplit(url).hostname or "", urlsplit(url).port, timeout=30)
    form = urlencode({"username": "proxy", "password": ENGINE_PASSWORD})
    login.request("POST", "/api/v2/auth/login", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = login.getresponse()
    answer.read()
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    login.close()
    if not cookie:
        raise RuntimeError("qBittorrent does not let us in.")
    return {"Cookie": cookie}


def ask_by_library(hashes: Sequence[str]) -> Callable[[], object]:
    """The raw question by qbittorrent-api, as `torrents.engines.qbittorrent` would put it."""
    client = qbittorrentapi.Client(
        host=os.environ["QBITTORRENT_URL"],
        username="proxy",
        password=ENGINE_PASSWORD,
        FORCE_SCHEME_FROM_HOST=True,
        SIMPLE_RESPONSES=True,
        REQUESTS_ARGS={"timeout": 30, "allow_redirects": False, "proxies": {"http": "", "https": ""}},
    )
    client.auth_log_in()
    return lambda: client.torrents_info(torrent_hashes=list(hashes))


def timed(call: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
