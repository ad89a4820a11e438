"""People, and a server on loopback whose feeds the tests write."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import UserFactory
from feeds.tests.feed_server import FeedServer, run_feed_server


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(username="bob")


@pytest.fixture
def feed_server(settings: Settings) -> Iterator[FeedServer]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    yield from run_feed_server()
