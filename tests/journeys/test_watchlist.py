"""A followed show arrives by itself, episode by episode: a real feed, a real qBittorrent, a real peer."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.box import PEER_ADDRESS, Box
from deploy.swarm import Peer, infohashes, make_torrent
from feeds.tests.feed_server import FeedServer, run_feed_server
from tests.journeys.conftest import random_file
from tests.journeys.followed_feeds import MIB, FollowedFeed, feed_box, in_box, seeded
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.models import Torrent

pytestmark = pytest.mark.journey

FOLLOW = """
from accounts.models import User
from watchlist.models import Entry, Show
show = Show.objects.create(provider="anilist", external_id={name!r}, english={title!r}, romaji={title!r},
    format="TV", status="RELEASING", episodes=12)
entry = Entry.objects.create(user=User.objects.get(username={name!r}), show=show, origin="list", stalled_hours=1)
print(entry.pk)
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


@pytest.fixture(scope="module")
def box_of_shows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with feed_box(tmp_path_factory.mktemp("shows")) as box:
        yield box


@pytest.fixture
def server() -> Iterator[FeedServer]:
    yield from run_feed_server()


@pytest.fixture
def seed(box_of_shows: Box) -> Iterator[Peer]:
    with Peer(PEER_ADDRESS) as peer:
        peer.knock_at(box_of_shows.torrent_port)
        yield peer


@dataclass
class Follower:
    """Somebody who follows one show and one feed."""

    feed: FollowedFeed
    title: str
    entry: str

    def release(self, name: str, metainfo: bytes) -> None:
        self.feed.release(name.format(self.title), metainfo)

    async def work(self) -> None:
        await self.feed.work()

    async def until(
        self, expected: dict[str, list[Any]], *, alone: bool = False, seconds: float = 300
    ) -> None:
        """Work until these episodes are in these states, from these releases.

        `alone`: the box does so without help. Its worker checks feeds once a minute and looks once a minute what became
        of downloads; what is between follows at once.
        """
        deadline = time.monotonic() + seconds
        while (states := json.loads(in_box(self.feed.box, STATES.format(entry=self.entry)))) != expected:
            assert time.monotonic() < deadline, f"{states}, not {expected}"
            await (asyncio.sleep(1) if alone else self.work())

    async def torrents(self) -> list[Torrent]:
        return [torrent async for torrent in self.feed.client.torrents()]


@pytest.fixture
async def follower(box_of_shows: Box, server: FeedServer) -> AsyncIterator[Follower]:
    name = f"person-{secrets.token_hex(4)}"
    password = box_of_shows.create_user(name)
    title = f"Lighthouse {secrets.token_hex(4)}"
    entry = in_box(box_of_shows, FOLLOW.format(name=name, title=title))
    async with ApiClient(box_of_shows.url) as client:
        await client.log_in(name, password)
        feed = FollowedFeed(box_of_shows, client, server)
        await feed.follow()
        yield Follower(feed, title, entry)


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
    while in_box(follower.feed.box, AN_HOUR_WITHOUT_A_BYTE.format(entry=follower.entry)) != "1":
        assert time.monotonic() < deadline
        await follower.work()
    await follower.until({"2.0": ["have", "Alive", 1]})
    (torrent,) = await follower.torrents()
    assert torrent.infohash_v1 == infohashes(alive)[0]
