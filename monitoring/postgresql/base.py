"""The database backend of the web process: it also counts and times queries, as django-prometheus does."""

import time
from collections.abc import Sequence
from typing import Any

from django_prometheus.db import (
    connection_errors_total,
    connections_total,
    execute_total,
    query_duration_seconds,
)
from django_prometheus.db.common import ExportingCursorWrapper

from monitoring.metrics.batched import later
from proxy_site.postgresql import base
from proxy_site.postgresql.prepared import Prepared

OURS = ("default", base.DatabaseWrapper.vendor)  # the labels of the one database that there is
_executed = execute_total.labels(*OURS)
_seconds = query_duration_seconds.labels(*OURS)


def count_query(seconds: float) -> None:
    _executed.inc()
    _seconds.observe(seconds)


class CountedPrepared(Prepared):
    """These queries use no cursor, which would count them."""

    def fetch(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        began = time.perf_counter()
        rows = super().fetch(sql, params)
        later(count_query, time.perf_counter() - began)
        return rows

    def fetch_together(self, queries: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        began = time.perf_counter()
        found = super().fetch_together(queries)
        each = (time.perf_counter() - began) / len(queries)
        for _ in queries:
            later(count_query, each)
        return found


class DatabaseWrapper(base.DatabaseWrapper):
    prepared_class = CountedPrepared

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        return {**params, "cursor_factory": ExportingCursorWrapper(params["cursor_factory"], *OURS)}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connections_total.labels(*OURS).inc()
        try:
            return super().get_new_connection(conn_params)
        except Exception:
            connection_errors_total.labels(*OURS).inc()
            raise
