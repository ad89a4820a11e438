"""A reconciler beside an engine in memory, for tests that count out its rounds."""

import time
import uuid
from collections.abc import Collection
from pathlib import Path

from torrents.engines.base import EngineError, EngineFile, EngineTorrent, TorrentRejected
from torrents.engines.fake import FakeEngine
from torrents.metainfo import Source
from torrents.models import Claim
from torrents.reconciler import Reconciler
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine

EVERYTHING = 10**9


class Moody(FakeEngine):
    """An engine that is there and still fails at some things."""

    rejects = ""
    fails_to: str = ""
    add_seconds = 0.0

    def add(self, *, metainfo: bytes | None, magnet: str | None, save_path: str, stopped: bool) -> None:
        if self.rejects:
            raise TorrentRejected(self.rejects)
        time.sleep(self.add_seconds)
        super().add(metainfo=metainfo, magnet=magnet, save_path=save_path, stopped=stopped)

    def peek(self) -> list[EngineTorrent]:
        """What it holds, without its reconciler noticing that somebody looked."""
        return [self._seen(held) for held in self._torrents.values()]

    def start(self, keys: Collection[str]) -> None:
        self._fail_to("start")
        super().start(keys)

    def files(self, key: str) -> tuple[EngineFile, ...]:
        self._fail_to("files")
        return super().files(key)

    def set_wanted_files(self, key: str, indexes: Collection[int] | None) -> None:
        self._fail_to("choose")
        super().set_wanted_files(key, indexes)

    def export_metainfo(self, key: str) -> bytes:
        self._fail_to("export")
        return super().export_metainfo(key)

    def _fail_to(self, what: str) -> None:
        if self.fails_to == what:
            raise EngineError(f"The engine refused to {what}.")


class Box:
    """A reconciler at work on an engine; its rounds are counted out by the test."""

    def __init__(self, lock: ReconcilerLock) -> None:
        self.engine = Moody()
        self._lock = lock
        self.restart()

    def restart(self) -> None:
        self.reconciler = Reconciler(engine=self.engine, row=default_engine(), lock=self._lock)

    def rounds(self, count: int = 2, *, woken: bool = True) -> None:
        for _ in range(count):
            self.reconciler.attempt(woken=woken)

    def held(self) -> dict[uuid.UUID, EngineTorrent]:
        return {uuid.UUID(Path(torrent.save_path).name): torrent for torrent in self.engine.peek()}


def seen(claim: Claim) -> Claim:
    return Claim.objects.of(claim.user).get(pk=claim.pk)


def download(box: Box, source: Source, tmp_path: Path) -> None:
    assert source.metainfo is not None
    box.engine.offer(source.metainfo, tmp_path / "swarm" / "show")
    box.rounds()
    box.engine.advance(EVERYTHING)
    box.rounds()
