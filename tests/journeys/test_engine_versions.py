"""The main journey on the other versions of qBittorrent, one of which dies on the way."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.box import PEER_ADDRESS, Box
from deploy.swarm import Peer, infohashes, magnet_for, make_torrent
from tests.journeys.conftest import random_file, until, until_finished
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download
from torrents.tests.engines.real import INSTALLED, VERSIONS, binary_of

pytestmark = pytest.mark.journey
MIB = 2**20


@pytest.fixture(params=[version for version in VERSIONS if version != INSTALLED])
def other_box(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    box = Box(tmp_path_factory.mktemp("other-box"), QBITTORRENT_BINARY=binary_of(request.param))
    try:
        box.start()
        yield box
    finally:
        box.stop()


async def test_a_torrent_and_a_magnet_arrive_whole_though_the_engine_dies_over_the_metadata(
    other_box: Box, tmp_path: Path
) -> None:
    contents = [random_file(tmp_path, 4 * MIB) for _ in range(2)]
    by_file, by_magnet = (make_torrent(content, version="hybrid") for content in contents)
    password = await asyncio.to_thread(other_box.create_user, "alice")
    async with ApiClient(other_box.url) as alice:
        await alice.log_in("alice", password)
        with Peer(PEER_ADDRESS, upload_limit=2 * MIB) as peer:
            peer.knock_at(other_box.torrent_port)
            peer.seed(by_file, contents[0])
            added = await alice.add_source(magnet_for(by_magnet, v2=False))
            peer.seed(by_magnet, contents[1])
            await until(alice, added.id, lambda torrent: torrent.infohash_v2 is not None)
            died = await kill_engine(other_box)
            other = await alice.add_metainfo("other.torrent", by_file)
            torrents = [await until_finished(alice, torrent.id) for torrent in (added, other)]

        assert other_box.engine_process() not in (None, died)
        assert {torrent.infohash_v2 for torrent in torrents} == {
            infohashes(by_file)[1],
            infohashes(by_magnet)[1],
        }
        fetched = [await Download(alice, torrent, tmp_path / "fetched").run() for torrent in torrents]

    assert {sha256(file.path) for files in fetched for file in files} == set(map(sha256, contents))


async def kill_engine(box: Box) -> int:
    """As it died by itself before we kept it from that: on a pointer to nothing."""
    process = box.engine_process()
    assert process is not None
    os.kill(process, signal.SIGSEGV)
    deadline = time.monotonic() + 30
    while box.engine_process() == process:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return process


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
