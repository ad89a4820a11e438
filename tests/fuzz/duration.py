"""How long to search: as `python -m tests.fuzz --minutes 10` says; else shortly, and always for the same."""

import os
import random
import time
from collections.abc import Iterator

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
TEST_TIMEOUT = 300 + 120 * MINUTES  # seconds, for pytest


def rounds(short: int) -> Iterator[int]:
    """A seed for each round: `short` of them, and then as many as there is time for."""
    ends_at = time.monotonic() + 60 * MINUTES
    numbers = random.Random(SEED)
    done = 0
    while done < short or time.monotonic() < ends_at:
        yield numbers.randrange(2**32)
        done += 1
