"""Any order of what people do, of what the engine does and of what happens to it, with the engine in memory.

The same with a real qBittorrent: engines/test_claims_model_real.py.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from torrents.engines.base import EngineFile, EngineTorrent
from torrents.tests.claims_machine import ClaimsMachine, run_machine
from torrents.tests.claims_world import FILE_SIZE, Setting
from torrents.tests.reconciler_box import Moody

STEPS = int(os.environ.get("MODEL_STEPS", "350"))


class InMemory:
    def __init__(self) -> None:
        self.engine = Moody()

    def offer(self, metainfo: bytes, content: Path) -> None:
        self.engine.offer(metainfo, content)

    def look(self) -> Collection[EngineTorrent]:
        return self.engine.peek()

    def files(self, key: str) -> Collection[EngineFile]:
        return self.engine.files(key)

    def kill(self) -> None:
        self.engine.away = True
        for seen in self.engine.peek():  # what it had only just been given was not saved yet
            if not seen.has_metadata:
                self.engine.lose(seen.key)

    def start(self) -> None:
        self.engine.away = False

    def pass_time(self) -> None:
        if not self.engine.away:
            self.engine.advance(FILE_SIZE + 1)

    def patience(self) -> Iterator[None]:
        return iter([None] * 100)  # torrents may have to wait for each other

    def close(self) -> None:
        """Nothing is left."""


class MachineInMemory(ClaimsMachine):
    def make_setting(self) -> Setting:
        return InMemory()


@pytest.mark.timeout(max(300, STEPS))
@pytest.mark.usefixtures("db", "downloads")
def test_in_any_order_the_engine_ends_as_the_rules_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.file_progress.READ_EVERY", 0.0)  # here time passes by rounds
    run_machine(MachineInMemory, steps=STEPS, root=tmp_path, repeatable="MODEL_STEPS" not in os.environ)
