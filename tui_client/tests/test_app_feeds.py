"""Feeds in the app: how they are, what stood in them, and what became of that."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from torrent_proxy_client.app.screens import table
from torrent_proxy_client.app.screens.add_feed import AddFeedScreen
from torrent_proxy_client.app.screens.feeds import FeedsScreen
from torrent_proxy_client.app.screens.items import ItemsScreen
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.app.widgets.rows import Rows
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, asked, running
from tui_client.tests.waiting import eventually


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOOK_EVERY", 0.05)


async def open_feeds(person: Person) -> None:
    await person.sees("feeds and rules")
    await person.press("e")
    await eventually(lambda: isinstance(person.app.screen, FeedsScreen))


async def open_items(person: Person, title: str) -> None:
    """Of the first feed, whose items hold this one."""
    await open_feeds(person)
    await eventually(lambda: person.app.screen.query_one(Rows).row_count > 0)
    await person.press("enter")
    await eventually(lambda: isinstance(person.app.screen, ItemsScreen))
    await person.sees(title)


def decision(outcome: str, *reasons: tuple[str, str, str], rule: str = "Lights") -> dict[str, Any]:
    told = [dict(zip(("what", "got", "wanted"), reason, strict=True)) for reason in reasons]
    return {
        "rule": None,
        "rule_name": rule,
        "outcome": outcome,
        "reasons": told,
        "at": "2026-01-01T12:00:00Z",
    }


async def test_each_feed_says_how_it_is(server: FakeServer, store: FileSessionStore, tmp_path: Path) -> None:
    server.feeds.add_feed(
        "Films [/b]", health="failing", message="It is not found (404).", failing_since="2026-01-03T10:00:00Z"
    )
    server.feeds.add_feed("New one", health="unchecked", checked_at=None)
    server.feeds.add_feed("Shows", enabled=False, title="All the shows")
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await person.sees(
            "3 feeds, 1 failing", "on Films [/b] ✗ failing", "Failing since 03 Jan", "not found (404)."
        )
        await person.press("down")
        await person.sees("on New one … first check –", "The first check is still to come.")
        await person.press("down")
        await person.sees("off Shows ✓ healthy", "Switched off", "All the shows https://feeds.example/rss")


async def test_a_feed_is_added_by_pasting_its_address(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await person.sees("You follow no feeds yet.")
        await person.press("a")
        await person.paste("https://feeds.example/rss?passkey=1")
        await person.press("down", "S", "down", "down", "down", "space", "enter")
        await person.sees("Added S", "on S … first check")
    assert server.feeds.wishes == [
        {
            "url": "https://feeds.example/rss?passkey=1",
            "name": "S",
            "username": "",
            "password": "",
            "back_catalogue": True,
        }
    ]


async def test_a_feed_that_is_refused_keeps_what_was_typed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.refuse = Problem(400, "invalid", "Only http and https lead to feeds.", "url")
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await person.press("a")
        await person.press("enter")
        await person.sees("✗ Paste the address of a feed first.")
        await person.paste("ftp://feeds.example/")
        await person.press("down", "S", "enter")
        await person.sees("✗ Address: Only http and https lead to feeds.")
        typed = [field.value for field in person.app.screen.query(Input)]
        assert typed == ["ftp://feeds.example/", "S", "", ""]
        await eventually(lambda: person.app.focused is person.app.screen.query_one("#url"))


async def test_a_feed_is_renamed_switched_off_and_checked(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.add_feed("Shows")
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await person.sees("on Shows")
        await person.press("n", "X", "enter")
        await person.sees("It is called X now", "on X")
        await person.press("space")
        await person.sees("Switched off", "off X")
        await person.press("c")
        await person.sees("X was checked a moment ago")
    assert server.feeds.wishes == [{"name": "X"}, {"enabled": False}]


async def test_removing_a_feed_asks_and_says_that_what_was_taken_stays(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.add_feed("Shows")
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await person.sees("on Shows")
        await person.press("d")
        await person.sees("Remove the feed Shows?", "What was taken from it stays")
        await person.press("enter")  # by reflex
        await person.sees("on Shows")
        assert server.feeds.feeds
        await person.press("d")
        await person.sees("Remove the feed Shows?")
        await person.press("y")
        await person.sees("You follow no feeds yet.")


@pytest.mark.parametrize(("keys", "what"), [((), "feeds"), (("r",), "rules"), (("h",), "decisions")])
async def test_a_server_without_feeds_is_told_of_once(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, keys: tuple[str, ...], what: str
) -> None:
    server.is_old = True
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await person.press(*keys)
        await person.sees("Your server is older than this app and does not offer this.")
        before, changes = asked(server, what), asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, what) == before
        await person.press(*["escape"] * (len(keys) + 1))
        await eventually(lambda: isinstance(person.app.screen, MainScreen))


async def test_feeds_are_asked_for_only_while_their_screen_is_in_front(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.add_feed("Shows")
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await eventually(lambda: asked(server, "feeds") > 3)
        await person.press("a")
        await eventually(lambda: isinstance(person.app.screen, AddFeedScreen))
        before, changes = asked(server, "feeds"), asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, "feeds") <= before + 1  # one may have been under way
        await person.press("escape")
        await eventually(lambda: asked(server, "feeds") > before + 2)
        await person.press("escape")
        await eventually(lambda: isinstance(person.app.screen, MainScreen))
        before, changes = asked(server, "feeds"), asked(server, "changes")
        await eventually(lambda: asked(server, "changes") > changes + 5)
        assert asked(server, "feeds") <= before + 1


async def test_each_item_says_what_became_of_it_and_why(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feed = server.feeds.add_feed("Shows")
    grab = {"message": "", "due_at": "2026-01-05T10:00:00Z", "torrent": None}
    server.feeds.add_item(
        feed, "Failed", grab={**grab, "state": "failed", "message": "The torrent is not found."}
    )
    server.feeds.add_item(
        feed, "Had", decisions=[decision("had", ("had", "Lighthouse 2", "each torrent once"))]
    )
    server.feeds.add_item(feed, "Nearly", decisions=[decision("nearly", ("resolutions", "720p", "1080p"))])
    server.feeds.add_item(feed, "Waits", grab={**grab, "state": "waiting"}, decisions=[decision("taken")])
    server.feeds.add_item(feed, "Deleted", grab={**grab, "state": "added"}, decisions=[decision("taken")])
    added = {**grab, "state": "added", "torrent": server.add_torrent("torrent [/b]").id}
    server.feeds.add_item(feed, "Taken [/b]", grab=added, decisions=[decision("taken")])
    async with running(store, tmp_path) as person:
        await open_items(person, "Taken [/b]")
        await person.sees(
            "Taken [/b] ✓ taken → Finished",
            "Deleted ✓ taken 01 Jan",
            "waits until 05 Jan",
            "nearly taken",
            "had already",
            "✗ failed",
        )
        await person.sees("Taken: torrent [/b], Finished, 100 %.", "Lights: taken")
        await person.press("down")
        await person.sees("Taken. The torrent is not in your list any more.")
        await person.press("down")
        await person.sees("Waits for a better release, until 05 Jan")
        await person.press("down")
        await person.sees("Lights: nearly taken (resolutions: got 720p, wanted 1080p)")
        await person.press("down")
        await person.sees("you have or had it: Lighthouse 2")
        await person.press("down")
        await person.sees("Failed: The torrent is not found.")


async def test_items_are_searched_and_narrowed_by_the_server(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feed = server.feeds.add_feed("Shows")
    server.feeds.add_item(feed, "Lighthouse 1", decisions=[decision("taken")])
    server.feeds.add_item(feed, "Lighthouse 2")
    server.feeds.add_item(feed, "Harbour 1")
    async with running(store, tmp_path) as person:
        await open_items(person, "Harbour 1")
        await person.press("slash", *"light", "enter")
        await person.no_longer_sees("Harbour 1")
        await person.press("o")
        await person.sees("Show only")
        await person.press("down", "enter")
        await person.sees("Only taken · Esc shows all")
        await person.no_longer_sees("Lighthouse 2")
        await person.sees("Lighthouse 1")
        await person.press("escape")
        await person.sees("Harbour 1", "Lighthouse 2")


async def test_more_items_are_fetched_as_the_cursor_comes_to_the_end(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feed = server.feeds.add_feed("Shows")
    for number in range(120):
        server.feeds.add_item(feed, f"Item {number}.")
    async with running(store, tmp_path) as person:
        await open_items(person, "Item 119.")
        await person.sees("50 and more")
        await person.press("end")
        await person.sees("100 and more")
        await person.press("end")
        await person.sees("Items of Shows 120")
        await person.press("end")
        await person.sees("Item 0.")


async def test_an_item_is_explained_by_every_rule_and_can_be_grabbed_anyway(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feed = server.feeds.add_feed("Shows")
    server.feeds.add_item(feed, "Lighthouse 1")
    server.feeds.add_rule("Harbour")
    server.feeds.add_rule("Lighthouse")
    async with running(store, tmp_path) as person:
        await open_items(person, "Lighthouse 1")
        await person.press("enter")
        await person.sees("– Harbour does not take it must contain: wanted harbour", "✓ Lighthouse takes it")
        await person.press("g")
        await person.sees("Is being added.")
        await person.press("escape")
        await person.sees("… being added")
    assert server.feeds.grabbed == [1]


async def test_an_item_without_a_torrent_says_why_it_cannot_be_grabbed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feed = server.feeds.add_feed("Shows")
    server.feeds.add_item(feed, "News", has_torrent=False)
    async with running(store, tmp_path) as person:
        await open_items(person, "News")
        await person.sees("no torrent", "neither a magnet nor a .torrent")
        await person.press("g")
        await person.sees("There is no torrent in this item.")


async def test_the_history_tells_what_was_decided_and_can_be_narrowed_to_a_rule(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feed = server.feeds.add_feed("Shows")
    rule = server.feeds.add_rule("lower [/b]")
    by_rule = {
        **decision("dry_run", rule="lower [/b]"),
        "rule": rule,
        "title": "Harbour 1",
        "number": 2,
        "feed": feed,
    }
    by_hand = {**decision("taken", rule=""), "title": "Lighthouse 1", "number": 1, "feed": None}
    server.feeds.decisions = [by_rule, by_hand]
    async with running(store, tmp_path) as person:
        await open_feeds(person)
        await person.press("h")
        await person.sees("lower [/b] would be taken Harbour 1", "by hand taken Lighthouse 1", "from Shows")
        await person.press("r")
        await person.sees("Show only")
        await person.press("down", "enter")
        await person.sees("Only by lower [/b] · Esc shows all")
        await person.no_longer_sees("Lighthouse 1")
        await person.press("escape")
        await person.sees("Lighthouse 1")
        await person.press("down")
        await person.sees("from a feed that you follow no more")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_key_of_the_screens_of_feeds_is_in_sight(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    server.feeds.add_item(server.feeds.add_feed("Shows"), "Lighthouse 1")
    async with running(store, tmp_path, size=size) as person:
        await open_feeds(person)
        await person.sees("Enter its items", "Space on or off", "n rename")
        await person.sees("a add r rules h history c check now d remove ? help esc back")
        await person.press("question_mark")
        await person.sees("paste its address", "Esc close")
