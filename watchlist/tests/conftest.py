"""People, and a catalogue that is easily foretold."""

import pytest

from accounts.models import User
from accounts.tests.factories import UserFactory
from watchlist.tests import deciding_world


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(username="bob")


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> deciding_world.Chosen:
    """Deciding alone: titles are known letter by letter, and nothing is downloaded."""
    return deciding_world.install(monkeypatch)
