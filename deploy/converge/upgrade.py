"""From one release to another: saved first, and put back as it was where the new one does not work."""

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from deploy.converge import caddy, database, health, places, units
from deploy.converge.commands import InstallError, logger, run
from deploy.converge.configuration import Configuration
from deploy.converge.files import File
from deploy.converge.release import Release
from deploy.converge.run import Resource, Run

DUMP = places.BACKUPS / "before-upgrade.dump"
RECORD = places.INSTALLER / "upgrade.json"  # there while an upgrade is under way, also one that was killed
WELL = places.INSTALLER / "well"

KNOWN_MIGRATIONS = """
import django
django.setup()
from django.db.migrations.loader import MigrationLoader
print(*(".".join(key) for key in MigrationLoader(None).disk_migrations), sep="\\n")
"""


@dataclass
class Point:
    """What an upgrade goes back to: a release, and the database with these migrations, as DUMP holds it."""

    release: str
    migrations: set[str] = field(default_factory=set)


def last_well() -> str | None:
    """The release with which the box was well last; only that is worth going back to."""
    return WELL.read_text().strip() if WELL.exists() else None


def remember_well(release: Release) -> None:
    if last_well() != release.id:
        File(WELL, content=release.id + "\n").apply()
    RECORD.unlink(missing_ok=True)


def has_pending_migrations(release: Release, settings: Configuration) -> bool:
    return release.manage("migrate", "--check", variables=settings.variables).returncode != 0


def unfinished() -> Point | None:
    """Of an upgrade that was killed."""
    try:
        found = json.loads(RECORD.read_text())
        return Point(found["release"], set(found["migrations"]))
    except (OSError, ValueError, KeyError):
        return None


@contextmanager
def upgrading(session: Run, old: Release, new: Release, settings: Configuration) -> Iterator[None]:
    """What is done inside is undone where it fails: files, release and database. Raises InstallError, saying so.

    Inside, nothing of ours runs but qBittorrent: downloads go on.
    """
    back_up(old, settings)
    changes_tables = has_pending_migrations(new, settings)
    began = time.monotonic()
    point: Point | None = None
    try:
        session.ensure(*units.stopped())
        point = save(old, settings, changes_tables=changes_tables)
        yield
    except BaseException as error:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # going back goes through to its end
        session.step(f"Going back to release {old.id}")
        roll_back(session, old, settings, point, error)
        raise InstallError(
            f"The upgrade to release {new.id} failed, and everything is as it was before, with release {old.id}. "
            f"The reason:\n{told(error)}"
        ) from error
    logger.info("The box was away for %.0f s at most.", time.monotonic() - began)


def told(error: BaseException) -> str:
    return "It was interrupted." if isinstance(error, KeyboardInterrupt) else str(error) or repr(error)


def back_up(old: Release, settings: Configuration) -> None:
    """A backup as every night's, while everything still runs. A release that cannot make one goes without."""
    if old.manage("backup", "--help", variables=settings.variables).returncode == 0:
        old.manage(
            "backup",
            variables=settings.variables,
            failure="No backup could be made, so nothing was upgraded. Mend what it says, then run this again:",
        )


def save(old: Release, settings: Configuration, *, changes_tables: bool) -> Point:
    """The way back, taken while nobody writes. That of an upgrade that was killed stays if it had changed tables."""
    now = database.applied_migrations(settings.database_url)
    killed = unfinished()
    if killed is not None and killed.migrations != now and DUMP.exists():
        return killed
    if changes_tables:
        database.dump(settings.database_url, DUMP)
    File(RECORD, content=json.dumps({"release": old.id, "migrations": sorted(now)})).apply()
    return Point(old.id, now)


def roll_back(
    session: Run, old: Release, settings: Configuration, point: Point | None, reason: BaseException
) -> None:
    """`point` None: the database has not been touched yet. Raises InstallError where going back fails, too."""
    deploy = old.directory / "deploy"
    steps: list[Callable[[], object]] = [
        *(unit.apply for unit in units.stopped()),
        *reversed(session.undo),
        old.link.apply,
        # What an upgrade changed that was killed before this one.
        *(partial(converge, resource) for resource in [*units.written(deploy), caddy.caddyfile(deploy)]),
        partial(run, ["systemctl", "daemon-reload"], failure="systemd could not read its units:"),
    ]
    if point is not None:
        steps.append(partial(restore_database, settings, point))
    steps.append(partial(old.publish, settings.variables))
    problems: list[str] = []
    for step in steps:  # one that fails is no reason to leave the others
        try:
            step()
        except (InstallError, OSError) as error:
            problems.append(str(error))
    if not problems:
        try:
            for resource in [*units.running(deploy), caddy.running()]:
                converge(resource)
            health.wait_until_ready(units.own_units(deploy))
        except InstallError as error:
            problems.append(str(error))
    session.undo.clear()
    if problems:
        failed = "\n".join(problems)
        raise InstallError(
            f"The upgrade failed, and so did going back to release {old.id}: the box does not run. What failed on the "
            f"way back:\n{failed}\nWhy the upgrade failed:\n{told(reason)}\nThe database as it was is in {DUMP}, "
            "if the upgrade would have changed it; docs/install.md says how to put it back."
        ) from reason
    RECORD.unlink(missing_ok=True)


def converge(resource: Resource) -> None:
    if resource.differs():
        resource.apply()


def restore_database(settings: Configuration, point: Point) -> None:
    if database.applied_migrations(settings.database_url) != point.migrations:
        logger.info("           put the database back as it was")
        database.restore(settings.database_url, DUMP)


def refuse_newer_database(new: Release, variables: Mapping[str, str]) -> None:
    """For going back by hand: an older release cannot work with the tables of a newer one. Raises InstallError."""
    listed = run(
        [new.python, "-c", KNOWN_MIGRATIONS],
        user=places.BOX_USER,
        environment={**variables, "DJANGO_SETTINGS_MODULE": "proxy_site.settings"},
        failure="The migrations of that release cannot be listed:",
        cwd=new.directory,
    )
    unknown = database.applied_migrations(variables["DATABASE_URL"]) - set(listed.stdout.split())
    if unknown:
        raise InstallError(
            f"The database is newer than release {new.id}: it has {', '.join(sorted(unknown))}. Nothing was changed. "
            'docs/install.md says how to go back with a backup of the database ("Going back").'
        )
