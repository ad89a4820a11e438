"""What became of one's torrents, also of those that are gone."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import user_of
from proxy_site.api.cursors import ByNumber
from torrents import history
from torrents.models import ClaimEvent


class ClaimEventSerializer(serializers.Serializer[Any]):
    torrent = serializers.UUIDField(source="claim_id", help_text="Its id, which may be gone.")
    name = serializers.CharField(help_text="The torrent's name at that time.")
    kind = serializers.ChoiceField(choices=ClaimEvent.Kind.choices)
    detail = serializers.CharField(help_text="By whom, by which way or why, in words; may be empty.")
    at = serializers.DateTimeField()


class LatestFirst(ByNumber):
    """In the order in which events were noted."""

    ordering = ("-id",)


class HistoryView(GenericAPIView[ClaimEvent]):
    queryset = ClaimEvent.objects.none()  # everything starts from the caller's own
    serializer_class = ClaimEventSerializer
    pagination_class = LatestFirst

    @extend_schema(operation_id="me_history", responses=ClaimEventSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What became of all your torrents, the latest first."""
        return self._page(history.of(user_of(request)))

    def _page(self, events: Any) -> Response:
        page = self.paginate_queryset(events)
        return self.get_paginated_response(ClaimEventSerializer(page or [], many=True).data)


class ClaimHistoryView(HistoryView):
    @extend_schema(operation_id="torrents_history", responses=ClaimEventSerializer(many=True))
    def get(self, request: Request, claim_id: uuid.UUID) -> Response:  # type: ignore[override]  # named by the path
        """What became of one torrent, the latest first; also after it was removed."""
        events = history.of_claim(user_of(request), claim_id)
        if events is None:
            raise NotFound("There is no such torrent, and nothing is known of it any more.")
        return self._page(events)
