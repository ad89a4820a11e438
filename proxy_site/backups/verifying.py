"""Trying the newest archive: restored into a database that nobody uses, looked at, and dropped."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from proxy_site.backups import archive
from proxy_site.backups.box import SPARE, Box, Found
from proxy_site.backups.errors import BackupError, Busy
from proxy_site.backups.making import note_failure
from proxy_site.backups.manifest import Contents, Manifest
from proxy_site.backups.places import moment_of
from proxy_site.backups.progress import Say, in_units, size_of, telling
from proxy_site.backups.status import Status

# Older than this when the archive was made, the newest row says that another database was saved, or one that nobody
# worked in: the worker notes something every minute.
NEWEST_ROW_AT_MOST = timedelta(days=2)
REMEMBERED = 50  # archives that were verified


@dataclass(frozen=True)
class Verified:
    name: str
    place: str
    size: int  # bytes
    tables: int
    rows: int
    migrations: int
    newest_row_age_seconds: float | None  # when the archive was made
    archive_age_seconds: float
    seconds: float


def verify_newest(*, say: Say) -> Verified:
    """From the bucket, where it is there. Never touches the box's own database. Raises BackupError where it is not what
    it should be."""
    box = Box.of_settings()
    began = time.monotonic()
    try:
        with box.working() as folder:
            box.require_requests(Status.read(box.directory).newest_bytes())
            found = box.newest(prefer="bucket")
            manifest = _restored_on_trial(box, found, folder, say)
            verified = _told(found, manifest, time.monotonic() - began)
            _note(box, found)
    except Busy:
        raise
    except BackupError as error:
        note_failure(box.directory, "verify", str(error))
        raise
    return verified


def unpacked(box: Box, found: Found, manifest: Manifest, folder: Path, say: Say) -> Path:
    """The folder with the archive's files, all of it authenticated."""
    box.require_space(found.stored.size + manifest.dump_bytes, "the archive and what is in it")
    say(
        f"Fetching {found.stored.name} ({in_units(found.stored.size)}) from the {found.place.kind}, and opening it."
    )
    files = folder / "unpacked"
    files.mkdir(mode=0o700)
    with telling(say, lambda: size_of(folder / found.stored.name)):
        fetched = found.place.fetch(found.stored.name, folder)
    with telling(say, lambda: size_of(*files.iterdir())), fetched.open("rb") as source:
        archive.unpack(source, files, key=box.key)
    if fetched.parent == folder:
        fetched.unlink()
    return files


def require_room(box: Box, manifest: Manifest) -> None:
    """For one more database like it, where the server is on this machine: it must not fill the disk that the box's own
    database lives on. Raises BackupError."""
    volume = box.database.volume()
    if volume is None:
        return
    needed, free = (
        manifest.database_bytes + manifest.database_bytes // 10 + SPARE,
        shutil.disk_usage(volume).free,
    )
    if free < needed:
        raise BackupError(
            f"There is not enough space for another database beside {box.database.name}: some {in_units(needed)} are "
            f"needed on the volume of {volume}, {in_units(free)} are free. Make room there; nothing was changed."
        )


def require_same(manifest: Manifest, held: Contents) -> None:
    """A restored database is what its archive's manifest says, or BackupError lists the differences."""
    wrong = [*_differences(manifest, held)]
    if wrong:
        raise BackupError(f"The restored database is not what was saved: {' '.join(wrong)}")


def _differences(manifest: Manifest, held: Contents) -> Iterator[str]:
    saved = manifest.contents
    if missing := sorted(saved.tables.keys() - held.tables.keys()):
        yield f"Tables are missing: {', '.join(missing)}."
    for name in sorted(saved.tables.keys() & held.tables.keys()):
        if saved.tables[name] != held.tables[name]:
            yield f"{name} has {held.tables[name]} rows instead of {saved.tables[name]}."
    if saved.migrations != held.migrations:
        yield f"Its migrations are others ({len(held.migrations)} instead of {len(saved.migrations)})."
    if saved.newest_row_at != held.newest_row_at:
        yield f"Its newest row is of {held.newest_row_at} instead of {saved.newest_row_at}."


def _restored_on_trial(box: Box, found: Found, folder: Path, say: Say) -> Manifest:
    manifest = box.manifest(found)
    require_room(box, manifest)
    files = unpacked(box, found, manifest, folder, say)
    with box.database.scratch("verify") as scratch:
        say(f"Restoring it into {scratch.name}.")
        with telling(say, lambda: scratch.sizes()[0]):
            scratch.fill_from(files / archive.DATABASE)
        require_same(manifest, scratch.contents())
    age = _newest_row_age(manifest)
    if age is not None and age > NEWEST_ROW_AT_MOST:
        raise BackupError(
            f"The newest row in the archive was {age.days} days old when it was made: see that DATABASE_URL names the "
            "box's database where backups are made, and that the worker works."
        )
    return manifest


def _newest_row_age(manifest: Manifest) -> timedelta | None:
    newest = manifest.contents.newest_row_at
    return None if newest is None else max(timedelta(), manifest.made_at - newest)


def _told(found: Found, manifest: Manifest, seconds: float) -> Verified:
    age = _newest_row_age(manifest)
    return Verified(
        name=found.stored.name,
        place=found.place.kind,
        size=found.stored.size,
        tables=len(manifest.contents.tables),
        rows=sum(manifest.contents.tables.values()),
        migrations=len(manifest.contents.migrations),
        newest_row_age_seconds=None if age is None else age.total_seconds(),
        archive_age_seconds=(datetime.now(UTC) - found.stored.made_at).total_seconds(),
        seconds=round(seconds, 2),
    )


def _note(box: Box, found: Found) -> None:
    with Status.changing(box.directory) as status:
        status.verified[found.stored.name] = datetime.now(UTC)
        oldest_first = sorted(
            status.verified, key=lambda name: moment_of(name) or datetime.min.replace(tzinfo=UTC)
        )
        for name in oldest_first[:-REMEMBERED]:
            del status.verified[name]
        status.failures["verify"] = 0
