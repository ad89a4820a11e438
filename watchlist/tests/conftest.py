"""People, a pretended AniList, a clock, and a catalogue that is easily foretold."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import UserFactory
from watchlist.tests import deciding_world
from watchlist.tests.anilist_server import AniListServer, anilist_server
from watchlist.tests.clock import Clock, simulated_time


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(username="bob")


@pytest.fixture
def clock() -> Iterator[Clock]:
    with simulated_time() as clock:
        yield clock


@pytest.fixture
def anilist(settings: Settings) -> Iterator[AniListServer]:
    with anilist_server() as server:
        settings.ANILIST_URL = server.url
        settings.ANILIST_CLIENT_ID = "4711"
        yield server


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> deciding_world.Chosen:
    """Deciding alone: titles are known letter by letter, and nothing is downloaded."""
    return deciding_world.install(monkeypatch)
