"""A clock that only moves when it is told to. Everything in the watchlist reads `timezone.now`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock

BEGINNING = datetime(2026, 4, 6, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self._now = BEGINNING
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def seconds(self) -> float:
        """Since the beginning."""
        return (self.now() - BEGINNING).total_seconds()

    def move(self, **by: float) -> None:
        """As timedelta takes it."""
        with self._lock:
            self._now += timedelta(**by)

    def move_to(self, seconds: float) -> None:
        """Since the beginning; never back."""
        with self._lock:
            self._now = max(self._now, BEGINNING + timedelta(seconds=seconds))


@contextmanager
def simulated_time() -> Iterator[Clock]:
    clock = Clock()
    with mock.patch("django.utils.timezone.now", clock.now):
        yield clock
