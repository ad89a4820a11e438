"""A file on its way: `NAME.part` with what has arrived, `NAME.part.json` with where that came from.

Everything here blocks; the event loop calls it in a thread.
"""

import contextlib
import hashlib
import json
import os
import stat
import sys
import threading
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from torrent_proxy_client.errors import DownloadFailed
from torrent_proxy_client.locks import try_lock
from torrent_proxy_client.names import PART_SUFFIX, SIDECAR_SUFFIX, numbered

_BLOCK = 1024 * 1024
_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Conflict(StrEnum):
    """What to do where a different file of that name is here already."""

    KEEP_BOTH = "keep both"  # the new one becomes `NAME (2)`
    SKIP = "skip"
    OVERWRITE = "overwrite"  # once the new one is here whole and verified


@dataclass(frozen=True, slots=True)
class Origin:
    """Which file of which torrent on which server; a part is continued only from its own origin."""

    server: str
    torrent: str
    index: int


class PartFile:
    """An open part, locked against a second download into it; `size` bytes of `sha256` are here."""

    def __init__(self, target: Path, origin: Origin, content: int, sidecar: int) -> None:
        """`content` and `sidecar` are open descriptors, which this object owns from now on."""
        self.target = target
        self.part = target.with_name(target.name + PART_SUFFIX)
        self.etag = ""
        self.size = 0
        self._origin = origin
        self._hash = hashlib.sha256()
        self._content = os.fdopen(content, "r+b", buffering=0)
        self._sidecar = os.fdopen(sidecar, "r+b", buffering=0)
        # A cancelled download closes the file while its last write may still run in a thread.
        self._lock = threading.Lock()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def read_back(self, etag: str) -> None:
        """Take over what is here from an earlier time."""
        self.etag = etag
        while block := self._content.read(_BLOCK):
            self._hash.update(block)
            self.size += len(block)

    def begin(self, etag: str) -> None:
        """Note which version of the content is fetched; a strong ETag, or "" when the server gave none."""
        self.etag = etag
        note = json.dumps({**asdict(self._origin), "etag": etag}).encode()
        self._sidecar.seek(0)
        self._sidecar.write(note)
        self._sidecar.truncate(len(note))

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._content.closed:
                return
            rest = memoryview(data)
            while rest:
                rest = rest[self._content.write(rest) :]
            self._hash.update(data)
            self.size += len(data)

    def restart(self) -> None:
        """Forget what is here."""
        self._content.seek(0)
        self._content.truncate(0)
        self._hash = hashlib.sha256()
        self.size = 0

    def finish(self, *, replace: bool = False) -> Path:
        """Give the file its name and return the path it got; another file is replaced only if `replace`."""
        os.fsync(self._content.fileno())
        number, target = 1, self.target
        self._close_content()
        if replace and os.path.lexists(target) and _is_regular(target):
            self.part.replace(target)
            self._drop_sidecar()
            _sync_directory(target.parent)
            return target
        while not _rename_to_free(self.part, target):
            number += 1
            target = self.target.with_name(numbered(self.target.name, number))
        self._drop_sidecar()
        _sync_directory(target.parent)
        return target

    def set_aside(self) -> Path:
        """Keep content that turned out wrong as `NAME.damaged`; returns its path."""
        number, aside = 1, self.target.with_name(self.target.name + ".damaged")
        self._close_content()
        while not _rename_to_free(self.part, aside):
            number += 1
            aside = self.target.with_name(f"{self.target.name}.damaged{number}")
        self._drop_sidecar()
        return aside

    def close(self) -> None:
        self._close_content()
        self._sidecar.close()

    def _close_content(self) -> None:
        with self._lock:
            self._content.close()

    def _drop_sidecar(self) -> None:
        self._sidecar.close()
        with contextlib.suppress(FileNotFoundError):
            self.target.with_name(self.target.name + SIDECAR_SUFFIX).unlink()


def open_target(
    folder: Path,
    name: str,
    origin: Origin,
    *,
    size: int,
    sha256: str | None,
    conflict: Conflict = Conflict.KEEP_BOTH,
) -> Path | PartFile:
    """Find where a file goes in `folder`: its path if it needs no fetching, else the part to fill.

    It needs none when the very same is there already, and with SKIP when any file of that name is. Else a
    different file is left alone (but see `PartFile.finish`), and so is somebody else's part.
    Raises DownloadFailed when another process is fetching the same file, and OSError.
    """
    number = 1
    while True:
        target = folder / numbered(name, number)
        taken = os.path.lexists(target)
        if taken:
            same_size = _is_regular(target) and target.stat().st_size == size
            if conflict is Conflict.SKIP or (same_size and sha256 and _sha256_of(target) == sha256):
                return target
        free = not taken or (conflict is Conflict.OVERWRITE and _is_regular(target))
        if free and (part := _open_part(target, origin)):
            return part
        number += 1


def part_size(target: Path) -> int:
    """Bytes of an unfinished download of `target`, for estimating the space that is needed."""
    part = target.with_name(target.name + PART_SUFFIX)
    return part.lstat().st_size if os.path.lexists(part) else 0


def _open_part(target: Path, origin: Origin) -> PartFile | None:
    """None when the part belongs to something else."""
    part_path = target.with_name(target.name + PART_SUFFIX)
    sidecar_path = target.with_name(target.name + SIDECAR_SUFFIX)
    found, noted = os.path.lexists(part_path), os.path.lexists(sidecar_path)
    if (found and not _is_regular(part_path)) or (noted and not _is_regular(sidecar_path)):
        return None
    if found and not noted:
        return None
    sidecar = os.open(sidecar_path, _OPEN, 0o644)
    try:
        if not try_lock(sidecar):
            raise DownloadFailed(f"{target.name} is being fetched already, by another torrent-proxy.")
        note = _read_note(sidecar) if noted else {}
        etag = str(note.pop("etag", ""))
        if note and note != asdict(origin):
            os.close(sidecar)
            return None
        content = os.open(part_path, _OPEN, 0o644)
    except BaseException:
        os.close(sidecar)
        raise
    part = PartFile(target, origin, content, sidecar)
    if note and etag:
        part.read_back(etag)
    else:
        part.restart()
    return part


def _read_note(descriptor: int) -> dict[str, object]:
    """What the sidecar says; empty when it was cut off while being written."""
    try:
        note = json.loads(os.read(descriptor, _BLOCK))
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rename_to_free(source: Path, target: Path) -> bool:
    """Rename in one step; False when `target` exists."""
    if sys.platform == "win32":
        try:
            source.rename(target)
        except FileExistsError:
            return False
        return True
    try:
        os.link(source, target)  # unlike rename, it never replaces
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links, such as exFAT
        if os.path.lexists(target):
            return False
        source.rename(target)
        return True
    source.unlink()
    return True


def _sync_directory(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(OSError):  # not every file system can
        os.fsync(descriptor)
    os.close(descriptor)
