"""Where archives are kept: what all places have in common, and the directory."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_NAME = re.compile(r"box-(\d{8}T\d{6})Z\.age")
_MOMENT = "%Y%m%dT%H%M%S"


def archive_name(moment: datetime) -> str:
    """Of an archive made at that second."""
    return f"box-{moment.astimezone(UTC):{_MOMENT}}Z.age"


def moment_of(name: str) -> datetime | None:
    """When the archive of that name was made; None: that is not the name of one."""
    if (match := _NAME.fullmatch(name)) is None:
        return None
    try:
        return datetime.strptime(match[1], _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True)
class Stored:
    """One archive in one place."""

    name: str
    size: int  # bytes
    made_at: datetime


class Place(Protocol):
    """Its methods raise BackupError with what to do, or OSError of this machine's disk."""

    kind: str  # "directory" or "bucket"

    def archives(self) -> list[Stored]:
        """Newest first."""

    def store(self, archive: Path) -> None:
        """Keep a copy under the file's name: whole or not at all."""

    def beginning(self, name: str, size: int) -> bytes:
        """The archive's first bytes, `size` or all there are."""

    def fetch(self, name: str, into: Path) -> Path:
        """A file with the archive: the one that is there, or a copy in the folder `into`."""

    def delete(self, name: str) -> None: ...


class Directory:
    kind = "directory"

    def __init__(self, path: Path) -> None:
        self.path = path

    def archives(self) -> list[Stored]:
        files = self.path.glob("box-*.age") if self.path.is_dir() else ()
        return newest_first((file.name, file.stat().st_size) for file in files)

    def store(self, archive: Path) -> None:
        """Takes the file, which is on the same volume."""
        give_to_owner_of(self.path, archive)
        descriptor = os.open(archive, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        archive.replace(self.path / archive.name)
        descriptor = os.open(self.path, os.O_RDONLY)
        os.fsync(descriptor)  # a power cut must not take it back
        os.close(descriptor)

    def beginning(self, name: str, size: int) -> bytes:
        with (self.path / name).open("rb") as file:
            return file.read(size)

    def fetch(self, name: str, into: Path) -> Path:
        return self.path / name

    def delete(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)


def give_to_owner_of(model: Path, path: Path) -> None:
    """What root makes is for whoever works there otherwise; what a link leads to is not, for it may be theirs."""
    if os.geteuid() == 0:
        status = model.stat()
        os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)


def newest_first(found: Iterable[tuple[str, int]]) -> list[Stored]:
    """What of names and sizes are archives."""
    stored = [Stored(name, size, at) for name, size in found if (at := moment_of(name)) is not None]
    return sorted(stored, key=lambda one: one.made_at, reverse=True)
