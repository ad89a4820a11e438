"""What happens to one session from many sides at the same moment, on a real PostgreSQL."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts import services, sessions
from accounts.models import AuditEvent, DeviceSession
from accounts.tests.conftest import Clock
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


def wait_until_somebody_waits_for_us() -> None:
    """For the calling transaction to end, because it has locked a row."""
    waiting = """
        SELECT FROM pg_locks AS ours JOIN pg_locks AS theirs USING (transactionid)
        WHERE ours.pid = pg_backend_pid() AND NOT theirs.granted
    """
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while cursor.execute(waiting).rowcount == 0:
            assert time.monotonic() < deadline, "nobody waits for us"
            time.sleep(0.01)


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
        before = session.rotations
        successors = set(pool.map(refresh, [token] * MANY))
        assert len(successors) == 1
        (token,) = successors
        session.refresh_from_db()
        assert (session.generation, session.ended_at) == (number, None)
        *older, newest = session.rotations
        assert older == before[len(before) - len(older) :], "one rotation is recorded, not one for each"
        assert newest not in before


def test_a_refresh_that_waited_for_the_end_of_its_session_does_not_bring_it_back(
    pool: ThreadPoolExecutor,
) -> None:
    session = sessions.open_session(user=UserFactory.create())
    token = sessions.refresh_token(session.pk, 0)
    with transaction.atomic():
        sessions.end_session(refresh=token)
        late = pool.submit(sessions.refresh_session, refresh=token)
        wait_until_somebody_waits_for_us()
    with pytest.raises(sessions.SessionEnded):
        late.result(timeout=30)
    assert not DeviceSession.objects.alive().exists()


def test_a_refresh_that_waited_for_two_others_undoes_neither(pool: ThreadPoolExecutor) -> None:
    session = sessions.open_session(user=UserFactory.create())
    token = sessions.refresh_token(session.pk, 0)
    with transaction.atomic():
        successor = sessions.refresh_session(refresh=token).refresh
        sessions.refresh_session(refresh=successor)
        late = pool.submit(sessions.refresh_session, refresh=token)
        wait_until_somebody_waits_for_us()
        session.refresh_from_db()
        before = (session.generation, session.rotations)
    assert late.result(timeout=30).refresh == successor
    session.refresh_from_db()
    assert (session.generation, session.rotations) == before


def test_a_token_that_is_reused_sixteen_times_at_once_ends_its_session_once(
    pool: ThreadPoolExecutor, clock: Clock
) -> None:
    session = sessions.open_session(user=UserFactory.create())
    stolen = sessions.refresh_token(session.pk, 0)
    successor = sessions.refresh_session(refresh=stolen).refresh
    clock.go_on(seconds=31)
    start = Barrier(MANY)

    def reuse(_: int) -> str:
        start.wait(timeout=30)
        with pytest.raises(sessions.SessionEnded) as refused:
            sessions.refresh_session(refresh=stolen)
        return str(refused.value.get_codes())

    assert len(set(pool.map(reuse, range(MANY)))) == 1
    assert AuditEvent.objects.filter(action=AuditEvent.Action.TOKEN_REUSED).count() == 1
    with pytest.raises(sessions.SessionEnded):
        sessions.refresh_session(refresh=successor)


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
