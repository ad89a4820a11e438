"""Parse, call a service, render. Everything starts from `Claim.objects.of(user)`: what is not the caller's own does
not exist, so it is 404 everywhere."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_standardized_errors.openapi_serializers import ValidationErrorResponseSerializer
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import user_of
from proxy_site.api.errors import ApiError
from proxy_site.api.parsers import BoundedJSONParser
from proxy_site.api.serializers import ErrorResponseSerializer
from proxy_site.outbound import OutboundError
from torrents import services
from torrents.api.handover import file_response, stream_response
from torrents.api.serializers import (
    AddTorrentSerializer,
    ChangesQuerySerializer,
    ChangesSerializer,
    FileSerializer,
    HealthSerializer,
    ListQuerySerializer,
    TorrentSerializer,
)
from torrents.archive import Archive
from torrents.files import FileGone, NotFinished, etag_of, modified_ns, open_file, require_finished
from torrents.health import engine_health
from torrents.metainfo import MetainfoError, Source, parse_torrent
from torrents.models import Claim
from torrents.services import TorrentRefused
from torrents.sources import source_from_text


class NotFinishedYet(ApiError):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_finished"


class Gone(ApiError):
    status_code = status.HTTP_410_GONE
    default_code = "gone"


class NewestFirst(CursorPagination):
    """A cursor that nobody here made is refused like one that leads nowhere."""

    ordering = ("-added_at", "-id")
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                datetime.fromisoformat(str(cursor.position)).astimezone(UTC)
            except (ValueError, OverflowError) as error:
                raise NotFound(self.invalid_cursor_message) from error
        return cursor


class AnyAccept(BaseContentNegotiation):
    """Bytes are sent as they are and errors as JSON, whatever the Accept header asks for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


TOO_LARGE = OpenApiResponse(ErrorResponseSerializer, "More than a request may bring along.")
BYTES = {
    (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "All bytes. With a strong ETag."),
    (206, "application/octet-stream"): OpenApiResponse(
        OpenApiTypes.BINARY, "The one Range that was asked for."
    ),
    304: OpenApiResponse(None, "If-None-Match names what you have."),
    409: OpenApiResponse(ErrorResponseSerializer, "It has not finished yet."),
    410: OpenApiResponse(ErrorResponseSerializer, "It is not on the box's disk any more."),
    416: OpenApiResponse(None, "The Range begins behind the end."),
}


def own_claim(request: Request, claim_id: uuid.UUID) -> Claim:
    claim = Claim.objects.of(user_of(request)).named(claim_id).first()
    if claim is None:
        raise NotFound("There is no such torrent. Perhaps it was removed.")
    return claim


def read_source(data: dict[str, Any]) -> Source:
    field = "metainfo" if "metainfo" in data else "source"
    try:
        return parse_torrent(data["metainfo"]) if field == "metainfo" else source_from_text(data["source"])
    except (MetainfoError, OutboundError) as error:
        raise ValidationError({field: str(error)}, code=error.code) from error


class TorrentViewSet(viewsets.GenericViewSet[Claim]):
    """The caller's torrents."""

    queryset = Claim.objects.none()  # every action starts from the caller's own
    pagination_class = NewestFirst

    lookup_field = "claim_id"
    lookup_value_converter = "uuid"
    parser_classes = (BoundedJSONParser, MultiPartParser)
    serializer_class = TorrentSerializer

    @extend_schema(
        parameters=[ListQuerySerializer],
        responses={200: TorrentSerializer(many=True), 400: ValidationErrorResponseSerializer},
    )
    def list(self, request: Request) -> Response:
        """Newest first, a page at a time."""
        query = ListQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        claims = Claim.objects.of(user_of(request))
        if states := query.validated_data.get("state"):
            claims = claims.in_states(states)
        page = self.paginate_queryset(claims)
        return self.get_paginated_response(TorrentSerializer(page or [], many=True).data)

    @extend_schema(
        request=AddTorrentSerializer,
        responses={
            201: TorrentSerializer,
            200: OpenApiResponse(TorrentSerializer, "You had it already."),
            413: TOO_LARGE,
        },
    )
    def create(self, request: Request) -> Response:
        """Add a torrent by magnet link, by the address of a .torrent, or by its file."""
        body = AddTorrentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        source = read_source(body.validated_data)
        wanted = Claim.Wanted.PAUSED if body.validated_data["paused"] else Claim.Wanted.RUNNING
        try:
            claim, created = services.add_torrent(user=user_of(request), source=source, wanted=wanted)
        except TorrentRefused as refused:
            raise ApiError(str(refused), code=refused.code) from refused
        return self._render(request, claim.pk, status.HTTP_201_CREATED if created else status.HTTP_200_OK)

    @extend_schema(responses=TorrentSerializer)
    def retrieve(self, request: Request, claim_id: uuid.UUID) -> Response:
        return self._render(request, claim_id)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, claim_id: uuid.UUID) -> Response:
        """Give the torrent up. Its data is deleted when nobody else holds the same torrent."""
        self._apply(services.remove_torrent, request, claim_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=TorrentSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, claim_id: uuid.UUID) -> Response:
        self._apply(services.pause_torrent, request, claim_id)
        return self._render(request, claim_id)

    @extend_schema(request=None, responses=TorrentSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, claim_id: uuid.UUID) -> Response:
        self._apply(services.resume_torrent, request, claim_id)
        return self._render(request, claim_id)

    @extend_schema(
        parameters=[ChangesQuerySerializer],
        responses={200: ChangesSerializer, 400: ValidationErrorResponseSerializer},
    )
    @action(detail=False)
    def changes(self, request: Request) -> Response:
        """What changed since a change number that an earlier answer gave. Start with 0."""
        query = ChangesQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        changes = services.changes_since(
            user=user_of(request), change=query.validated_data["since"], limit=query.validated_data["limit"]
        )
        return Response(ChangesSerializer(changes).data)

    @extend_schema(responses=FileSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def files(self, request: Request, claim_id: uuid.UUID) -> Response:
        """The torrent's files, in its own order; none until its metadata is known."""
        claim = own_claim(request, claim_id)
        files = claim.torrent.files.order_by("index")
        return Response(FileSerializer(files, many=True, context={"claim": claim}).data)

    def _apply(self, verb: Any, request: Request, claim_id: uuid.UUID) -> None:
        try:
            verb(claim=own_claim(request, claim_id))
        except Claim.DoesNotExist as error:
            raise NotFound("There is no such torrent. Perhaps it was removed just now.") from error

    def _render(self, request: Request, claim_id: uuid.UUID, code: int = status.HTTP_200_OK) -> Response:
        return Response(TorrentSerializer(own_claim(request, claim_id)).data, status=code)


class HandoverView(APIView):
    """Views that answer with bytes: only of finished torrents."""

    content_negotiation_class = AnyAccept

    def finished_claim(self, request: Request, claim_id: uuid.UUID) -> Claim:
        claim = own_claim(request, claim_id)
        try:
            require_finished(claim)
        except NotFinished as error:
            raise NotFinishedYet(str(error)) from error
        return claim


class FileContentView(HandoverView):
    @extend_schema(operation_id="torrents_file_content", responses=BYTES)
    def get(self, request: Request, claim_id: uuid.UUID, index: int) -> HttpResponseBase:
        """One finished file."""
        claim = self.finished_claim(request, claim_id)
        file = claim.torrent.files.filter(index=index).first()
        if file is None:
            raise NotFound("There is no such file in this torrent.")
        try:
            descriptor = open_file(file)
        except FileGone as error:
            raise Gone(str(error)) from error
        return file_response(
            request,
            descriptor=descriptor,
            size=file.size,
            etag=etag_of(file, modified_ns(descriptor)),
            filename=file.path.rpartition("/")[2],
        )


class ArchiveView(HandoverView):
    @extend_schema(operation_id="torrents_archive", responses=BYTES)
    def get(self, request: Request, claim_id: uuid.UUID) -> HttpResponseBase:
        """The whole torrent as an uncompressed .tar."""
        torrent = self.finished_claim(request, claim_id).torrent
        archive = Archive(torrent, list(torrent.files.order_by("index")))
        try:
            archive.check()
        except FileGone as error:
            raise Gone(str(error)) from error
        return stream_response(
            request, read=archive.read, size=archive.size, etag=archive.etag, filename=f"{torrent.name}.tar"
        )


class HealthView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(auth=[], responses={200: HealthSerializer, 503: HealthSerializer})
    def get(self, request: Request) -> Response:
        """Whether the box can do its job right now."""
        health = engine_health()
        code = status.HTTP_200_OK if health.ok else status.HTTP_503_SERVICE_UNAVAILABLE
        answer = {"status": "ok" if health.ok else "degraded", "engine": health}
        return Response(HealthSerializer(answer).data, status=code)
