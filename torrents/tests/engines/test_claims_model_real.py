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
from torrents.engines.base import EngineTorrent
from torrents.tests.claims_machine import ClaimsMachine, run_machine
from torrents.tests.claims_world import Setting
from torrents.tests.engines.real import PEER_ADDRESS, RealQBittorrent

pytestmark = pytest.mark.engine

STEPS = int(os.environ.get("MODEL_STEPS", "50"))
PATIENCE = 90.0  # seconds


class Real:
    def __init__(self, qbittorrent: RealQBittorrent) -> None:
        self._qbittorrent = qbittorrent
        self.engine = qbittorrent.connect()
        self._onlooker = qbittorrent.connect()  # the reconciler's own session tells what changed only once
        self._peers = contextlib.ExitStack()

    def offer(self, metainfo: bytes, content: Path) -> None:
        peer = self._peers.enter_context(Peer(PEER_ADDRESS))
        peer.seed(metainfo, content)
        peer.knock_at(self._qbittorrent.options.torrent_port)

    def look(self) -> Collection[EngineTorrent]:
        return self._onlooker.poll().torrents.values()

    def kill(self) -> None:
        self._qbittorrent.kill()

    def start(self) -> None:
        self._qbittorrent.start()

    def pass_time(self) -> None:
        time.sleep(0.2)

    def patience(self) -> Iterator[None]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            yield

    def close(self) -> None:
        self._peers.close()
        for _ in self.patience():
            left = self.look()
            if not left:
                break
            self.engine.remove([seen.key for seen in left], delete_data=True)
            self.pass_time()
        self._onlooker.close()
        self.engine.close()


class MachineOnQBittorrent(ClaimsMachine):
    qbittorrent: ClassVar[RealQBittorrent]

    def make_setting(self) -> Setting:
        return Real(self.qbittorrent)


@pytest.mark.timeout(max(300, 5 * STEPS))
@pytest.mark.usefixtures("db")
def test_in_any_order_qbittorrent_ends_as_the_rules_say(
    own_qbittorrent: RealQBittorrent,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.DOWNLOADS_DIR = own_qbittorrent.data_root
    monkeypatch.setattr("torrents.reconciler.RELOAD_EVERY", 0.5)  # what failed is tried again after that
    own_qbittorrent.start()
    MachineOnQBittorrent.qbittorrent = own_qbittorrent
    repeatable = "MODEL_STEPS" not in os.environ
    run_machine(MachineOnQBittorrent, steps=STEPS, root=tmp_path / "swarm", repeatable=repeatable)
