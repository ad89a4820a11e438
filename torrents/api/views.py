"""Parse, call a service, render. Everything starts from `Claim.objects.of(user)`: what is not the caller's own does
not exist, so it is 404 everywhere."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_standardized_errors.openapi_serializers import ValidationErrorResponseSerializer
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
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
from torrents.api.content import (
    BYTES,
    AnyAccept,
    SentenceRenderer,
    curl_command,
    finished_name,
    hand_over,
)
from torrents.api.serializers import (
    AddTorrentSerializer,
    ChangesQuerySerializer,
    ChangesSerializer,
    FileSerializer,
    HealthSerializer,
    LinkSerializer,
    ListQuerySerializer,
    MakeLinkSerializer,
    TorrentSerializer,
    TrafficSerializer,
)
from torrents.health import engine_health
from torrents.links import LinkRefused, end_links, follow_link, make_link
from torrents.metainfo import MetainfoError, Source, parse_torrent
from torrents.models import Claim
from torrents.services import TorrentRefused
from torrents.sources import source_from_text
from torrents.traffic import traffic_of
from torrents.tree import Tree


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


TOO_LARGE = OpenApiResponse(ErrorResponseSerializer, "More than a request may bring along.")


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


class FileContentView(HandoverView):
    @extend_schema(operation_id="torrents_file_content", responses=BYTES)
    def get(self, request: Request, claim_id: uuid.UUID, index: int) -> HttpResponseBase:
        """One finished file."""
        return hand_over(request, claim=own_claim(request, claim_id), index=index)


class ArchiveView(HandoverView):
    @extend_schema(operation_id="torrents_archive", responses=BYTES)
    def get(self, request: Request, claim_id: uuid.UUID) -> HttpResponseBase:
        """The whole torrent as an uncompressed .tar."""
        return hand_over(request, claim=own_claim(request, claim_id), index=None)


class LinksView(APIView):
    @extend_schema(
        operation_id="torrents_links_create", request=MakeLinkSerializer, responses={201: LinkSerializer}
    )
    def post(self, request: Request, claim_id: uuid.UUID) -> Response:
        """Make a link that fetches a finished file, or all of them, without logging in, for some hours."""
        body = MakeLinkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        claim = own_claim(request, claim_id)
        index = body.validated_data.get("index")
        filename = finished_name(claim, index)
        link = make_link(claim=claim, index=index)
        path = reverse("api:link", kwargs={"token": link.token, "filename": filename})
        url = request.build_absolute_uri(path)
        answer = {"url": url, "expires_at": link.expires_at, "curl": curl_command(url, filename)}
        answer["sftp_path"] = Tree(user_of(request)).path_of(claim.pk, index)
        return Response(LinkSerializer(answer).data, status=status.HTTP_201_CREATED)


class LinkView(HandoverView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = (SentenceRenderer,)

    @extend_schema(auth=[], responses=BYTES)
    def get(self, request: Request, token: str, filename: str) -> HttpResponseBase:
        """What a signed link names. The name at its end is for programs that save the file under it."""
        try:
            claim, index = follow_link(token)
        except LinkRefused as error:
            raise NotFound(
                "This link does not work: it has expired or was ended, or its torrent was removed. Make a new one."
            ) from error
        return hand_over(request, claim=claim, index=index)


class EndLinksView(APIView):
    @extend_schema(operation_id="me_links_end", responses={204: None})
    def delete(self, request: Request) -> Response:
        """End every signed link that you have made."""
        end_links(user=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TrafficView(APIView):
    @extend_schema(operation_id="me_traffic", responses=TrafficSerializer)
    def get(self, request: Request) -> Response:
        """How much you have fetched, by day, and this month in all."""
        return Response(TrafficSerializer(traffic_of(user_of(request))).data)


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
