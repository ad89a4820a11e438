"""What a person can do in the app: log in, add, pause, delete, fetch, quit."""

import random
from pathlib import Path

import pytest

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.login import LoginScreen
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.app.widgets.torrent_table import TorrentTable
from torrent_proxy_client.session import FileSessionStore, MemorySessionStore, Session
from tui_client.tests.fake_server import HELD, SLOWLY, FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import running
from tui_client.tests.waiting import eventually

DATA = random.Random(2).randbytes(3_000_000)
MAGNET = "magnet:?xt=urn:btih:" + "a" * 40


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


# --- login


async def test_logging_in_remembers_the_server_and_enter_is_enough(
    server: FakeServer, downloads: Path
) -> None:
    server.add_torrent("film")
    store = MemorySessionStore(Session(server.url, ""))
    async with running(store, downloads) as person:
        await person.sees(server.url, "Enter log in", "Ctrl+Q quit")
        await person.paste("alice")
        await person.press("enter")
        await person.paste("secret")
        await person.press("enter")
        await person.sees("film", "alice @")
    assert store.load() != Session(server.url, "")


async def test_a_login_that_fails_says_why_and_keeps_what_was_typed(
    server: FakeServer, downloads: Path
) -> None:
    async with running(MemorySessionStore(Session(server.url, "alice")), downloads) as person:
        await person.paste("guess")
        await person.press("enter")
        await person.sees("User name or password is wrong.")
        server.silent = True
        await person.press("enter")
        await person.sees("cannot be reached")
        assert server.url in person.text


async def test_a_password_is_not_sent_unencrypted_to_another_machine(downloads: Path) -> None:
    async with running(MemorySessionStore(Session("http://box.example.net", "alice")), downloads) as person:
        await person.paste("secret")
        await person.press("enter")
        await person.sees("Use https://box.example.net instead.")


async def test_a_session_that_ended_leads_to_the_login_with_a_sentence(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.add_torrent("film")
    async with running(store, downloads) as person:
        await person.sees("film")
        await person.press("a")
        server.end_sessions()
        await person.sees("Your session has ended. Log in again.")
        await person.paste("secret")
        await person.press("enter")
        await person.sees("film")
        assert isinstance(person.app.screen, MainScreen)


async def test_logging_out_leads_to_the_login(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    async with running(store, downloads) as person:
        await person.sees("Nothing here yet")
        await person.press("ctrl+l")
        await person.sees("You are logged out.")
        await eventually(lambda: any(path.endswith("logout/") for _, path, _ in server.requests))
    stored = store.load()
    assert stored
    assert not stored.logged_in


# --- add


async def test_adding_says_what_it_recognised_and_selects_what_was_added(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.add_torrent("film")
    async with running(store, downloads) as person:
        await person.sees("film")
        await person.press("a")
        await person.sees("Enter add · Esc cancel")
        await person.paste(f"{MAGNET}\n")
        await person.sees("✓ This is a magnet link.")
        await person.press("enter")
        await person.sees("Looking up")
        table = person.app.screen.query_one(TorrentTable)
        await eventually(lambda: table.selected and table.selected.name.startswith("magnet:"))


async def test_a_torrent_file_is_added_by_its_path(
    server: FakeServer, store: FileSessionStore, downloads: Path, tmp_path: Path
) -> None:
    metainfo = tmp_path / "my film.torrent"
    metainfo.write_bytes(b"d4:infodee")
    async with running(store, downloads) as person:
        await person.press("a")
        await person.paste(f"'{metainfo}'")
        await person.sees("✓ This is a torrent file.")
        await person.press("enter")
        await person.sees("Added my film.torrent")


async def test_a_refused_source_is_told_in_the_dialog_and_stays_there(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.refuse_add = Problem(400, "quota", "Your quota [/x] is used up. Delete a torrent first.", "source")
    async with running(store, downloads) as person:
        await person.press("a")
        await person.paste("https://example.org/a.torrent")
        await person.press("enter")
        await person.sees("✗ Your quota [/x] is used up. Delete a torrent first.")
        assert "https://example.org/a.torrent" in person.text
        await person.press("escape")
        await person.sees("Nothing here yet")


async def test_what_is_no_source_is_not_sent_to_the_server(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    async with running(store, downloads) as person:
        await person.press("a")
        await person.paste("hello")
        await person.press("enter")
        await person.sees("✗ That is neither a magnet link, nor a URL, nor a file.")
    assert server.added == []


# --- pause, resume, delete


async def test_pausing_and_resuming_the_selected_torrent(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.add_torrent("film", state="downloading")
    async with running(store, downloads) as person:
        await person.sees("film")
        await person.press("p")
        await person.sees("Paused film", "Paused. Resume it to go on.")
        await person.press("r")
        await person.sees("Resumed film", "The server is downloading it.")


async def test_an_action_that_the_server_refuses_is_told(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    film = server.add_torrent("film")
    async with running(store, downloads) as person:
        await person.sees("film")
        del server.torrents[film.id]
        await person.press("p")
        await person.sees("There is no such torrent.")


@pytest.mark.parametrize("keys", [["enter"], ["n"], ["escape"]])
async def test_deleting_is_not_done_by_reflex(
    server: FakeServer, store: FileSessionStore, downloads: Path, keys: list[str]
) -> None:
    server.add_torrent("film")
    async with running(store, downloads) as person:
        await person.sees("film")
        await person.press("d")
        await person.sees("Delete film from the server?", "Its data on the server is deleted too", "y delete")
        await person.press(*keys)
        await eventually(lambda: isinstance(person.app.screen, MainScreen))
        assert len(server.torrents) == 1


@pytest.mark.parametrize("keys", [["y"], ["tab", "enter"]])
async def test_deleting_after_saying_yes(
    server: FakeServer, store: FileSessionStore, downloads: Path, keys: list[str]
) -> None:
    server.add_torrent("[judas] film [/b]")
    async with running(store, downloads) as person:
        await person.sees("[judas] film")
        await person.press("d")
        await person.sees("Delete [judas] film [/b] from the server?")
        await person.press(*keys)
        await person.sees("Nothing here yet")
        assert server.torrents == {}


async def test_deleting_what_is_being_fetched_says_that_this_stops(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.chunk_delay = HELD
    server.add_torrent("film", {"film.mkv": DATA})
    async with running(store, downloads) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        person.app.simulate_key("d")
        await person.sees("You are fetching it right now: that stops")
        person.app.simulate_key("y")
        await eventually(lambda: not server.torrents)
        assert not person.app.transfers.active


async def test_a_mistake_of_ours_is_told_and_the_app_goes_on(
    server: FakeServer, store: FileSessionStore, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(api: ApiClient, torrent_id: str) -> None:
        raise RuntimeError("[/b] unexpected")

    monkeypatch.setattr(ApiClient, "pause", broken)
    server.add_torrent("film", state="downloading")
    async with running(store, downloads) as person:
        await person.sees("film")
        await person.press("p")
        await person.sees("Something went wrong", "[/b] unexpected")
        await person.press("r")
        await person.sees("Resumed film")


async def test_keys_without_a_torrent_say_so(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    async with running(store, downloads) as person:
        await person.sees("Nothing here yet")
        await person.press("p", "r", "d", "f")
        await person.sees("No torrent is selected. Press a to add one.")


async def test_help_names_the_keys_and_closes(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    async with running(store, downloads) as person:
        await person.press("question_mark")
        await person.sees("bring its files from the server to here", "Esc close")
        assert len(person.lines) == 24
        await person.press("escape")
        await person.sees("Nothing here yet")


# --- fetch


async def test_fetching_brings_the_file_here_and_says_where(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.add_torrent("[judas] film [/b]", {"[judas] film.mkv": DATA})
    async with running(store, downloads, size=(160, 50)) as person:
        await person.sees("[judas] film")
        await person.press("f")
        await person.sees(f"✓ [judas] film [/b] {downloads}/[judas] film.mkv (SHA-256 verified)")
    assert (downloads / "[judas] film.mkv").read_bytes() == DATA


async def test_what_is_not_finished_cannot_be_fetched_yet(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.add_torrent("film", state="downloading", progress=0.5)
    async with running(store, downloads) as person:
        await person.sees("film")
        await person.press("f")
        await person.sees("Not finished on the server yet (50 %): film")


async def test_stopping_keeps_the_part_and_fetching_again_goes_on(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.chunk_delay = SLOWLY
    server.add_torrent("film", {"film.mkv": DATA})
    part = downloads / "film.mkv.part"
    async with running(store, downloads) as person:
        await person.sees("film")
        assert "x stop" not in person.lines[-1]
        person.app.simulate_key("f")
        await person.sees("Fetching to", "x stop")
        await eventually(lambda: server.content_starts)
        await eventually(lambda: (progress := person.app.transfers.all[0].progress) and progress.done)
        person.app.simulate_key("f")
        await person.sees("Is being fetched already: film")
        person.app.simulate_key("x")
        await person.sees("Paused. What has arrived is kept; press f to go on.")
        await person.no_longer_sees("x stop")
        await eventually(lambda: part.stat().st_size)
        kept = part.stat().st_size
        server.chunk_delay = 0
        person.app.simulate_key("f")
        await person.sees("✓ film")
    assert 0 < kept < len(DATA)
    assert server.content_starts == [0, kept]
    assert (downloads / "film.mkv").read_bytes() == DATA


async def test_a_failed_fetch_says_why(server: FakeServer, store: FileSessionStore, config: Path) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    async with running(store, config / "session.json") as person:
        await person.sees("film")
        await person.press("f")
        await person.sees("✗ film", "Cannot write here")


async def test_transfers_survive_the_end_of_the_session_and_go_on_after_login(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.add_torrent("film", {"film.mkv": DATA})
    server.chunk_delay = HELD
    server.cut_after = [1_000_000]
    async with running(store, downloads) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        server.end_sessions()
        server.chunk_delay = 0
        await eventually(lambda: isinstance(person.app.screen, LoginScreen))
        await eventually(lambda: not person.app.transfers.active)
        await person.paste("secret")
        await person.press("enter")
        await person.sees("✓ film")
    assert (downloads / "film.mkv").read_bytes() == DATA
    assert server.content_starts[-1] > 0


async def test_several_fetches_take_turns(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.chunk_delay = HELD
    for number in range(3):
        server.add_torrent(f"film {number}", {f"{number}.mkv": DATA})
    async with running(store, downloads) as person:
        await person.sees("film 0")
        for _ in range(3):
            person.app.simulate_key("f")
            person.app.simulate_key("down")
        await person.sees("waits for its turn")
        server.chunk_delay = 0
        await eventually(lambda: not person.app.transfers.active)
    assert all((downloads / f"{number}.mkv").read_bytes() == DATA for number in range(3))


# --- quit


async def test_quitting_is_at_once_when_nothing_runs(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    async with running(store, downloads) as person:
        await person.sees("Nothing here yet")
        await person.press("q")
        await eventually(lambda: not person.app.is_running)


async def test_quitting_asks_while_files_are_fetched_and_keeps_their_parts(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.chunk_delay = HELD
    server.add_torrent("film", {"film.mkv": DATA})
    async with running(store, downloads) as person:
        await person.sees("film")
        person.app.simulate_key("f")
        await eventually(lambda: server.content_starts)
        person.app.simulate_key("q")
        await person.sees(
            "1 transfer still running. Quit all the same?", "What has arrived is kept, and they go on"
        )
        person.app.simulate_key("n")
        await eventually(lambda: isinstance(person.app.screen, MainScreen))
        assert person.app.transfers.active
        person.app.simulate_key("q")
        await person.sees("Quit all the same?")
        person.app.simulate_key("y")
        await eventually(lambda: not person.app.is_running)
    assert (downloads / "film.mkv.part").stat().st_size > 0
