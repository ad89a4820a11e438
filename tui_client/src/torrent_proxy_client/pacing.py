"""How long to wait between attempts, and how fast it goes."""

import time
from collections import deque

from torrent_proxy_client import words
from torrent_proxy_client.errors import ClientError, NothingArrived

_SPEED_OVER = 5.0  # seconds
_LONGEST_ATTEMPT = 45.0  # seconds until a request that gets nowhere is over, connecting included


class Backoff:
    """1, 2, 4 … 30 s between attempts, until nothing has arrived for `patience` seconds.

    Time that this process did not live through (a suspended laptop, a stopped process) is not counted.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        self._waited = 0.0
        self._seen = time.monotonic()
        self._slept = 0.0
        self._delay = min(1.0, self._patience / 10)

    def next_delay(self, error: ClientError) -> float:
        now = time.monotonic()
        self._waited += min(now - self._seen, self._slept + _LONGEST_ATTEMPT)
        self._seen = now
        if self._waited >= self._patience:
            raise NothingArrived(
                f"Nothing arrived for {words.duration(self._patience)}. What is here is kept; fetch it again "
                f"to go on. The last problem: {error}"
            ) from error
        delay, self._delay = self._delay, min(self._delay * 2, 30.0)
        self._slept = max(delay, getattr(error, "retry_after", None) or 0.0)
        return self._slept


class Meter:
    """Bytes per second over the last few seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, count: int) -> None:
        self._samples.append((time.monotonic(), count))
        self._sum += count

    def speed(self) -> float:
        now = time.monotonic()
        while self._samples and self._samples[0][0] < now - _SPEED_OVER:
            self._sum -= self._samples.popleft()[1]
        if not self._samples:
            return 0.0
        return self._sum / max(now - self._samples[0][0], 0.2)
