"""A box that downloads by itself from a feed of ours, and people who follow that feed."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.box import PROJECT, Box
from deploy.swarm import Peer, make_torrent
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer
from tests.journeys.conftest import random_file
from torrent_proxy_client.api import ApiClient

MIB = 2**20
# What the worker does each minute, without waiting for the minute.
WORK = """
from feeds import checker, grabs
from watchlist import choosing, consumer
checker.check_due()
consumer.catch_up()
grabs.add_due()
choosing.advance()
"""
CHECK_NOW = """
from feeds.models import FeedSource
from django.utils import timezone
FeedSource.objects.update(next_check_at=timezone.now())
"""


@contextmanager
def feed_box(directory: Path, **settings: str) -> Iterator[Box]:
    """One that may ask this machine for feeds, as no server may."""
    box = Box(directory, OUTBOUND_ALLOW_PRIVATE="true", REMOVAL_GRACE_SECONDS="0", **settings)
    try:
        box.start()
        yield box
    finally:
        box.stop()


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


def seeded(seed: Peer, folder: Path) -> bytes:
    """The .torrent of a file that this peer has."""
    content = random_file(folder, 2 * MIB)
    metainfo = make_torrent(content, version="hybrid")
    seed.seed(metainfo, content)
    return metainfo


@dataclass
class FollowedFeed:
    """A feed of ours that somebody follows; empty at first."""

    box: Box
    client: ApiClient
    server: FeedServer
    items: list[str] = field(default_factory=list)

    async def follow(self) -> None:
        self.server.serve("/rss", rss())
        feed = (await self.client.feeds.follow(self.server.url("/rss"), name="My feed")).id
        deadline = time.monotonic() + 60
        while (await self.client.feeds.feed(feed)).health != "healthy":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.3)
        await self.work()  # the watchlist begins behind what the feed held when it was followed

    def release(self, name: str, metainfo: bytes) -> None:
        """Appears in the feed, which is due to be checked."""
        number = len(self.items) + 1
        link = self.server.serve(f"/{number}.torrent", metainfo)
        self.items.insert(0, item(name, number, link=link))
        self.server.serve("/rss", rss(*self.items))
        in_box(self.box, CHECK_NOW)

    async def work(self) -> None:
        await asyncio.to_thread(in_box, self.box, WORK)
