"""A whole torrent as one uncompressed .tar whose every byte has a fixed place, so that a download of it resumes.

Nothing is written to disk: headers are computed, contents are read from the finished files as they are reached.
"""

import io
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from torrents.files import open_file
from torrents.models import Torrent, TorrentFile

BLOCK = 256 * 1024
END = bytes(2 * tarfile.BLOCKSIZE)  # two empty blocks close an archive (POSIX pax, "End-of-archive")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Consecutive bytes of the archive: `literal`, or a file's contents."""

    start: int
    length: int
    literal: bytes | None
    file: TorrentFile | None


class Archive:
    """The layout of an archive of a torrent's files, or of some. `size` is in bytes, `etag` a strong validator with
    its quotes."""

    def __init__(
        self, torrent: Torrent, files: Sequence[TorrentFile], *, completed_at: datetime | None
    ) -> None:
        self._pieces: list[_Piece] = []
        self.size = 0
        modified = int(completed_at.timestamp()) if completed_at else 0
        layout = sha256(torrent.pk.bytes)
        folder = _folder(torrent, files)
        for file in files:
            header = _header(f"{folder}{file.path}", file.size, modified)
            layout.update(header)
            self._append(header)
            self._append_file(file)
            self._append(bytes(-file.size % tarfile.BLOCKSIZE))
        self._append(END)
        self.etag = f'"{layout.hexdigest()[:40]}"'

    def check(self) -> None:
        """Raises FileGone unless every file is there: better now than in the middle of a download."""
        for piece in self._pieces:
            if piece.file is not None:
                os.close(open_file(piece.file))

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `stop`. Raises FileGone at the file that is not there."""
        for piece in self._pieces:
            begin, end = max(start, piece.start), min(stop, piece.start + piece.length)
            if begin >= end:
                continue
            if piece.literal is not None:
                yield piece.literal[begin - piece.start : end - piece.start]
            elif piece.file is not None:
                yield from _contents(piece.file, begin - piece.start, end - begin)

    def _append(self, literal: bytes) -> None:
        if literal:
            self._pieces.append(_Piece(self.size, len(literal), literal, None))
            self.size += len(literal)

    def _append_file(self, file: TorrentFile) -> None:
        if file.size:
            self._pieces.append(_Piece(self.size, file.size, None, file))
            self.size += file.size


def _folder(torrent: Torrent, files: Sequence[TorrentFile]) -> str:
    """A torrent of several files has a folder of its own already; one that does not gets one."""
    tops = {file.path.split("/", 1)[0] for file in files}
    in_one_folder = len(tops) == 1 and all("/" in file.path for file in files)
    if in_one_folder or len(files) == 1:
        return ""
    name = torrent.name.replace("/", "_")
    return f"{torrent.pk if name in ('', '.', '..') else name}/"


def _header(path: str, size: int, modified: int) -> bytes:
    entry = tarfile.TarInfo(path)
    entry.size = size
    entry.mtime = modified
    return entry.tobuf(format=tarfile.PAX_FORMAT, encoding="utf-8", errors="surrogateescape")


def _contents(file: TorrentFile, offset: int, length: int) -> Iterator[bytes]:
    with io.FileIO(open_file(file), "rb") as stream:
        stream.seek(offset)
        while length > 0:
            block = stream.read(min(BLOCK, length))
            if not block:
                raise OSError(
                    f"file {file.index} of torrent {file.torrent_id} became shorter while it was read"
                )
            length -= len(block)
            yield block
