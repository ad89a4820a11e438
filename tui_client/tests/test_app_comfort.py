"""Filter, marks, order, history, toasts, and commands to copy."""

import json
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from torrent_proxy_client.app.history import History
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.app.screens.transfers import TransfersScreen
from torrent_proxy_client.app.widgets.torrent_table import TorrentTable
from torrent_proxy_client.models import Changes
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.running_app import Person, running
from tui_client.tests.waiting import eventually

SFTP = {"host": "box.example.net", "port": 8022, "host_key_fingerprint": "SHA256:c0mpareTh1s"}


def names(person: Person) -> list[str]:
    table = person.app.screen.query_one(TorrentTable)
    return [str(table.get_row(row.key)[0]).strip(" ●") for row in table.ordered_rows]


def marked(person: Person) -> set[str]:
    return {torrent.name for torrent in person.app.screen.query_one(TorrentTable).marked}


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_every_key_of_the_list_stands_on_the_screen(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    server.add_torrent("film")
    async with running(store, tmp_path, size=size) as person:
        await person.sees(
            "film", "Enter details", "/ filter", "o only", "s S sort", "l label", "Space mark", "m my limits",
            "t transfers", "c commands",
        )  # fmt: skip
        await person.press("space")
        await person.sees("1 marked", "p r d f l for all", "v range", "i invert", "Esc unmark")


async def test_the_filter_narrows_while_typing_and_goes_with_escape(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for name in ("Ubuntu 26.04", "debian", "ubuntu [judas]"):
        server.add_torrent(name)
    async with running(store, tmp_path) as person:
        await person.sees("debian")
        await person.press("slash", "u", "b", "u")
        await eventually(lambda: sorted(names(person)) == ["Ubuntu 26.04", "ubuntu [judas]"])
        await person.press("space", "j")
        await eventually(lambda: names(person) == ["ubuntu [judas]"])
        await person.press("x")
        await person.sees("Nothing matches ubu jx.", "Esc shows all")
        await person.press("escape")
        await eventually(lambda: len(names(person)) == 3)
        assert isinstance(person.app.focused, TorrentTable)


async def test_the_filter_knows_states_and_follows_changes(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film", state="downloading")
    server.add_torrent("other")
    async with running(store, tmp_path) as person:
        await person.sees("other")
        await person.press("slash", *"finished", "enter")
        await eventually(lambda: names(person) == ["other"])
        server.update(film.id, state="finished")
        await eventually(lambda: sorted(names(person)) == ["film", "other"])
        server.update(film.id, state="paused")
        await eventually(lambda: names(person) == ["other"])
        assert person.app.screen.query_one("#filter", Input).display


async def test_marks_by_one_by_range_and_inverted(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for number in range(5):
        server.add_torrent(f"film {number}")
    async with running(store, tmp_path) as person:
        await person.sees("film 0")
        await person.press("space")
        assert marked(person) == {"film 4"}
        await person.press("down", "v")
        assert marked(person) == {"film 4", "film 3", "film 2"}
        await person.press("i")
        assert marked(person) == {"film 0", "film 1"}
        await person.press("escape")
        assert marked(person) == set()


async def test_deleting_what_is_marked_asks_once_and_says_how_many(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for number in range(4):
        server.add_torrent(f"film {number}")
    async with running(store, tmp_path) as person:
        await person.sees("film 0")
        await person.press("space", "space", "space", "d")
        await person.sees("Delete 3 torrents from the server?", "y delete")
        await person.press("y")
        await person.sees("Deleted 3 torrents")
        await eventually(lambda: names(person) == ["film 0"])
    assert [torrent.fields["name"] for torrent in server.torrents.values()] == ["film 0"]


async def test_a_delete_can_be_taken_back(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film")
    server.add_torrent("show")
    async with running(store, tmp_path) as person:
        await person.sees("film", "show")
        await person.press("u")
        await person.sees("Nothing was deleted since the app started.")
        await person.press("d", "y")
        await person.sees("u takes it back")
        assert len(server.torrents) == 1
        await person.press("u")
        await person.sees("Taken back", "film", "show")


async def test_pausing_what_is_marked_goes_on_where_one_is_refused(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    films = [server.add_torrent(f"film {number}", state="downloading") for number in range(3)]
    async with running(store, tmp_path) as person:
        await person.sees("film 0")
        await person.press("i")
        del server.torrents[films[1].id]
        await person.press("p")
        await person.sees("There is no such torrent.", "Paused 3 torrents, 1 refused")
    assert [films[number].fields["state"] for number in (0, 2)] == ["paused", "paused"]


async def test_fetching_what_is_marked_takes_what_is_finished(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("one", {"1.mkv": b"1"})
    server.add_torrent("two", {"2.mkv": b"2"})
    server.add_torrent("three", state="downloading")
    async with running(store, tmp_path) as person:
        await person.sees("three")
        await person.press("i", "f")
        await person.sees("Fetching 2 of 3 torrents", "✓ one", "✓ two")


async def test_the_order_is_chosen_reversed_and_remembered(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for name, size in (("b", 3), ("c", 1), ("a", 2)):
        server.add_torrent(name, size=size * 1000)
    state = tmp_path / "state"
    async with running(store, tmp_path, state=state) as person:
        await person.sees("Finished")
        assert names(person) == ["a", "c", "b"]
        await person.press("s")
        await person.sees("Sorted by name", "Name▼")
        assert names(person) == ["a", "b", "c"]
        await person.press("S")
        await person.sees("backwards", "Name▲")
        assert names(person) == ["c", "b", "a"]
        await eventually((state / "preferences.json").exists)
    async with running(store, tmp_path, state=state) as person:
        await person.sees("Name▲", "Finished")
        assert names(person) == ["c", "b", "a"]


async def test_rows_move_when_what_they_are_sorted_by_changes(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    first = server.add_torrent("first", state="downloading", progress=0.1)
    server.add_torrent("second", state="downloading", progress=0.5)
    async with running(store, tmp_path) as person:
        await person.sees("first")
        await person.press("s", "s", "s")
        await eventually(lambda: names(person) == ["second", "first"])
        server.update(first.id, progress=0.9)
        await eventually(lambda: names(person) == ["first", "second"])


async def test_a_torrent_that_becomes_finished_is_announced_and_has_a_history(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("film [/b]", state="metadata")
    async with running(store, tmp_path, size=(160, 50)) as person:
        await person.sees("film")
        server.update(film.id, state="downloading")
        await person.sees("Downloading", "added")
        server.update(film.id, state="finished")
        await person.sees("Finished: film [/b]. Press f to fetch it.")


def test_what_was_finished_before_is_not_announced() -> None:
    def changes(state: str) -> Changes:
        torrent = {"id": "1", "name": "film", "state": state}
        return Changes.from_json({"change": 1, "torrents": [torrent], "removed": []})

    history = History()
    assert history.note(changes("finished")) == []
    assert history.note(changes("finished")) == []
    assert history.note(changes("checking")) == []
    assert [torrent.name for torrent in history.note(changes("finished"))] == ["film"]


# --- commands to copy


async def test_commands_stand_ready_with_credential_expiry_and_fingerprint(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.has_links, server.sftp = True, SFTP
    server.add_torrent("[judas] it's")
    copied: list[str] = []

    def clipboard(text: str) -> bool:
        copied.append(text)
        return True

    async with running(store, tmp_path, size=(160, 50)) as person:
        monkeypatch.setattr("torrent_proxy_client.app.screens.commands.copy_to_system", clipboard)
        await person.sees("[judas]")
        await person.press("c")
        await person.sees(
            "1 curl", "curl -fOJL", "2 sftp", "-P 8022", "3 scp", "4 password", "transfer-secret-1",
            "SHA256:c0mpareTh1s", "valid until", "Esc close",
        )  # fmt: skip
        await person.press("3", "4")
        await person.sees("✓ Copied: password")
        assert copied == [
            """scp -r -P 8022 'alice@box.example.net:/\\[judas\\] it'"'"'s' .""",
            "transfer-secret-1",
        ]


@pytest.mark.parametrize(("sftp", "seen"), [(SFTP, "1 sftp"), (None, "offers no links and no SFTP")])
async def test_what_the_server_does_not_offer_is_not_shown(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, sftp: dict[str, Any] | None, seen: str
) -> None:
    server.sftp = sftp
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await person.sees("film")
        await person.press("c")
        await person.sees(seen)
        assert "curl" not in person.text
        await person.press("escape")
        await eventually(lambda: isinstance(person.app.screen, MainScreen))


async def test_the_dialogs_fit_a_small_terminal(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.has_links, server.sftp = True, SFTP
    server.add_torrent("film", {"film.mkv": b"x"})
    async with running(store, tmp_path) as person:
        await person.sees("film")
        await person.press("c")
        await person.sees("1 curl", "Press a number to copy", "Esc close")
        await person.press("escape", "f", "t")
        await eventually(lambda: isinstance(person.app.screen, TransfersScreen))
        await person.sees("k change what happens", "Esc close")
        await person.press("escape", "question_mark")
        await person.sees("mark it; p r d f l then", "Esc close")
        await person.press("end")
        await person.sees("fetch brings it to this machine.", "Esc close")


def test_a_stored_order_that_is_no_longer_known_does_no_harm(tmp_path: Path) -> None:
    from torrent_proxy_client.preferences import Preferences

    (tmp_path / "preferences.json").write_text(json.dumps({"sort": 5, "reverse": True, "conflict": "maybe"}))
    assert Preferences.load(tmp_path) == Preferences("added", reverse=True, conflict="keep both")
