from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine
from torrents.tests.engines.canary import Canary
from torrents.tests.engines.harness import FakeHarness, Harness, RealHarness
from torrents.tests.engines.real import INSTALLED, VERSIONS, RealQBittorrent, binary_of
from torrents.tests.engines.real_box import RealBox


@pytest.fixture(scope="session")
def running_qbittorrent(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], RealQBittorrent]]:
    """One running qBittorrent of each of VERSIONS that is asked for; each test leaves it running and empty."""
    running: dict[str, RealQBittorrent] = {}
    with ExitStack() as stack:

        def start(version: str) -> RealQBittorrent:
            if version not in running:
                real = RealQBittorrent(tmp_path_factory.mktemp("qbittorrent"), binary=binary_of(version))
                stack.callback(real.stop)
                real.start()
                running[version] = real
            return running[version]

        yield start


@pytest.fixture(scope="session")
def qbittorrent(running_qbittorrent: Callable[[str], RealQBittorrent]) -> RealQBittorrent:
    return running_qbittorrent(INSTALLED)


@pytest.fixture
def own_qbittorrent(tmp_path: Path) -> Iterator[RealQBittorrent]:
    """A qBittorrent for one test that harms or changes it; not started yet, and in a folder with an odd name."""
    real = RealQBittorrent(tmp_path / 'an "own", ü;é%41')
    yield real
    real.stop()


@pytest.fixture(params=VERSIONS)
def own_qbittorrent_of_each_version(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[RealQBittorrent]:
    """The same, of each version that we promise to work with."""
    real = RealQBittorrent(tmp_path / 'an "own", ü;é%41', binary=binary_of(request.param))
    yield real
    real.stop()


@pytest.fixture(params=["fake", pytest.param(INSTALLED, marks=pytest.mark.engine)])
def harness(
    request: pytest.FixtureRequest,
    running_qbittorrent: Callable[[str], RealQBittorrent],
    tmp_path: Path,
) -> Iterator[Harness]:
    """An engine of the kind "fake" or, of qBittorrents, of one of VERSIONS."""
    made: Harness
    if request.param == "fake":
        made = FakeHarness(tmp_path / "data")
    else:
        made = RealHarness(running_qbittorrent(request.param))
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


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary().listening() as canary:
        yield canary
