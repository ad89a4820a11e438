"""Linked accounts in the app: linking, what of the list is followed, how reading it goes, unlinking."""

from pathlib import Path
from unittest import mock

import pytest
from textual.widgets import Input

from torrent_proxy_client.app.screens import table
from torrent_proxy_client.app.screens.accounts import AccountsScreen
from torrent_proxy_client.app.screens.link_account import LinkByCodeScreen, LinkByNameScreen
from torrent_proxy_client.app.screens.list_statuses import ListStatusesScreen, UnlinkScreen
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_watchlist import ANILIST
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, running
from tui_client.tests.waiting import eventually
from tui_client.tests.watching import open_shows, reach, rows_are_there


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOOK_EVERY", 0.05)


async def open_accounts(person: Person) -> None:
    await open_shows(person)
    await reach(person, AccountsScreen, "l")
    await rows_are_there(person)


async def test_an_account_is_linked_by_its_public_name(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await open_accounts(person)
        await person.sees(
            "AniList not linked", "n links it by your public name", "an unofficial client of AniList"
        )
        await person.press("y")
        await person.sees("Not linked yet: n links it by name, c by a code")
        await reach(person, LinkByNameScreen, "n")
        await person.sees("never writes to it", "unofficial client of AniList")
        await person.press("enter")
        await person.sees("✗ Nothing is written yet.")
        await person.press(*"bob", "enter")
        await person.sees(
            "AniList bob … first sync", "Linked as bob, by its public name.", "Never synced yet"
        )
    assert server.watchlist.wishes == [{"provider": "anilist", "name": "bob"}]


async def test_an_account_is_linked_by_a_code_that_is_not_shown(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clipboard = mock.Mock(return_value=True)
    monkeypatch.setattr("torrent_proxy_client.app.screens.link_account.copy_to_system", clipboard)
    async with running(store, tmp_path, size=(100, 30)) as person:
        await open_accounts(person)
        await reach(person, LinkByCodeScreen, "c")
        await person.sees("https://anilist.example/oauth/authorize?client_id=1", "stores the code encrypted")
        await person.press("ctrl+y")
        await person.sees("✓ Copied the address")
        clipboard.assert_called_once_with(ANILIST["code_url"])
        await person.paste("eyJ.secret.code ")
        await eventually(lambda: person.app.screen.query_one(Input).value)
        await person.sees("•••")
        assert "secret" not in person.text
        await person.press("enter")
        await person.sees("Linked as alice, by code: private lists too.")
    assert server.watchlist.wishes == [{"provider": "anilist", "token": "eyJ.secret.code"}]


async def test_while_the_service_is_away_nobody_is_told_that_the_list_is_being_read(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.providers = [
        {**ANILIST, "message": "AniList does not answer.", "blocked_until": "2100-01-01T00:00:00Z"}
    ]
    async with running(store, tmp_path, size=(100, 30)) as person:
        await open_accounts(person)
        await reach(person, LinkByCodeScreen, "c")
        await person.paste("eyJ.secret.code")
        await eventually(lambda: person.app.screen.query_one(Input).value)
        await person.press("enter")
        await person.sees(
            "Linked, by code: private lists too. Failing: AniList does not answer.",
            "Linked; the list is read as soon as its service answers",
        )
        await person.press("y")
        await person.sees("The list is read when AniList is asked again")
        await person.press("d")
        await person.sees("Unlink anilist?")
        await person.press("y")
        await person.sees("Unlinked anilist; its shows")


@pytest.mark.parametrize("key", ["n", "c"])
async def test_a_link_that_is_refused_says_why_and_keeps_what_was_typed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, key: str
) -> None:
    server.watchlist.refuse = Problem(
        400, "not_found", "Nobody there is called that, or the list is private.", "name"
    )
    async with running(store, tmp_path) as person:
        await open_accounts(person)
        await reach(person, LinkByNameScreen if key == "n" else LinkByCodeScreen, key)
        await person.paste("bob")
        await eventually(lambda: person.app.screen.query_one(Input).value == "bob")
        await person.press("enter")
        await person.sees("✗ Nobody there is called that, or the list is private.")
        assert person.app.screen.query_one(Input).value == "bob"


async def test_a_service_that_knows_no_codes_here_says_so(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.providers = [{**ANILIST, "by_code": False, "code_url": ""}]
    async with running(store, tmp_path) as person:
        await open_accounts(person)
        await person.press("c")
        await person.sees("This server cannot link it by a code: press n.")


async def test_an_account_says_how_reading_its_list_goes(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.link(
        name="alice [/b]",
        private=True,
        token_ends_at="2027-01-01T12:00:00Z",
        synced_at="2026-01-01T10:00:00Z",
        failing_since="2026-01-01T12:00:00Z",
        message="The code is valid no more. Link it anew.",
    )
    async with running(store, tmp_path) as person:
        await open_accounts(person)
        await person.sees(
            "AniList alice [/b] ✗ failing", "Linked as alice [/b], by code: private lists too, until"
        )
        await person.sees(
            "Failing since 01 Jan 12:00: The code is valid no more. Link it anew.", "Last synced"
        )
        await person.sees("Followed of the list: Watching, Rewatching.")
        await person.press("y")
        await person.sees("The list is being read")
        server.watchlist.synced_just_now = True
        await person.press("y")
        await person.sees("The list was read a moment ago")


async def test_which_shows_of_the_list_are_followed_is_ticked(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.link(statuses=["CURRENT", "NEWER"])
    async with running(store, tmp_path) as person:
        await open_accounts(person)
        await reach(person, ListStatusesScreen, "e")
        await person.sees("x Watching", "Planning", "x NEWER")
        await eventually(lambda: person.app.focused and person.app.focused.id == "status-0")
        await person.press("space", "down", "space", *["up"] * 2, "space", "enter")
        await person.sees("Saved; it holds with the next sync", "Followed of the list: Planning, newer, also")
    assert server.watchlist.wishes == [{"statuses": ["PLANNING", "NEWER"], "include_adult": True}]


@pytest.mark.parametrize(("keys", "keep"), [(("y",), "true"), (("up", "space", "y"), "false")])
async def test_unlinking_asks_and_what_becomes_of_the_shows(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, keys: tuple[str, ...], keep: str
) -> None:
    server.watchlist.link()
    async with running(store, tmp_path) as person:
        await open_accounts(person)
        await reach(person, UnlinkScreen, "d")
        await person.sees("Unlink alice?", "Go on following the shows that came from the list")
        await eventually(lambda: person.app.focused and person.app.focused.id == "no")
        await person.press("enter")  # by reflex
        await eventually(lambda: isinstance(person.app.screen, AccountsScreen))
        assert server.watchlist.accounts
        await reach(person, UnlinkScreen, "d")
        await eventually(lambda: person.app.focused and person.app.focused.id == "no")
        await person.press(*keys)
        await person.sees("AniList not linked", "Unlinked alice; its shows")
    assert server.watchlist.wishes == [{"keep": keep}]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_key_of_the_accounts_is_in_sight(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(store, tmp_path, size=size) as person:
        await open_accounts(person)
        await person.sees("n by name c by code y sync now e which shows d unlink ? help esc back")
