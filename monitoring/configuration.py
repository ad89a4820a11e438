"""Whether the box is set up as it should be: what only an admin at its terminal is told."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.db import DatabaseError, InterfaceError

from accounts.models import User
from monitoring.health import Check, readiness
from monitoring.recurring import recurring_tasks
from monitoring.services import free_tier

SHORTEST_TOKEN = 20  # characters


def examined() -> list[Check]:
    """Every check that there is: what `/health/ready` tells, and how the box is set up. Never raises."""
    checks = [*readiness(), *_found_by(_settings, _downloads, _engine_program, _handover_log, _token)]
    with suppress(DatabaseError, InterfaceError):  # said already
        checks += _found_by(_admins, _schedules, _free_tier)
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
