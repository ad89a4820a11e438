"""The queue of transfers: it outlives the app, the network and sleep, and does what the person chose."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from torrent_proxy_client import pacing
from torrent_proxy_client.app import transfers as transfers_module
from torrent_proxy_client.app.queue_file import Queued, QueueFile
from torrent_proxy_client.app.transfers import Phase
from torrent_proxy_client.errors import NothingArrived, ServerAway
from torrent_proxy_client.partfile import Conflict
from torrent_proxy_client.preferences import Preferences
from torrent_proxy_client.session import FileSessionStore, MemorySessionStore, Session
from tui_client.tests.fake_server import HELD, SLOWLY, FakeServer
from tui_client.tests.fetching import DATA
from tui_client.tests.running_app import phases, running, stored
from tui_client.tests.waiting import eventually


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


async def test_what_was_unfinished_goes_on_where_it_was_at_the_next_start(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.chunk_delay = SLOWLY
    async with running(store, downloads, state=state) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        transfers = person.app.transfers
        await eventually(lambda: any(now.progress and now.progress.done for now in transfers.all))
    server.chunk_delay = 0
    async with running(store, downloads, state=state) as person:
        await person.sees("Going on with 1 unfinished transfer.", "✓ film")
    assert (downloads / "film.mkv").read_bytes() == DATA
    assert server.content_starts[-1] > 0
    assert stored(state) == []


async def test_a_paused_transfer_is_still_there_and_still_paused_at_the_next_start(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.chunk_delay = HELD
    async with running(store, downloads, state=state) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        person.app.simulate_key("x")
        await person.sees("Paused. What has arrived is kept")
    async with running(store, downloads, state=state) as person:
        await person.sees("100 %", "■ film", "Paused. What has arrived is kept")
        assert phases(person) == [Phase.PAUSED]
        server.chunk_delay = 0
        await person.press("f")
        await person.sees("✓ film")


def test_the_queue_of_another_user_is_another_file(state: Path) -> None:
    QueueFile(state, "https://box.example", "alice").save([Queued("1", "film", paused=True)])
    assert QueueFile(state, "https://box.example", "alice").load() == [Queued("1", "film", paused=True)]
    assert QueueFile(state, "https://box.example", "bob").load() == []
    assert QueueFile(state, "https://elsewhere.example", "alice").load() == []


@pytest.mark.parametrize(
    "content", ["", "[]", '{"transfers": 3}', '{"transfers": [1, {"torrent": 5, "name": "x"}]}']
)
def test_a_damaged_queue_is_an_empty_one(state: Path, content: str) -> None:
    queue = QueueFile(state, "https://box.example", "alice")
    queue.save([Queued("1", "film")])
    (file,) = state.iterdir()
    file.write_text(content)
    assert queue.load() == []


async def test_a_server_that_is_away_is_waited_for_however_long_and_noticed_at_once_when_back(
    server: FakeServer,
    store: FileSessionStore,
    downloads: Path,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfers_module, "_PATIENCE", 0.3)
    server.add_torrent("film", {"film.mkv": DATA})
    server.cut_after = [1_000_000]
    server.chunk_delay = HELD
    async with running(store, downloads, state=state) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        server.silent = True
        server.chunk_delay = 0
        await person.sees("~ film", "waiting for network")
        await eventually(lambda: phases(person) == [Phase.AWAY])
        await asyncio.sleep(0.6)
        assert phases(person) == [Phase.AWAY]
        assert [item["name"] for item in stored(state)] == ["film"]
        server.silent = False
        await person.sees("✓ film")
    assert (downloads / "film.mkv").read_bytes() == DATA


async def test_a_transfer_that_waits_for_the_network_lets_others_have_its_turn(
    server: FakeServer, store: FileSessionStore, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers_module, "_PATIENCE", 0.1)
    server.add_torrent("film", {"film.mkv": DATA})
    broken = [server.add_torrent(f"broken {number}", {f"{number}": DATA}) for number in range(2)]
    server.failing = {torrent.id for torrent in broken}
    async with running(store, downloads) as person:
        await person.sees("film", "broken 1")
        # The newest stand first and start first: both turns are taken by what is broken.
        await person.press("i", "f")
        await person.sees("✓ film")
        assert [transfer.name for transfer in person.app.transfers.all] == ["broken 1", "broken 0", "film"]
        assert phases(person)[:2] != [Phase.DONE, Phase.DONE]


async def test_an_access_token_that_expires_in_between_is_renewed_unseen(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.cut_after = [1_000_000]
    server.chunk_delay = HELD
    async with running(store, downloads) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        server.expire_access()
        server.chunk_delay = 0
        await person.sees("✓ film")
    assert server.rejected_refreshes == 0


@pytest.fixture
def other_process() -> Iterator[tuple[subprocess.Popen[str], Session]]:
    """A fake server that can be stopped as a whole: its process, and a session on it.

    It holds its content at the half until it is sent a line.
    """
    code = (
        "import sys; from tui_client.tests.fake_server import FakeServer\n"
        "with FakeServer() as server:\n"
        "    server.hold_after = 3_000_000\n"
        "    server.add_torrent('film', {'film.mkv': b'x' * 6_000_000})\n"
        "    tokens = server.issue_tokens()\n"
        "    print(server.url, tokens['access'], tokens['refresh'], flush=True)\n"
        "    sys.stdin.readline()\n"
        "    server.hold_after = None\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        url, access, refresh = process.stdout.readline().split()
        yield process, Session(url, "alice", access, refresh)
    finally:
        process.kill()
        process.communicate()


async def test_a_server_that_stops_for_seconds_and_goes_on_does_not_break_a_transfer(
    other_process: tuple[subprocess.Popen[str], Session], downloads: Path
) -> None:
    process, session = other_process
    assert process.stdin
    async with running(MemorySessionStore(session), downloads) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: (downloads / "film.mkv.part").exists())
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.5)
        assert not any(transfer.phase.finished for transfer in person.app.transfers.all)
        process.send_signal(signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        await person.sees("✓ film")
    assert (downloads / "film.mkv").stat().st_size == 6_000_000


def test_time_that_a_suspended_laptop_slept_does_not_count_as_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: clock.now))
    backoff = pacing.Backoff(patience=300)
    away = ServerAway("The connection broke.")
    backoff.next_delay(away)
    clock.now += 8 * 3600
    assert backoff.next_delay(away) > 0
    for _ in range(8):
        clock.now += 30
        backoff.next_delay(away)
    clock.now += 30
    with pytest.raises(NothingArrived):
        backoff.next_delay(away)


# --- the screen of transfers


async def test_transfers_can_be_paused_taken_out_and_cleared_in_their_screen(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.chunk_delay = HELD
    async with running(store, downloads, state=state) as person:
        await person.sees("film", "t transfers")
        await person.press("t")
        await person.sees("Nothing is being fetched.", "Esc close")
        await person.press("escape", "f")
        await person.press("t")
        await person.sees(
            "p pause or go on", "x take out", "l clear ended", "o open folder", "In ", "/downloads"
        )
        person.app.simulate_key("p")
        await eventually(lambda: phases(person) == [Phase.PAUSED])
        server.chunk_delay = 0
        person.app.simulate_key("p")
        await eventually(lambda: phases(person) == [Phase.DONE])
        await person.sees("/downloads/film.mkv")
        await person.press("l")
        await person.sees("Nothing is being fetched.")
        assert stored(state) == []
    assert (downloads / "film.mkv").read_bytes() == DATA


async def test_taking_a_transfer_out_of_the_queue_keeps_what_has_arrived(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.chunk_delay = HELD
    async with running(store, downloads, state=state) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        person.app.simulate_key("t")
        await person.sees("x take out", "film")
        person.app.simulate_key("x")
        await person.sees("Nothing is being fetched.")
        assert stored(state) == []
    assert (downloads / "film.mkv.part").exists()


async def test_what_happens_to_files_of_the_same_name_is_shown_chosen_and_remembered(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    downloads.mkdir()  # noqa: ASYNC240
    (downloads / "film.mkv").write_bytes(b"mine")
    server.add_torrent("film", {"film.mkv": DATA})
    async with running(store, downloads, state=state) as person:
        await person.sees("film")
        await person.press("t")
        await person.sees("NAME (2) (keep both)")
        await person.press("k")
        await person.sees("not fetched (skip)")
        await person.press("escape", "f")
        await person.sees("1 file left as before")
        assert (downloads / "film.mkv").read_bytes() == b"mine"
        await person.press("t", "k")
        await person.sees("(overwrite)")
        await person.press("escape", "f")
        await person.sees("SHA-256 verified")
    assert (downloads / "film.mkv").read_bytes() == DATA
    assert Preferences.load(state).conflict == Conflict.OVERWRITE


async def test_a_queue_that_cannot_be_kept_is_told(
    server: FakeServer, store: FileSessionStore, downloads: Path, state: Path
) -> None:
    state.write_text("a file where the directory should be")  # noqa: ASYNC240
    server.add_torrent("film", {"film.mkv": DATA})
    async with running(store, downloads, state=state) as person:
        await person.sees("film")
        await person.press("f", "t")
        await person.sees("The queue cannot be kept in")
