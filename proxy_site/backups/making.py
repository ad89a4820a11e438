"""Making an archive, and keeping it where it is to be kept."""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

from proxy_site import VERSION
from proxy_site.backups import archive, configuration
from proxy_site.backups.box import Box
from proxy_site.backups.bucket import Bucket
from proxy_site.backups.errors import BackupError, Busy
from proxy_site.backups.manifest import Manifest
from proxy_site.backups.places import Directory, Place, archive_name
from proxy_site.backups.progress import Say, in_units, size_of, telling
from proxy_site.backups.status import PlaceStatus, Status


@dataclass
class Made:
    name: str
    size: int  # bytes
    seconds: float = 0.0
    stored: list[str] = field(default_factory=list)  # kinds of places
    pruned: dict[str, list[str]] = field(default_factory=dict)  # by kind of place
    left_out: list[str] = field(default_factory=list)  # of the configuration: what could not be read
    error: str = ""  # why the bucket has it not


def secret_key_mark() -> str:
    """Differs with SECRET_KEY, and tells nothing of it."""
    return salted_hmac("proxy_site.backups", "which key", algorithm="sha256").hexdigest()[:16]


def back_up(*, say: Say) -> Made:
    """Raises BackupError where there is no archive then. That the bucket did not take it is told in `error`."""
    box = Box.of_settings()
    began = time.monotonic()
    try:
        with box.working() as folder:
            made = _make(box, folder, say)
            made.seconds = round(time.monotonic() - began, 2)
            _note(box, made)
    except Busy:
        raise
    except BackupError as error:
        note_failure(box.directory, "backup", str(error))
        raise
    return made


def note_failure(directory: Path, task: str, why: str) -> None:
    with suppress(OSError), Status.changing(directory) as status:  # the disk may be full, and that is why
        status.failures[task] += 1
        status.last_failure[task] = why


def _make(box: Box, folder: Path, say: Say) -> Made:
    archive.require_key(box.key)
    whole, tables = box.database.sizes()
    box.require_space(2 * tables, "a dump of the database and its archive")
    say(f"Dumping the database {box.database.name} ({in_units(whole)}).")
    now = datetime.now(UTC).replace(microsecond=0)
    dump, bundled, draft = folder / "dump", folder / "configuration", folder / archive_name(now)
    with telling(say, lambda: size_of(dump)):
        contents, server_major = box.database.dump(dump)
    left_out = configuration.bundle(box.configuration, bundled)
    manifest = Manifest(
        made_at=now,
        release=VERSION,
        host=socket.gethostname(),
        postgresql_major=server_major,
        database_bytes=whole,
        dump_bytes=dump.stat().st_size,
        contents=contents,
        secret_key_mark=secret_key_mark(),
        left_out=tuple(left_out),
    )
    say(f"Encrypting the dump ({in_units(manifest.dump_bytes)}) and the configuration.")
    with telling(say, lambda: size_of(draft)), draft.open("xb") as target:
        draft.chmod(0o600)
        archive.write(target, key=box.key, manifest=manifest.to_json(), configuration=bundled, database=dump)
    dump.unlink()
    made = Made(draft.name, draft.stat().st_size, left_out=left_out)
    directory = Directory(box.directory)
    directory.store(draft)
    say(f"Stored {box.directory / made.name} ({in_units(made.size)}).")
    _stored(box, directory, made)
    try:
        if (bucket := box.bucket()) is not None:
            say(f"Sending it to the bucket {settings.BACKUP_BUCKET}.")
            _require_allowance(box, bucket, made.size)
            bucket.drop_unfinished()
            bucket.store(box.directory / made.name)
            _stored(box, bucket, made)
    except BackupError as error:
        made.error = f"{error} The archive is in {box.directory}."
    return made


def _require_allowance(box: Box, bucket: Bucket, size: int) -> None:
    box.require_requests(size)
    there = sum(held for _, held in bucket.objects())
    if there + size > box.bucket_limit:
        raise BackupError(
            f"The bucket holds {in_units(there)}, and this archive would make it more than BACKUP_BUCKET_LIMIT "
            f"({in_units(box.bucket_limit)}). Keep fewer (BACKUP_MONTHLY), remove other things from it, or raise that."
        )


def _stored(box: Box, place: Place, made: Made) -> None:
    """Remove what need not stay there any longer, and note what there is."""
    archives = place.archives()
    just_made = next((one for one in archives if (one.name, one.size) == (made.name, made.size)), None)
    if just_made is None:  # whatever the place said
        raise BackupError(
            f"The {place.kind} took {made.name} and does not have it as it was sent. Nothing was removed there: see "
            "what it lists (manage.py backups), and that it is what BACKUP_ENDPOINT should name."
        )
    made.stored.append(place.kind)
    kept = box.retention.kept((one.made_at for one in archives), at=just_made.made_at)
    made.pruned[place.kind] = [one.name for one in archives if one.made_at not in kept]
    for name in made.pruned[place.kind]:
        place.delete(name)
    left = [one for one in archives if one.made_at in kept]
    with Status.changing(box.directory) as status:
        status.places[place.kind] = PlaceStatus(
            last_success=datetime.now(UTC),
            newest=made.name,
            newest_bytes=made.size,
            stored_bytes=sum(one.size for one in left),
            count=len(left),
        )


def _note(box: Box, made: Made) -> None:
    with Status.changing(box.directory) as status:
        status.since = status.since or datetime.now(UTC)
        status.left_out = made.left_out
        if box.bucket_address is None:
            status.places.pop("bucket", None)
        status.failures["backup"] = status.failures["backup"] + 1 if made.error else 0
        if made.error:
            status.last_failure["backup"] = made.error
