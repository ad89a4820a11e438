"""How often the app asks what changed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import pytest

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app import live
from torrent_proxy_client.app.live import Poller
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import Changes, Health
from tui_client.tests.waiting import eventually

INTERVAL = 0.01
QUIET = INTERVAL * live.QUIET_STRETCH


class Server:
    """Answers at once; `change` is the number that it knows."""

    def __init__(self) -> None:
        self.change = 1
        self.asked_since: list[int] = []
        self.poller: Poller | None = None
        self.pauses: list[float] = []  # before each question

    async def health(self) -> Health:
        return Health(status="ok", engine_reachable=True, engine_message="")

    async def all_changes(self, since: int) -> AsyncIterator[Changes]:
        self.asked_since.append(since)
        assert self.poller is not None
        self.pauses.append(self.poller.pause)
        yield Changes(change=self.change, more=False, reset=False, torrents=(), removed=())


@contextlib.asynccontextmanager
async def polling(server: Server) -> AsyncIterator[Poller]:
    poller = Poller(cast(ApiClient, server), Mirror(), lambda message: None, interval=INTERVAL)
    server.poller = poller
    running = asyncio.create_task(poller.run())
    try:
        yield poller
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.fixture(autouse=True)
def soon_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET_AFTER", 3)


async def test_it_asks_for_what_came_after_the_last_answer() -> None:
    server = Server()
    async with polling(server):
        await eventually(lambda: len(server.asked_since) >= 2)
    assert server.asked_since[:2] == [0, 1]


async def test_where_nothing_happens_it_asks_less_often_until_there_is_news() -> None:
    server = Server()
    async with polling(server):
        await eventually(lambda: server.pauses[-1:] == [QUIET])
        assert server.pauses[:4] == [INTERVAL] * 4
        before = len(server.pauses)
        server.change += 1
        await eventually(lambda: INTERVAL in server.pauses[before:])


async def test_who_just_wished_something_is_kept_up_to_date_again() -> None:
    server = Server()
    async with polling(server) as poller:
        await eventually(lambda: server.pauses[-1:] == [QUIET])
        before = len(server.pauses)
        poller.wake()
        await eventually(lambda: INTERVAL in server.pauses[before:])
