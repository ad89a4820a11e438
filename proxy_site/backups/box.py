"""What the settings say of backups, and the folder in which one run at a time works."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Self

from django.conf import settings

from proxy_site.backups import archive
from proxy_site.backups.bucket import Bucket, BucketAddress, requests_for
from proxy_site.backups.database import Database
from proxy_site.backups.errors import BackupError, Busy, disk_in_words
from proxy_site.backups.manifest import Manifest, parse
from proxy_site.backups.places import Directory, Place, Stored, give_to_owner_of, moment_of
from proxy_site.backups.progress import in_units
from proxy_site.backups.retention import Retention
from proxy_site.backups.status import Status

SPARE = 64 * 2**20  # bytes that stay free whatever was reckoned
_WORK = "work-"


@dataclass(frozen=True)
class Found:
    """An archive, and where it is."""

    place: Place
    stored: Stored


@dataclass(frozen=True)
class Box:
    directory: Path
    key: str
    database: Database
    configuration: tuple[Path, ...]
    retention: Retention
    bucket_address: BucketAddress | None
    bucket_limit: int  # bytes
    requests_limit: int  # a month

    @classmethod
    def of_settings(cls) -> Self:
        address = BucketAddress(
            settings.BACKUP_BUCKET,
            settings.BACKUP_ENDPOINT,
            settings.BACKUP_REGION,
            settings.BACKUP_ACCESS_KEY,
            settings.BACKUP_SECRET_KEY,
        )
        return cls(
            directory=settings.BACKUP_DIR,
            key=settings.BACKUP_KEY,
            database=Database.of_box(),
            configuration=tuple(Path(path).absolute() for path in settings.BACKUP_CONFIGURATION),
            retention=Retention(settings.BACKUP_DAILY, settings.BACKUP_WEEKLY, settings.BACKUP_MONTHLY),
            bucket_address=address if address.name else None,
            bucket_limit=settings.BACKUP_BUCKET_LIMIT,
            requests_limit=settings.BACKUP_BUCKET_REQUESTS,
        )

    def bucket(self, name: str | None = None) -> Bucket | None:
        """The one of the settings, or another one there; None: the settings name none. Every request is counted."""
        if self.bucket_address is None:
            return None
        address = self.bucket_address
        if name is not None and name != address.name:
            address = BucketAddress(
                name, address.endpoint, address.region, address.access_key, address.secret_key
            )

        def count() -> None:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            with Status.changing(self.directory) as status:
                status.count_request()

        return Bucket(address, on_request=count)

    @contextmanager
    def working(self) -> Iterator[Path]:
        """A folder of one's own on the volume of the archives, gone afterwards. Only one run has one at a time: what a
        killed one left is removed first."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            give_to_owner_of(self.directory, self.directory / ".lock")
        except OSError as error:
            raise BackupError(
                f"BACKUP_DIR cannot be used: {error}. Choose another, or run this as the user that the box runs as."
            ) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(
                    f"Another backup, verification or restore is working in {self.directory}. Wait until it has ended."
                ) from error
            for left in self.directory.glob(f"{_WORK}*"):
                shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=_WORK, dir=self.directory))
            try:
                with disk_in_words():
                    yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)

    def require_space(self, needed: int, what: str) -> None:
        """On the volume of the archives. Raises BackupError."""
        free = shutil.disk_usage(self.directory).free
        if free < needed + SPARE:
            raise BackupError(
                f"There is not enough space for {what}: some {in_units(needed + SPARE)} are needed on the volume of "
                f"{self.directory}, {in_units(free)} are free. Make room, or set BACKUP_DIR to another volume."
            )

    def require_requests(self, size: int) -> None:
        """To send or fetch that many bytes within what the month allows. Raises BackupError."""
        used, needed = Status.read(self.directory).requests_this_month(), requests_for(size)
        if self.bucket_address is not None and used + needed > self.requests_limit:
            raise BackupError(
                f"The bucket had {used} requests this month, and this would take {needed}: more than "
                f"BACKUP_BUCKET_REQUESTS ({self.requests_limit}) allows. It goes on next month, or raise that."
            )

    def manifest(self, found: Found) -> Manifest:
        beginning = found.place.beginning(found.stored.name, archive.BEGINNING)
        return parse(archive.read_manifest(BytesIO(beginning), key=self.key))

    def newest(self, *, prefer: str) -> Found:
        """Of all places; where several have it, of the preferred kind. One of the future, which a clock that was wrong
        named, only where there is no other. Raises BackupError where there is none."""
        places: list[Place] = [Directory(self.directory)]
        if (bucket := self.bucket()) is not None:
            places.append(bucket)
        now = datetime.now(UTC)
        found = [Found(place, stored) for place in places for stored in place.archives()]
        if not found:
            raise BackupError("There is no archive yet. Make one: python manage.py backup")
        return max(
            found,
            key=lambda one: (one.stored.made_at <= now, one.stored.made_at, one.place.kind == prefer),
        )

    def named(self, text: str) -> Found:
        """`newest`, a name in BACKUP_DIR, a path, or s3://BUCKET/NAME. Raises BackupError for what is not there."""
        if text == "newest":
            return self.newest(prefer="directory")
        if text.startswith("s3://"):
            bucket_name, _, name = text.removeprefix("s3://").partition("/")
            place: Place | None = self.bucket(bucket_name)
            if place is None:
                raise BackupError(
                    "No bucket is configured: set BACKUP_BUCKET, BACKUP_ENDPOINT, BACKUP_REGION and its two keys."
                )
        else:
            path = Path(text)
            if moment_of(text) is not None and not path.exists():  # as `backups` lists it
                path = self.directory / text
            if not path.is_file():
                raise BackupError(f"There is no file {text}. manage.py backups lists the archives there are.")
            size, moment = path.stat().st_size, moment_of(path.name) or datetime.now(UTC)
            return Found(Directory(path.absolute().parent), Stored(path.name, size, moment))
        for stored in place.archives():
            if stored.name == name:
                return Found(place, stored)
        raise BackupError(f"There is no archive {text}. manage.py backups lists what there is.")
