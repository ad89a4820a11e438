"""Bring the files of a finished torrent to this machine: resumed, verified, and under safe names."""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import (
    BadAnswer,
    ClientError,
    DownloadFailed,
    NotEnoughSpace,
    NotFinished,
    NothingArrived,
    Refused,
    ServerAway,
)
from torrent_proxy_client.models import Torrent, TorrentFile
from torrent_proxy_client.names import local_paths, safe_name
from torrent_proxy_client.partfile import Conflict, Origin, PartFile, open_target, part_size
from torrent_proxy_client.transport import Stream

T = TypeVar("T")

_WRITE_SIZE = 1024 * 1024
_REPORT_EVERY = 0.2  # seconds
_SPEED_OVER = 5.0  # seconds
_LONGEST_ATTEMPT = 45.0  # seconds until a request that gets nowhere is over, connecting included


@dataclass(frozen=True, slots=True)
class Progress:
    """Of all files together; `speed` is bytes per second over the last seconds."""

    done: int
    total: int
    speed: float
    note: str = ""  # what it is doing instead of receiving, as a sentence; else ""
    away: bool = False  # it waits for the network or the server

    @property
    def fraction(self) -> float:
        return self.done / self.total if self.total else 1.0

    @property
    def eta(self) -> float | None:
        return (self.total - self.done) / self.speed if self.speed >= 1 else None


@dataclass(frozen=True, slots=True)
class Fetched:
    path: Path
    size: int
    verified: bool  # by SHA-256; else only the size was compared, as the server knew no hash
    already_here: bool
    skipped: bool = False  # something else of that name is here, and the person wants to keep only that


class Download:
    """One torrent, or the one file `only` (an index) of it, into `directory`.

    A torrent of several files or with a folder gets a directory of its name. `patience` is for how many
    seconds nothing may arrive before it gives up, `hash_patience` for how many it waits for a SHA-256 that
    the server is still computing. `sleep` waits between attempts, and may return early.
    """

    def __init__(
        self,
        api: ApiClient,
        torrent: Torrent,
        directory: Path,
        *,
        only: int | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        conflict: Conflict = Conflict.KEEP_BOTH,
        patience: float = 300,
        hash_patience: float = 30,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._torrent = torrent
        self._directory = directory
        self._only = only
        self._on_progress = on_progress
        self._backoff = _Backoff(patience)
        self._hash_patience = hash_patience
        self._conflict = conflict
        self._sleep = sleep
        self._meter = _Meter()
        self._done = 0  # bytes of the files before the current one
        self._total = 0
        self._reported = 0.0

    async def run(self) -> tuple[Fetched, ...]:
        """Raises ClientError; what has arrived by then stays in `.part` files and is continued next time."""
        try:
            return await self._run()
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise DownloadFailed(f"Cannot write here: {error.strerror or error}{where}.") from error

    async def _run(self) -> tuple[Fetched, ...]:
        wanted = await self._plan()
        self._total = sum(file.size for file, _ in wanted)
        directory = await asyncio.to_thread(_make_directory, self._directory)
        await asyncio.to_thread(_check_space, directory, wanted)
        fetched = []
        for file, parts in wanted:
            folder = await asyncio.to_thread(_make_folder, directory, parts[:-1])
            fetched.append(await self._fetch(file, folder, parts[-1]))
            self._done += file.size
        self._report(0, force=True)
        return tuple(fetched)

    async def _plan(self) -> list[tuple[TorrentFile, tuple[str, ...]]]:
        """The files to fetch, each with the components of its path below the directory."""
        files = await self._patiently(lambda: self._api.files(self._torrent.id))
        if not files or not all(file.ready for file in files):
            raise NotFinished(
                "It is not finished on the server yet. Fetch it when it is.", status=409, code="not_finished"
            )
        if self._only is not None:
            chosen = [file for file in files if file.index == self._only]
            if not chosen:
                raise DownloadFailed(f"The torrent has no file number {self._only}.")
            return [(chosen[0], (safe_name(chosen[0].path.rpartition("/")[2]),))]
        return list(zip(files, layout(self._torrent.name, [file.path for file in files]), strict=True))

    async def _fetch(self, file: TorrentFile, folder: Path, name: str) -> Fetched:
        damaged = []
        for _ in range(2):
            sha256 = file.sha256
            if sha256 is None and await asyncio.to_thread((folder / name).exists):
                sha256 = await self._wait_for_hash(file)
            self._report(0, note="Checking what is already here.", force=True)
            origin = Origin(self._api.server, self._torrent.id, file.index)
            found = await _open(folder, name, origin, size=file.size, sha256=sha256, conflict=self._conflict)
            if isinstance(found, Path):
                skipped = self._conflict is Conflict.SKIP
                return Fetched(found, file.size, verified=not skipped, already_here=True, skipped=skipped)
            try:
                await self._fill(found, file)
                sha256 = sha256 or await self._wait_for_hash(file)
                if sha256 is None or sha256 == found.sha256:
                    replace = self._conflict is Conflict.OVERWRITE
                    path = await asyncio.to_thread(found.finish, replace=replace)
                    return Fetched(path, file.size, verified=sha256 is not None, already_here=False)
                damaged.append(await asyncio.to_thread(found.set_aside))
                self._report(0, note="It arrived damaged; fetching it again from the start.", force=True)
            finally:
                found.close()
        raise DownloadFailed(
            f"It arrived damaged twice: the SHA-256 is not the server's. The damaged copies are kept: "
            f"{' and '.join(str(path) for path in damaged)}."
        )

    async def _fill(self, part: PartFile, file: TorrentFile) -> None:
        """Receive until the part has its size, through broken connections and a server that is away."""
        if part.size > file.size:
            await asyncio.to_thread(part.restart)
        furthest = part.size
        self._backoff.reset()
        while part.size < file.size:
            error: ClientError = ServerAway("The connection broke.")
            try:
                await self._receive(part, file)
            except (ServerAway, BadAnswer, Refused) as caught:
                if not _passes(caught):
                    raise
                error = caught
            if part.size > furthest:
                furthest = part.size
                self._backoff.reset()
            if part.size < file.size:
                await self._pause(error, part.size)

    async def _receive(self, part: PartFile, file: TorrentFile) -> None:
        """One request for what is missing."""
        if part.size and not part.etag:
            await asyncio.to_thread(part.restart)
        offset = part.size
        headers = {"Range": f"bytes={offset}-", "If-Range": part.etag} if offset else {}
        async with self._api.content(self._torrent.id, file.index, headers=headers) as stream:
            if stream.status == 416 or (stream.status == 206 and not _starts_at(stream, offset)):
                part.restart()
                return
            if stream.status == 200:
                part.restart()
            _check_announced_size(stream, file.size)
            etag = stream.headers.get("etag", "")
            part.begin("" if etag.startswith("W/") else etag)
            try:
                await self._store(part, file, stream)
            finally:
                self._report(part.size, force=True)

    async def _store(self, part: PartFile, file: TorrentFile, stream: Stream) -> None:
        waiting = bytearray()
        try:
            async for chunk in stream.chunks():
                waiting += chunk
                if part.size + len(waiting) > file.size:
                    waiting.clear()
                    raise DownloadFailed("The server sends more than the file has. Try again later.")
                if len(waiting) >= _WRITE_SIZE:
                    ready, waiting = bytes(waiting), bytearray()
                    await asyncio.to_thread(part.write, ready)
                self._meter.add(len(chunk))
                self._report(part.size + len(waiting))
        finally:
            # Also when the connection broke or the person stopped it: what arrived is kept.
            part.write(bytes(waiting))

    async def _wait_for_hash(self, file: TorrentFile) -> str | None:
        """The server computes hashes a moment after a torrent is finished; None when it does not in time."""
        deadline = time.monotonic() + self._hash_patience
        while True:
            files = await self._patiently(lambda: self._api.files(self._torrent.id))
            sha256 = next((other.sha256 for other in files if other.index == file.index), None)
            if sha256:
                return sha256
            if time.monotonic() >= deadline:
                self._hash_patience = 0  # the other files of this torrent do not wait as long again
                return None
            self._report(file.size, note="Waiting for the server's checksum.", force=True)
            await asyncio.sleep(min(2.0, self._hash_patience))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        self._backoff.reset()
        while True:
            try:
                return await ask()
            except (ServerAway, BadAnswer, Refused) as error:
                if not _passes(error):
                    raise
                await self._pause(error, 0)

    async def _pause(self, error: ClientError, size: int) -> None:
        delay = self._backoff.next_delay(error)
        self._report(size, note=f"{error} Trying again in {delay:.0f} s.", force=True, away=True)
        await self._sleep(delay)

    def _report(self, size: int, *, note: str = "", force: bool = False, away: bool = False) -> None:
        """`size` bytes of the current file are here."""
        now = time.monotonic()
        if force or now - self._reported >= _REPORT_EVERY:
            self._reported = now
            self._on_progress(Progress(self._done + size, self._total, self._meter.speed(), note, away))


class _Backoff:
    """1, 2, 4 … 30 s between attempts, until nothing has arrived for `patience` seconds.

    Time that this process did not live through (a suspended laptop, a stopped process) is not counted.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        self._waited = 0.0
        self._seen = time.monotonic()
        self._slept = 0.0
        self._delay = min(1.0, self._patience / 10)

    def next_delay(self, error: ClientError) -> float:
        now = time.monotonic()
        self._waited += min(now - self._seen, self._slept + _LONGEST_ATTEMPT)
        self._seen = now
        if self._waited >= self._patience:
            raise NothingArrived(
                f"Nothing arrived for {words.duration(self._patience)}. What is here is kept; fetch it again "
                f"to go on. The last problem: {error}"
            ) from error
        delay, self._delay = self._delay, min(self._delay * 2, 30.0)
        self._slept = max(delay, getattr(error, "retry_after", None) or 0.0)
        return self._slept


class _Meter:
    """Bytes per second over the last few seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        self._sum = 0

    def add(self, count: int) -> None:
        self._samples.append((time.monotonic(), count))
        self._sum += count

    def speed(self) -> float:
        now = time.monotonic()
        while self._samples and self._samples[0][0] < now - _SPEED_OVER:
            self._sum -= self._samples.popleft()[1]
        if not self._samples:
            return 0.0
        return self._sum / max(now - self._samples[0][0], 0.2)


def layout(torrent_name: str, paths: list[str]) -> list[tuple[str, ...]]:
    """Where the files of a whole torrent go, below the directory that the person chose.

    One file without a folder goes there directly. Else a folder of the torrent's name holds them; where the
    torrent's paths begin with that very folder, it is not doubled.
    """
    local = local_paths(paths)
    if len(local) == 1 and len(local[0]) == 1:
        return local
    root = safe_name(torrent_name)
    if all(len(parts) > 1 and parts[0].casefold() == root.casefold() for parts in local):
        return local
    return [(root, *parts) for parts in local]


async def _open(
    folder: Path, name: str, origin: Origin, *, size: int, sha256: str | None, conflict: Conflict
) -> Path | PartFile:
    """`open_target` in a thread; a part that it opens after we were cancelled is closed again."""

    def close(opening: asyncio.Task[Path | PartFile]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            found = opening.result()
            if isinstance(found, PartFile):
                found.close()

    opening = asyncio.create_task(
        asyncio.to_thread(open_target, folder, name, origin, size=size, sha256=sha256, conflict=conflict)
    )
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(close)
        raise


def _passes(error: ServerAway | BadAnswer | Refused) -> bool:
    """Whether trying again may help."""
    if isinstance(error, ServerAway):
        return True
    return error.status >= 500 or error.status == 429


def _starts_at(stream: Stream, offset: int) -> bool:
    return stream.headers.get("content-range", "").startswith(f"bytes {offset}-")


def _check_announced_size(stream: Stream, size: int) -> None:
    """Raises DownloadFailed when the content is not of the size that the list of files gave."""
    if stream.status == 206:
        announced = stream.headers.get("content-range", "").rpartition("/")[2]
    else:
        announced = stream.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) != size:
        raise DownloadFailed(
            f"The server lists {size} bytes for the file but sends {announced}. Try again later."
        )


def _make_directory(directory: Path) -> Path:
    directory = directory.expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def _make_folder(directory: Path, parts: tuple[str, ...]) -> Path:
    """Create the folders of safe names `parts` below `directory`, through no symlink that leads out of it."""
    folder = directory
    for part in parts:
        folder = folder / part
        if folder.is_symlink() and not folder.resolve().is_relative_to(directory):
            raise DownloadFailed(
                f"{folder} is a link to somewhere else. Remove it, or choose another directory."
            )
        if folder.exists() and not folder.is_dir():
            raise DownloadFailed(
                f"{folder} is a file where a folder is needed. Move it, or choose another place."
            )
        folder.mkdir(exist_ok=True)
    return folder


def _check_space(directory: Path, wanted: list[tuple[TorrentFile, tuple[str, ...]]]) -> None:
    """An estimate: files of the right size and unfinished parts count as here."""
    needed = 0
    for file, parts in wanted:
        target = directory.joinpath(*parts)
        if not (target.is_file() and target.stat().st_size == file.size):
            needed += max(file.size - part_size(target), 0)
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise NotEnoughSpace(
            f"Not enough space in {directory}: {words.size(needed)} needed, {words.size(free)} free. "
            "Make room, or choose another directory."
        )
