"""A reconciler beside a real qBittorrent, for tests that let rounds go by until something is so."""

import time
from collections.abc import Callable
from typing import Any

from torrents.engines.base import EngineTorrent
from torrents.models import Claim
from torrents.reconciler import Reconciler, torrent_id_of
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine
from torrents.tests.engines.harness import RealHarness
from torrents.tests.engines.real import RealQBittorrent
from torrents.tests.reconciler_box import seen

WAIT_SECONDS = 60.0


class RealBox:
    """A reconciler at work on a real engine."""

    def __init__(self, qbittorrent: RealQBittorrent, lock: ReconcilerLock) -> None:
        self.qbittorrent = qbittorrent
        self.harness = RealHarness(qbittorrent)
        self._reconciler = Reconciler(engine=self.harness.engine, row=default_engine(), lock=lock)

    def until(self, holds: Callable[[], Any]) -> None:
        """Rounds, until something is so."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"still not so: {self.harness.engine.poll().torrents}"
            self._reconciler.attempt(woken=True)
            time.sleep(0.1)

    def held(self, claim: Claim) -> EngineTorrent:
        return next(
            torrent
            for torrent in self.harness.engine.poll().torrents.values()
            if torrent_id_of(torrent.save_path) == claim.torrent_id
        )


def complete(claim: Claim) -> bool:
    return seen(claim).completed_at is not None
