"""What one person may fetch, as a tree of read-only directories and files, built from rows alone.

Every finished torrent is one entry of the top, with the files that this person chose of it: one file is shown as that
file, several as a folder named after the torrent. Where all their paths begin with one common folder, that folder is
not shown a second time below.
Names are safe on Linux, macOS and Windows, and no two of a directory differ only in case.
"""

import re
import threading
import time
import unicodedata
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from accounts.models import User
from torrents.models import Claim, TorrentFile
from torrents.own_files import files_of

FRESH_SECONDS = 2.0  # how old a listing may be; opening a file always asks the rows
NAME_BYTES = 240  # file systems take 255: room for " (2)" and a client's ".part"
PATH_LENGTH = 8192  # characters of a path that somebody asks for
KEPT_ENTRIES = 100_000  # files and folders of all torrents that a process keeps in memory

# Control characters, lone surrogates, separators, what Windows forbids, and marks that turn the reading direction.
_UNSAFE = re.compile(
    r'[\x00-\x1f\x7f-\x9f\ud800-\udfff/\\:*?"<>|\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]'
)
# Names of devices on Windows, whatever their extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)


class NotThere(Exception):
    """This person has no such file or directory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory. `size` in bytes; `modified`, when the torrent was complete, in seconds since 1970."""

    name: str
    is_directory: bool
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class _File:
    index: int
    size: int


@dataclass(slots=True)
class _Directory:
    """Entries by the name they are shown by; `folders` by the torrent's own name, `taken` as of `unique_name`."""

    entries: "dict[str, _File | _Directory]" = field(default_factory=dict)
    folders: "dict[str, _Directory]" = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)

    def folder(self, name: str) -> "_Directory":
        found = self.folders.get(name)
        if found is None:
            found = self.folders[name] = _Directory()
            self.entries[unique_name(safe_name(name), self.taken, extension=False)] = found
        return found

    def add_file(self, name: str, file: _File) -> None:
        self.entries[unique_name(safe_name(name), self.taken, extension=True)] = file


@dataclass(frozen=True, slots=True)
class _Shown:
    """A finished torrent at the top of somebody's tree."""

    claim_id: uuid.UUID
    torrent_id: uuid.UUID
    version: int  # changes when the torrent's files are recorded anew
    modified: int
    single: _File | None  # the file, of a torrent of one
    chosen: tuple[int, ...] | None  # indexes of the files that are this person's; None: all


class Layouts:
    """The folders of torrents, shared by all people and threads of a process: they depend on nothing but the torrent
    and the choice of its files."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[uuid.UUID, int, tuple[int, ...] | None], tuple[int, _Directory]] = (
            OrderedDict()
        )
        self._total = 0

    def of(self, torrent_id: uuid.UUID, version: int, chosen: tuple[int, ...] | None) -> _Directory:
        key = (torrent_id, version, chosen)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][1]
        files = TorrentFile.objects.filter(torrent_id=torrent_id).order_by("index")
        if chosen is not None:
            files = files.filter(index__in=chosen)
        rows = list(files.values_list("path", "index", "size"))
        directory = lay_out(rows)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = (len(rows), directory)
                self._total += len(rows)
            while self._total > KEPT_ENTRIES and len(self._kept) > 1:
                self._total -= self._kept.popitem(last=False)[1][0]
        return directory


_layouts = Layouts()


class Tree:
    """One person's tree. Safe to use from several threads.

    >>> Tree(user).file("/Show/season 1/episode.mkv")  # doctest: +SKIP
    (<Claim: …>, <TorrentFile: …>)
    """

    def __init__(self, user: User) -> None:
        self._user = user
        self._lock = threading.Lock()
        self._top: dict[str, _Shown] = {}
        self._names: dict[uuid.UUID, str] = {}  # of claims, as last given
        self._read_at = -FRESH_SECONDS

    def entry(self, path: str) -> Entry:
        """What is at a path; raises NotThere."""
        parts = parts_of(path)
        if not parts:
            return Entry("", True, 0, self._newest())
        shown, node = self._find(parts)
        return _entry(parts[-1], node, shown.modified)

    def listing(self, path: str) -> Iterator[Entry]:
        """The entries of a directory, in the order in which they came; raises NotThere, also for a file.

        Made one by one: a directory may have a hundred thousand, and somebody may list it many times at once.
        """
        parts = parts_of(path)
        if not parts:
            return (_entry(name, shown.single, shown.modified) for name, shown in self._shown().items())
        shown, node = self._find(parts)
        if isinstance(node, _File):
            raise NotThere(path)
        return (_entry(name, child, shown.modified) for name, child in node.entries.items())

    def file(self, path: str) -> tuple[Claim, TorrentFile]:
        """The rows of the file at a path, as they are now; raises NotThere, also for a directory."""
        shown, node = self._find(parts_of(path))
        if isinstance(node, _Directory):
            raise NotThere(path)
        claim = Claim.objects.of(self._user).finished().filter(pk=shown.claim_id).first()
        if claim is None:
            raise NotThere(path)
        file = files_of(claim).filter(index=node.index).first()
        if file is None:
            raise NotThere(path)
        return claim, file

    def path_of(self, claim_id: uuid.UUID, index: int | None = None) -> str | None:
        """Where the torrent of a claim, or one of its files, stands in this tree; None while it is not finished."""
        for name, shown in self._shown().items():
            if shown.claim_id == claim_id:
                if index is None or shown.single is not None:
                    return f"/{name}"
                return _path_below(
                    f"/{name}", _layouts.of(shown.torrent_id, shown.version, shown.chosen), index
                )
        return None

    def _find(self, parts: list[str]) -> tuple[_Shown, _File | _Directory]:
        shown = self._shown().get(parts[0]) if parts else None
        if shown is None:
            raise NotThere("/".join(parts))
        node = shown.single or _layouts.of(shown.torrent_id, shown.version, shown.chosen)
        for part in parts[1:]:
            inner = node.entries.get(part) if isinstance(node, _Directory) else None
            if inner is None:
                raise NotThere("/".join(parts))
            node = inner
        return shown, node

    def _newest(self) -> int:
        return max((shown.modified for shown in self._shown().values()), default=0)

    def _shown(self) -> dict[str, _Shown]:
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                self._top, self._names = _read_top(self._user, self._names)
                self._read_at = time.monotonic()
            return self._top


def _read_top(user: User, known: Mapping[uuid.UUID, str]) -> tuple[dict[str, _Shown], dict[uuid.UUID, str]]:
    """What is shown, by name; and the names of all claims, also of those that can still be taken back.

    Who finished first keeps the plain name when a newer one is called the same, also while it is removed and may come
    back. `known` names stay: whoever is fetching a listing finds what they listed.
    """
    top: dict[str, _Shown] = {}
    names: dict[uuid.UUID, str] = {}
    rows = list(Claim.with_removed.finished_tops(user))
    taken = {known[row.claim_id].casefold(): 1 for row in rows if row.claim_id in known}
    for row in rows:
        single = _File(row.first_index, row.first_size) if row.first_index == row.last_index else None
        name = known.get(row.claim_id)
        if name is None:
            plain = PurePosixPath(row.first_path).name if single else row.name
            plain = safe_name(plain, fallback=str(row.torrent_id))
            name = unique_name(plain, taken, extension=single is not None)
        names[row.claim_id] = name
        if not row.removed:
            modified = int(row.completed_at.timestamp())
            chosen = None if row.chosen is None else tuple(row.chosen)
            top[name] = _Shown(row.claim_id, row.torrent_id, row.last_pk, modified, single, chosen)
    return top, names


def lay_out(files: Iterable[tuple[str, int, int]]) -> _Directory:
    """The folder of a torrent from the (path, index, size) of its files, its own top folder taken away."""
    top = _Directory()
    for path, index, size in files:
        *folders, name = path.split("/")
        directory = top
        for folder in folders:
            directory = directory.folder(folder)
        directory.add_file(name, _File(index, size))
    if len(top.entries) == 1 and top.folders:
        (only,) = top.folders.values()
        return only
    return top


def _entry(name: str, node: _File | _Directory | None, modified: int) -> Entry:
    return Entry(name, not isinstance(node, _File), node.size if isinstance(node, _File) else 0, modified)


def _path_below(path: str, directory: _Directory, index: int) -> str | None:
    for name, node in directory.entries.items():
        if isinstance(node, _File):
            if node.index == index:
                return f"{path}/{name}"
        elif found := _path_below(f"{path}/{name}", node, index):
            return found
    return None


def parts_of(path: str) -> list[str]:
    """The names along a path from the top. `..` above the top stays there; raises NotThere for an endless path."""
    if len(path) > PATH_LENGTH:
        raise NotThere("too long")
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return parts


def safe_name(name: str, *, fallback: str = "_") -> str:
    """A name that every file system takes, as close to the torrent's own as that allows."""
    safe = _shortened(_UNSAFE.sub("_", name), NAME_BYTES).rstrip(". ")
    if not safe:
        return fallback
    return f"_{safe}" if _DEVICE.match(safe) else safe


def unique_name(name: str, taken: dict[str, int], *, extension: bool) -> str:
    """The name, or the first of `name (2)`, `name (3)` … that is not taken in any case; takes it.

    `taken`: names without their case, each with the last number given to it.
    `extension`: the number goes before it.
    """
    stem, suffix = _split_extension(name) if extension else (name, "")
    folded = _folded(name)
    number, candidate = taken.get(folded, 1), name
    while _folded(candidate) in taken:
        number += 1
        candidate = f"{stem} ({number}){suffix}"
    taken[folded] = number  # where to go on, so that ten thousand of one name do not try all numbers each
    taken.setdefault(_folded(candidate), 1)
    return candidate


def _folded(name: str) -> str:
    """The same for names that some file system takes for one: in another case, or composed otherwise (macOS)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _split_extension(name: str) -> tuple[str, str]:
    stem, _, suffix = name.rpartition(".")
    return (stem, f".{suffix}") if stem and len(suffix) <= 8 else (name, "")


def _shortened(name: str, size: int) -> str:
    """At most `size` bytes of UTF-8, its extension kept."""
    if len(name.encode()) <= size:
        return name
    stem, suffix = _split_extension(name)
    return stem.encode()[: size - len(suffix.encode())].decode(errors="ignore") + suffix
