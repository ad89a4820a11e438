"""Finished files and archives as responses, for whoever was let in by their session or by a signed link."""

import shlex
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from proxy_site.api.errors import ApiError
from proxy_site.api.serializers import ErrorResponseSerializer
from torrents.allowances import TrafficUsedUp, require_traffic_left
from torrents.api.handover import file_response, stream_response
from torrents.archive import Archive
from torrents.files import FileGone, FilesElsewhere, NotFinished, open_file, require_finished
from torrents.models import Claim, TorrentFile
from torrents.own_files import files_of

NOT_FINISHED = OpenApiResponse(ErrorResponseSerializer, "It has not finished yet.")
BYTES = {
    (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "All bytes. With a strong ETag."),
    (206, "application/octet-stream"): OpenApiResponse(
        OpenApiTypes.BINARY, "The one Range that was asked for."
    ),
    304: OpenApiResponse(None, "If-None-Match names what you have."),
    403: OpenApiResponse(ErrorResponseSerializer, "The month's traffic is used up: `traffic_limit`."),
    409: NOT_FINISHED,
    410: OpenApiResponse(ErrorResponseSerializer, "It is not on the box's disk any more."),
    416: OpenApiResponse(None, "The Range begins behind the end."),
    421: OpenApiResponse(
        ErrorResponseSerializer, "Another server of this box has the files: `files_elsewhere`."
    ),
}


class NotFinishedYet(ApiError):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_finished"


class TrafficLimitReached(ApiError):
    status_code = status.HTTP_403_FORBIDDEN
    default_code = "traffic_limit"


class Gone(ApiError):
    status_code = status.HTTP_410_GONE
    default_code = "gone"


class Elsewhere(ApiError):
    """For a proxy in front of several servers, too: it may ask the next one."""

    status_code = status.HTTP_421_MISDIRECTED_REQUEST
    default_code = "files_elsewhere"


class AnyAccept(BaseContentNegotiation):
    """Bytes are sent as they are and errors in the view's one format, whatever the Accept header asks for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class SentenceRenderer(BaseRenderer):
    """Errors as a plain sentence, for people who look at what curl printed."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        return " ".join(error["detail"] for error in data["errors"]) + "\n"


def hand_over(request: Request, *, claim: Claim, index: int | None) -> HttpResponseBase:
    """One finished file, or all of them as an uncompressed .tar where `index` is None.

    Raises NotFinishedYet, TrafficLimitReached, NotFound, Gone and Elsewhere.
    """
    _require_finished(claim)
    try:
        require_traffic_left(claim.user_id)
        if index is None:
            return _archive(request, claim)
        file = _file(claim, index)
        return file_response(request, claim=claim, file=file, descriptor=open_file(file))
    except TrafficUsedUp as error:
        raise TrafficLimitReached(str(error)) from error
    except FilesElsewhere as error:
        raise Elsewhere(str(error)) from error
    except FileGone as error:
        raise Gone(str(error)) from error


def finished_name(claim: Claim, index: int | None) -> str:
    """What to save it as: one path component, in characters that do nothing to a terminal.

    Raises NotFinishedYet and NotFound.
    """
    _require_finished(claim)
    name = f"{claim.torrent.name}.tar" if index is None else _file(claim, index).path.rpartition("/")[2]
    return "".join(char if char.isprintable() and char not in "/\\" else "_" for char in name)


def curl_command(url: str, filename: str) -> str:
    """For a POSIX shell; run again, it goes on where it stopped."""
    return shlex.join(["curl", "--fail", "--continue-at", "-", "--output", f"./{filename}", url])


def _require_finished(claim: Claim) -> None:
    try:
        require_finished(claim)
    except NotFinished as error:
        raise NotFinishedYet(str(error)) from error


def _file(claim: Claim, index: int) -> TorrentFile:
    file = files_of(claim).filter(index=index).first()
    if file is None:
        raise NotFound("There is no such file in this torrent, or you did not choose it.")
    return file


def _archive(request: Request, claim: Claim) -> HttpResponseBase:
    torrent = claim.torrent
    # The same for all who have the whole torrent; a choice is its owner's own.
    completed_at = torrent.completed_at if claim.chosen_files is None else claim.completed_at
    archive = Archive(torrent, list(files_of(claim)), completed_at=completed_at)
    archive.check()
    return stream_response(
        request,
        claim=claim,
        read=archive.read,
        size=archive.size,
        etag=archive.etag,
        filename=f"{torrent.name}.tar",
    )
