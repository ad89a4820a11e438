"""What may be done about backups, and what there are. How they stand is in standing.py, which needs none of this."""

from dataclasses import dataclass, field
from datetime import datetime

from proxy_site.backups.box import Box
from proxy_site.backups.errors import BackupError, disk_in_words
from proxy_site.backups.making import back_up
from proxy_site.backups.manifest import Manifest
from proxy_site.backups.places import Directory, Place, Stored
from proxy_site.backups.restoring import restore, unpack_configuration
from proxy_site.backups.status import Status
from proxy_site.backups.verifying import verify_newest

__all__ = [
    "BackupError",
    "Listing",
    "Manifest",
    "back_up",
    "drop_kept",
    "listing",
    "manifest_of",
    "restore",
    "unpack_configuration",
    "verify_newest",
]


@dataclass
class Listing:
    archives: list["Listed"]  # newest first
    kept_databases: list[tuple[str, int]] = field(default_factory=list)  # put aside by a restore; bytes
    problems: list[str] = field(default_factory=list)  # what could not be looked at, in words


@dataclass
class Listed:
    name: str
    made_at: datetime
    size: int  # bytes
    places: list[str]
    verified_at: datetime | None


def listing() -> Listing:
    """Of all places. What cannot be asked is told as a problem."""
    box = Box.of_settings()
    told = Listing([])
    found: dict[str, Listed] = {}
    verified = Status.read(box.directory).verified
    for kind, archives in _everywhere(box, told.problems):
        for stored in archives:
            row = Listed(stored.name, stored.made_at, stored.size, [], verified.get(stored.name))
            found.setdefault(stored.name, row).places.append(kind)
    told.archives = sorted(found.values(), key=lambda one: one.made_at, reverse=True)
    try:
        told.kept_databases = box.database.kept()
    except BackupError as error:
        told.problems.append(str(error))
    return told


def manifest_of(text: str) -> Manifest:
    """Of the archive that `text` names, by its first bytes alone."""
    box = Box.of_settings()
    with disk_in_words():
        return box.manifest(box.named(text))


def drop_kept(name: str) -> None:
    """A database that a restore put aside. Raises BackupError for any other."""
    Box.of_settings().database.drop_kept(name)


def _everywhere(box: Box, problems: list[str]) -> list[tuple[str, list[Stored]]]:
    told = []
    for opened in (lambda: Directory(box.directory), box.bucket):
        try:
            with disk_in_words():
                place: Place | None = opened()
                if place is not None:
                    told.append((place.kind, place.archives()))
        except BackupError as error:
            problems.append(str(error))
    return told
