from collections.abc import Iterator

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import AdminFactory, UserFactory


@pytest.fixture(autouse=True)
def fresh_throttles() -> Iterator[None]:
    """Attempts to log in are counted in the cache."""
    yield
    cache.clear()


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(username="bob")


@pytest.fixture
def admin_user(db: None) -> User:
    return AdminFactory.create(username="charlie")
