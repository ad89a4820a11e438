from collections.abc import Iterator
from pathlib import Path

import pytest

from torrents.tests.engines.canary import Canary
from torrents.tests.engines.harness import FakeHarness, Harness, RealHarness
from torrents.tests.engines.real import RealQBittorrent


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
def canary() -> Iterator[Canary]:
    with Canary().listening() as canary:
        yield canary
