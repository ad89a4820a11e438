"""The list of torrents: what it shows, how it follows the server, and that the cursor keeps its torrent."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from torrent_proxy_client.app import live
from torrent_proxy_client.app.live import Away
from torrent_proxy_client.app.widgets.bars import banner_text
from torrent_proxy_client.app.widgets.torrent_table import TorrentTable, columns_for
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.running_app import Person, running
from tui_client.tests.waiting import eventually

FOOTER = ("a add", "p pause", "r resume", "d delete", "f fetch", "? help", "^l log out", "q quit")


def selected(person: Person) -> str:
    torrent = person.app.screen.query_one(TorrentTable).selected
    return torrent.name if torrent else ""


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_footer_names_every_key(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    server.add_torrent("film")
    async with running(store, tmp_path, size=size) as person:
        await person.sees("film", " ".join(FOOTER))


async def test_an_empty_list_teaches_the_next_step(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await person.sees("Nothing here yet.", "Press a to add a magnet link")
        server.add_torrent("film")
        await person.sees("film")
        assert "Nothing here yet" not in person.text


async def test_a_row_says_what_matters_in_words(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent(
        "film",
        state="downloading",
        progress=0.56,
        size=12_300_000_000,
        download_speed=19_600_000,
        upload_speed=1_200_000,
        eta=130,
    )
    async with running(store, tmp_path, size=(160, 50)) as person:
        await person.sees("film")
        row = next(line for line in person.lines if "film" in line and "Downloading" in line)
        cells = row.split("│")[0].split()
        assert " ".join(cells) == "film Downloading ███████▊░░░░░░ 56 % 19.6 MB/s 1.2 MB/s 2m 10s 12.3 GB"


@pytest.mark.parametrize("width", [80, 100, 114, 160])
def test_the_columns_fill_the_width(width: int) -> None:
    columns = columns_for(width)
    gaps = (2 if width >= 110 else 1) * (len(columns) - 1)
    assert sum(column.width for column in columns) + gaps + 1 + 1 == width  # margin and scrollbar


async def test_hostile_names_are_shown_verbatim_but_cannot_steer_the_terminal(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for name in (
        "[judas] Show",
        "a [/b] z",
        "[bold]x[/bold]",
        "\x1b[2J\x1b]0;owned\x07clean\u202e",
        "進撃の巨人",
        "",
    ):
        server.add_torrent(name, {name or "f": b"x"}, message="why [/not]")
    async with running(store, tmp_path) as person:
        await person.sees("[judas] Show", "a [/b] z", "[bold]x[/bold]", "clean", "進撃の巨人")
        for _ in range(6):
            await person.press("down")
            await person.sees("why [/not]")
        assert "\x1b" not in person.text
        assert "\u202e" not in person.text


async def test_changes_arrive_by_themselves_and_touch_only_their_cells(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[tuple[str, str]] = []
    update_cell = TorrentTable.update_cell

    def spy(table: TorrentTable, row: str, column: str, value: Any) -> None:
        touched.append((row, column))
        update_cell(table, row, column, value)

    monkeypatch.setattr(TorrentTable, "update_cell", spy)
    film = server.add_torrent("film", state="downloading", progress=0.25)
    server.add_torrent("other")
    async with running(store, tmp_path) as person:
        await person.sees("film", "other")
        server.update(film.id, download_speed=5_000_000)
        await person.sees("5.0 MB/s")
        server.update(film.id, downloaded=250_001)
        server.update(film.id, state="paused")
        await person.sees("Paused")
        assert set(touched) == {(film.id, "down"), (film.id, "state"), (film.id, "progress")}


async def test_the_cursor_stays_on_its_torrent(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    torrents = [server.add_torrent(f"film {number}") for number in range(5)]
    async with running(store, tmp_path) as person:
        await person.sees("film 0")
        await person.press("down", "down")
        assert selected(person) == "film 2"
        server.add_torrent("newest")
        await person.sees("newest")
        assert selected(person) == "film 2"
        server.remove(torrents[4].id)
        await person.no_longer_sees("film 4")
        assert selected(person) == "film 2"
        await person.resize(130, 40)
        assert selected(person) == "film 2"
        server.remove(torrents[2].id)
        await eventually(lambda: selected(person) in ("film 1", "film 3"))


async def test_new_torrents_come_first(server: FakeServer, store: FileSessionStore, tmp_path: Path) -> None:
    for name in ("oldest", "middle", "newest"):
        server.add_torrent(name)
    async with running(store, tmp_path) as person:
        await person.sees("oldest")
        order = [line.split()[0] for line in person.lines if " Finished " in line]
        assert order[:3] == ["newest", "middle", "oldest"]


async def test_a_state_of_a_newer_server_is_shown_as_it_is(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film", state="dreaming")
    async with running(store, tmp_path) as person:
        await person.sees("Dreaming")


async def test_the_selected_torrent_explains_itself_and_lists_its_files(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent(
        "film", {"film/one.mkv": b"12345"}, state="error", message="The disk is full. Delete something."
    )
    async with running(store, tmp_path) as person:
        await person.sees("The disk is full. Delete something.", "film/one.mkv")


async def test_the_summary_counts_and_adds_up(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("done")
    for number in range(2):
        server.add_torrent(f"film {number}", state="downloading", download_speed=1_000_000, upload_speed=500)
    async with running(store, tmp_path) as person:
        await person.sees("3 torrents · 2 downloading · 1 finished", "↓ 2.0 MB/s ↑ 1.0 kB/s")


async def test_while_the_server_is_away_the_list_stays_and_the_banner_tells(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await person.sees("film")
        server.silent = True
        await person.sees(
            "Server not reachable since", "trying again", "What you see is from", "The connection broke."
        )
        assert "film" in person.text
        server.silent = False
        server.add_torrent("another")
        await person.sees("another")
        await person.no_longer_sees("Server not reachable")


async def test_what_the_server_says_is_wrong_with_it_stands_above_the_list_until_it_is_well(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEALTH_EVERY", 0.1)
    server.add_torrent("film")
    server.trouble = "The download engine does not answer. It is asked again all the time."
    async with running(store, tmp_path) as person:
        await person.sees("film", server.trouble)
        said, server.trouble = server.trouble, ""
        await person.no_longer_sees(said)


async def test_a_thousand_torrents_scroll_under_a_steady_cursor(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for number in range(1000):
        server.add_torrent(f"film {number:04}")
    async with running(store, tmp_path) as person:
        await person.sees("film 0999")
        await person.press("end")
        assert selected(person) == "film 0000"
        server.add_torrent("newest")
        await person.sees("1001 torrents")
        assert selected(person) == "film 0000"
        assert "film 0000" in person.text


def test_the_banner_counts_down_to_the_next_attempt() -> None:
    moment = datetime.fromisoformat("2026-01-01T12:03:10").astimezone()
    away = Away(moment, retry_at=104.0, last_answer=moment, reason="It does not answer.", reachable=False)
    assert banner_text(away, 100.0) == (
        "Server not reachable since 12:03:10, trying again in 4 s. What you see is from 12:03:10. "
        "It does not answer."
    )
    assert "trying again now" in banner_text(away, 105.0)
