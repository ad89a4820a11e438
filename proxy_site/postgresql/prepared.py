"""Prepared queries by libpq's own blocking call, which lets other threads run while it waits.

psycopg's cursors wait in Python, so that a query may be interrupted and its connection shared. A web thread's is its
own, and what it asks all the time takes a fraction of a millisecond.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

MOST = 50  # in a connection: each keeps its plan in the server's memory
_FORGOTTEN = b"26000"  # SQLSTATE: there is no prepared query of that name
Query = tuple[str, tuple[int, ...]]  # its text, and the types of its values


class Prepared:
    """What was prepared in one connection, which is in autocommit mode: psycopg begins transactions, not we."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._names: dict[Query, bytes] = {}  # the one that was prepared first first
        self._numbers = count()

    def fetch(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows. Raises psycopg's errors; a query that failed is prepared anew next time.

        What is prepared may be gone: psycopg deallocates everything after a transaction that was rolled back, if it has
        prepared queries of its own. Then nothing was run, and the query is prepared and sent once more.
        """
        transformer = Transformer(self._connection)
        values = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
        query, formats = (sql, transformer.types or ()), transformer.formats or ()
        result = self._run(query, values, formats)
        if result.error_field(DiagnosticField.SQLSTATE) == _FORGOTTEN:
            del self._names[query]
            result = self._run(query, values, formats)
        if result.status != ExecStatus.TUPLES_OK:
            self._forget(query)
            raise self._error(result)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _run(self, query: Query, values: Sequence[Any], formats: Sequence[int]) -> PGresult:
        name = self._names.get(query) or self._prepare(query)
        return self._connection.pgconn.exec_prepared(name, values, formats)

    def _prepare(self, query: Query) -> bytes:
        if len(self._names) >= MOST:
            self._forget(next(iter(self._names)))
        name = b"fetch_%d" % next(self._numbers)
        sql, types = query
        result = self._connection.pgconn.prepare(name, _numbered(sql), types)
        if result.status != ExecStatus.COMMAND_OK:
            raise self._error(result)
        self._names[query] = name
        return name

    def _forget(self, query: Query) -> None:
        name = self._names.pop(query)
        if self._connection.pgconn.status == ConnStatus.OK:
            self._connection.pgconn.exec_(b"DEALLOCATE " + name)  # it may be gone already

    def _error(self, result: PGresult) -> Exception:
        if self._connection.pgconn.status == ConnStatus.BAD:
            return OperationalError("The connection is lost: " + result.get_error_message())
        return error_from_result(result)


@lru_cache(maxsize=256)
def _numbered(sql: str) -> bytes:
    """With PostgreSQL's placeholders for Python's."""
    numbers = count(1)
    return re.sub("%[s%]", lambda found: f"${next(numbers)}" if found[0] == "%s" else "%", sql).encode()
