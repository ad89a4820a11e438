from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from torrents.metainfo import Source, parse_torrent
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine
from torrents.tests.factories import client_of, person, v1_torrent
from torrents.tests.reconciler_box import Box


@pytest.fixture
def downloads(settings: Settings, tmp_path: Path) -> Path:
    """Where the engine's data lies during this test."""
    settings.DOWNLOADS_DIR = tmp_path / "downloads"
    settings.DISK_FLOOR = 0  # however full the disk is on which the tests run
    return tmp_path / "downloads"


@pytest.fixture
def alice(db: None) -> User:
    return person("alice")


@pytest.fixture
def bob(db: None) -> User:
    return person("bob")


@pytest.fixture
def charlie(db: None) -> User:
    return person("charlie")


@pytest.fixture
def api(alice: User) -> APIClient:
    """The API, asked by Alice."""
    return client_of(alice)


@pytest.fixture
def box(db: None, downloads: Path) -> Iterator[Box]:
    with ReconcilerLock(default_engine().pk) as lock:
        assert lock.try_acquire()
        yield Box(lock)


@pytest.fixture
def show(tmp_path: Path) -> Source:
    """A torrent whose content lies in tmp_path/swarm/show."""
    return parse_torrent(v1_torrent(tmp_path / "swarm"))
