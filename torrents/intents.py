"""How whoever records a wish wakes the reconciler."""

from django.db import connection

INTENT_CHANNEL = "torrent_intents"  # NOTIFY


def wake_reconciler() -> None:
    """Delivered when the transaction commits, so the reconciler sees what it is woken for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [INTENT_CHANNEL])
