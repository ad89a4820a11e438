"""What a support bundle tells, before anything is taken out of it."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django_q.models import Task

from monitoring.configuration import examined
from monitoring.health import known_migrations
from proxy_site import VERSION
from torrents.models import Engine

PROGRAM_SECONDS = 30
LOG_BYTES = 1024 * 1024  # of each
LOG_LINES = 25_000  # of systemd's journal: as many of the shortest fill LOG_BYTES
FAILED_TASKS = 50
UNITS = ("web", "worker", "reconciler", "sftp", "handover", "backup", "verify-backup", "firewall")
SECRET_NAME = re.compile(r"SECRET|PASS|_PWD|TOKEN|KEY|CREDENTIAL|AUTH", re.IGNORECASE)
# qBittorrent's own log names torrents, and Caddy's who fetched what: neither is anybody's business.
LEFT_OUT = (
    "qBittorrent's log (it names torrents), Caddy's access log, PostgreSQL's log, torrents and their names."
)


class NothingLogged(Exception):
    """Said in place of an empty file."""


Part = Callable[[], Any]  # text, or what becomes JSON


def parts(*, hours: int, logs: Sequence[Path]) -> Iterator[tuple[str, Part]]:
    """File names in the bundle, and what makes their content; each may raise whatever it likes."""
    yield "doctor.json", doctor
    yield "versions.json", versions
    yield "settings.json", shown_settings
    yield "machine.json", machine
    yield "migrations.json", migrations
    yield "database.json", database
    yield "failed-tasks.json", failed_tasks
    yield "metrics.txt", metrics
    for unit in UNITS:
        yield f"logs/{unit}.txt", partial(journal, unit, hours)
    for number, log in enumerate(logs, start=1):
        yield f"logs/{number}-{re.sub(r'[^A-Za-z0-9._-]', '_', log.name)}", partial(end_of, log)


def doctor() -> dict[str, Any]:
    checks = examined()
    return {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]}


def versions() -> dict[str, Any]:
    installed = sorted((one.name, one.version) for one in distributions())
    system = Path("/etc/os-release")
    return {
        "oci-torrent-proxy": VERSION,
        "release": settings.BASE_DIR.name,
        "python": sys.version,
        "system": _variables(system.read_text()) if system.exists() else {},
        "kernel": platform.release(),
        "machine": platform.machine(),
        "programs": {
            name: _first_line(command)
            for name, command in {
                "qbittorrent": [settings.QBITTORRENT_BINARY, "--version"],
                "caddy": ["caddy", "version"],
                "prometheus": ["prometheus", "--version"],
                "postgresql client": ["psql", "--version"],
            }.items()
        },
        "packages": dict(installed),
    }


def setting_names() -> list[str]:
    """All that .env.example explains."""
    return re.findall(
        r"^#?([A-Z][A-Z0-9_]*)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE
    )


def shown_settings() -> dict[str, Any]:
    """Every setting. Of what is secret only whether it is set."""
    return {name: _shown(name, getattr(settings, name, None)) for name in setting_names()}


def _shown(name: str, value: Any) -> Any:
    if name == "DATABASE_URL":
        database = settings.DATABASES["default"]
        return {part: str(database[part]) for part in ("HOST", "PORT", "NAME")}
    if isinstance(value, bool | int | float):
        return value
    if SECRET_NAME.search(name):
        return "[set]" if value else "[not set]"
    return [str(one) for one in value] if isinstance(value, list | tuple) else str(value)


def machine() -> dict[str, Any]:
    """Sizes in bytes."""
    places = {"DATA_DIR": settings.DATA_DIR, "DOWNLOADS_DIR": settings.DOWNLOADS_DIR}
    memory = Path("/proc/meminfo")
    wanted = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
    found = (
        dict(re.findall(r"^(\w+):\s+(\d+) kB", memory.read_text(), re.MULTILINE)) if memory.exists() else {}
    )
    return {
        "processors": os.cpu_count(),
        "load": list(os.getloadavg()),
        "memory": {name: int(found[name]) * 1024 for name in wanted if name in found},
        "volumes": {
            name: shutil.disk_usage(place)._asdict() for name, place in places.items() if place.exists()
        },
    }


def migrations() -> dict[str, list[str]]:
    applied = set(MigrationRecorder(connection).applied_migrations())
    return {
        "applied": sorted(f"{app}.{name}" for app, name in applied),
        "missing": sorted(f"{app}.{name}" for app, name in known_migrations() - applied),
    }


def database() -> dict[str, Any]:
    """Rows are PostgreSQL's estimates, sizes are bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version(), pg_database_size(current_database())")
        version, size = cursor.fetchone()
        cursor.execute(
            "SELECT relname, n_live_tup, pg_total_relation_size(relid), last_autovacuum::text"
            " FROM pg_stat_user_tables ORDER BY relname"
        )
        tables = {
            name: {"rows": rows, "size": size, "vacuumed": vacuumed}
            for name, rows, size, vacuumed in cursor.fetchall()
        }
        cursor.execute(
            "SELECT coalesce(state, backend_type), count(*) FROM pg_stat_activity GROUP BY 1 ORDER BY 1"
        )
        activity = dict(cursor.fetchall())
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN"
            " ('shared_buffers', 'max_connections', 'work_mem', 'server_version_num', 'fsync') ORDER BY name"
        )
        own_settings = dict(cursor.fetchall())
    engines = list(
        Engine.objects.values("name", "version", "reachable", "notice", "message", "checked_at").order_by(
            "name"
        )
    )
    return {
        "version": version,
        "size": size,
        "settings": own_settings,
        "connections": activity,
        "tables": tables,
        "engines": json.loads(json.dumps(engines, default=str)),
    }


def failed_tasks() -> list[dict[str, str]]:
    """The newest, and what they raised."""
    failed = Task.objects.filter(success=False).order_by("-stopped")[:FAILED_TASKS]
    return [{"what": task.func, "at": str(task.stopped), "result": str(task.result)} for task in failed]


def metrics() -> str:
    # Here, because no other command loads prometheus_client.
    from monitoring.metrics.exposition import own_figures

    return own_figures()


def journal(unit: str, hours: int) -> str:
    """The end of what systemd keeps of a unit."""
    command = ["journalctl", "--no-pager", "--quiet", "--output=short-iso"]
    done = subprocess.run(
        [*command, f"--since=-{hours}h", f"--lines={LOG_LINES}", f"--unit=torrentproxy-{unit}.service"],
        capture_output=True,
        timeout=PROGRAM_SECONDS,
        check=True,
    )
    if not done.stdout:
        raise NothingLogged(
            f"systemd keeps nothing of it of the last {hours} hours, or only root may read it."
        )
    return _readable(done.stdout[-LOG_BYTES:])


def end_of(log: Path) -> str:
    if log.exists() and not log.is_file():  # a pipe would be waited for
        raise NothingLogged("It is no file.")
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        return _readable(file.read(LOG_BYTES))


def _readable(end: bytes) -> str:
    """Without the first line where it was cut: half a secret is not recognised."""
    whole = end if len(end) < LOG_BYTES else end.partition(b"\n")[2]
    return whole.decode(errors="replace")


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return "not installed"
    return (done.stdout.strip() or done.stderr.strip()).partition("\n")[0]


def _variables(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)}
