"""Gates that tests look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from watchlist.providers.base import ProviderError, Trouble


class CountingGate:
    def __init__(self) -> None:
        self.entered = 0
        self.closed = False
        self.troubles: list[Trouble] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if self.closed:
            raise ProviderError("Closed.", Trouble.BUSY)
        self.entered += 1
        try:
            yield
        except ProviderError as error:
            self.troubles.append(error.trouble)
            raise
