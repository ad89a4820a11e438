"""The configuration as a tar of absolute paths, and putting it back where it was."""

import os
import pwd
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from proxy_site.backups.errors import BackupError
from proxy_site.backups.places import give_to_owner_of


def bundle(places: Sequence[Path], into: Path) -> list[str]:
    """Write every regular file at or below `places` to the tar `into`; a place that is not there is left out silently.
    Returns what could not be read."""
    left_out: list[str] = []
    with tarfile.open(into, "x", format=tarfile.PAX_FORMAT, dereference=True) as tar:  # hard links, too
        into.chmod(0o600)
        for path in _files(places, left_out):
            try:
                with path.open("rb") as file:
                    tar.addfile(tar.gettarinfo(fileobj=file), file)
            except OSError:
                left_out.append(str(path))
    return left_out


def _files(places: Sequence[Path], left_out: list[str]) -> Iterator[Path]:
    for place in places:
        if place.is_symlink() or not place.is_dir():
            if place.is_file():
                yield place
            continue
        for directory, _, names in os.walk(place, onerror=lambda error: left_out.append(str(error.filename))):
            for path in (Path(directory, name) for name in sorted(names)):
                if path.is_file() and not path.is_symlink():
                    yield path


def unpack(bundled: Path, into: Path) -> list[Path]:
    """All of it under a folder, with the modes it had: `into`/etc/…. Returns the files."""
    written = []
    with _opened(bundled) as tar:  # extractall's own filters are newer than Debian 12's Python
        for member in tar:
            path = Path(member.name)
            file = tar.extractfile(member) if member.isreg() and not member.issparse() else None
            if file is None or "\0" in member.name or path.is_absolute() or ".." in path.parts:
                raise BackupError(f"The archive holds {member.name!r}, which is no file of a configuration.")
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
                shutil.copyfileobj(file, copy)
            target.chmod(member.mode & 0o777)
            written.append(target)
    return written


@dataclass(frozen=True)
class Replacement:
    """What is to be done with one file."""

    member: tarfile.TarInfo
    target: Path
    content: bytes
    is_there: bool


def planned(bundled: Path, places: Sequence[Path]) -> list[Replacement]:
    """What of the bundle differs from what is here. Raises BackupError where some of it may not be written, or does
    not belong to `places`: then nothing should be."""
    plan = []
    with _opened(bundled) as tar:
        for member in tar:
            target = Path("/") / member.name
            if (
                not member.isreg()
                or member.issparse()
                or "\0" in member.name
                or ".." in target.parts
                or not any(target.is_relative_to(one) for one in places)
            ):
                raise BackupError(
                    f"The archive holds configuration for {target}, which is not below BACKUP_CONFIGURATION here "
                    f"({', '.join(map(str, places))}). Add it there, or unpack it elsewhere by --configuration-to."
                )
            file = tar.extractfile(member)
            assert file is not None
            content = file.read()
            with suppress(OSError):
                if target.read_bytes() == content:
                    continue
            _require_writable(target)
            plan.append(Replacement(member, target, content, is_there=target.exists()))
    return plan


def put_back(plan: Sequence[Replacement], *, at: datetime) -> list[str]:
    """Each file whole or not at all; a copy of what was there stays beside it. Returns what was done, in words."""
    done = []
    for one in plan:
        one.target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        copy = one.target.with_name(f"{one.target.name}.before_restore_{at:%Y%m%d_%H%M%S}")
        if one.is_there:
            shutil.copy2(one.target, copy)
            give_to_owner_of(one.target, copy)
        draft = one.target.with_name(f".{one.target.name}.restoring")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(one.content)
            file.flush()
            os.fsync(file.fileno())
        _give_back(draft, one.member)
        draft.replace(one.target)
        done.append(f"{one.target} (what was there: {copy.name})" if one.is_there else f"{one.target} (new)")
    return done


def _require_writable(target: Path) -> None:
    existing = next(path for path in target.parents if path.exists())
    if not os.access(existing, os.W_OK):
        raise BackupError(
            f"This user may not write to {existing}. Run this as root, or leave --configuration out."
        )


def _give_back(path: Path, member: tarfile.TarInfo) -> None:
    """Owners by name: the same user has another number on another machine. One who does not exist here is root."""
    if os.geteuid() == 0:
        try:
            shutil.chown(path, member.uname, member.gname)
        except LookupError:
            os.chown(path, pwd.getpwuid(0).pw_uid, 0)
    path.chmod(member.mode & 0o777)


@contextmanager
def _opened(bundled: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(
            bundled, "r:"
        ) as tar:  # not compressed: nothing comes out that was not in the archive
            yield tar
    except tarfile.TarError as error:
        raise BackupError(f"The configuration in the archive cannot be read: {error}.") from error
