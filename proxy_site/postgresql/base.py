"""Django's PostgreSQL backend, with a check of kept connections that costs no round trip, and with regard for the
limits of prepared queries."""

import select
from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql import base, features, operations

MOST_PARAMS = 2**16 - 1  # of a query whose values the server binds: the protocol counts them in 16 bits


class DatabaseFeatures(features.DatabaseFeatures):
    max_query_params = MOST_PARAMS


class DatabaseOperations(operations.DatabaseOperations):
    def bulk_batch_size(self, fields: Iterable[Any], objs: Iterable[Any]) -> int:
        return MOST_PARAMS // max(1, len(list(fields)))


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Django asks before a request's first query. A server that is gone has said so or closed the connection,
        and either can be read; where there is nothing to read there is nothing to ask about.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or bool(super().is_usable())
