"""What the worker does for torrents. Each may run twice."""

from datetime import timedelta

from torrents import history, services, sftp_servers

TOMBSTONES_KEPT = timedelta(days=30)


def retire_unclaimed_torrents() -> int:
    return services.retire_unclaimed_torrents()


def prune_tombstones() -> int:
    return services.prune_tombstones(older_than=TOMBSTONES_KEPT)


def prune_history() -> int:
    return history.prune()


def prune_sftp_servers() -> int:
    return sftp_servers.prune()
