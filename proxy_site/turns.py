"""Work for many people in a bounded time, so that nobody's holds up the others'."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)


def in_turns(
    people: Iterable[int], one_turn: Callable[[int], int | None], *, seconds: float, what: str
) -> int:
    """Give each person (an id) one turn after the other until nobody has anything to do, or the time is over; what the
    turns came to. A turn returns None when there is nothing (more) to do for them. One that fails is their last: it is
    logged as `what` of whom, and the others go on.
    """
    total = 0
    ends_at = time.monotonic() + seconds
    waiting = deque(people)
    while waiting and time.monotonic() < ends_at:
        user_id = waiting.popleft()
        try:
            more = one_turn(user_id)
        except Exception:
            logger.exception("%s of user %s", what, user_id)
            continue
        if more is not None:
            total += more
            waiting.append(user_id)
    return total
