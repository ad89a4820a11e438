"""Real engines, fed with addresses that they must not reach: behind their filter alone, and behind nftables alone."""

import contextlib
import dataclasses
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bencode2
import pytest

from deploy.swarm import Peer, magnet_for, make_torrent
from torrents.engines.qbittorrent_profile import Settings
from torrents.tests.engines.enclosed import (
    BOX,
    INTERNET,
    NEIGHBOURS,
    OWN,
    TORRENT_UID,
    Listening,
    Surroundings,
    surroundings,
)
from torrents.tests.engines.harness import WAIT_SECONDS, write_content
from torrents.tests.engines.real import INSTALLED, VERSIONS, RealQBittorrent, binary_of

pytestmark = pytest.mark.engine

PORT = 8000
PATIENCE = 3.0  # seconds, after everybody on the internet was called
FORBIDDEN = (*NEIGHBOURS, *OWN)
WITHOUT_FILTER: Settings = {
    "BitTorrent": {r"Session\IPFilteringEnabled": "false", r"Session\TrackerFilteringEnabled": "false"}
}


@pytest.fixture
def around() -> Iterator[Surroundings]:
    with surroundings() as made:
        yield made


@contextlib.contextmanager
def engine_of_another_user(version: str) -> Iterator[RealQBittorrent]:
    """A qBittorrent that is not root's, where the calling thread is."""
    root = Path(tempfile.mkdtemp(prefix="enclosed-"))  # pytest's own folders are root's alone
    try:
        root.chmod(0o755)
        program = root / "qbittorrent-nox"
        program.write_text(
            f'#!/bin/sh\nchown -R {TORRENT_UID} "{root}" "$HOME"\n'
            f"exec setpriv --reuid={TORRENT_UID} --regid={TORRENT_UID} --clear-groups --pdeathsig=KILL "
            f'{binary_of(version)} "$@"\n'
        )
        program.chmod(0o755)
        real = RealQBittorrent(root / "engine", binary=str(program))
        real.options = dataclasses.replace(real.options, interface="", discovery=True, loopback_peers=())
        try:
            yield real
        finally:
            real.stop()
    finally:
        shutil.rmtree(root)


def urls(scheme: str, path: str) -> list[str]:
    return [f"{scheme}://{bracketed(host)}:{PORT}{path}" for host in (*FORBIDDEN, *INTERNET)]


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def poisoned_torrent(content: Path) -> bytes:
    trackers = [*urls("http", "/announce"), *urls("udp", "/announce")]
    decoded: dict[bytes, Any] = bencode2.bdecode(
        make_torrent(content, version="v1", web_seeds=urls("http", "/secret"), trackers=trackers)
    )
    nodes = [[host.encode(), PORT] for host in (*FORBIDDEN, *INTERNET)]
    return bytes(bencode2.bencode(dict(sorted({**decoded, b"nodes": nodes}.items()))))


def poisoned_magnet(metainfo: bytes) -> str:
    parts = [f"tr={url}" for url in (*urls("http", "/announce"), *urls("udp", "/announce"))]
    parts += [f"ws={url}" for url in urls("http", "/secret")]
    parts += [f"x.pe={bracketed(host)}:{PORT}" for host in (*FORBIDDEN, *INTERNET)]
    return "&".join([magnet_for(metainfo), *parts])


def contacts_made(
    around: Surroundings, version: str, settings: Settings, tmp_path: Path, *, at_least: set[str]
) -> set[str]:
    """Which addresses the engine calls over what it is fed with: a torrent, and a magnet before and after metadata.

    Waits for those that it calls `at_least`, and then some time for others.
    """
    torrent = poisoned_torrent(write_content(tmp_path / "torrent", "one.mkv"))
    content = write_content(tmp_path / "magnet", "one.mkv", size=500_000)
    metainfo = make_torrent(content, version="v1")
    with contextlib.ExitStack() as stack:
        with around.others():
            others = stack.enter_context(Listening((*NEIGHBOURS, *INTERNET), PORT))
            peer = stack.enter_context(Peer(INTERNET[0], upload_limit=20_000))
        stack.enter_context(around.box())
        own = stack.enter_context(Listening(OWN, PORT))
        real = stack.enter_context(engine_of_another_user(version))
        real.start(settings)
        engine = real.connect()
        stack.callback(engine.close)
        save_path = str(real.data_root / "t")
        engine._client.torrents_add(torrent_files=torrent, save_path=save_path)
        engine._client.torrents_add(urls=poisoned_magnet(metainfo), save_path=save_path)
        deadline = time.monotonic() + WAIT_SECONDS
        while len(keys := real.torrent_keys()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        peers = [f"{bracketed(host)}:{PORT}" for host in (*FORBIDDEN, *INTERNET)]
        engine._client.torrents_add_peers(peers=peers, torrent_hashes=list(keys))
        while not (others.contacts + own.contacts).keys() >= at_least:
            assert time.monotonic() < deadline, f"only {others.contacts + own.contacts}"
            time.sleep(0.1)
        time.sleep(PATIENCE)
        peer.seed(metainfo, content)
        peer.knock_at(real.options.torrent_port, address=BOX)
        while not all(torrent.has_metadata for torrent in engine.poll().torrents.values()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(PATIENCE)
    return {address for address, count in (others.contacts + own.contacts).items() if count}


@pytest.mark.parametrize("version", VERSIONS)
def test_behind_its_filter_alone_it_contacts_the_internet_and_nothing_else(
    around: Surroundings, version: str, tmp_path: Path
) -> None:
    assert contacts_made(around, version, {}, tmp_path, at_least=set(INTERNET)) == set(INTERNET)


def test_behind_nftables_alone_it_contacts_the_internet_and_nothing_else(
    around: Surroundings, tmp_path: Path
) -> None:
    around.load_rules()

    contacts = contacts_made(around, INSTALLED, WITHOUT_FILTER, tmp_path, at_least=set(INTERNET))

    assert contacts == set(INTERNET)


def test_without_either_it_would_contact_everybody(around: Surroundings, tmp_path: Path) -> None:
    contacts_made(around, INSTALLED, WITHOUT_FILTER, tmp_path, at_least={*FORBIDDEN, *INTERNET})
