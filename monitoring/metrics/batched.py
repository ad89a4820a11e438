"""Counts that wait a moment to be made together.

prometheus_client counts into a file that all web processes share. Between two requests its code is cold, and the counts
of one poll take 15 to 30 microseconds, one after the other 5 (`python -m benchmarks.monitoring`).
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)

EVERY = 1.0  # seconds
MOST = 200  # then somebody makes them at once

_waiting: deque[tuple[Callable[[float], None], float]] = deque()


def later(count: Callable[[float], None], seconds: float) -> None:
    """`count(seconds)` within EVERY seconds, in each process that `keep_counting`; before the process ends in all."""
    _waiting.append((count, seconds))
    if len(_waiting) >= MOST:
        now()


def now() -> None:
    while _waiting:
        try:
            count, seconds = _waiting.popleft()
        except IndexError:  # another thread was quicker
            return
        try:
            count(seconds)
        except Exception:  # nobody who asks for something is refused it for that
            logger.exception("A count is lost")


def keep_counting() -> None:
    """Call it once in a process that answers requests: a thread does not survive a fork."""
    threading.Thread(target=_count_on, name="counts", daemon=True).start()


def _count_on() -> None:
    while True:
        time.sleep(EVERY)
        now()


atexit.register(now)
os.register_at_fork(after_in_child=_waiting.clear)  # they are the parent's to count
