"""How a torrent's swarm is doing, for its owner."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from torrents.api.views import own_claim
from torrents.swarm import COUNTS, MAYBE_COUNTS, known, note_interest, swarm_message, swarm_of


class SwarmSerializer(serializers.Serializer[Any]):
    """All counts are null until the engine was asked for the first time: ask again in some seconds."""

    message = serializers.CharField(help_text="Why it stalls and what happens next; may be empty.")
    trackers_working = serializers.IntegerField(allow_null=True)
    trackers_failing = serializers.IntegerField(allow_null=True)
    trackers_waiting = serializers.IntegerField(allow_null=True, help_text="Not asked yet, or being asked.")
    known_seeds = serializers.IntegerField(
        allow_null=True, help_text="Have all of it, connected or not, as trackers count them; null: unknown."
    )
    known_peers = serializers.IntegerField(allow_null=True, help_text="Have a part of it; null: unknown.")
    availability = serializers.FloatField(
        allow_null=True, help_text="Whole copies among those who are connected; null: unknown."
    )
    connected_seeds = serializers.IntegerField()
    connected_peers = serializers.IntegerField()
    checked_at = serializers.DateTimeField(allow_null=True)
    age = serializers.FloatField(allow_null=True, help_text="Seconds since `checked_at`.")


class SwarmView(APIView):
    @extend_schema(operation_id="torrents_swarm", responses=SwarmSerializer)
    def get(self, request: Request, claim_id: uuid.UUID) -> Response:
        """Trackers and peers as counts. They are kept fresh while somebody asks, from half a minute to the next."""
        claim = own_claim(request, claim_id)
        note_interest(claim.torrent_id)
        swarm = swarm_of(claim)
        live = claim.torrent.live
        answer: dict[str, Any] = {
            "message": swarm_message(claim, swarm),
            "connected_seeds": live.seeds,
            "connected_peers": live.peers,
            "checked_at": swarm and swarm.checked_at,
            "age": swarm and max(0.0, (timezone.now() - swarm.checked_at).total_seconds()),
            **{name: swarm and known(getattr(swarm, name)) for name in (*COUNTS, *MAYBE_COUNTS)},
        }
        return Response(SwarmSerializer(answer).data)
