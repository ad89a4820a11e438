"""What the contract tests do to an engine beside calling it: the same for the fake and for qBittorrent."""

import contextlib
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from deploy.swarm import Peer
from torrents.engines.base import Engine, EngineState, EngineTorrent, Snapshot
from torrents.engines.fake import FakeEngine
from torrents.tests.engines.real import PEER_ADDRESS, RealQBittorrent

WAIT_SECONDS = 30.0


class Harness(Protocol):
    data_root: Path

    @property
    def engine(self) -> Engine: ...

    def offer(self, metainfo: bytes, content: Path) -> None:
        """From now on, somebody in the swarm has this torrent."""

    def pass_time(self) -> None: ...

    def go_away(self) -> None: ...

    def come_back(self) -> None: ...

    def close(self) -> None: ...


class FakeHarness:
    def __init__(self, root: Path) -> None:
        self.engine = FakeEngine()
        self.data_root = root

    def offer(self, metainfo: bytes, content: Path) -> None:
        self.engine.offer(metainfo, content)

    def pass_time(self) -> None:
        self.engine.advance()

    def go_away(self) -> None:
        self.engine.away = True

    def come_back(self) -> None:
        self.engine.away = False

    def close(self) -> None:
        self.engine.close()


class RealHarness:
    def __init__(self, qbittorrent: RealQBittorrent) -> None:
        self.engine = qbittorrent.connect()
        self.data_root = qbittorrent.data_root
        self._qbittorrent = qbittorrent
        self._peers = contextlib.ExitStack()

    def offer(self, metainfo: bytes, content: Path, *, upload_limit: int = 0) -> None:
        peer = self._peers.enter_context(Peer(PEER_ADDRESS, upload_limit=upload_limit))
        peer.seed(metainfo, content)
        peer.knock_at(self._qbittorrent.options.torrent_port)

    def pass_time(self) -> None:
        time.sleep(0.1)

    def go_away(self) -> None:
        self._qbittorrent.stop()

    def come_back(self) -> None:
        self._qbittorrent.start()

    def close(self) -> None:
        self.engine.remove(self.engine.poll().torrents.keys(), delete_data=True)
        self.engine.set_total_upload_limit(None)
        self._peers.close()
        self.engine.close()


def wait_until(harness: Harness, holds: Callable[[Snapshot], bool]) -> Snapshot:
    """Poll until the snapshot is as wanted; fails with the last one otherwise."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds(snapshot := harness.engine.poll()):
        assert time.monotonic() < deadline, f"still not so: {dict(snapshot.torrents)}"
        harness.pass_time()
    return snapshot


def settled(snapshot: Snapshot) -> bool:
    return bool(snapshot.torrents) and all(t.state == EngineState.STOPPED for t in snapshot.torrents.values())


def finished(snapshot: Snapshot) -> bool:
    return bool(snapshot.torrents) and all(t.state == EngineState.SEEDING for t in snapshot.torrents.values())


def start_when_known(harness: Harness) -> EngineTorrent:
    """Wait until the only torrent, a magnet, has stopped with its metadata; then let it download."""
    torrent = only(wait_until(harness, lambda snapshot: settled(snapshot) and only(snapshot).has_metadata))
    harness.engine.start([torrent.key])
    return torrent


def new_save_path(harness: Harness) -> str:
    return str(harness.data_root / "t" / str(uuid.uuid4()))


def only(snapshot: Snapshot) -> EngineTorrent:
    (torrent,) = snapshot.torrents.values()
    return torrent


def at(snapshot: Snapshot, save_path: str) -> EngineTorrent | None:
    return next((torrent for torrent in snapshot.torrents.values() if torrent.save_path == save_path), None)


def write_content(folder: Path, *names: str, size: int = 150_000) -> Path:
    """Files of random bytes, so that no two tests share an infohash."""
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(size))
    return folder


def same_files(save_path: Path, content: Path) -> bool:
    """Whether all files of the folder `content` have arrived under the save path, byte for byte."""
    originals = [path for path in content.rglob("*") if path.is_file()]
    return all((save_path / p.relative_to(content.parent)).read_bytes() == p.read_bytes() for p in originals)
