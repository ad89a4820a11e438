"""Any order of what people do and of what happens to the engine, with a real qBittorrent and real peers.

MODEL_STEPS=1000 lets it try other orders, and for longer.
"""

import contextlib
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from pytest_django import Settings

from deploy.swarm import Peer
from torrents.engines.base import EngineFile, EngineTorrent
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine
from torrents.tests.claims_machine import ClaimsMachine, run_machine
from torrents.tests.claims_world import Setting, make_contents
from torrents.tests.engines.real import PEER_ADDRESS, RealQBittorrent

pytestmark = pytest.mark.engine

STEPS = int(os.environ.get("MODEL_STEPS", "50"))
PATIENCE = 120.0  # seconds
OTHERS_COME = 15.0


class Real:
    def __init__(self, qbittorrent: RealQBittorrent) -> None:
        self._qbittorrent = qbittorrent
        self.engine = qbittorrent.connect()
        self._peers = contextlib.ExitStack()
        self._offers: list[tuple[bytes, Path]] = []

    def offer(self, metainfo: bytes, content: Path) -> None:
        self._offers.append((metainfo, content))
        self._seed(metainfo, content)

    def _seed(self, metainfo: bytes, content: Path) -> None:
        peer = self._peers.enter_context(Peer(PEER_ADDRESS))
        peer.seed(metainfo, content)
        peer.knock_at(self._qbittorrent.options.torrent_port)

    def look(self) -> Collection[EngineTorrent]:
        # The reconciler's own session tells what changed only once.
        with contextlib.closing(self._qbittorrent.connect()) as onlooker:
            return onlooker.poll().torrents.values()

    def files(self, key: str) -> Collection[EngineFile]:
        return self.engine.files(key)

    def kill(self) -> None:
        self._qbittorrent.kill()

    def start(self) -> None:
        self._qbittorrent.start()

    def pass_time(self) -> None:
        time.sleep(0.2)

    def patience(self) -> Iterator[None]:
        deadline = time.monotonic() + PATIENCE
        others_come = time.monotonic() + OTHERS_COME
        while time.monotonic() < deadline:
            if time.monotonic() > others_come:
                # A peer never again calls at an address that it has known as a seed, and the engine may have been one
                # before the torrent was retired and added again.
                self._peers.close()
                for offer in self._offers:
                    self._seed(*offer)
                others_come = time.monotonic() + OTHERS_COME
            yield

    def close(self) -> None:
        self._offers.clear()
        self._peers.close()
        for _ in self.patience():
            left = self.look()
            if not left:
                break
            self.engine.remove([seen.key for seen in left], delete_data=True)
            self.pass_time()
        self.engine.close()


class MachineOnQBittorrent(ClaimsMachine):
    qbittorrent: ClassVar[RealQBittorrent]

    def make_setting(self) -> Setting:
        return Real(self.qbittorrent)


@pytest.fixture
def machine(
    db: None,
    own_qbittorrent: RealQBittorrent,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> type[ClaimsMachine]:
    settings.DOWNLOADS_DIR = own_qbittorrent.data_root
    monkeypatch.setattr("torrents.reconciler.RELOAD_EVERY", 0.5)  # what failed is tried again after that
    monkeypatch.setattr("torrents.file_progress.READ_EVERY", 0.2)
    own_qbittorrent.start()
    MachineOnQBittorrent.qbittorrent = own_qbittorrent
    return MachineOnQBittorrent


@pytest.mark.timeout(max(300, 5 * STEPS))
def test_in_any_order_qbittorrent_ends_as_the_rules_say(machine: type[ClaimsMachine], tmp_path: Path) -> None:
    repeatable = "MODEL_STEPS" not in os.environ
    run_machine(machine, steps=STEPS, root=tmp_path / "swarm", repeatable=repeatable)


def test_what_was_retired_and_is_added_again_is_downloaded_again(
    machine: type[ClaimsMachine], tmp_path: Path
) -> None:
    with ReconcilerLock(default_engine().pk) as machine.lock:
        assert machine.lock.try_acquire()
        machine.contents = make_contents(tmp_path / "swarm")
        box = machine()
        box.begin(adds=[("alice", 2, "torrent", True)], offered={2})
        box.everything_settles()
        box.remove(pick=0)
        box.time_passes(grace=True, worker=True)
        box.everything_settles()
        box.somebody_adds(what=("bob", 2, "v1", True))
        box.everything_settles()
        box.looks_right()
        box.teardown()
