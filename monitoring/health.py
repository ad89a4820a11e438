"""Whether each part of the box does its work, in words for anybody: without addresses, reasons or secrets."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import Task

from proxy_site.worker_watch import STUCK_AFTER, is_stuck
from torrents import sftp_servers
from torrents.health import SILENT_AFTER
from torrents.models import Engine
from torrents.services import DEFAULT_ENGINE

logger = logging.getLogger(__name__)

# Schedules are due every minute, and a task may take two.
SILENT_WORKER_AFTER = STUCK_AFTER + timedelta(minutes=1)


UNKNOWN = "Not known: the database does not answer.", "See the check of the database."


@dataclass(frozen=True)
class Check:
    """Where it is `ok`, `message` is empty or a hint; `remedy` is for admins."""

    name: str
    ok: bool
    message: str = ""
    remedy: str = ""


class _Found(Exception):
    """What is wrong, and what an admin does about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def readiness() -> list[Check]:
    """Never raises. A few small queries."""
    database = _checked("database", _database)
    if not database.ok:  # nothing else is asked: each question might wait as long as that one did
        return [database, *(Check(name, False, *UNKNOWN) for name in CHECKS)]
    return [database, *(_checked(name, look) for name, look in CHECKS.items())]


def _checked(name: str, look: Callable[[], None]) -> Check:
    try:
        look()
    except _Found as found:
        return Check(name, False, str(found), found.remedy)
    except (DatabaseError, InterfaceError):
        return Check(name, False, *UNKNOWN)
    except Exception:
        logger.exception("The check of %s failed", name)
        return Check(name, False, "Not known: the check itself failed.", "The log of this process says why.")
    return Check(name, True)


def _database() -> None:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        raise _Found(
            "The database does not answer.",
            "See that PostgreSQL runs and that DATABASE_URL names it; everything goes on by itself then.",
        ) from error


def _migrations() -> None:
    missing = known_migrations() - set(MigrationRecorder(connection).applied_migrations())
    if missing:
        raise _Found(
            f"The database is older than the code: {len(missing)} migrations are missing.",
            "Run: python manage.py migrate",
        )


@lru_cache(maxsize=1)
def known_migrations() -> frozenset[tuple[str, str]]:
    """Of this release; reading them from the disk takes a moment."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _engine_row() -> Engine:
    engine = Engine.objects.filter(name=DEFAULT_ENGINE).first()
    return engine or Engine(name=DEFAULT_ENGINE)


def _is_looked_after(engine: Engine) -> bool:
    return engine.checked_at is not None and timezone.now() - engine.checked_at <= SILENT_AFTER


def _reconciler() -> None:
    if not _is_looked_after(_engine_row()):
        raise _Found(
            "Nothing looks after the download engine.",
            "Start the engine process (manage.py up does, or: python manage.py run_engine) and read its log.",
        )


def _engine() -> None:
    engine = _engine_row()
    if not _is_looked_after(engine):
        raise _Found(
            "Not known: nothing looks after the download engine.", "See the check of the reconciler."
        )
    if not engine.reachable:
        raise _Found(
            engine.notice or "The download engine does not answer.",
            engine.message or "See that qBittorrent runs and that QBITTORRENT_URL names it.",
        )


def _worker() -> None:
    remedy = (
        "It starts afresh by itself when it notices. Else start it (manage.py up does, or: python manage.py "
        "run_worker) and read its log."
    )
    if is_stuck():
        raise _Found("Background tasks are ready, and nobody takes them.", remedy)
    if not Task.objects.filter(stopped__gt=timezone.now() - SILENT_WORKER_AFTER).exists():
        minutes = int(SILENT_WORKER_AFTER.total_seconds() // 60)
        raise _Found(f"No background task has ended in the last {minutes} minutes.", remedy)


def _disk() -> None:
    free = _engine_row().free_space
    if free is not None and free < settings.DISK_FLOOR:
        raise _Found(
            "The box's disk is full: no download goes on.",
            "Remove finished torrents, or make room on the volume of DOWNLOADS_DIR; DISK_FLOOR is what stays free.",
        )


def _sftp() -> None:
    """As this process is configured: the server itself may run on another machine."""
    if not settings.SFTP_ADDRESS:
        return
    servers = sftp_servers.told(timezone.now())
    if all(connections is None for connections in servers.values()):
        raise _Found(
            "Nothing hands files over by SFTP.",
            "Start the SFTP server (manage.py up does, or: python manage.py run_sftp) and read its log. "
            "If none is wanted, set SFTP_ADDRESS to nothing.",
        )


# Of what is in the database.
CHECKS: dict[str, Callable[[], None]] = {
    "migrations": _migrations,
    "reconciler": _reconciler,
    "engine": _engine,
    "worker": _worker,
    "disk": _disk,
    "sftp": _sftp,
}
