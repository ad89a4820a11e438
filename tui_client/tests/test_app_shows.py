"""Followed shows in the app: the list of them, and following another one."""

from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from torrent_proxy_client.app.screens import add_show, table
from torrent_proxy_client.app.screens.add_show import AddShowScreen
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.app.screens.show import ShowScreen
from torrent_proxy_client.app.screens.show_by_hand import ShowByHandScreen
from torrent_proxy_client.app.screens.shows import ShowsScreen
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, asked, running
from tui_client.tests.waiting import eventually
from tui_client.tests.watching import open_shows, reach, rows_are_there

HOSTILE = "Harbour [/b] \x1b[31mNights"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(add_show, "STILL", 0.01)


def stand_in_this_order(person: Person, *names: str) -> bool:
    return sorted(names, key=person.text.index) == list(names)


async def test_each_show_says_what_is_there_what_is_missing_and_what_comes(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    summary = {"aired": 7, "have": 5, "missing": 1, "missing_since": "2026-01-03T10:00:00Z", "downloading": 1}
    server.watchlist.add_entry(
        "Lighthouse",
        list_status="CURRENT",
        list_progress=3,
        summary={**summary, "next_episode": 8, "next_airs_at": "2026-01-10T10:00:00Z"},
    )
    server.watchlist.add_entry(HOSTILE, state="paused", summary={"aired": None})
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await person.sees("2 shows, 1 with missing episodes", "Harbour [/b] Nights paused 0/?")
        await person.sees("Lighthouse followed 5/7 ✗ 1 8, 10 Jan", "Paused: nothing is taken for it.")
        await person.press("down")
        await person.sees(
            "5 of 7 aired there, 1 downloading, 1 missing since 03 Jan", "Episode 8 airs Sat 10 Jan"
        )
        await person.sees("TV, 12 episodes, Autumn 2026, airing · on your list: Watching, 3 watched")


async def test_shows_are_filtered_by_all_their_names_and_by_state(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.follow(server.watchlist.add_show("Lighthouse", romaji="Tōdai"))
    server.watchlist.add_entry("Harbour", summary={"missing": 2})
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await rows_are_there(person)
        await person.press("slash", *"todai", "enter")
        await person.no_longer_sees("Harbour")
        await person.press("escape")
        await person.sees("Harbour")
        await person.press("o")
        await person.sees("Show only", "with missing episodes")
        await person.press("down", "enter")
        await person.sees("Only with missing episodes · Esc shows all", "Harbour")
        await person.no_longer_sees("Lighthouse")
        await person.press("escape")
        await person.sees("Lighthouse")
        await reach(person, MainScreen, "escape")


async def test_shows_are_sorted_by_the_next_column_and_backwards(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry("Apple", summary={"next_episode": 2, "next_airs_at": "2026-02-01T00:00:00Z"})
    server.watchlist.add_entry("Mango", summary={"next_episode": 2, "next_airs_at": "2026-01-01T00:00:00Z"})
    server.watchlist.add_entry("Zebra")
    async with running(store, tmp_path, state=tmp_path) as person:
        await open_shows(person)
        await rows_are_there(person)
        for key, said, order in (
            ("s", "Sorted by next episode", ["Mango", "Apple", "Zebra"]),
            ("S", "the soonest first, backwards", ["Zebra", "Apple", "Mango"]),
        ):
            await person.press(key)
            await person.sees(said)
            await eventually(partial(stand_in_this_order, person, *order))
    async with running(store, tmp_path, state=tmp_path) as person:  # the next day
        await open_shows(person)
        await rows_are_there(person)
        await eventually(partial(stand_in_this_order, person, "Zebra", "Apple", "Mango"))


async def test_a_show_is_searched_while_typing_and_followed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry("Lighthouse")
    server.watchlist.add_show("Lighthouse [/b]", format="MOVIE", year=2024, starts_on="2024-04-01")
    server.watchlist.search_message = "AniList does not answer: only shows that are known here are searched."
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await reach(person, AddShowScreen, "a")
        await person.press(*"light")
        await person.sees("Lighthouse 2026 TV Autumn ✓ followed", "Lighthouse [/b] 2024 film Spring")
        await person.sees("! AniList does not answer: only shows that are known here are searched.")
        await person.press("enter")
        await rows_are_there(person)
        await person.press("down", "enter")
        await eventually(lambda: isinstance(person.app.screen, ShowsScreen))
        await person.sees("Following Lighthouse [/b]; Enter, then e", "2 shows")
        await rows_are_there(person)
        await reach(person, ShowScreen, "enter")
        await person.sees("Lighthouse [/b] film, 12 episodes, Spring 2024")
    assert server.watchlist.wishes == [{"show_id": 2}]
    assert server.watchlist.searches[-1] == "light"


async def test_what_is_found_is_not_followed_by_the_enter_that_ends_the_search(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_show("Lighthouse")
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await reach(person, AddShowScreen, "a")
        await person.press(*"light")
        await person.sees("Found 1 show")
        await person.press("enter")
        await rows_are_there(person)
        assert server.watchlist.wishes == []


async def test_a_show_that_is_refused_leaves_the_search_open(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_show("Lighthouse")
    server.watchlist.refuse = Problem(400, "too_many", "You follow as many shows as you may.")
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await reach(person, AddShowScreen, "a")
        await person.press(*"light")
        await person.sees("Found 1 show")
        await person.press("enter")
        await rows_are_there(person)
        await person.press("enter")
        await person.sees("✗ You follow as many shows as you may.")
        assert person.app.screen.query_one(Input).value == "light"


async def test_a_show_that_nobody_knows_is_followed_by_its_names(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await person.sees("You follow no shows yet.")
        await reach(person, AddShowScreen, "a")
        await person.press(*"xyz")
        await person.sees("Nothing is called like that.")
        await reach(person, ShowByHandScreen, "ctrl+n")
        assert person.app.screen.query_one(TextArea).text == "xyz"
        await person.press("enter", *"X 2", "tab", "x", "enter")
        await person.sees("✗ Episodes: x is not a whole number.")
        await person.press("backspace", *"24", "enter")
        await person.sees("Following xyz", "1 show")
        await rows_are_there(person)
        await reach(person, ShowScreen, "enter")
    assert server.watchlist.wishes == [{"title": "xyz", "titles": ["X 2"], "episodes": 24}]


async def test_removing_a_show_asks_and_can_be_taken_back(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry(HOSTILE)
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await rows_are_there(person)
        await person.press("u")
        await person.sees("Nothing was removed since this screen was opened.")
        await person.press("d")
        await person.sees("Follow Harbour [/b] Nights no more?", "What was taken stays")
        await person.press("enter")  # by reflex
        await person.sees("Harbour [/b] Nights followed")
        assert server.watchlist.entries
        await person.press("d")
        await person.sees("no more?")
        await person.press("y")
        await person.sees("You follow no shows yet.", "u takes it back")
        await person.press("u")
        await person.sees("Harbour [/b] Nights followed", "again")


async def test_a_show_is_paused_and_goes_on(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry("Lighthouse")
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await rows_are_there(person)
        await person.press("p")
        await person.sees("Lighthouse paused", "Paused Lighthouse: nothing is taken for it")
        await person.press("d")
        await person.sees("no more?")
        await person.press("y")
        await person.sees("u takes it back")
        await person.press("u")
        await person.sees("Lighthouse paused", "Following Lighthouse again, still paused")
        await person.press("p")
        await person.sees("Lighthouse followed", "Following Lighthouse again")
    assert server.watchlist.wishes == [{"state": "paused"}, {"state": "followed"}]


async def test_a_line_tells_when_what_is_known_of_shows_is_old(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry("Lighthouse")
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await rows_are_there(person)
        server.watchlist.providers[0].update(
            message="AniList does not answer.", blocked_until="2026-01-01T00:00:00Z"
        )
        await person.sees("! AniList does not answer. Asked again now. Airing times are from 01 Jan 12:00.")
        server.watchlist.providers[0].update(message="", blocked_until=None)
        await person.no_longer_sees("AniList does not answer.")


@pytest.mark.parametrize(("keys", "what"), [((), "watchlist"), (("c",), "calendar"), (("l",), "providers")])
async def test_a_server_without_shows_is_told_of_once(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, keys: tuple[str, ...], what: str
) -> None:
    server.is_old = True
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await person.press(*keys)
        await person.sees("Your server is older than this app and does not offer this.")
        before, changes = asked(server, what), asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, what) == before


async def test_shows_are_asked_for_only_while_their_screen_is_in_front(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await eventually(lambda: asked(server, "watchlist") > 3)
        await reach(person, MainScreen, "escape")
        before, changes = asked(server, "watchlist"), asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, "watchlist") <= before + 1  # one may have been under way


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_key_of_the_list_of_shows_is_in_sight(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    server.watchlist.add_entry("Lighthouse")
    async with running(store, tmp_path, size=size) as person:
        await open_shows(person)
        await person.sees("Enter episodes / filter o only s S sort e preferences h history u undo")
        await person.sees("a add p pause d remove c calendar r review l my list ? help esc back")
        await person.press("question_mark")
        await person.sees("follow a show: search it", "Esc close")
