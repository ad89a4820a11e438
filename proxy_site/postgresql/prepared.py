"""Prepared queries by libpq's own blocking call, which lets other threads run while it waits.

psycopg's cursors wait in Python, so that a query may be interrupted and its connection shared. A web thread's is its
own, and what it asks all the time takes a fraction of a millisecond.
"""

import re
import select
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from psycopg import Connection, OperationalError, abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

MOST = 50  # in a connection: each keeps its plan in the server's memory
Query = tuple[str, tuple[int, ...]]  # its text, and the types of its values
Asked = tuple[Query, Sequence[Any], abc.Transformer]  # with its values, as PostgreSQL takes them
Rows = list[tuple[Any, ...]]
# Until the end of the pipeline's transaction. Where tables have grown, PostgreSQL would plan each time for hundreds of
# executions, for as long as the mean cost of all plans so far is below that of the present one.
PLANNED_ONCE = "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"


class Prepared:
    """What was prepared in one connection, which is in autocommit mode: psycopg begins transactions, not we."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._names: dict[Query, bytes] = {}  # the one that was prepared first first
        self._numbers = count()
        self._answers = select.poll()
        self._answers.register(connection.fileno(), select.POLLIN)

    def fetch_together(self, queries: Sequence[tuple[str, Sequence[Any]]]) -> list[Rows]:
        """All rows of each, one after the other, in the time that it takes to ask once: waiting for somebody to wake up
        takes longer than small queries do. Each is planned once in a connection, without regard to its values.
        """
        asked = [self._asked(PLANNED_ONCE, ()), *(self._asked(*query) for query in queries)]
        results = self._pipelined(asked)
        for (query, _, _), result in zip(asked, results, strict=True):
            if result.status == ExecStatus.TUPLES_OK:
                continue
            if _sqlstate(result) == InvalidSqlStatementName.sqlstate:
                self._names.clear()
                return [Prepared.fetch(self, *one) for one in queries]  # which prepares them once more
            self._forget(query)  # the first that failed: what came after it was not asked
            raise self._error(result)
        return [_rows(asked[place][2], results[place]) for place in range(1, len(asked))]

    def _pipelined(self, queries: Sequence[Asked]) -> list[PGresult]:
        named = [(self._name_of(query), values, transformer) for query, values, transformer in queries]
        connection = self._connection.pgconn
        connection.enter_pipeline_mode()
        try:
            for name, values, transformer in named:
                connection.send_query_prepared(name, values, transformer.formats)
            connection.pipeline_sync()
            return self._results()
        finally:
            try:
                connection.exit_pipeline_mode()
            except OperationalError:  # lost, or in the midst of something: nobody can go on with it
                self._connection.close()

    def _results(self) -> list[PGresult]:
        connection = self._connection.pgconn
        while connection.flush():
            self._answers.poll(10)  # more than the socket takes at once; its answers make room
            connection.consume_input()
        results: list[PGresult] = []
        while True:
            while connection.is_busy():
                self._answers.poll()
                connection.consume_input()
            result = connection.get_result()
            if result is not None:
                if result.status == ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(result)
            elif connection.status == ConnStatus.BAD:  # else this was the end of a query
                raise OperationalError("The connection is lost.")

    def fetch(self, sql: str, params: Sequence[Any]) -> Rows:
        """All rows. Raises psycopg's errors; a query that failed is prepared anew next time."""
        asked = self._asked(sql, params)
        result = self._execute(asked)
        if _sqlstate(result) == InvalidSqlStatementName.sqlstate:
            # psycopg deallocates all that is prepared, ours too, after a transaction was rolled back.
            self._names.clear()
            result = self._execute(asked)
        query, _, transformer = asked
        if result.status != ExecStatus.TUPLES_OK:
            self._forget(query)
            raise self._error(result)
        return _rows(transformer, result)

    def _asked(self, sql: str, params: Sequence[Any]) -> Asked:
        transformer = Transformer(self._connection)
        values = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
        return (sql, transformer.types or ()), values, transformer

    def _execute(self, asked: Asked) -> PGresult:
        query, values, transformer = asked
        return self._connection.pgconn.exec_prepared(self._name_of(query), values, transformer.formats)

    def _name_of(self, query: Query) -> bytes:
        return self._names.get(query) or self._prepare(query)

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


def _rows(transformer: abc.Transformer, result: PGresult) -> Rows:
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _sqlstate(result: PGresult) -> str:
    return (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()


@lru_cache(maxsize=256)
def _numbered(sql: str) -> bytes:
    """With PostgreSQL's placeholders for Python's."""
    numbers = count(1)
    return re.sub("%[s%]", lambda found: f"${next(numbers)}" if found[0] == "%s" else "%", sql).encode()
