"""Prepared queries by libpq's own blocking call, which lets other threads run while it waits.

psycopg's cursors wait in Python, so that a query may be interrupted and its connection shared. A web thread's connection
is its own, and what it asks all the time takes a fraction of a millisecond.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult


class Prepared:
    """What was prepared in one connection, which is in autocommit mode: psycopg begins transactions, not we."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}  # by text and types of values
        self._numbers = count()

    def fetch(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows. Raises psycopg's errors; a query that failed is prepared anew next time."""
        transformer = Transformer(self._connection)
        values = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
        query = sql, transformer.types or ()
        if query not in self._names:
            name = b"fetch_%d" % next(self._numbers)
            self._check(
                self._connection.pgconn.prepare(name, _numbered(sql), query[1]), ExecStatus.COMMAND_OK
            )
            self._names[query] = name
        name = self._names[query]
        # Annotated wrongly upstream: None is NULL.
        result = self._connection.pgconn.exec_prepared(name, values, transformer.formats)  # type: ignore[arg-type]
        if result.status != ExecStatus.TUPLES_OK:
            del self._names[query]
        self._check(result, ExecStatus.TUPLES_OK)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _check(self, result: PGresult, expected: ExecStatus) -> None:
        if result.status == expected:
            return
        if self._connection.pgconn.status == ConnStatus.BAD:
            raise OperationalError("the connection is lost: " + result.get_error_message())
        raise error_from_result(result)


@lru_cache(maxsize=256)
def _numbered(sql: str) -> bytes:
    """With PostgreSQL's placeholders for Python's."""
    numbers = count(1)
    return re.sub("%[s%]", lambda found: f"${next(numbers)}" if found[0] == "%s" else "%", sql).encode()
