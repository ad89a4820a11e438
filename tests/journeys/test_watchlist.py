"""A followed show arrives by itself, episode by episode: a real feed, a real qBittorrent, a real peer."""

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.box import PEER_ADDRESS, PROJECT, Box
from deploy.swarm import Peer, infohashes, make_torrent
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer, run_feed_server
from tests.journeys.conftest import random_file
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.models import Torrent

pytestmark = pytest.mark.journey
MIB = 2**20

FOLLOW = """
from accounts.models import User
from watchlist.models import Entry, Show
show = Show.objects.create(provider="anilist", external_id={name!r}, english={title!r}, romaji={title!r},
    format="TV", status="RELEASING", episodes=12)
entry = Entry.objects.create(user=User.objects.get(username={name!r}), show=show, origin="list", stalled_hours=1)
print(entry.pk)
"""
# What the worker does each minute, without waiting for the minute.
WORK = """
from feeds import checker, grabs
from watchlist import choosing, consumer
checker.check_due()
consumer.catch_up()
grabs.add_due()
choosing.advance()
"""
STATES = """
import json
from watchlist.episodes import episodes_of
from watchlist.models import Entry
print(json.dumps({{one.number: [one.state, one.group, one.version]
    for one in episodes_of(Entry.objects.get(pk={entry!r})) if one.group}}))
"""
AN_HOUR_WITHOUT_A_BYTE = """
from watchlist.models import Candidate
print(Candidate.objects.filter(entry={entry!r}, state="taken", looked_at__isnull=False).update(idle_seconds=3600))
"""


def in_box(box: Box, code: str) -> str:
    """What this prints, run where the box's own processes run."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "shell", "-v", "0", "-c", code],
        cwd=PROJECT,
        env=box.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def feed_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One that may ask this machine for feeds, as no server may."""
    box = Box(tmp_path_factory.mktemp("shows"), OUTBOUND_ALLOW_PRIVATE="true", REMOVAL_GRACE_SECONDS="0")
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


@dataclass
class Follower:
    """Somebody who follows one show and one feed."""

    box: Box
    client: ApiClient
    server: FeedServer
    title: str
    entry: str
    items: list[str]
    feed: str = ""

    async def follow_feed(self) -> None:
        self.server.serve("/rss", rss())
        self.feed = (await self.client.feeds.follow(self.server.url("/rss"), name="My feed")).id
        deadline = time.monotonic() + 60
        while (await self.client.feeds.feed(self.feed)).health != "healthy":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.3)
        await self.work()  # the watchlist begins behind what the feed held when it was followed

    def release(self, name: str, metainfo: bytes) -> None:
        """Appears in the feed."""
        number = len(self.items) + 1
        link = self.server.serve(f"/{number}.torrent", metainfo)
        self.items.insert(0, item(name.format(self.title), number, link=link))
        self.server.serve("/rss", rss(*self.items))
        in_box(
            self.box,
            "from feeds.models import FeedSource\nfrom django.utils import timezone\n"
            "FeedSource.objects.update(next_check_at=timezone.now())",
        )

    async def work(self) -> None:
        await asyncio.to_thread(in_box, self.box, WORK)

    async def until(
        self, expected: dict[str, list[Any]], *, alone: bool = False, seconds: float = 150
    ) -> None:
        """Work until these episodes are in these states, from these releases. `alone`: the box does so without help."""
        deadline = time.monotonic() + seconds
        while (states := json.loads(in_box(self.box, STATES.format(entry=self.entry)))) != expected:
            assert time.monotonic() < deadline, f"{states}, not {expected}"
            await (asyncio.sleep(1) if alone else self.work())

    async def torrents(self) -> list[Torrent]:
        return [torrent async for torrent in self.client.torrents()]


@pytest.fixture
async def follower(feed_box: Box, server: FeedServer) -> AsyncIterator[Follower]:
    name = f"person-{secrets.token_hex(4)}"
    password = feed_box.create_user(name)
    title = f"Lighthouse {secrets.token_hex(4)}"
    entry = in_box(feed_box, FOLLOW.format(name=name, title=title))
    async with ApiClient(feed_box.url) as client:
        await client.log_in(name, password)
        follower = Follower(feed_box, client, server, title, entry, [])
        await follower.follow_feed()
        yield follower


def seeded(seed: Peer, folder: Path) -> bytes:
    content = random_file(folder, 2 * MIB)
    metainfo = make_torrent(content, version="hybrid")
    seed.seed(metainfo, content)
    return metainfo


async def test_an_episode_arrives_and_its_newer_version_takes_its_place(
    follower: Follower, seed: Peer, tmp_path: Path
) -> None:
    first, second = seeded(seed, tmp_path), seeded(seed, tmp_path)
    follower.release("[Group] {} - 01 [1080p].mkv", first)
    await follower.until({"1.0": ["have", "Group", 1]}, alone=True)
    (torrent,) = await follower.torrents()
    assert (torrent.infohash_v1, torrent.infohash_v2) == infohashes(first)
    assert torrent.origin == "watchlist"

    follower.release("[Group] {} - 01v2 [1080p].mkv", second)
    await follower.until({"1.0": ["have", "Group", 2]})
    (torrent,) = await follower.torrents()
    assert torrent.infohash_v1 == infohashes(second)[0]


async def test_a_release_that_nobody_sends_gives_way_to_the_next(
    follower: Follower, seed: Peer, tmp_path: Path
) -> None:
    dead = make_torrent(random_file(tmp_path, MIB))
    alive = seeded(seed, tmp_path)
    follower.release("[Dead] {} - 02 [1080p].mkv", dead)
    await follower.until({"2.0": ["downloading", "Dead", 1]})
    follower.release("[Alive] {} - 02 [1080p].mkv", alive)
    await follower.work()
    assert [torrent.infohash_v1 for torrent in await follower.torrents()] == [infohashes(dead)[0]]

    deadline = time.monotonic() + 60
    while in_box(follower.box, AN_HOUR_WITHOUT_A_BYTE.format(entry=follower.entry)) != "1":
        assert time.monotonic() < deadline
        await follower.work()
    await follower.until({"2.0": ["have", "Alive", 1]})
    (torrent,) = await follower.torrents()
    assert torrent.infohash_v1 == infohashes(alive)[0]
