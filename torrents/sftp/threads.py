"""Rows and files for an event loop: everything that may block runs in a few threads."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import close_old_connections

from torrents.traffic import record_handovers

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)

LOGINS = 2  # checks of keys and passwords at once, however many people knock
QUERIES = 4  # each of these threads holds a PostgreSQL connection while it is used
READS = 8


class Threads:
    """Three small pools, so that neither a flood of logins nor a slow disk keeps others from their listings."""

    def __init__(self) -> None:
        self._logins = ThreadPoolExecutor(LOGINS, "login")
        self._queries = ThreadPoolExecutor(QUERIES, "query")
        self._reads = ThreadPoolExecutor(READS, "read")

    async def login(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._logins, _with_database(call), *args, **kwargs)

    async def query(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._queries, _with_database(call), *args, **kwargs)

    async def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._reads, call, *args, **kwargs)

    def close(self) -> None:
        self._queries.shutdown(wait=False)  # what it still has to write down, it does
        for pool in (self._logins, self._reads):
            pool.shutdown(wait=False, cancel_futures=True)


async def _run(pool: ThreadPoolExecutor, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: context.run(call, *args, **kwargs))


def _with_database(call: Callable[P, T]) -> Callable[P, T]:
    """As a request of the web process: a connection that PostgreSQL has dropped is replaced."""

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        close_old_connections()
        try:
            return call(*args, **kwargs)
        finally:
            close_old_connections()

    return run


def note_handover(sent: Mapping[UUID, int]) -> None:
    """Tell the traffic ledger that these bytes, by claim, left by SFTP."""
    today = datetime.now(UTC).date()
    record_handovers({(claim_id, today): count for claim_id, count in sent.items()}, channel="sftp")
