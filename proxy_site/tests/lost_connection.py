"""A database connection that the server has closed."""

from django.db import connection, connections


def end_connection() -> None:
    """Ours, as a server that is restarted does."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
            assert cursor.fetchone() == (True,)  # it is gone by now
    finally:
        other.close()
