"""What happens to one session from many sides at the same moment, on a real PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts import services, sessions
from accounts.models import DeviceSession
from accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
MANY, ROUNDS = 16, 100


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that keep their connection from round to round, and close it at the end."""
    with ThreadPoolExecutor(MANY) as pool:
        yield pool
        together = Barrier(MANY)

        def close(_: int) -> None:
            together.wait(timeout=30)
            connection.close()

        list(pool.map(close, range(MANY)))


def test_all_of_sixteen_simultaneous_refreshes_get_the_same_successor_a_hundred_times(
    pool: ThreadPoolExecutor,
) -> None:
    session = sessions.open_session(user=UserFactory.create())
    start = Barrier(MANY)

    def refresh(token: str) -> str:
        start.wait(timeout=30)
        return sessions.refresh_session(refresh=token).refresh

    token = sessions.refresh_token(session.pk, 0)
    for number in range(1, ROUNDS + 1):
        successors = set(pool.map(refresh, [token] * MANY))
        assert len(successors) == 1
        (token,) = successors
        session.refresh_from_db()
        assert (session.generation, session.ended_at) == (number, None)


def test_disabling_a_person_who_refreshes_at_that_moment_leaves_no_living_session(
    pool: ThreadPoolExecutor,
) -> None:
    user = UserFactory.create()
    tokens = [sessions.refresh_token(sessions.open_session(user=user).pk, 0) for _ in range(MANY)]
    start = Barrier(MANY + 1)

    def refresh(token: str) -> str | None:
        start.wait(timeout=30)
        try:
            return sessions.refresh_session(refresh=token).refresh
        except sessions.SessionRefused:
            return None

    successors = pool.map(refresh, tokens)
    start.wait(timeout=30)
    services.disable_user(user=user)
    made = [*tokens, *filter(None, successors)]
    services.enable_user(user=user)
    assert not DeviceSession.objects.alive().exists()
    for token in made:
        with pytest.raises(sessions.SessionEnded):
            sessions.refresh_session(refresh=token)
