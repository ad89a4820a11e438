"""One reconciler per engine, held to it by PostgreSQL: an advisory lock lives and dies with its connection.

Whoever had it may still be in the middle of a round when PostgreSQL restarts and gives it to another. So there is a
second lock, on the folder of the data, that lives as long as the round does.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from django.db import connections

from torrents.intents import INTENT_CHANNEL

LOCK_CLASS = 0x70726F78  # "prox": our own namespace among advisory locks


class LockLost(Exception):
    """The lock's connection broke, so another reconciler may be at work: stop, and queue for the lock again."""


class ReconcilerLock:
    """A connection of its own that holds the lock and hears intents. Use as a context manager.

    Every method raises LockLost when the connection broke, as does making one while the database is away.
    """

    def __init__(self, engine_id: int) -> None:
        self._engine_id = engine_id
        try:
            self._connection = psycopg.connect(**_parameters(), autocommit=True)
        except psycopg.Error as error:
            raise LockLost(str(error)) from error
        self._execute(f"LISTEN {INTENT_CHANNEL}", ())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def try_acquire(self) -> bool:
        """False while another reconciler holds the lock."""
        row = self._execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, self._engine_id)).fetchone()
        return bool(row and row[0])

    def check(self) -> None:
        """Raise LockLost unless the connection that holds the lock still lives."""
        self._execute("SELECT 1", ())

    def wait_for_intent(self, seconds: float) -> bool:
        """Sleep until somebody wished something (True) or the time is over (False)."""
        try:
            heard = False
            for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                heard = True
            return heard
        except psycopg.Error as error:
            raise LockLost(str(error)) from error

    def _execute(self, query: str, parameters: tuple[object, ...]) -> psycopg.Cursor[tuple[object, ...]]:
        try:
            return self._connection.execute(query.encode(), parameters)
        except psycopg.Error as error:
            raise LockLost(str(error)) from error


class FolderLock:
    """Held by whoever writes to the engine, while they do; it ends with the process. Use as a context manager.

    All reconcilers of an engine reach the folder of its data, or they could not work at all.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def try_acquire(self) -> bool:
        """False while another one holds it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _parameters() -> dict[str, Any]:
    """Django's own connection parameters, without what only its cursors understand."""
    parameters = connections["default"].get_connection_params()
    return {
        name: value
        for name, value in parameters.items()
        if name not in ("cursor_factory", "context", "prepare_threshold", "server_side_binding")
    }
