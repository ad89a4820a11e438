"""People."""

import pytest

from accounts.models import User
from accounts.tests.factories import UserFactory


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="Alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(username="bob")
