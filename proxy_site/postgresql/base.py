"""Django's PostgreSQL backend, with a check of kept connections that costs no round trip."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Django asks before a request's first query. A server that is gone has said so or closed the connection,
        and either can be read; where there is nothing to read there is nothing to ask about.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or bool(super().is_usable())
