"""One private copy of the whole product for all journeys, and people who use it."""

import asyncio
import secrets
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from django.conf import settings as configured
from pytest_django import DjangoDbBlocker, Settings

from deploy.box import PEER_ADDRESS, Box
from deploy.swarm import Peer
from tests.journeys.served import Served, served
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.models import Torrent

WEB_TIMEOUT = 3  # seconds: short, so that a download can outlast it
ACCESS_TOKEN_SECONDS = 5

NewPerson = Callable[[], Awaitable[ApiClient]]


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    box = Box(
        tmp_path_factory.mktemp("box"),
        WEB_TIMEOUT=str(WEB_TIMEOUT),
        ACCESS_TOKEN_SECONDS=str(ACCESS_TOKEN_SECONDS),
        REMOVAL_GRACE_SECONDS="0",
        QBITTORRENT_BINARY=configured.QBITTORRENT_BINARY,
    )
    try:
        box.start()
        yield box
    finally:
        box.stop()


@pytest.fixture(scope="session")
def web_and_sftp(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Served]:
    """Started once: the tests that use it differ in rows and files only."""
    with served(tmp_path_factory.mktemp("served"), sftp=True) as processes:
        yield processes


@pytest.fixture
def servers(web_and_sftp: Served, settings: Settings, transactional_db: None) -> Served:
    """The web and the SFTP server on the tests' own, empty database."""
    settings.DOWNLOADS_DIR = web_and_sftp.downloads
    return web_and_sftp


@pytest.fixture
async def new_person(box: Box) -> AsyncIterator[NewPerson]:
    """Call it for a client that is logged in as somebody new."""
    async with AsyncExitStack() as clients:

        async def log_in() -> ApiClient:
            name = f"person-{secrets.token_hex(4)}"
            password = await asyncio.to_thread(box.create_user, name)
            client = await clients.enter_async_context(ApiClient(box.url))
            await client.log_in(name, password)
            return client

        yield log_in


@pytest.fixture
def peer(box: Box) -> Iterator[Peer]:
    """A real BitTorrent peer that keeps offering itself to the box's engine; give it something to seed."""
    with Peer(PEER_ADDRESS) as peer:
        peer.knock_at(box.torrent_port)
        yield peer


@pytest.fixture
def slow_peer(box: Box) -> Iterator[Peer]:
    """The same at 3 MiB a second."""
    with Peer(PEER_ADDRESS, upload_limit=3 * 2**20) as peer:
        peer.knock_at(box.torrent_port)
        yield peer


class Canary:
    """A service of this machine that nobody may reach from outside: counts who connects."""

    def __init__(self) -> None:
        self.hits = 0
        canary = self

        class Count(BaseRequestHandler):
            def handle(self) -> None:
                canary.hits += 1

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Count)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})

    def __enter__(self) -> "Canary":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as canary:
        yield canary


async def until(
    client: ApiClient, torrent_id: str, holds: Callable[[Torrent], bool], *, seconds: float = 90
) -> Torrent:
    """The torrent as soon as `holds` says so; fails with its last state when that takes too long."""
    deadline = time.monotonic() + seconds
    while not holds(torrent := await client.torrent(torrent_id)):
        assert time.monotonic() < deadline, f"still {torrent}"
        await asyncio.sleep(0.2)
    return torrent


async def until_finished(client: ApiClient, torrent_id: str, *, seconds: float = 90) -> Torrent:
    return await until(client, torrent_id, lambda torrent: torrent.state == "finished", seconds=seconds)


def random_file(folder: Path, size: int) -> Path:
    path = folder / f"random-{secrets.token_hex(6)}.bin"
    path.write_bytes(secrets.token_bytes(size))
    return path
