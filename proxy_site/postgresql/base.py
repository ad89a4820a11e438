"""Django's PostgreSQL backend, with a check of kept connections that costs no round trip, moments that are not read in
Python, and regard for the limits of prepared queries."""

import select
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql import base, features, operations
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import TimestamptzLoader

from proxy_site.postgresql.prepared import Prepared

MOST_PARAMS = 2**16 - 1  # of a query whose values the server binds: the protocol counts them in 16 bits


class UtcMoments(TimestamptzLoader):
    """Moments as Python reads them: five times as fast as Django's loader, which is psycopg's in Python and not the
    compiled one. Django knows by `timezone` that it needs no loader of its own (TIME_ZONE is UTC).
    """

    timezone = UTC

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        Loader.__init__(
            self, oid, context
        )  # TimestamptzLoader looks up the time zone, for each column of each query

    def load(self, data: Buffer) -> datetime:
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:  # infinity, or a year of more than four digits: psycopg says what is wrong with it
            return TimestamptzLoader(self.oid, self.connection).load(data)


class DatabaseFeatures(features.DatabaseFeatures):
    max_query_params = MOST_PARAMS


class DatabaseOperations(operations.DatabaseOperations):
    def bulk_batch_size(self, fields: Iterable[Any], objs: Iterable[Any]) -> int:
        return MOST_PARAMS // max(1, len(list(fields)))


class DatabaseWrapper(base.DatabaseWrapper):
    _prepared: Prepared  # of the present connection
    prepared_class = Prepared
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("timestamptz", UtcMoments)
        self._prepared = self.prepared_class(connection)
        return connection

    def fetch(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows of a query that is asked again and again. As by a cursor, which it needs in a transaction, or where
        somebody watches the queries."""
        if not self._is_free():
            with self.cursor() as cursor:
                cursor.execute(sql, params)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
        with self.wrap_database_errors:
            return self._prepared.fetch(sql, params)

    def fetch_together(self, queries: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        """As `fetch` of each, one after the other, in little more time than one takes."""
        if not self._is_free():
            return [self.fetch(sql, params) for sql, params in queries]
        with self.wrap_database_errors:
            return self._prepared.fetch_together(queries)

    def _is_free(self) -> bool:
        """Whether a query needs no cursor; there is a connection then."""
        if not self.get_autocommit() or self.queries_logged or self.execute_wrappers:
            return False
        self.close_if_health_check_failed()
        self.ensure_connection()
        return True

    def is_usable(self) -> bool:
        """Django asks before a request's first query. A server that is gone has said so or closed the connection,
        and either can be read; where there is nothing to read there is nothing to ask about.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or bool(super().is_usable())
