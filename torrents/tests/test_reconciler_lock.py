"""One reconciler at a time, woken by wishes: held to it by a connection of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from torrents import services
from torrents.engines.fake import FakeEngine
from torrents.intents import wake_reconciler
from torrents.management.commands import run_engine
from torrents.models import Claim, Engine, Removal
from torrents.reconciler import Reconciler
from torrents.reconciler_lock import LOCK_CLASS, LockLost, ReconcilerLock
from torrents.services import default_engine
from torrents.tests.factories import add, at_once, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("downloads")]


@pytest.fixture
def engine(transactional_db: None) -> Engine:
    return default_engine()


@pytest.fixture
def lock(engine: Engine) -> Iterator[ReconcilerLock]:
    with ReconcilerLock(engine.pk) as lock:
        assert lock.try_acquire()
        yield lock


def end_holder(engine: Engine) -> None:
    """What a restart of the database does to whoever holds the lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
            " AND classid = %s AND objid = %s AND granted",
            [LOCK_CLASS, engine.pk],
        )
        assert cursor.fetchall() == [(True,)]


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def running(call: Callable[[], None]) -> Iterator[None]:
    """`call` in a thread; what it raises is raised here at the end."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


def test_a_second_reconciler_gets_the_lock_when_the_first_ones_connection_ends(engine: Engine) -> None:
    with ReconcilerLock(engine.pk) as second:
        with ReconcilerLock(engine.pk) as first:
            assert first.try_acquire()
            assert not second.try_acquire()
        assert within(5, second.try_acquire)


def test_two_engines_have_a_reconciler_each(engine: Engine, lock: ReconcilerLock) -> None:
    with ReconcilerLock(engine.pk + 1) as other:
        assert other.try_acquire()


def test_whoever_lost_the_connection_has_lost_the_lock(engine: Engine, lock: ReconcilerLock) -> None:
    lock.check()
    end_holder(engine)
    with pytest.raises(LockLost):
        lock.check()
    with pytest.raises(LockLost):
        lock.wait_for_intent(5)
    with pytest.raises(LockLost):
        lock.try_acquire()


def test_a_lost_lock_is_noticed_in_the_middle_of_waiting(engine: Engine, lock: ReconcilerLock) -> None:
    timer = threading.Timer(0.1, lambda: at_once(lambda: end_holder(engine)))
    timer.start()
    started = time.monotonic()
    with pytest.raises(LockLost):
        lock.wait_for_intent(20)
    assert time.monotonic() - started < 5
    timer.join()


def test_no_round_touches_the_engine_after_the_lock_is_lost(engine: Engine, lock: ReconcilerLock) -> None:
    adapter = FakeEngine()
    reconciler = Reconciler(engine=adapter, row=engine, lock=lock)
    add(person("alice"))
    end_holder(engine)
    with pytest.raises(LockLost):
        reconciler.round(woken=True)
    assert not adapter.poll().torrents


def waking(act: Callable[[], object], lock: ReconcilerLock) -> float:
    """Seconds from the wish to the reconciler's waking."""
    done: list[float] = []

    def wish() -> None:
        act()
        done.append(time.monotonic())

    with running(wish):
        assert lock.wait_for_intent(10)
        woken = time.monotonic()
    return woken - done[0]


def test_a_wish_wakes_the_reconciler_at_once(lock: ReconcilerLock) -> None:
    alice = person("alice")
    assert waking(lambda: add(alice), lock) < 0.5
    claim = Claim.objects.get()
    for verb in (services.pause_torrent, services.resume_torrent, services.remove_torrent):
        assert waking(lambda verb=verb: verb(claim=claim), lock) < 0.5  # type: ignore[misc]


def test_a_wish_that_came_during_a_round_is_heard_after_it(lock: ReconcilerLock) -> None:
    add(person("alice"))
    for _ in range(3):
        lock.check()
    started = time.monotonic()
    assert lock.wait_for_intent(10)
    assert time.monotonic() - started < 5


def test_a_wish_that_was_undone_wakes_nobody(lock: ReconcilerLock) -> None:
    alice = person("alice")
    with transaction.atomic():
        add(alice)
        transaction.set_rollback(True)
    assert not lock.wait_for_intent(0.2)


def test_without_wishes_the_wait_is_as_long_as_asked(lock: ReconcilerLock) -> None:
    started = time.monotonic()
    assert not lock.wait_for_intent(0.2)
    assert 0.15 < time.monotonic() - started < 2


class Watched(FakeEngine):
    def holds_all(self, count: int) -> bool:
        return len(self._torrents) == count


def test_the_command_works_waits_for_its_turn_and_takes_over(engine: Engine, downloads: Path) -> None:
    alice = person("alice")
    first, second = Watched(), Watched()
    stop_first, stop_second = threading.Event(), threading.Event()
    with running(lambda: run_engine.reconcile(first, stop_first)):
        assert within(10, lambda: Engine.objects.get().reachable)
        with running(lambda: run_engine.reconcile(second, stop_second)):
            add(alice)
            assert within(5, lambda: first.holds_all(1))
            assert second.holds_all(0)
            stop_first.set()
            add(alice)  # wakes it to see that it shall stop
            assert within(10, lambda: second.holds_all(2))
            stop_second.set()
            add(alice)


def test_a_stopping_command_does_not_wait_for_the_next_poll(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.reconciler.AWAY_PAUSES", (20.0,))
    adapter = Watched()
    adapter.away = True
    stop = threading.Event()
    with running(lambda: run_engine.reconcile(adapter, stop)):
        assert within(10, lambda: Engine.objects.get().checked_at is not None)
        stop.set()
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 2.5


def test_adding_and_removing_again_and_again_leaves_nothing_behind(
    engine: Engine, downloads: Path, settings: Settings
) -> None:
    settings.REMOVAL_GRACE_SECONDS = 0
    alice = person("alice")
    adapter, stop = Watched(), threading.Event()
    with running(lambda: run_engine.reconcile(adapter, stop)):
        for _ in range(10):
            services.remove_torrent(claim=add(alice))
            services.retire_unclaimed_torrents()
        assert within(15, lambda: not Removal.objects.exists())
        assert adapter.holds_all(0)
        assert list((downloads / "t").glob("*")) == []
        stop.set()
        wake_reconciler()
