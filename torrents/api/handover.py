"""Handing bytes over HTTP: one Range, validators, and the file itself left to the server's sendfile.

RFC 9110 sections 8.8 (validators), 13 (conditional requests) and 14 (ranges).
"""

import io
import os
import re
from collections.abc import Callable, Iterator

from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.request import Request

BLOCK = 256 * 1024
_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class FileSlice:
    """The part of an open file from `start`, `length` bytes long. Closing it closes the file.

    gunicorn sends it with sendfile(2) from the descriptor's position; anything else calls `read`.
    """

    def __init__(self, descriptor: int, start: int, length: int) -> None:
        self._file = io.FileIO(descriptor, "rb")
        self._file.seek(start)
        self._left = length

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(self._left if size < 0 else min(size, self._left)) or b""
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._file.close()


class SliceResponse(FileResponse):
    block_size = BLOCK


def file_response(
    request: Request, *, descriptor: int, size: int, etag: str, filename: str
) -> HttpResponseBase:
    """The file, or the part of it that was asked for. Takes over `descriptor`."""

    def body(start: int, stop: int) -> HttpResponseBase:
        return SliceResponse(FileSlice(descriptor, start, stop - start))

    response = _respond(request, size=size, etag=etag, filename=filename, body=body)
    if not isinstance(response, SliceResponse):
        os.close(descriptor)
    return response


def stream_response(
    request: Request, *, read: Callable[[int, int], Iterator[bytes]], size: int, etag: str, filename: str
) -> HttpResponseBase:
    """The same for bytes that `read(start, stop)` produces."""

    def body(start: int, stop: int) -> HttpResponseBase:
        return StreamingHttpResponse(read(start, stop))

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
