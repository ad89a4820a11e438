"""When a feed is checked next. Pure rules.

Every feed is checked at least every ten minutes (a promise to its subscribers), so a ttl can only ask for more often; a
feed that does not want to be asked says so by 304, 429 or Retry-After.
"""

import random
from datetime import timedelta

# The schedule looks once a minute, and a check may take half a minute.
EVERY = timedelta(minutes=8, seconds=15)
MOST_OFTEN = timedelta(minutes=4)
_TRANSIENT = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 10, 20, 40, 60))
_PERMANENT = tuple(timedelta(hours=hours) for hours in (1, 3, 6, 24))
_LONGEST_RETRY_AFTER = timedelta(days=1)


def after_success(ttl: timedelta | None) -> timedelta:
    """With a little chance in it, so that feeds that were added together do not stay together."""
    every = EVERY if ttl is None else min(EVERY, max(MOST_OFTEN, ttl))
    return every - timedelta(seconds=random.uniform(0, 15))  # noqa: S311  nothing secret


def after_failure(failures: int, *, permanent: bool, retry_after: str = "") -> timedelta:
    """`failures` in a row, this one included; `retry_after` as the header says it: seconds, no date."""
    ladder = _PERMANENT if permanent else _TRANSIENT
    wait = ladder[min(max(failures, 1), len(ladder)) - 1]
    if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 10:
        wait = max(wait, min(timedelta(seconds=int(retry_after)), _LONGEST_RETRY_AFTER))
    return wait
