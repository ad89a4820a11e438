"""Choosing files of a torrent that is open."""

from pathlib import Path

import pytest

from torrent_proxy_client.app.screens import torrent as torrent_screen
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.app.widgets.file_list import FileList, line_of, rows_of
from torrent_proxy_client.models import TorrentFile
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer, FakeTorrent
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, asked, open_tab, running
from tui_client.tests.waiting import eventually

SHOW = {"Show/one.mkv": b"1" * 3000, "Show/two.mkv": b"2" * 2000, "read me.txt": b"3" * 100}


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torrent_screen, "LOOK_EVERY", 0.05)


@pytest.fixture
def show(server: FakeServer) -> FakeTorrent:
    return server.add_torrent("season", SHOW, state="downloading")


def choosing(person: Person) -> FileList:
    return person.app.screen.query_one(FileList)


async def test_files_are_chosen_one_by_one_or_by_folder_and_saved(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, show: FakeTorrent
) -> None:
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees(
            "3 of 3 files chosen, 5.1 kB of 5.1 kB", "[x] Show/", "[x] one.mkv", "[x] read me.txt"
        )
        await person.press("space")
        await person.sees("[ ] Show/", "[ ] one.mkv", "[ ] two.mkv", "1 of 3 files chosen", "Not saved yet")
        await person.press("down", "space")
        await person.sees("[-] Show/", "[x] one.mkv", "[ ] two.mkv", "2 of 3 files chosen, 3.1 kB of 5.1 kB")
        assert server.changed == []
        await person.press("s")
        await person.sees("Saved: 2 of 3 files chosen")
        await person.no_longer_sees("Not saved yet")
    assert server.changed == [{"files": [0, 2]}]
    assert show.unwanted == {1}


async def test_all_none_and_inverted(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, show: FakeTorrent
) -> None:
    show.unwanted = {0}
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees("2 of 3 files chosen")
        await person.press("i")
        assert choosing(person).wanted == {0}
        await person.press("n")
        assert choosing(person).wanted == set()
        await person.press("s")
        await person.sees("Choose at least one file. To be rid of all of them, delete the torrent.")
        await person.press("a", "s")
        await person.sees("Saved: 3 of 3")
    assert show.unwanted == set()


async def test_giving_up_files_that_are_complete_asks_first(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    show = server.add_torrent("season", SHOW)
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees("3 of 3")
        await person.press("space", "s")
        await person.sees(
            "Give up 2 files that are complete on the server?", "y give up", "to this machine stays"
        )
        await person.press("enter")  # by reflex
        await person.sees("Not saved yet", "1 of 3 files chosen")
        assert show.unwanted == set()
        await person.press("s", "y")
        await person.sees("Saved: 1 of 3")
    assert show.unwanted == {0, 1}


async def test_more_files_of_a_finished_torrent_are_not_there_at_once(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    show = server.add_torrent("season", SHOW)
    show.unwanted = {0}
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees("2 of 3")
        await person.press("a")
        await person.sees(
            "It is finished again, and can be fetched, when the files that you add are there too."
        )


async def test_what_is_chosen_survives_news_a_refusal_and_a_look_at_another_tab(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, show: FakeTorrent
) -> None:
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees("3 of 3")
        await person.press("space")
        before = asked(server, "files")
        await eventually(lambda: asked(server, "files") > before + 2)
        server.refuse_change = Problem(400, "unknown_file", "This torrent has no file 7.", "files")
        await person.press("s")
        await person.sees("This torrent has no file 7.")
        await person.press("1", "2")
        await person.sees("1 of 3 files chosen", "Not saved yet")


async def test_leaving_an_unsaved_choice_asks_first(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, show: FakeTorrent
) -> None:
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees("3 of 3")
        await person.press("space", "escape")
        await person.sees("Leave without saving your choice of files?")
        await person.press("n")
        await person.sees("Not saved yet")
        await person.press("escape", "y")
        await eventually(lambda: isinstance(person.app.screen, MainScreen))
    assert show.unwanted == set()


async def test_on_an_older_server_all_files_are_downloaded(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, show: FakeTorrent
) -> None:
    server.is_old = True
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees("one.mkv", "Your server is older than this app: all files are downloaded.")
        await person.press("space", "n")
        await person.sees("3 of 3 files chosen")


async def test_files_that_are_not_known_yet_are_shown_when_they_are(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film", state="metadata")
    async with running(store, tmp_path) as person:
        await open_tab(person, "film", "2")
        await person.sees("The files are not known yet.")
        film.files = dict(SHOW)
        await person.sees("3 of 3 files chosen")


async def test_a_click_on_a_mark_toggles_it(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, show: FakeTorrent
) -> None:
    async with running(store, tmp_path) as person:
        await open_tab(person, "season", "2")
        await person.sees("3 of 3")
        await person.click(FileList, x=3, y=1)
        await person.sees("[ ] one.mkv", "2 of 3 files chosen")
        await person.click(FileList, x=30, y=2)  # on the name: selects
        await person.sees("2 of 3 files chosen")
        await person.click(FileList, x=30, y=2)
        await person.sees("[ ] two.mkv", "1 of 3 files chosen")


async def test_a_torrent_of_which_some_files_were_chosen_is_fetched_as_that(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    show = server.add_torrent("season", SHOW)
    show.unwanted = {1, 2}
    async with running(store, tmp_path / "here") as person:
        await person.sees("season", "2 files not chosen")
        await person.press("f")
        await person.sees("✓ season")
    found = [path for path in (tmp_path / "here").rglob("*") if path.is_file()]
    assert found == [tmp_path / "here" / "season" / "Show" / "one.mkv"]


async def test_an_open_torrent_is_fetched_alone_whatever_is_marked(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("other", {"other.mkv": b"1"})
    server.add_torrent("film", {"film.mkv": b"2"})
    async with running(store, tmp_path / "here") as person:
        await person.sees("other")
        await person.press("down", "space", "up")
        await open_tab(person, "film", "f")
        await person.sees("✓ film")
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["film.mkv"]


def files(count: int) -> tuple[TorrentFile, ...]:
    return tuple(
        TorrentFile(index, f"folder {index // 100}/file {index}", 10, None, ready=False)
        for index in range(count)
    )


def test_a_tree_has_each_folder_once_before_what_is_in_it() -> None:
    listed = [
        TorrentFile(index, path, size, None, ready=False)
        for index, (path, size) in enumerate([("b/x/1", 1), ("a", 2), ("b/2", 4), ("b/x/3", 8)])
    ]
    rows = rows_of(listed)
    assert [(row.name, row.depth, row.folder, row.size) for row in rows] == [
        ("a", 0, False, 2), ("b", 0, True, 13), ("2", 1, False, 4), ("x", 1, True, 9), ("1", 2, False, 1),
        ("3", 2, False, 8),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["[judas] a [/b]", "\x1b[2Jowned", "進撃の巨人" * 20, ""])
def test_a_line_of_a_file_fits_whatever_it_is_called(name: str) -> None:
    row = rows_of([TorrentFile(0, name, 5, None, ready=False, progress=0.5)])[-1]
    line = line_of(row, {0}, 60)
    assert line.cell_len == 60
    assert "\x1b" not in line.plain
    assert line.plain.lstrip().startswith("[x] ")


async def test_twenty_thousand_files_are_listed_and_chosen(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    assert len(rows_of(files(20_000))) == 20_200
    async with running(store, tmp_path) as person:
        server.add_torrent("season", {file.path: b"" for file in files(2000)}, state="downloading")
        await open_tab(person, "season", "2")
        await person.sees("2000 of 2000 files chosen")
        await person.press("end", "space")
        await person.sees("1999 of 2000 files chosen")
