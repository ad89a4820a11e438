"""Work for many people in a bounded time, so that nobody's holds up the others'."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0  # with somebody whom another process holds
_LOOK_AGAIN = 0.02  # seconds, where nobody else is left


class Busy(Exception):
    """Another process is at work for this person: what they have to do may be begun in a moment."""


def in_turns(
    people: Iterable[int], one_turn: Callable[[int], int | None], *, seconds: float, what: str
) -> int:
    """Give each person (an id) one turn after the other until nobody has anything to do, or the time is over; what the
    turns came to. A turn returns None when there is nothing (more) to do for them, and raises Busy to come again after
    the others; who stays busy is left to the next run. One that fails is their last: it is logged as `what` of whom,
    and the others go on.
    """
    total = 0
    ends_at = time.monotonic() + seconds
    waiting = deque(people)
    patience: dict[int, float] = {}  # until when, with those of them that are busy
    while waiting and time.monotonic() < ends_at:
        user_id = waiting.popleft()
        try:
            more = one_turn(user_id)
        except Busy:
            if time.monotonic() < patience.setdefault(user_id, time.monotonic() + PATIENCE_SECONDS):
                waiting.append(user_id)
                if len(waiting) == len(patience):
                    time.sleep(_LOOK_AGAIN)
                continue
            more = None
        except Exception:
            logger.exception("%s of user %s", what, user_id)
            more = None
        patience.pop(user_id, None)
        if more is not None:
            total += more
            waiting.append(user_id)
    return total
