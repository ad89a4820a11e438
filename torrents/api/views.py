"""Parse, call a service, render. Everything starts from `Claim.objects.of(user)`: what is not the caller's own does
not exist, so it is 404 everywhere."""

import uuid
from functools import partial
from typing import Any, cast

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
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
from torrents import claim_wishes, removal, services, swarm
from torrents.allowances import limits_of
from torrents.api.content import (
    BYTES,
    NOT_FINISHED,
    AnyAccept,
    SentenceRenderer,
    curl_command,
    finished_name,
    hand_over,
)
from torrents.api.pagination import LatestRemovedFirst, Pages, read_cursor
from torrents.api.rendering import render_changes, render_torrent, render_torrents
from torrents.api.serializers import (
    AddTorrentSerializer,
    ChangesQuerySerializer,
    ChangesSerializer,
    FileSerializer,
    HealthSerializer,
    LimitsSerializer,
    LinkSerializer,
    ListQuerySerializer,
    MakeLinkSerializer,
    RemovedTorrentSerializer,
    TorrentSerializer,
    TrafficSerializer,
    UsageSerializer,
    WishesSerializer,
)
from torrents.claim_wishes import WishRefused
from torrents.health import engine_health
from torrents.links import LinkRefused, end_links, follow_link, make_link
from torrents.listing import Wanted, page_of
from torrents.metainfo import MetainfoError, Source, parse_torrent
from torrents.models import Claim
from torrents.services import TorrentRefused
from torrents.sources import source_from_text
from torrents.traffic import traffic_of
from torrents.tree import Tree
from torrents.usage import usage_of

# Made once: a serializer copies its fields each time, which took as long as the list's query.
LIST_QUERY, CHANGES_QUERY = ListQuerySerializer(), ChangesQuerySerializer()


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


def read_wishes(body: WishesSerializer) -> claim_wishes.Wishes:
    names = claim_wishes.Wishes.__annotations__.keys() & body.validated_data.keys()
    return cast("claim_wishes.Wishes", {name: body.validated_data[name] for name in names})


def wish_refused(refused: WishRefused) -> ValidationError:
    return ValidationError({refused.field: str(refused)}, code=refused.code)


class TorrentViewSet(viewsets.GenericViewSet[Claim]):
    """The caller's torrents."""

    queryset = Claim.objects.none()  # every action starts from the caller's own
    pagination_class = Pages

    lookup_field = "claim_id"
    lookup_value_converter = "uuid"
    parser_classes = (BoundedJSONParser, MultiPartParser)
    serializer_class = TorrentSerializer

    @extend_schema(
        parameters=[ListQuerySerializer],
        responses={200: TorrentSerializer(many=True), 400: ErrorResponseSerializer},
    )
    def list(self, request: Request) -> Response:
        """A page at a time, newest first unless `sort` says otherwise."""
        fields = LIST_QUERY.run_validation(request.query_params)
        sort, cursor = fields["sort"], fields.get("cursor")
        page = page_of(
            user=user_of(request),
            wanted=Wanted(frozenset(fields.get("state", ())), fields.get("label"), fields["search"]),
            sort=sort,
            position=read_cursor(cursor, sort) if cursor else None,
            limit=min(fields["limit"], Pages.max_page_size),
        )
        return Pages.response(request, page, render_torrents(page.claims))

    @extend_schema(
        request=AddTorrentSerializer,
        responses={
            201: TorrentSerializer,
            200: OpenApiResponse(TorrentSerializer, "You had it already."),
        },
    )
    def create(self, request: Request) -> Response:
        """Add a torrent by magnet link, by the address of a .torrent, or by its file."""
        body = AddTorrentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        source = read_source(body.validated_data)
        wanted = Claim.Wanted.PAUSED if body.validated_data["paused"] else Claim.Wanted.RUNNING
        try:
            claim, created = claim_wishes.add_with_wishes(
                user=user_of(request), source=source, wanted=wanted, wishes=read_wishes(body)
            )
        except TorrentRefused as refused:
            raise ApiError(str(refused), code=refused.code) from refused
        except WishRefused as refused:
            raise wish_refused(refused) from refused
        return self._render(request, claim.pk, status.HTTP_201_CREATED if created else status.HTTP_200_OK)

    @extend_schema(responses=TorrentSerializer)
    def retrieve(self, request: Request, claim_id: uuid.UUID) -> Response:
        return self._render(request, claim_id)

    @extend_schema(request=WishesSerializer(partial=True), responses=TorrentSerializer)
    def partial_update(self, request: Request, claim_id: uuid.UUID) -> Response:
        """Change what you want of it: which files, how fast, in which order, how long to give it to others, its label.

        Choosing more files takes completion back until they are there; choosing fewer can complete it at once.
        """
        body = WishesSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        try:
            self._apply(partial(claim_wishes.change_wishes, wishes=read_wishes(body)), request, claim_id)
        except WishRefused as refused:
            raise wish_refused(refused) from refused
        return self._render(request, claim_id)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, claim_id: uuid.UUID) -> Response:
        """Give the torrent up. It can be taken back for a while; then its data is deleted, unless somebody else
        holds the same torrent."""
        self._apply(services.remove_torrent, request, claim_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=RemovedTorrentSerializer(many=True))
    @action(detail=False, pagination_class=LatestRemovedFirst)
    def removed(self, request: Request) -> Response:
        """What you gave up and can still take back, the latest first, a page at a time."""
        claims = Claim.with_removed.of(user_of(request)).removed_after(timezone.now() - removal.grace())
        page = self.paginate_queryset(claims)
        return self.get_paginated_response(RemovedTorrentSerializer(page or [], many=True).data)

    @extend_schema(request=None, responses=TorrentSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, claim_id: uuid.UUID) -> Response:
        """Take back what you gave up: the same id, the same wishes, the data as it was."""
        try:
            claim = Claim.with_removed.of(user_of(request)).named(claim_id).get()
            services.restore_torrent(claim=claim)
        except Claim.DoesNotExist as error:
            raise NotFound("There is nothing left to take back. Add the torrent again.") from error
        return self._render(request, claim_id)

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
        responses={200: ChangesSerializer, 400: ErrorResponseSerializer},
    )
    @action(detail=False)
    def changes(self, request: Request) -> Response:
        """What changed since a change number that an earlier answer gave. Start with 0."""
        fields = CHANGES_QUERY.run_validation(request.query_params)
        changes = services.changes_since(user=user_of(request), change=fields["since"], limit=fields["limit"])
        return Response(render_changes(changes))

    @extend_schema(responses=FileSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def files(self, request: Request, claim_id: uuid.UUID) -> Response:
        """The torrent's files, in its own order; none until its metadata is known."""
        claim = own_claim(request, claim_id)
        if claim.completed_at is None:
            swarm.note_interest(claim.torrent_id)  # the reconciler reads how far each file is
        files = claim.torrent.files.order_by("index")
        return Response(FileSerializer(files, many=True, context={"claim": claim}).data)

    def _apply(self, verb: Any, request: Request, claim_id: uuid.UUID) -> None:
        try:
            verb(claim=own_claim(request, claim_id))
        except Claim.DoesNotExist as error:
            raise NotFound("There is no such torrent. Perhaps it was removed just now.") from error

    def _render(self, request: Request, claim_id: uuid.UUID, code: int = status.HTTP_200_OK) -> Response:
        return Response(render_torrent(own_claim(request, claim_id)), status=code)


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
        operation_id="torrents_links_create",
        request=MakeLinkSerializer,
        responses={201: LinkSerializer, 409: NOT_FINISHED},
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


class LimitsView(APIView):
    @extend_schema(operation_id="me_limits", responses=LimitsSerializer, deprecated=True)
    def get(self, request: Request) -> Response:
        """How much of your limits your torrents take; `me/usage/` says the same and more."""
        return Response(LimitsSerializer(limits_of(user_of(request).pk)).data)


class UsageView(APIView):
    @extend_schema(operation_id="me_usage", responses=UsageSerializer)
    def get(self, request: Request) -> Response:
        """What you have taken of your limits, and for what your torrents wait."""
        return Response(UsageSerializer(usage_of(user_of(request))).data)


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
