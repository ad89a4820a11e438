from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from torrents.tests.factories import person


@pytest.fixture
def downloads(settings: Settings, tmp_path: Path) -> Path:
    """Where the engine's data lies during this test."""
    settings.DOWNLOADS_DIR = tmp_path / "downloads"
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
