"""A torrent that is open: its tabs, its files to choose, its limits."""

from pathlib import Path

import pytest
from textual.widgets import Input

from torrent_proxy_client.app.screens import torrent as torrent_screen
from torrent_proxy_client.app.screens.limits import LimitsScreen
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, asked, open_tab, running
from tui_client.tests.waiting import eventually


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torrent_screen, "LOOK_EVERY", 0.05)


# --- what it tells


async def test_the_overview_says_how_it_is_and_why(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent(
        "film [/b]", state="stalled", message="Nobody is [there].", size=4_000_000_000, progress=0.56,
        uploaded=1_000_000_000, handed_over=2_500_000, label="[b]", origin="feed", eta=130,
        download_limit=500_000, seed_ratio=2.0, sequential=True, waits_for="user_disk",
    )  # fmt: skip
    async with running(store, tmp_path) as person:
        await open_tab(person, "film [/b]", "1")
        await person.sees(
            "No sources", "Nobody is [there].", "Waits for space in your quota", "56 % of 4.0 GB",
            "Time left 2m 10s", "1.0 GB to others, ratio 0.25", "2.5 MB by you", "#[b]", "by your feed",
            "download 500 kB/s, upload none, from the first piece to the last", "until ratio 2",
        )  # fmt: skip
        assert len(person.lines) == 24


async def test_the_overview_follows_the_list_without_asking_for_anything(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film", state="downloading", progress=0.25)
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "1")
        await person.sees("25 % of")
        before = {path for _, path, _ in server.requests}
        server.update(film.id, progress=0.75, state="dreaming", waits_for="a_blue_moon")
        await person.sees("75 % of", "Dreaming", "Waits for a blue moon")
        assert {path for _, path, _ in server.requests} == before


async def test_a_torrent_that_somebody_deletes_elsewhere_says_so(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "1")
        await person.sees("Finished")
        server.remove(film.id)
        await person.sees("This torrent is not in your list any more.")
        await person.press("p")
        await person.press("escape")
        await person.sees("Nothing here yet")


async def test_the_history_tells_who_what_and_when(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film")
    film.history = [
        {"kind": "moved_to_the_moon", "detail": "", "at": "2026-01-03T10:00:00Z"},
        {"kind": "added", "detail": "By your feed: [b] Films", "at": "2026-01-01T10:00:00Z"},
    ]
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "4")
        await person.sees("03 Jan", "Moved to the moon", "01 Jan", "Added", "By your feed: [b] Films")


async def test_the_swarm_is_asked_for_only_while_its_tab_is_open(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film", state="stalled")
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "3")
        await person.sees("The server is asking who is there.")
        film.swarm = {
            "message": "Nobody has all of it.", "trackers_working": 2, "trackers_failing": 1,
            "trackers_waiting": 0, "known_seeds": 1412, "availability": 0.5, "connected_peers": 31, "age": 1.2,
        }  # fmt: skip
        await person.sees(
            "Nobody has all of it.", "2 answer, 1 fail", "0 seeds, 31 peers", "1412 have all of it",
            "not known how many have a part", "0.50 among those",
        )  # fmt: skip
        await person.press("1")
        before = asked(server, "swarm")
        changes = asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, "swarm") <= before + 1  # one may have been under way
        await person.press("3")
        await eventually(lambda: asked(server, "swarm") > before + 2)
        await person.press("escape")
        await eventually(lambda: isinstance(person.app.screen, MainScreen))
        before, changes = asked(server, "swarm"), asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, "swarm") <= before + 1


@pytest.mark.parametrize(("tab", "what"), [("3", "swarm"), ("4", "history")])
async def test_an_older_server_is_told_of_once_and_not_asked_again(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, tab: str, what: str
) -> None:
    server.is_old = True
    server.add_torrent("film", {"film.mkv": b"1"})
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "1")
        await person.sees("Label none", "as the server does by default")
        await person.press(tab)
        await person.sees("Your server is older than this app")
        changes = asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, what) == 1


async def test_a_server_that_is_away_is_told_and_asked_again(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film", state="downloading")
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "3")
        await person.sees("is asking who is there")
        server.silent = True
        await person.sees("Server not reachable since")
        film.swarm = {"age": 1.0, "trackers_working": 7}
        server.silent = False
        await person.sees("7 answer")


# --- limits


async def limits_open(person: Person) -> None:
    await open_tab(person, "film", "e")
    await eventually(lambda: isinstance(person.app.screen, LimitsScreen))


async def test_only_limits_that_were_changed_are_sent(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film", download_limit=1_234_567, upload_limit=50_000)
    async with running(store, tmp_path) as person:
        await limits_open(person)
        await person.sees("1.234567 MB", "50 kB", "the server's default, or such as 1.5", "Enter save")
        await person.press(
            "tab", "end", *["backspace"] * 5, "tab", *"1,5", "tab", *"3d", "tab", "space", "enter"
        )
        await person.sees("Limits saved", "upload none, from the first piece to the last", "until ratio 1.5")
    assert server.changed == [
        {"upload_limit": None, "seed_ratio": 1.5, "seed_seconds": 259_200, "sequential": True}
    ]


async def test_a_limit_that_cannot_be_meant_is_told_while_typing_and_not_sent(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await limits_open(person)
        await person.press(*"500")
        await person.sees("✗ Download: Write a number and a unit")
        await person.press("enter")
        assert server.changed == []
        await person.press("space", *"kB", "enter")
        await person.sees("Limits saved")
    assert server.changed == [{"download_limit": 500_000}]


async def test_a_refusal_of_the_server_loses_nothing_that_was_typed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await limits_open(person)
        await person.press(*"500kB", "down", *"2MB")
        server.refuse_change = Problem(400, "max_value", "Too much for this server.", "upload_limit")
        await person.press("enter")
        await person.sees("✗ Upload: Too much for this server.", "500kB", "2MB")
        server.refuse_change = None
        server.silent = True
        await person.press("enter")
        await person.sees("✗", "the connection broke", "500kB", "2MB")
        server.silent = False
        await person.press("enter")
        await person.sees("Limits saved")


async def test_limits_on_an_older_server_are_refused_in_words(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.is_old = True
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await limits_open(person)
        await person.press(*"500kB", "enter")
        await person.sees("Your server is older than this app")
        assert person.app.screen.query_one("#download_limit", Input).value == "500kB"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_tab_names_its_keys(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    server.add_torrent("film", {"film.mkv": b"1"}, state="downloading")
    keys: dict[str, tuple[str, ...]] = {
        "1": ("l label", "e edit limits", "p pause", "r resume", "esc back", "f fetch", "? help"),
        "2": ("space choose", "a all", "n none", "i invert", "s save", "f fetch", "? help", "esc back"),
        "3": ("? help", "esc back"),
    }
    async with running(store, tmp_path, size=size) as person:
        await open_tab(person, "film", "1")
        for tab, named in keys.items():
            await person.press(tab)
            await person.sees("1 Overview 2 Files 3 Swarm 4 History", *named)
        await person.press("right", "right")
        await person.sees("l label")


async def test_pausing_and_resuming_an_open_torrent(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film", state="downloading")
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "p")
        await person.sees("Paused. Resume it to go on.")
        await person.press("r")
        await person.sees("The server is downloading it.")
