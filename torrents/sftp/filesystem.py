"""A person's tree as SFTP and SCP see it. There is nothing that writes."""

import errno
import logging
import os
import stat
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from itertools import chain
from typing import Any, NoReturn, ParamSpec, TypeVar, cast
from uuid import UUID

import asyncssh
from asyncssh import SFTPAttrs, SFTPName
from django.db import DatabaseError, InterfaceError

from accounts.models import User
from torrents.allowances import TrafficUsedUp, require_traffic_left
from torrents.files import FileGone, open_file
from torrents.sftp.flow import Flow
from torrents.sftp.threads import Threads, note_handover
from torrents.tree import Entry, NotThere, Tree, parts_of

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)

READ_SIZE = 255 * 1024  # what OpenSSH reads at most; a shorter answer than was asked for is allowed
OPEN_FILES = 64  # of one session: OpenSSH's client opens one, lftp and rclone a handful
OPEN_LISTINGS = 64
# Bytes after which the traffic ledger hears of a download under way, and the download of the month's limit.
REPORT_EVERY = 64 * 2**20
WRITING = (
    asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC | asyncssh.FXF_EXCL
)


class OpenFile:
    """A file being read. `unreported`: bytes handed over that the traffic ledger has not heard of. `refusal`: why
    nothing more is read from it; empty while that may go on."""

    def __init__(self, descriptor: int, claim_id: UUID, attributes: SFTPAttrs) -> None:
        self.descriptor = descriptor
        self.claim_id = claim_id
        self.attributes = attributes
        self.unreported = 0
        self.refusal = ""
        self._close = weakref.finalize(self, os.close, descriptor)

    def close(self) -> None:
        self._close()

    def seek(self, offset: int, whence: int) -> int:
        """asyncssh asks where a sparse file has data. Reading does not depend on the position."""
        return os.lseek(self.descriptor, offset, whence)


class Listing:
    """The names of a directory, one after the other."""

    def __init__(self, filesystem: "FinishedFiles", path: str) -> None:
        self._filesystem = filesystem
        self._path = path
        self._names: Iterator[SFTPName] | None = None

    def __aiter__(self) -> "Listing":
        return self

    async def __anext__(self) -> SFTPName:
        if self._names is None:
            self._names = await self._filesystem.names(self._path)
        for name in self._names:
            return name
        raise StopAsyncIteration


class FinishedFiles(asyncssh.SFTPServer):
    """One SFTP or SCP session of a person."""

    def __init__(self, channel: Any, *, user: User, tree: Tree, threads: Threads, flow: Flow) -> None:
        super().__init__(channel)
        self._user = user
        self._tree = tree
        self._threads = threads
        self._flow = flow
        self._open: set[OpenFile] = set()
        self._listings: weakref.WeakSet[Listing] = weakref.WeakSet()

    # --- directories

    def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        if len(self._listings) >= OPEN_LISTINGS:
            raise asyncssh.SFTPFailure("Too many directories are open. Close some first.")
        listing = Listing(self, _text(path))
        self._listings.add(listing)
        return listing

    async def names(self, path: str) -> Iterator[SFTPName]:
        """The directory's entries with `.` and `..`, which clients expect."""
        entries = await self._ask(self._tree.listing, path)
        here = _attributes(await self._ask(self._tree.entry, path))
        dots = [SFTPName(b".", attrs=here), SFTPName(b"..", attrs=here)]
        return chain(dots, (SFTPName(entry.name.encode(), attrs=_attributes(entry)) for entry in entries))

    def format_user(self, uid: int | None) -> str:
        return self._user.username

    def format_group(self, gid: int | None) -> str:
        return "-"

    # --- what is at a path

    async def stat(self, path: bytes) -> SFTPAttrs:
        return _attributes(await self._ask(self._tree.entry, _text(path)))

    async def lstat(self, path: bytes) -> SFTPAttrs:
        return await self.stat(path)  # there are no links

    async def realpath(self, path: bytes) -> bytes:
        await self._flow.until_sent(self.channel)
        try:
            return ("/" + "/".join(parts_of(_text(path)))).encode()
        except NotThere:
            raise asyncssh.SFTPNoSuchFile("There is no such file.") from None

    # --- reading

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> OpenFile:
        if pflags & WRITING:
            _refuse()
        return await self._open_for_reading(path)

    async def open56(self, path: bytes, desired_access: int, flags: int, attrs: SFTPAttrs) -> NoReturn:
        _refuse()  # of SFTP 5 and 6, which are never agreed on

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        await self._flow.until_sent(self.channel)
        return bytes(await self.read_behind(0, cast(OpenFile, file_obj), offset, size))

    async def read_behind(self, room: int, file: OpenFile, offset: int, size: int) -> bytearray:
        """`room` bytes for the caller, then `size` of the file's: fewer at its end, or where memory is short."""
        if file.unreported >= REPORT_EVERY:
            await self._report([file])
            file.refusal = await self._traffic_refusal()
        if file.refusal:
            raise asyncssh.SFTPPermissionDenied(file.refusal)
        size = min(size, READ_SIZE, self._flow.share(), max(0, (file.attributes.size or 0) - offset))
        if not size:
            return bytearray(room)
        answer = _read_now(room, file.descriptor, size, offset)
        if answer is None:
            answer = await self._threads.read(_read_wholly, room, file.descriptor, size, offset)
        file.unreported += size
        return answer

    async def fstat(self, file_obj: object) -> SFTPAttrs:
        await self._flow.until_sent(self.channel)
        return cast(OpenFile, file_obj).attributes

    async def close(self, file_obj: object) -> None:
        file = cast(OpenFile, file_obj)
        self._open.discard(file)
        file.close()
        await self._report([file])

    def exit(self) -> None:
        """The client is done: scp takes a session that ends without a status for a failure."""
        if not self.channel.is_closing():
            self.channel.exit(0)

    async def close_all(self) -> None:
        """The connection is gone: whatever it left open."""
        files, self._open = self._open, set()
        for file in files:
            file.close()
        await self._report(files)

    async def _open_for_reading(self, path: bytes) -> OpenFile:
        if len(self._open) >= OPEN_FILES:
            raise asyncssh.SFTPFailure("Too many files are open. Close some first.")
        claim, row = await self._ask(self._tree.file, _text(path))
        if refusal := await self._traffic_refusal():
            raise asyncssh.SFTPPermissionDenied(refusal)
        entry = await self._ask(self._tree.entry, _text(path))
        try:
            descriptor = await self._threads.read(open_file, row)
        except FileGone as error:
            raise asyncssh.SFTPNoSuchFile(str(error)) from error
        file = OpenFile(descriptor, claim.pk, _attributes(entry))
        self._open.add(file)
        return file

    async def _traffic_refusal(self) -> str:
        """Why this person may fetch nothing now; empty: they may."""
        try:
            await self._ask(require_traffic_left, self._user.pk)
        except TrafficUsedUp as error:
            return str(error)
        return ""

    async def _report(self, files: Collection[OpenFile]) -> None:
        sent = Counter[UUID]()
        for file in files:
            sent[file.claim_id] += file.unreported
            file.unreported = 0
        if not sent.total():
            return
        try:
            await self._threads.query(note_handover, sent)
        except (DatabaseError, InterfaceError, RuntimeError) as error:  # RuntimeError: we are stopping
            for file in files:  # an open one tells again
                file.unreported, sent[file.claim_id] = file.unreported + sent[file.claim_id], 0
            logger.warning("Bytes handed over were not recorded: %s", error)

    async def _ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        await self._flow.until_sent(self.channel)
        try:
            return await self._threads.query(question, *args, **kwargs)
        except NotThere:
            raise asyncssh.SFTPNoSuchFile("There is no such file.") from None
        except (DatabaseError, InterfaceError) as error:
            logger.warning("The database cannot be asked: %s", error)
            raise asyncssh.SFTPFailure("The box cannot look that up now. Try again in a minute.") from None

    # --- everything else

    def write(self, file_obj: object, offset: int, data: bytes) -> NoReturn:
        _refuse()

    def setstat(self, path: bytes, attrs: SFTPAttrs) -> NoReturn:
        _refuse()

    def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> NoReturn:
        _refuse()

    def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> NoReturn:
        _refuse()

    def remove(self, path: bytes) -> NoReturn:
        _refuse()

    def mkdir(self, path: bytes, attrs: SFTPAttrs) -> NoReturn:
        _refuse()

    def rmdir(self, path: bytes) -> NoReturn:
        _refuse()

    def rename(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        _refuse()

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        _refuse()

    def readlink(self, path: bytes) -> NoReturn:
        _refuse()

    def symlink(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        _refuse()

    def link(self, oldpath: bytes, newpath: bytes) -> NoReturn:
        _refuse()

    def lock(self, file_obj: object, offset: int, length: int, flags: int) -> NoReturn:
        _refuse()

    def unlock(self, file_obj: object, offset: int, length: int) -> NoReturn:
        _refuse()

    def statvfs(self, path: bytes) -> NoReturn:
        _refuse()

    def fstatvfs(self, file_obj: object) -> NoReturn:
        _refuse()

    def fsync(self, file_obj: object) -> NoReturn:
        _refuse()


def _read_now(room: int, descriptor: int, size: int, offset: int) -> bytearray | None:
    """What the page cache holds is read at once; None where it does not hold all of it."""
    answer = bytearray(room + size)
    try:
        count = os.preadv(descriptor, [memoryview(answer)[room:]], offset, os.RWF_NOWAIT)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EOPNOTSUPP):
            raise
        return None
    return answer if count == size else None


def _read_wholly(room: int, descriptor: int, size: int, offset: int) -> bytearray:
    """The same, waiting for a disk. Takes memory only when it has a thread: many may wait for one."""
    answer = bytearray(room + size)
    count = 0
    while count < size:
        more = os.preadv(descriptor, [memoryview(answer)[room + count :]], offset + count)
        if more == 0:
            raise OSError(errno.EIO, "This file ends sooner than it did.")
        count += more
    return answer


def _refuse() -> NoReturn:
    raise asyncssh.SFTPPermissionDenied("Files can be fetched here and nothing else.")


def _text(path: bytes) -> str:
    try:
        return path.decode()
    except UnicodeDecodeError:
        raise asyncssh.SFTPNoSuchFile("There is no such file.") from None


def _attributes(entry: Entry) -> SFTPAttrs:
    """Owner-writable although nothing is: clients copy the mode, and go on in the folders they have made."""
    kind = stat.S_IFDIR | 0o755 if entry.is_directory else stat.S_IFREG | 0o644
    return SFTPAttrs(
        type=asyncssh.FILEXFER_TYPE_DIRECTORY if entry.is_directory else asyncssh.FILEXFER_TYPE_REGULAR,
        size=entry.size,
        permissions=kind,
        uid=0,
        gid=0,
        nlink=1,
        atime=entry.modified,
        mtime=entry.modified,
    )
