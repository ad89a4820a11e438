"""Two windows of one user share the queue of transfers; one of them runs it."""

from pathlib import Path

import pytest

from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import HELD, FakeServer
from tui_client.tests.fetching import DATA
from tui_client.tests.running_app import phases, running, stored
from tui_client.tests.waiting import eventually


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def test_a_second_window_says_that_the_first_one_fetches_and_leaves_its_queue_alone(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.add_torrent("other", {"other.mkv": DATA})
    server.chunk_delay = HELD
    async with (
        running(store, downloads, state=state) as first,
        running(store, downloads, state=state) as second,
    ):
        await first.sees("other")
        first.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        queue = stored(state)
        await second.sees("Transfers run in the other window of torrent-proxy.", "film")
        second.app.simulate_key("f")
        second.app.simulate_key("t")
        await second.sees("Fetch there; or close it, and press f here to go on.", "Esc close")
        assert phases(second) == []
        assert stored(state) == queue != []
        server.chunk_delay = 0
        await first.sees("✓ other")


async def test_what_the_first_window_left_unfinished_goes_on_in_the_second_one(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.add_torrent("other", {"other.mkv": DATA})
    server.chunk_delay = HELD
    async with running(store, downloads, state=state) as first:
        await first.sees("other")
        first.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        async with running(store, downloads, state=state) as second:
            await second.sees("Transfers run in the other window", "film")
            await first.app.transfers.leave()
            server.chunk_delay = 0
            second.app.simulate_key("down")
            second.app.simulate_key("f")
            await second.sees("✓ other", "✓ film")
