"""What appears in a feed arrives by itself: a real feed, a real qBittorrent, a real peer, and nobody presses a key."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.box import PEER_ADDRESS, Box
from deploy.swarm import Peer, infohashes, make_torrent
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer, run_feed_server
from proxy_site import embedded_postgres
from tests.journeys.conftest import random_file, until_finished
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download

pytestmark = pytest.mark.journey
MIB = 2**20


@pytest.fixture(scope="module")
def feed_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One that may ask this machine for feeds, as no server may."""
    box = Box(tmp_path_factory.mktemp("feeds"), OUTBOUND_ALLOW_PRIVATE="true", REMOVAL_GRACE_SECONDS="0")
    try:
        box.start()
        yield box
    finally:
        box.stop()


@pytest.fixture
def server() -> Iterator[FeedServer]:
    yield from run_feed_server()


@pytest.fixture
def seed(feed_box: Box) -> Iterator[Peer]:
    with Peer(PEER_ADDRESS) as peer:
        peer.knock_at(feed_box.torrent_port)
        yield peer


@pytest.fixture
async def person(feed_box: Box) -> AsyncIterator[ApiClient]:
    name = f"person-{secrets.token_hex(4)}"
    password = feed_box.create_user(name)
    async with ApiClient(feed_box.url) as client:
        await client.log_in(name, password)
        yield client


def let_ten_minutes_pass(box: Box) -> None:
    """For its feeds: all are due."""
    url = embedded_postgres.running_url(box.directory / "data" / "postgres")
    with psycopg.connect(str(url), autocommit=True) as connection:
        connection.execute("UPDATE feeds_feedsource SET next_check_at = now()")


async def soon(holds: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.5)


async def is_healthy(person: ApiClient, feed_id: str) -> bool:
    return (await person.feeds.feed(feed_id)).health == "healthy"


async def has_torrents(person: ApiClient) -> bool:
    return [torrent async for torrent in person.torrents()] != []


async def test_an_item_that_appears_in_a_feed_is_downloaded_and_handed_over(
    feed_box: Box, person: ApiClient, server: FeedServer, seed: Peer, tmp_path: Path
) -> None:
    content = random_file(tmp_path, 2 * MIB)
    metainfo = make_torrent(content, version="hybrid")
    seed.seed(metainfo, content)
    feed = await person.feeds.follow(server.serve("/rss", rss()), name="My feed")
    await person.feeds.make_rule({"name": "Lighthouse", "must_contain": "lighthouse", "label": "shows"})

    await soon(lambda: is_healthy(person, feed.id), seconds=60)
    download = server.serve("/1.torrent", metainfo)
    server.serve("/rss", rss(item("Harbour - 01", 2), item("Lighthouse - 01", 1, link=download)))
    let_ten_minutes_pass(feed_box)

    await soon(lambda: has_torrents(person), seconds=150)
    (torrent,) = [torrent async for torrent in person.torrents()]
    torrent = await until_finished(person, torrent.id)
    assert (torrent.infohash_v1, torrent.infohash_v2) == infohashes(metainfo)
    (fetched,) = await Download(person, torrent, tmp_path / "fetched").run()
    assert fetched.path.read_bytes() == content.read_bytes()
    told = await person.history(torrent.id)
    (event,) = [event for event in told.events if event.kind == "added"]
    assert "Lighthouse, from My feed" in event.detail
    (decision,) = (await person.feeds.decisions()).items
    assert (decision.title, decision.outcome) == ("Lighthouse - 01", "taken")
    (taken,) = (await person.feeds.items(feed.id, outcome="taken")).items
    assert taken.grab
    assert taken.grab.torrent == torrent.id
