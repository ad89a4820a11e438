"""What people do with the whole product, on a real qBittorrent, a real PostgreSQL and a real peer."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.box import Box
from deploy.relay import Relay
from deploy.swarm import Peer, infohashes, magnet_for, make_torrent
from tests.journeys.conftest import (
    ACCESS_TOKEN_SECONDS,
    WEB_TIMEOUT,
    Canary,
    NewPerson,
    random_file,
    until,
    until_finished,
)
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download
from torrent_proxy_client.errors import Refused
from torrent_proxy_client.models import Health
from torrent_proxy_client.session import MemorySessionStore
from torrents.engines.base import EngineState
from torrents.engines.qbittorrent import QBittorrentEngine

pytestmark = pytest.mark.journey
MIB = 2**20


async def test_a_hybrid_added_by_its_v1_magnet_is_still_its_owners_after_metadata_arrives(
    new_person: NewPerson, peer: Peer, tmp_path: Path
) -> None:
    content = random_file(tmp_path, 2 * MIB)
    metainfo = make_torrent(content, version="hybrid")
    person = await new_person()

    added = await person.add_source(magnet_for(metainfo, v1=True, v2=False))
    assert added.infohash_v2 is None
    peer.seed(metainfo, content)
    torrent = await until_finished(person, added.id)

    assert (torrent.infohash_v1, torrent.infohash_v2) == infohashes(metainfo)
    assert torrent.name == content.name
    (fetched,) = await Download(person, torrent, tmp_path / "fetched").run()
    assert fetched.verified
    assert fetched.path.read_bytes() == content.read_bytes()


async def test_two_people_add_the_same_torrent_and_one_keeps_it_when_the_other_deletes(
    new_person: NewPerson, peer: Peer, tmp_path: Path
) -> None:
    content = random_file(tmp_path, 2 * MIB)
    metainfo = make_torrent(content, version="hybrid")
    peer.seed(metainfo, content)
    one, other = await new_person(), await new_person()

    first = await one.add_source(magnet_for(metainfo, v1=True, v2=False))
    second = await other.add_source(magnet_for(metainfo, v1=False, v2=True))
    await until_finished(one, first.id)
    await until_finished(other, second.id)
    await one.delete(first.id)

    with pytest.raises(Refused) as gone:
        await one.torrent(first.id)
    assert gone.value.status == 404
    await asyncio.sleep(3)  # the reconciler has had its turn
    torrent = await other.torrent(second.id)
    assert torrent.state == "finished"
    (fetched,) = await Download(other, torrent, tmp_path / "fetched").run()
    assert fetched.path.read_bytes() == content.read_bytes()


@pytest.mark.parametrize("form", ["file", "magnet"])
async def test_web_seeds_and_trackers_of_this_machine_are_never_contacted(
    form: str, new_person: NewPerson, slow_peer: Peer, canary: Canary, tmp_path: Path
) -> None:
    content = random_file(tmp_path, 12 * MIB)
    trap = f"http://127.0.0.1:{canary.port}"
    trackers = (f"{trap}/announce", f"http://localhost:{canary.port}/announce/../admin")
    metainfo = make_torrent(content, version="v1", web_seeds=(f"{trap}/",), trackers=trackers)
    _, writer = await asyncio.open_connection("127.0.0.1", canary.port)
    writer.close()
    await writer.wait_closed()
    person = await new_person()

    if form == "file":
        added = await person.add_metainfo("trap.torrent", metainfo)
    else:
        extras = f"&tr={trackers[0]}&ws={trap}/&xs={trap}/x.torrent&as={trap}/&x.pe=127.0.0.1:{canary.port}"
        added = await person.add_source(magnet_for(metainfo) + extras)
    await asyncio.sleep(2)  # no peer yet: a web seed and a tracker would be all there is
    slow_peer.seed(metainfo, content)
    await until_finished(person, added.id)

    assert canary.hits == 1, "besides the connection that this test made"


async def test_a_download_that_outlasts_every_timeout_completes(
    box: Box, new_person: NewPerson, peer: Peer, tmp_path: Path
) -> None:
    content = random_file(tmp_path, 24 * MIB)
    metainfo = make_torrent(content, version="v1")
    peer.seed(metainfo, content)
    person = await new_person()
    torrent = await until_finished(person, (await person.add_metainfo("a.torrent", metainfo)).id)

    started = time.monotonic()
    digest = hashlib.sha256()
    async with Relay(box.web_port, speed=2 * MIB) as relay:
        session = MemorySessionStore(replace(person.session, server=relay.url))
        async with ApiClient(relay.url, store=session) as slow, slow.content(torrent.id, 0) as stream:
            async for chunk in stream.chunks():
                digest.update(chunk)

    assert time.monotonic() - started > 2 * max(WEB_TIMEOUT, ACCESS_TOKEN_SECONDS)
    assert digest.hexdigest() == hashlib.sha256(content.read_bytes()).hexdigest()


async def test_qbittorrent_killed_in_mid_download_comes_back_and_finishes_by_itself(
    box: Box, new_person: NewPerson, slow_peer: Peer, tmp_path: Path
) -> None:
    content = random_file(tmp_path, 32 * MIB)
    metainfo = make_torrent(content, version="hybrid")
    slow_peer.seed(metainfo, content)
    person = await new_person()
    added = await person.add_source(magnet_for(metainfo))
    await until(person, added.id, lambda torrent: torrent.progress > 0.2)

    killed = box.engine_process()
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    torrent = await until_finished(person, added.id, seconds=150)

    assert box.engine_process() not in (None, killed)
    (fetched,) = await Download(person, torrent, tmp_path / "fetched").run()
    assert fetched.path.read_bytes() == content.read_bytes()


async def test_a_torrent_added_while_qbittorrent_is_away_waits_and_starts_by_itself(
    box: Box, new_person: NewPerson, peer: Peer, tmp_path: Path
) -> None:
    content = random_file(tmp_path, MIB)
    metainfo = make_torrent(content, version="v1")
    peer.seed(metainfo, content)
    person = await new_person()

    stopped = box.engine_process()
    assert stopped is not None
    os.kill(stopped, signal.SIGSTOP)  # hangs: worse than gone
    try:
        health = await _health_when(person, lambda health: not health.engine_reachable)
        assert "engine" in health.engine_message
        added = await person.add_metainfo("a.torrent", metainfo)
        assert added.state == "waiting"
        assert "away" in added.message
    finally:
        os.kill(stopped, signal.SIGCONT)

    assert (await until_finished(person, added.id)).message == ""


async def test_an_expired_access_token_is_renewed_without_anybody_noticing(new_person: NewPerson) -> None:
    person = await new_person()
    before = person.session.access
    await asyncio.sleep(ACCESS_TOKEN_SECONDS + 1)

    assert (await person.me()).role == "user"
    assert person.session.access != before


async def _health_when(client: ApiClient, holds: Callable[[Health], bool], *, seconds: float = 60) -> Health:
    deadline = time.monotonic() + seconds
    while not holds(health := await client.health()):
        assert time.monotonic() < deadline, f"still {health}"
        await asyncio.sleep(0.2)
    return health


@pytest.mark.parametrize("paused", [False, True])
async def test_a_finished_torrent_that_the_engine_lost_is_found_again_on_the_disk(
    paused: bool, box: Box, new_person: NewPerson, peer: Peer, tmp_path: Path
) -> None:
    content = random_file(tmp_path, 2 * MIB)
    metainfo = make_torrent(content, version="v1")
    peer.seed(metainfo, content)
    person = await new_person()
    torrent = await until_finished(person, (await person.add_metainfo("a.torrent", metainfo)).id)
    if paused:
        await person.pause(torrent.id)

    engine = engine_of(box)
    try:
        (lost,) = [
            seen for seen in engine.poll().torrents.values() if seen.infohash_v1 == torrent.infohash_v1
        ]
        engine.remove([lost.key], delete_data=False)
        states = set()
        deadline = time.monotonic() + 60
        while not any(
            seen.infohash_v1 == torrent.infohash_v1
            and seen.progress == 1
            and (seen.state == EngineState.STOPPED) == paused
            for seen in engine.poll().torrents.values()
        ):
            assert time.monotonic() < deadline, engine.poll()
            states.add((await person.torrent(torrent.id)).state)
            await asyncio.sleep(0.2)
    finally:
        engine.close()

    assert states == {"finished"}
    (fetched,) = await Download(person, torrent, tmp_path / "fetched").run()
    assert fetched.path.read_bytes() == content.read_bytes()


def engine_of(box: Box) -> QBittorrentEngine:
    password = (box.directory / "data" / "secrets" / "qbittorrent_password").read_text().strip()
    return QBittorrentEngine(box.environment["QBITTORRENT_URL"], "proxy", password)
