"""Which SFTP servers run, and who is connected: each tells of itself, for whoever looks after the box."""

from datetime import datetime, timedelta

from django.utils import timezone

from torrents.models import SftpServer

SILENT_AFTER = timedelta(seconds=60)  # each tells every ten
KEPT = timedelta(days=1)  # of one that died, so that its death is seen


def tell(*, name: str, connections: int) -> None:
    """One statement. `name`: host and port of the server that runs."""
    SftpServer.objects.bulk_create(
        [SftpServer(name=name, connections=connections, seen_at=timezone.now())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["connections", "seen_at"],
    )


def leave(*, name: str) -> None:
    """It was told to stop."""
    SftpServer.objects.filter(name=name).delete()


def told(now: datetime) -> dict[str, int | None]:
    """By the name of a server, how many connections it has; None: it died."""
    return {
        server.name: server.connections if now - server.seen_at <= SILENT_AFTER else None
        for server in SftpServer.objects.order_by("name")
    }


def prune() -> int:
    """Forget those that died long ago; how many."""
    return SftpServer.objects.filter(seen_at__lt=timezone.now() - KEPT).delete()[0]
