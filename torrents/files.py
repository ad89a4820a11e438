"""Finished files on the box's disk: found from rows, opened without ever following a link out of the torrent's folder.

What a torrent names its files, and what lies in its folder, is a stranger's choice.
"""

import os
import stat
from pathlib import Path, PurePosixPath

from django.conf import settings

from torrents.allowances import Allowances
from torrents.models import Claim, Torrent, TorrentFile
from torrents.own_files import progress_of
from torrents.waiting import waiting_message

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a FIFO must not hang us


class NotFinished(Exception):
    """The torrent is not handed over yet; the text says why."""


class FileGone(Exception):
    """A finished file is not on the disk as it should be; the text says what is there instead."""


class FilesElsewhere(FileGone):
    """This machine has nobody's files: it is not meant to, or the disk that holds them is not mounted."""

    def __init__(self) -> None:
        super().__init__("This server of the box does not reach its files. Another one hands them over.")


def files_are_here() -> bool:
    """Whether the folder that the reconciler makes for all torrents can be seen from this machine."""
    return settings.SERVES_FILES and (Path(settings.DOWNLOADS_DIR) / "t").is_dir()


def require_finished(claim: Claim) -> None:
    """Raises NotFinished unless this person may fetch the torrent's files now."""
    if claim.completed_at is not None:
        return
    if claim.wanted == Claim.Wanted.PAUSED:
        raise NotFinished("This torrent is paused. Resume it, and fetch it when it has finished.")
    if claim.waits_for:
        raise NotFinished(f"This torrent waits. {waiting_message(claim, Allowances())}")
    percent = int(progress_of(claim) * 100)
    raise NotFinished(f"This torrent has not finished yet ({percent} %). Fetch it when it has.")


def open_file(file: TorrentFile) -> int:
    """A descriptor of the regular file, for reading; the caller closes it. Raises FileGone."""
    return open_beneath(file.torrent, file.path, file.size)


def open_beneath(torrent: Torrent, path: str, size: int) -> int:
    """Open `path`, relative to the torrent's folder, component by component, following no symbolic link.
    Raises FileGone."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\0" in path:
        raise FileGone("Its path is not one we hand over.")
    if not settings.SERVES_FILES:
        raise FilesElsewhere
    try:
        directory = os.open(torrent.data_dir, _DIRECTORY)
        try:
            for part in parts[:-1]:
                inner = os.open(part, _DIRECTORY, dir_fd=directory)
                os.close(directory)
                directory = inner
            descriptor = os.open(parts[-1], _FILE, dir_fd=directory)
        finally:
            os.close(directory)
    except (OSError, UnicodeError) as error:
        if not files_are_here():
            raise FilesElsewhere from error
        raise FileGone("It is not on the box's disk any more.") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_size != size:
        os.close(descriptor)
        raise FileGone("It is not on the box's disk as it was downloaded.")
    return descriptor


def modified_ns(descriptor: int) -> int:
    """When the open file was last written to, in nanoseconds."""
    return os.fstat(descriptor).st_mtime_ns


def etag_of(file: TorrentFile, modified_ns: int) -> str:
    """A strong validator: the same torrent's same file, not written to since. Includes the quotes."""
    return f'"{file.torrent_id.hex}-{file.index}-{file.size:x}-{modified_ns:x}"'
