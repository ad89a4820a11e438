"""Somebody follows a feed and writes a rule in the app, against the real API: what it refuses, previews and keeps."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.tests.factories import PASSWORD, UserFactory
from feeds import checker, consumer
from feeds.models import FeedSource, Rule
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer, run_feed_server
from tests.journeys.served import Served
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.session import MemorySessionStore
from tui_client.tests.running_app import Person, running

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
T = TypeVar("T")


@pytest.fixture
def feed_server(settings: Settings) -> Iterator[FeedServer]:
    """The tests check feeds themselves, and may ask this machine for them, as no server may."""
    settings.OUTBOUND_ALLOW_PRIVATE = True
    yield from run_feed_server()


async def in_thread(work: Callable[[], T]) -> T:
    """A thread's connection would stay open, and the tests' database could not be dropped."""

    def and_close() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(and_close)


def check() -> None:
    """As the workers do when feeds are due."""
    FeedSource.objects.update(next_check_at="2026-01-01T00:00:00Z")
    checker.check_due()
    consumer.catch_up()


def saved_rules() -> list[tuple[str, str, list[str]]]:
    return list(Rule.objects.values_list("name", "must_contain", "resolutions"))


async def test_a_feed_and_a_rule_of_the_app_take_what_appears(
    servers: Served, feed_server: FeedServer, tmp_path: Path
) -> None:
    await in_thread(lambda: UserFactory.create(username="alice"))
    address = feed_server.serve("/rss", rss(item("Lighthouse - 01 [1080p]", 1), item("Harbour - 01", 2)))
    store = MemorySessionStore()
    async with ApiClient(servers.url, store=store) as api:
        await api.log_in("alice", PASSWORD)
        await api.feeds.follow(address, name="Shows")
        await in_thread(check)
        async with running(store, tmp_path, size=(120, 40)) as person:
            await write_a_rule(person)
        assert await in_thread(saved_rules) == [("Lights", "lighthouse", ["1080p"])]

        more = (item("Lighthouse - 02 [720p]", 4), item("Lighthouse - 02 [1080p]", 3))
        feed_server.serve("/rss", rss(*more, item("Lighthouse - 01 [1080p]", 1), item("Harbour - 01", 2)))
        await in_thread(check)
        async with running(store, tmp_path, size=(120, 40)) as person:
            await person.sees("feeds and rules")
            await person.press("e")
            await person.sees("on Shows ✓ healthy")
            await person.press("enter")
            await person.sees("Lighthouse - 02 [1080p] … being added", "Lighthouse - 02 [720p] nearly taken")


async def write_a_rule(person: Person) -> None:
    await person.sees("feeds and rules")
    await person.press("e")
    await person.sees("on Shows ✓ healthy")
    await person.press("r")
    await person.sees("You have no rules yet")
    await person.press("a")
    await person.sees("What it is called")
    await person.press(*"Lights", "down", *"lighthouse", "space", "left_parenthesis")
    await person.sees("✗ A word is missing at the end.")
    await person.press("backspace", "backspace")
    await person.sees("Takes 1 of 2 in your feeds", "✓ Lighthouse - 01 [1080p]")
    await person.press("down", "down", "down", "down", *"720p")
    await person.sees("Takes 0 of 2 in your feeds", "resolutions: got 1080p, wanted 720p")
    await person.press("home", *["delete"] * 4, *"1080p", "ctrl+s")
    await person.sees("Saved Lights")
