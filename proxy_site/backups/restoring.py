"""Having a backup back: refused or done as a whole, and what was there before stays."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from proxy_site.backups import archive, configuration
from proxy_site.backups.box import Box, Found
from proxy_site.backups.database import Database
from proxy_site.backups.errors import BackupError, disk_in_words
from proxy_site.backups.making import secret_key_mark
from proxy_site.backups.manifest import Manifest
from proxy_site.backups.progress import Say, telling
from proxy_site.backups.verifying import require_room, require_same, unpacked

MIGRATE_WITHIN = 3600  # seconds


@dataclass
class Restored:
    name: str
    made_at: datetime
    kept: str  # the name that the database has now which was there before; empty: there was none
    configuration: list[str] = field(default_factory=list)  # what was done to which file
    notices: list[str] = field(default_factory=list)  # what is to be known or done, in words


def restore(
    text: str, *, with_configuration: bool, agreed: Callable[[Manifest, str], bool], say: Say
) -> Restored | None:
    """Put the archive that `text` names (see `Box.named`) in the place of the box's database, and its configuration
    where it was. `agreed` is asked when all that can be known beforehand is; None where it did not agree. Raises
    BackupError; then nothing is changed, unless it says so."""
    box = Box.of_settings()
    connections.close_all()  # ours would count as one of the box's processes
    with box.working() as folder:
        found = box.named(text)
        manifest = box.manifest(found)
        _require_fitting(box.database, manifest)
        require_stopped(box.database)
        require_room(box, manifest)
        if not agreed(manifest, box.database.name):
            return None
        return _restored(box, found, manifest, folder, with_configuration=with_configuration, say=say)


def unpack_configuration(text: str, into: Path, *, say: Say) -> list[Path]:
    """The archive's configuration, written below a folder that is not there yet, and nothing else."""
    box = Box.of_settings()
    if into.exists():
        raise BackupError(f"{into} exists already. Name a folder that does not.")
    with box.working() as folder:
        found = box.named(text)
        files = unpacked(box, found, box.manifest(found), folder, say)
        into.mkdir(parents=True, mode=0o700)
        return configuration.unpack(files / archive.CONFIGURATION, into)


def require_stopped(database: Database) -> None:
    if database.exists() and (sessions := database.ours_connected()):
        raise BackupError(
            f"The box is running: its processes hold {sessions} connections to the database {database.name}. Stop them "
            "first (systemctl stop torrentproxy.target; where manage.py up runs, Ctrl-C)."
        )


def _require_fitting(database: Database, manifest: Manifest) -> None:
    server = database.server_major()
    if manifest.postgresql_major > server:
        raise BackupError(
            f"The archive is of PostgreSQL {manifest.postgresql_major}, and this server is {server}: it cannot hold "
            f"it. Install PostgreSQL {manifest.postgresql_major} or newer and name it in DATABASE_URL."
        )
    if unknown := sorted(set(manifest.contents.migrations) - _known_migrations()):
        raise BackupError(
            f"The archive was made by a newer release ({manifest.release}): its database has migrations that this one "
            f"does not know ({', '.join(unknown[:3])}{' …' if len(unknown) > 3 else ''}). Install that release first."
        )


def _known_migrations() -> set[str]:
    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}


def _restored(
    box: Box, found: Found, manifest: Manifest, folder: Path, *, with_configuration: bool, say: Say
) -> Restored:
    files = unpacked(box, found, manifest, folder, say)
    bundled = files / archive.CONFIGURATION
    plan = configuration.planned(bundled, box.configuration) if with_configuration else []
    restored = Restored(found.stored.name, manifest.made_at, kept="")
    now = datetime.now(UTC)
    with box.database.scratch("restoring") as new:
        say(f"Restoring it into {new.name}, beside what is there.")
        with telling(say, lambda: new.sizes()[0]):
            new.fill_from(files / archive.DATABASE)
        require_same(manifest, new.contents())
        if missing := _known_migrations() - set(manifest.contents.migrations):
            say(f"Bringing it up to date: {len(missing)} migrations.")
            _migrate(new)
        require_stopped(box.database)
        say(f"Putting it in the place of {box.database.name}.")
        restored.kept = box.database.replace_by(new, at=now)
    try:
        with disk_in_words():
            restored.configuration = configuration.put_back(plan, at=now)
    except BackupError as error:
        was_there = (
            f"what was there before is the database {restored.kept}" if restored.kept else "there was none"
        )
        raise BackupError(
            f"The database was restored ({was_there}), but not all of the configuration was put back: {error} Unpack "
            "it by --configuration-to, and put the rest in its place by hand."
        ) from error
    restored.notices = _notices(manifest, restored, with_configuration)
    return restored


def _migrate(database: Database) -> None:
    """In a process of its own, whose database that is."""
    done = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "migrate", "--no-input", "--verbosity", "0"],
        env={**os.environ, "DATABASE_URL": database.url()},
        capture_output=True,
        text=True,
        timeout=MIGRATE_WITHIN,
        check=False,
    )
    if done.returncode:
        raise BackupError(
            f"The restored database could not be brought up to date: {done.stderr.strip()[-1000:]}"
        )


def _notices(manifest: Manifest, restored: Restored, with_configuration: bool) -> list[str]:
    notices = []
    if manifest.secret_key_mark != secret_key_mark() and not with_configuration:
        notices.append(
            "The database was written with another SECRET_KEY than this machine has: addresses of feeds and tokens in "
            "it cannot be read. Restore with --configuration too, or put the old key into SECRET_KEY_FALLBACKS."
        )
    if manifest.left_out:
        notices.append(
            f"These files could not be read when the archive was made: {', '.join(manifest.left_out)}"
        )
    if restored.kept:
        notices.append(
            f"What was there before is the database {restored.kept}. When you need it no longer: "
            f"python manage.py restore --drop {restored.kept}"
        )
    return notices
