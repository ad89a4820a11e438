"""Rules in the app: the list, and the editor that shows what a rule would take while it is being written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from torrent_proxy_client.app.screens import rule_editor, table
from torrent_proxy_client.app.screens.feeds import FeedsScreen
from torrent_proxy_client.app.screens.rule_editor import RuleEditor
from torrent_proxy_client.app.screens.rules import RulesScreen
from torrent_proxy_client.app.widgets.choice import Choice
from torrent_proxy_client.app.widgets.rows import Rows
from torrent_proxy_client.app.widgets.tick import Tick
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, running
from tui_client.tests.waiting import eventually


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(rule_editor, "STILL", 0.01)


@pytest.fixture(autouse=True)
def preview_is_let_go(server: FakeServer) -> Iterator[None]:
    yield
    server.feeds.preview_may_answer.set()


async def open_rules(person: Person) -> None:
    await person.sees("feeds and rules")
    await person.press("e")
    await eventually(lambda: isinstance(person.app.screen, FeedsScreen))
    await person.press("r")
    await eventually(lambda: isinstance(person.app.screen, RulesScreen))


async def new_rule(person: Person) -> None:
    await open_rules(person)
    await person.sees("You have no rules yet")
    await person.press("a")
    await eventually(lambda: isinstance(person.app.screen, RuleEditor))
    await person.sees("What it is called")


async def open_rule(person: Person) -> None:
    """The first."""
    await open_rules(person)
    await eventually(lambda: person.app.screen.query_one(Rows).row_count > 0)
    await person.press("enter")
    await eventually(lambda: isinstance(person.app.screen, RuleEditor))
    await person.sees("What it is called")


def go_to(person: Person, field: str) -> None:
    person.app.screen.query_one(f"#{field}").focus()


def typed(person: Person, field: str) -> str:
    return person.app.screen.query_one(f"#{field}", Input).value


async def test_rules_stand_in_their_order_with_what_they_want(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    shows = server.feeds.add_feed("Shows [/b]")
    server.feeds.add_rule("Zebra", resolutions=["1080p", "720p"], feeds=[shows])
    server.feeds.add_rule("Apple", enabled=False, must_not_contain="dub")
    server.feeds.add_rule("Mango", dry_run=True)
    async with running(store, tmp_path, size=(120, 40)) as person:
        await open_rules(person)
        await person.sees(
            "on Zebra zebra, 1080p or 720p for real Shows [/b]",
            "off Apple apple, not dub for real all",
            "on Mango mango dry run all",
        )
        assert person.text.index("Zebra") < person.text.index("Apple") < person.text.index("Mango")


async def test_a_rule_is_switched_off_made_a_dry_run_and_deleted(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.add_rule("Zebra")
    async with running(store, tmp_path) as person:
        await open_rules(person)
        await person.sees("on Zebra")
        await person.press("space")
        await person.sees("off Zebra")
        await person.press("t")
        await person.sees("dry run all")
        await person.press("d")
        await person.sees("Delete the rule Zebra?", "What it took stays", "given up")
        await person.press("y")
        await person.sees("You have no rules yet")
    assert server.feeds.wishes == [{"enabled": False}, {"dry_run": True}]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_a_rule_takes_shows_while_it_is_typed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    feed = server.feeds.add_feed("Shows")
    server.feeds.add_item(feed, "Lighthouse [/b] 1")
    server.feeds.add_item(feed, "Harbour 1")
    async with running(store, tmp_path, size=size) as person:
        await new_rule(person)
        await person.sees("Type what titles must contain")
        await person.press("down", *"light")
        await person.sees(
            "Takes 1 of 2 in your feeds", "✓ Lighthouse [/b] 1", "– Harbour 1", "must contain: wanted light"
        )
        assert "name" not in server.feeds.previews[-1]


async def test_a_new_rule_is_saved_with_everything_that_was_typed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feed = server.feeds.add_feed("Shows [/b]")
    async with running(store, tmp_path) as person:
        await new_rule(person)
        wanted = {
            "name": "Lights", "must_contain": "light", "must_not_contain": "dub", "regex": "a+", "negative_regex": "b",
            "resolutions": "1080p,720p", "groups": "Lumen", "refused_groups": "Kestrel", "min_size": "1.5GiB",
            "max_size": "4 GB", "season": "2", "first_episode": "6.5", "last_episode": "12",
            "max_age_seconds": "3 d", "delay_seconds": "6h", "max_per_day": "5", "label": "shows", "priority": "7",
        }  # fmt: skip
        for field, text in wanted.items():
            person.app.screen.query_one(f"#{field}", Input).value = text
        for tick in ("only_groups", "once_per_episode", "start_paused", "dry_run", f"feed-{feed}"):
            go_to(person, tick)
            await person.press("space")
        go_to(person, "batches")
        await person.press("space")
        await person.press("ctrl+s")
        await person.sees("Saved Lights")
    assert server.feeds.wishes == [
        {
            "name": "Lights", "must_contain": "light", "must_not_contain": "dub", "regex": "a+", "negative_regex": "b",
            "resolutions": ["1080p", "720p"], "groups": ["Lumen"], "refused_groups": ["Kestrel"],
            "min_size": 3 * 2**29, "max_size": 4 * 10**9, "season": 2, "first_episode": 6.5, "last_episode": 12.0,
            "published_after": None, "max_age_seconds": 259_200, "delay_seconds": 21_600, "max_per_day": 5,
            "label": "shows", "priority": 7, "only_groups": True, "once_per_episode": True, "start_paused": True,
            "dry_run": True, "enabled": True, "batches": "none", "feeds": [feed],
        }
    ]  # fmt: skip


async def test_only_what_was_changed_of_a_rule_is_sent(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.add_rule(
        "Zebra",
        published_after="2026-01-01T10:11:12.5Z",
        min_size=123_456_789,
        first_episode=6.5,
        delay_seconds=90,
    )
    async with running(store, tmp_path) as person:
        await open_rule(person)
        await person.press("down", "end", *"ra", "ctrl+s")
        await person.sees("Saved Zebra")
    assert server.feeds.wishes == [{"must_contain": "zebrara"}]


async def test_a_refusal_stands_at_its_field_and_loses_nothing_typed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await new_rule(person)
        server.feeds.refuse = Problem(
            400, "invalid", "At character 2, (?=: Look-ahead is not supported.", "regex"
        )
        await person.press(*"Lights", "down", *"light")
        go_to(person, "regex")
        await person.press("a", "left_parenthesis")
        await person.sees("✗ At character 2, (?=: Look-ahead is not supported.")
        go_to(person, "name")
        await person.press("ctrl+s")
        await person.sees("✗ Not saved: At character 2")
        await eventually(lambda: person.app.focused is person.app.screen.query_one("#regex"))
        assert [typed(person, name) for name in ("name", "must_contain", "regex")] == [
            "Lights",
            "light",
            "a(",
        ]
        server.feeds.refuse = None
        await person.press("backspace")
        await person.no_longer_sees("✗")
        await person.press("ctrl+s")
        await person.sees("Saved Lights")


async def test_what_cannot_be_meant_is_told_at_its_field_without_asking_the_server(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path, size=(120, 40)) as person:
        await new_rule(person)
        await person.press("ctrl+s")
        await person.sees("✗ Give the rule a name")
        go_to(person, "min_size")
        await person.press("1", "2")
        await person.sees(
            "✗ Write a number and a unit, such as 700 MB", "What it takes shows here as soon as"
        )
    assert server.feeds.previews == server.feeds.wishes == []


async def test_previews_are_asked_for_one_after_the_other_with_what_is_typed_by_then(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.preview_may_answer.clear()
    async with running(store, tmp_path) as person:
        await new_rule(person)
        await person.press("down", "l")
        await eventually(lambda: len(server.feeds.previews) == 1)
        await person.press(*"ight")
        server.feeds.preview_may_answer.set()
        await eventually(lambda: server.feeds.previews[-1]["must_contain"] == "light")
    assert [asked["must_contain"] for asked in server.feeds.previews] == ["l", "light"]


async def test_a_rule_is_tried_on_pasted_titles(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await new_rule(person)
        await person.press("down", *"light", "ctrl+t")
        await person.sees("Try the rule on titles of your own")
        await person.press(*"light", "enter", *"harbour", "ctrl+s")
        await person.sees("Takes 1 of 2 pasted titles", "✓ light", "– harbour")
        await person.press("ctrl+t")
        await person.sees("harbour", "One a line")
    assert server.feeds.previews[-1]["titles"] == ["light", "harbour"]


async def test_leaving_a_rule_asks_only_when_something_was_changed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.feeds.add_rule("Zebra")
    async with running(store, tmp_path) as person:
        await open_rule(person)
        await person.press("escape")
        await eventually(lambda: isinstance(person.app.screen, RulesScreen))
        await person.press("enter")
        await eventually(lambda: isinstance(person.app.screen, RuleEditor))
        await person.press("down", "x", "escape")
        await person.sees("Leave without saving the rule?")
        await person.press("n")
        await eventually(lambda: isinstance(person.app.screen, RuleEditor))
        assert typed(person, "must_contain") == "zebrax"
        await person.press("escape")
        await person.sees("Leave without saving the rule?")
        await person.press("y")
        await eventually(lambda: isinstance(person.app.screen, RulesScreen))
    assert server.feeds.wishes == []


async def test_feeds_that_a_rule_names_in_another_order_are_no_change(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    feeds = [server.feeds.add_feed(name) for name in ("Shows", "Films")]
    server.feeds.add_rule("Zebra", feeds=feeds[::-1])
    async with running(store, tmp_path) as person:
        await open_rule(person)
        await person.press("escape")
        await eventually(lambda: isinstance(person.app.screen, RulesScreen))


async def test_a_session_that_ends_while_a_rule_is_open_leads_to_the_login(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path) as person:
        await new_rule(person)
        server.end_sessions()
        await person.sees("Your session has ended. Log in again.")


async def test_a_rule_can_be_written_with_the_mouse(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path, size=(120, 40)) as person:
        await new_rule(person)
        await person.click(Choice, 2, 0)
        await person.sees("‹ single episodes only ›")
        await person.click(Tick, 2, 0)
        await eventually(lambda: person.app.screen.query_one("#only_groups", Tick).value)


async def test_the_preview_says_when_the_server_is_away_and_asks_again(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_editor, "AGAIN", 0.05)
    async with running(store, tmp_path) as person:
        await new_rule(person)
        server.away = True
        await person.press("down", *"light")
        await person.sees("✗ Maintenance.")
        server.away = False
        await person.sees("Your feeds hold nothing to try it on")
