"""Waiting for something to become true, with an end."""

import asyncio
import time
from collections.abc import Callable


async def eventually(true: Callable[[], object], *, within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
