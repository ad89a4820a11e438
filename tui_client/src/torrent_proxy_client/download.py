"""Bring the files of a finished torrent to this machine: resumed, verified, and under safe names."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import (
    BadAnswer,
    ClientError,
    DownloadFailed,
    NotFinished,
    Refused,
    ServerAway,
)
from torrent_proxy_client.models import Torrent, TorrentFile
from torrent_proxy_client.names import safe_name
from torrent_proxy_client.pacing import Backoff, Meter
from torrent_proxy_client.partfile import Conflict, Origin, PartFile, open_target
from torrent_proxy_client.placement import check_space, layout, make_directory, make_folder
from torrent_proxy_client.routes import Route

T = TypeVar("T")

_REPORT_EVERY = 0.2  # seconds
_BROKE = ServerAway("The connection broke.")


@dataclass(frozen=True, slots=True)
class Progress:
    """Of all files together; `speed` is bytes per second over the last seconds."""

    done: int
    total: int
    speed: float
    note: str = ""  # what it is doing instead of receiving, as a sentence; else ""
    away: bool = False  # it waits for the network or the server
    by_sftp: bool = False

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
    by_sftp: bool = False  # the last of it
    skipped: bool = False  # something else of that name is here, and the person wants to keep only that


class Download:
    """One torrent, or the one file `only` (an index) of it, into `directory`.

    A torrent of several files or with a folder gets a directory of its name. `patience` is for how many
    seconds nothing may arrive before it gives up, `hash_patience` for how many it waits for a SHA-256 that
    the server is still computing. `sleep` waits between attempts, and may return early. `route` may be that
    of an earlier Download of the same torrent.
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
        route: Route | None = None,
    ) -> None:
        self._api = api
        self._torrent = torrent
        self._directory = directory
        self._only = only
        self._on_progress = on_progress
        self._backoff = Backoff(patience)
        self._hash_patience = hash_patience
        self._conflict = conflict
        self._sleep = sleep
        self._route = route or Route(api, torrent)
        self._meter = Meter()
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
        finally:
            await self._route.aclose()

    async def _run(self) -> tuple[Fetched, ...]:
        wanted = await self._plan()
        self._total = sum(file.size for file, _ in wanted)
        directory = await asyncio.to_thread(make_directory, self._directory)
        await asyncio.to_thread(check_space, directory, wanted)
        fetched = []
        for file, parts in wanted:
            folder = await asyncio.to_thread(make_folder, directory, parts[:-1])
            fetched.append(await self._fetch(file, folder, parts[-1]))
            self._done += file.size
        self._report(0, force=True)
        return tuple(fetched)

    async def _plan(self) -> list[tuple[TorrentFile, tuple[str, ...]]]:
        """The files to fetch, each with the components of its path below the directory."""
        files = await self._patiently(lambda: self._api.files(self._torrent.id))
        wanted = [file for file in files if file.wanted]
        if not wanted or not all(file.ready for file in wanted):
            raise NotFinished(
                "It is not finished on the server yet. Fetch it when it is.", status=409, code="not_finished"
            )
        if self._only is not None:
            chosen = [file for file in files if file.index == self._only]
            if not chosen:
                raise DownloadFailed(f"The torrent has no file number {self._only}.")
            if not chosen[0].wanted:
                raise DownloadFailed(
                    f"You have not chosen this file, so the server does not have it for you: {chosen[0].path}. "
                    "Choose it in the app, under the torrent's files."
                )
            return [(chosen[0], (safe_name(chosen[0].path.rpartition("/")[2]),))]
        # A file has one name here, whichever others are chosen with it.
        places = layout(self._torrent.name, [file.path for file in files])
        return [(file, parts) for file, parts in zip(files, places, strict=True) if file.wanted]

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
                    by_sftp = self._route.by_sftp
                    verified = sha256 is not None
                    return Fetched(path, file.size, verified, already_here=False, by_sftp=by_sftp)
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
            error: ClientError | None = None
            try:
                way = await self._route.way()
                await way.receive(part, file, self._arrived)
            except (ServerAway, BadAnswer, Refused) as caught:
                if not _passes(caught) and not await self._route.helps_against(caught):
                    raise
                error = caught
            finally:
                self._report(part.size, force=True)
            if part.size > furthest:
                furthest = part.size
                self._backoff.reset()
                self._route.gained()
                if error is None:
                    continue  # with the next piece
            elif await self._route.failed(error or _BROKE):
                continue
            if part.size < file.size:
                await self._pause(error or _BROKE, part.size)

    def _arrived(self, count: int, size: int) -> None:
        self._meter.add(count)
        self._report(size)

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
            await self._sleep(min(2.0, self._hash_patience))

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
            speed, by_sftp = self._meter.speed(), self._route.by_sftp
            self._on_progress(Progress(self._done + size, self._total, speed, note, away, by_sftp))


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
