from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine
from torrents.tests.engines.harness import FakeHarness, Harness, RealHarness
from torrents.tests.engines.real import RealQBittorrent
from torrents.tests.engines.real_box import RealBox


@pytest.fixture(scope="session")
def qbittorrent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealQBittorrent]:
    """One running qBittorrent for all tests; each leaves it running and without torrents."""
    real = RealQBittorrent(tmp_path_factory.mktemp("qbittorrent"))
    real.start()
    yield real
    real.stop()


@pytest.fixture
def own_qbittorrent(tmp_path: Path) -> Iterator[RealQBittorrent]:
    """A qBittorrent for one test that harms or changes it; not started yet, and in a folder with an odd name."""
    real = RealQBittorrent(tmp_path / 'an "own", ü;é%41')
    yield real
    real.stop()


@pytest.fixture(params=["fake", pytest.param("qbittorrent", marks=pytest.mark.engine)])
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    made: Harness
    if request.param == "fake":
        made = FakeHarness(tmp_path / "data")
    else:
        made = RealHarness(request.getfixturevalue("qbittorrent"))
    yield made
    made.close()


@pytest.fixture
def real_box(db: None, qbittorrent: RealQBittorrent, settings: Settings) -> Iterator[RealBox]:
    settings.DOWNLOADS_DIR = qbittorrent.data_root
    with ReconcilerLock(default_engine().pk) as lock:
        assert lock.try_acquire()
        box = RealBox(qbittorrent, lock)
        yield box
        box.harness.close()
