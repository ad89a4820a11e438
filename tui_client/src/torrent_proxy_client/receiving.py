"""Bytes of a file into its part: what the two ways have in common, and the way by HTTPS."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import DownloadFailed
from torrent_proxy_client.models import TorrentFile
from torrent_proxy_client.partfile import PartFile
from torrent_proxy_client.transport import Stream

# The server lets somebody in anew for every piece: who was disabled receives the rest of one and no more.
PIECE = 64 * 1024 * 1024  # bytes
SFTP_VERSION_MARK = "sftp:"  # begins the `etag` of a part that SFTP began: no ETag starts like that
_WRITE_SIZE = 1024 * 1024

Arrived = Callable[[int, int], None]  # (bytes that just arrived, bytes of the file that are here)


class Way(Protocol):
    """How the content of a torrent comes here."""

    async def receive(self, part: PartFile, file: TorrentFile, arrived: Arrived) -> None:
        """One attempt at what is missing, or at the next piece of it; what arrived is written in any case.

        Raises ClientError.
        """
        ...

    async def aclose(self) -> None: ...


class HttpsWay:
    def __init__(self, api: ApiClient, torrent_id: str) -> None:
        self._api = api
        self._torrent_id = torrent_id
        self._in_pieces = True

    async def receive(self, part: PartFile, file: TorrentFile, arrived: Arrived) -> None:
        begun_by_sftp = part.etag.startswith(SFTP_VERSION_MARK)
        if part.size and (not part.etag or (begun_by_sftp and not file.sha256)):
            await asyncio.to_thread(part.restart)
        start = part.size
        end = min(start + PIECE, file.size) if self._in_pieces else file.size
        headers = {"Range": f"bytes={start}-{end - 1}"} if (start, end) != (0, file.size) else {}
        # What SFTP began has no ETag to compare: the SHA-256 at the end tells whether it fits together.
        known_version = part.etag if start and not begun_by_sftp else ""
        if known_version:
            headers["If-Range"] = known_version
        async with self._api.content(self._torrent_id, file.index, headers=headers) as stream:
            etag = stream.headers.get("etag", "")
            etag = "" if etag.startswith("W/") else etag
            another = stream.status == 206 and bool(known_version) and etag not in ("", known_version)
            if stream.status == 416 or another or (stream.status == 206 and not _starts_at(stream, start)):
                await asyncio.to_thread(part.restart)
                return
            _check_announced_size(stream, file.size)
            if stream.status == 200:
                await asyncio.to_thread(part.restart)
            if stream.status == 200 or etag or end == file.size:
                part.begin(etag)
                await store(part, file, stream.chunks(), arrived)
                return
        # A server without ETags: nothing says that two pieces are of one version.
        self._in_pieces = False
        await asyncio.to_thread(part.restart)
        await self.receive(part, file, arrived)

    async def aclose(self) -> None:
        """The client is its owner's."""


async def store(
    part: PartFile, file: TorrentFile, chunks: AsyncGenerator[bytes, None], arrived: Arrived
) -> None:
    """Write what comes behind what is here. Raises DownloadFailed when it is more than the file has."""
    waiting = bytearray()
    async with aclosing(chunks):
        try:
            async for chunk in chunks:
                waiting += chunk
                if part.size + len(waiting) > file.size:
                    waiting.clear()
                    raise DownloadFailed("The server sends more than the file has. Try again later.")
                if len(waiting) >= _WRITE_SIZE:
                    ready, waiting = bytes(waiting), bytearray()
                    await asyncio.to_thread(part.write, ready)
                arrived(len(chunk), part.size + len(waiting))
        finally:
            # Also when the connection broke or the person stopped it: what arrived is kept.
            part.write(bytes(waiting))


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
