"""Handing bytes over HTTP: one Range, validators, the file itself left to Caddy or to the server's sendfile, and
every byte counted.

RFC 9110 sections 8.8 (validators), 13 (conditional requests) and 14 (ranges).
"""

import io
import logging
import os
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from torrents.files import etag_of, modified_ns
from torrents.models import Claim, Torrent, TorrentFile, Traffic
from torrents.traffic import record_handover

logger = logging.getLogger(__name__)
BLOCK = 256 * 1024
COUNT_EVERY = 64 * 1024 * 1024  # bytes of an archive
_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Caddy 2.6 takes a path as it is, newer ones decode percents, and all cut it at "?" or "#".
_NOT_FOR_CADDY = re.compile(r"[\x00-\x1f\x7f%?#{}\\]|\s\Z")


class FileSlice:
    """The part of an open file from `start`, `length` bytes long. Closing it closes the file and counts what was sent.

    gunicorn sends it with sendfile(2) from the descriptor's position; anything else calls `read`.
    """

    def __init__(self, descriptor: int, start: int, length: int, *, claim_id: uuid.UUID) -> None:
        self._file = io.FileIO(descriptor, "rb")
        self._file.seek(start)
        self._start = self._position = start
        self._stop = start + length
        self._claim_id = claim_id

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        left = self._stop - self._position
        block = self._file.read(left if size < 0 else min(size, left)) or b""
        self._position += len(block)
        return block

    def seek(self, offset: int) -> None:
        """Python's socket.sendfile ends with this, also when the client has gone: so far the kernel took the file."""
        self._position = self._file.seek(offset)

    def close(self) -> None:
        if not self._file.closed:
            self._file.close()
            count(self._claim_id, self._position - self._start)


class SliceResponse(FileResponse):
    block_size = BLOCK

    def set_headers(self, filelike: object) -> None:
        """Nothing is guessed from the file: _respond sets all of them."""


def count(claim_id: uuid.UUID, sent: int) -> None:
    """Into the ledger, after a download that may have outlived the connection to the database."""
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        record_handover(claim_id=claim_id, channel=Traffic.Channel.HTTPS, sent=sent)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("%d bytes handed over for %s are not counted: %s", sent, claim_id, error)


def counted(blocks: Iterator[bytes], claim_id: uuid.UUID) -> Iterator[bytes]:
    """The same blocks. One that the client did not wait for counts in full."""
    sent = 0
    try:
        for block in blocks:
            sent += len(block)
            yield block
            if sent >= COUNT_EVERY:
                sent, done = 0, sent
                count(claim_id, done)
    finally:
        count(claim_id, sent)


def file_response(request: Request, *, claim: Claim, file: TorrentFile, descriptor: int) -> HttpResponseBase:
    """The file, or the part of it that was asked for. Takes over `descriptor`."""
    path = _path_for_caddy(claim.torrent, file) if settings.HANDOVER_BY_CADDY else None

    def body(start: int, stop: int) -> HttpResponseBase:
        if path is None:
            return SliceResponse(FileSlice(descriptor, start, stop - start, claim_id=claim.pk))
        response = HttpResponse()
        response["X-Accel-Redirect"] = path
        response["X-Handover-Claim"] = str(claim.pk)
        response["X-Handover-Range"] = "" if (start, stop) == (0, file.size) else f"bytes={start}-{stop - 1}"
        return response

    response = _respond(
        request,
        size=file.size,
        etag=etag_of(file, modified_ns(descriptor)),
        filename=file.path.rpartition("/")[2],
        body=body,
    )
    if not isinstance(response, SliceResponse):
        os.close(descriptor)
    if "X-Accel-Redirect" in response:  # an empty body of our own: Caddy says how long its is, and which part
        response.status_code = 200
        del response["Content-Range"]
        response["Content-Length"] = "0"
    return response


def stream_response(
    request: Request,
    *,
    claim: Claim,
    read: Callable[[int, int], Iterator[bytes]],
    size: int,
    etag: str,
    filename: str,
) -> HttpResponseBase:
    """The same for bytes that `read(start, stop)` produces."""

    def body(start: int, stop: int) -> HttpResponseBase:
        return StreamingHttpResponse(counted(read(start, stop), claim.pk))

    return _respond(request, size=size, etag=etag, filename=filename, body=body)


def requested_range(header: str, size: int) -> tuple[int, int] | None:
    """`(start, stop)` of a Range header; None where it is to be ignored: malformed, or several ranges.

    An unsatisfiable one comes back empty: `start == stop`.
    """
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last = match.groups()
    if first:
        start = int(first)
        stop = min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
        return (start, stop) if start < size else (size, size)
    if not last:
        return None
    return (max(size - int(last), 0), size) if int(last) else (size, size)


def _respond(
    request: Request, *, size: int, etag: str, filename: str, body: Callable[[int, int], HttpResponseBase]
) -> HttpResponseBase:
    common = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-transform"}
    if _names(request.headers.get("If-None-Match", ""), etag):
        return HttpResponse(status=304, headers=common)
    # RFC 9110 section 14.2: a Range of anything but GET is ignored.
    part = requested_range(request.headers.get("Range", ""), size) if request.method == "GET" else None
    if request.headers.get("If-Range", etag).strip() != etag:
        part = None  # the file is another one than the client holds the beginning of
    if part is not None and part[0] == part[1]:
        return HttpResponse(status=416, headers={**common, "Content-Range": f"bytes */{size}"})
    start, stop = part or (0, size)
    response = HttpResponse() if request.method == "HEAD" else body(start, stop)
    if part is not None:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    # Never a type that a browser would run: the contents are a stranger's.
    response["Content-Type"] = "application/octet-stream"
    response["Content-Length"] = str(stop - start)
    # Django quotes a name that ends in a newline as it is, and then refuses the header.
    response["Content-Disposition"] = content_disposition_header(True, _CONTROL.sub("_", filename)) or ""
    for name, value in common.items():
        response[name] = value
    return response


def _names(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names this representation; `*` names any."""
    return not {"*", etag}.isdisjoint(candidate.strip().removeprefix("W/") for candidate in header.split(","))


def _path_for_caddy(torrent: Torrent, file: TorrentFile) -> str | None:
    """The file below DOWNLOADS_DIR/t as a header's value; None for a name that Caddy would take for another one.

    The caller has opened the file, so no link is on its way. One that were put there in the next moment Caddy would
    follow; only the engine writes there, and it does so before a torrent is finished.
    """
    path = "/".join(["", str(torrent.pk), *PurePosixPath(file.path).parts])
    # A header carries bytes; WSGI spells them as Latin-1.
    return None if _NOT_FOR_CADDY.search(path) else path.encode().decode("latin-1")
