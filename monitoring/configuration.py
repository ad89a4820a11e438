"""Whether the box is set up as it should be: what only an admin at its terminal is told."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from accounts.models import User
from monitoring.health import Check, readiness
from monitoring.recurring import recurring_tasks
from monitoring.services import free_tier
from proxy_site.backups.standing import standing
from proxy_site.backups.status import Status
from torrents.files import files_are_here
from torrents.models import Torrent

SHORTEST_TOKEN = 20  # characters
BACKUP_WITHIN = timedelta(hours=26)  # one a day, and two hours for it
VERIFIED_WITHIN = timedelta(days=8)  # one a week, and a day for it


def examined() -> list[Check]:
    """Every check that there is: what `/health/ready` tells, and how the box is set up. Never raises."""
    checks = [
        *readiness(),
        *_found_by(_settings, _downloads, _engine_program, _handover_log, _token, backups),
    ]
    with suppress(DatabaseError, InterfaceError):  # said already
        checks += _found_by(_admins, _schedules, _free_tier, _files)
    return checks


def _found_by(*looks: Callable[[], Iterator[Check]]) -> list[Check]:
    return [check for look in looks for check in look()]


def _settings() -> Iterator[Check]:
    """Django's own checks and ours: what stops a process at start, and what it warns of."""
    found = [message for message in run_checks() if message.level >= WARNING and not message.is_silenced()]
    for message in found:
        yield Check(
            "settings", False, str(message.msg), message.hint or ".env.example explains every setting."
        )
    if not found:
        yield Check("settings", True)


def _downloads() -> Iterator[Check]:
    if not settings.SERVES_FILES:
        return
    place = Path(settings.DOWNLOADS_DIR)
    existing = next(path for path in (place, *place.parents) if path.exists())
    if os.access(existing, os.W_OK):
        yield Check("downloads", True)
    else:
        yield Check(
            "downloads",
            False,
            f"This user may not write to {existing}.",
            "Run this as the user that the box runs as, or give that user DOWNLOADS_DIR (chown).",
        )


def _engine_program() -> Iterator[Check]:
    if settings.ENGINE != "qbittorrent" or not settings.QBITTORRENT_MANAGED:
        return
    if shutil.which(settings.QBITTORRENT_BINARY):
        yield Check("engine program", True)
    else:
        yield Check(
            "engine program",
            False,
            f"There is no program {settings.QBITTORRENT_BINARY}.",
            "Install it (apt-get install qbittorrent-nox), or set QBITTORRENT_BINARY.",
        )


def _handover_log() -> Iterator[Check]:
    if not settings.HANDOVER_BY_CADDY:
        return
    if not settings.CADDY_LOG:
        yield Check(
            "hand-over log",
            False,
            "Caddy hands files over, and nobody counts it.",
            "Set CADDY_LOG to the access log that Caddy writes, and run manage.py count_handover (up does).",
        )
    elif not os.access(settings.CADDY_LOG, os.R_OK):
        yield Check(
            "hand-over log",
            False,
            "The access log of Caddy cannot be read, so what it hands over is not counted.",
            "See that CADDY_LOG is the file that Caddy writes, and that this user may read it.",
        )
    else:
        yield Check("hand-over log", True)


def _token() -> Iterator[Check]:
    if 0 < len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        yield Check(
            "metrics token",
            False,
            f"METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters.",
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    else:
        yield Check("metrics token", True)


def backups() -> Iterator[Check]:
    """On a machine where nobody ever made one, and that is no server, they are a hint."""
    told = standing()
    if not told.key_is_set:
        # In production the check of the settings says so.
        yield Check(
            "backups", True, "Hint: backups are not set up.", "docs/backups.md says how: set BACKUP_KEY."
        )
        return
    wrong = [*_lapsed_backups(told.status)]
    for message, remedy in wrong:
        yield Check("backups", False, message, remedy)
    if not wrong and not told.bucket:
        yield Check(
            "backups",
            True,
            "Hint: archives are on this machine only, and are lost with it.",
            "Set BACKUP_BUCKET (docs/backups.md), or fetch them regularly.",
        )
    elif not wrong:
        yield Check("backups", True)


def _lapsed_backups(status: Status) -> Iterator[tuple[str, str]]:
    now = timezone.now()
    made = {kind: place.last_success for kind, place in status.places.items()}
    again = "Try it: python manage.py backup"
    if not made:
        yield "There is no backup yet.", again
    for kind, moment in made.items():
        if now - moment > BACKUP_WITHIN:
            hours = int((now - moment).total_seconds() // 3600)
            why = status.last_failure.get("backup", "") if status.failures["backup"] else ""
            yield f"The {kind} got its last archive {hours} hours ago. {why}".strip(), again
        elif moment - now > BACKUP_WITHIN:
            yield f"The clock was wrong when the {kind} got its last archive, on {moment:%Y-%m-%d}.", again
    last_verified = status.last_verified or status.since
    if last_verified is not None and now - last_verified > VERIFIED_WITHIN:
        why = status.last_failure.get("verify", "") if status.failures["verify"] else ""
        yield (
            f"No archive was restored on trial within {VERIFIED_WITHIN.days} days. {why}".strip(),
            "Try it: python manage.py verify_backup",
        )
    if status.left_out:
        yield (
            f"Not in the backups, because it could not be read: {', '.join(status.left_out)}",
            "Let the user that makes backups read it, or take it out of BACKUP_CONFIGURATION.",
        )


def _admins() -> Iterator[Check]:
    if User.objects.may_administer().exists():
        yield Check("admin", True)
    else:
        yield Check(
            "admin",
            False,
            "Nobody can administer the box: there is no account of an admin that may log in.",
            "Make one: python manage.py create_user NAME --role admin",
        )


def _free_tier() -> Iterator[Check]:
    told = free_tier()
    if told.measured_at is not None and not told.interfaces:
        yield Check(
            "egress",
            False,
            "No network interface is counted, so the month's egress is not known.",
            "Name the interfaces in EGRESS_INTERFACES (ip link shows them).",
        )
    elif told.notice:
        yield Check("egress", False, told.notice, "docs/free-tier.md says what the month leaves, and why.")
    else:
        yield Check("egress", True)
    if told.idle_risk:
        yield Check(
            "idle",
            False,
            "For seven days this machine did so little that Oracle may take it back as idle.",
            "docs/free-tier.md names the remedies.",
        )
    else:
        yield Check("idle", True)


def _files() -> Iterator[Check]:
    if (
        not settings.SERVES_FILES
        or files_are_here()
        or not Torrent.objects.exclude(completed_at=None).exists()
    ):
        yield Check("files", True)
    else:
        yield Check(
            "files",
            False,
            "Torrents have finished, and this machine does not see their files: it refuses to hand them over.",
            "See that DOWNLOADS_DIR is the one of run_engine and is mounted. On a web host that is not to have it, "
            "set SERVES_FILES=false (docs/growing.md).",
        )


def _schedules() -> Iterator[Check]:
    late = [task for task in recurring_tasks() if task.is_late]
    for task in late:
        yield Check(
            "schedule",
            False,
            f"It has not run well for long: {task.name}.",
            "Failed tasks in the admin's pages (/admin/) say why; the worker's log says more.",
        )
    if not late:
        yield Check("schedule", True)
