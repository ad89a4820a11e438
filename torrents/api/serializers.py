"""The API's shapes. What a person calls a torrent is their claim on it."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from torrents.metainfo import MAX_TORRENT_BYTES
from torrents.models import Claim, LiveState, TorrentFile
from torrents.states import message_of, state_of

LONGEST_SOURCE = 20_000  # characters of a magnet or URL


class TorrentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(source="torrent.name")
    state = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField(
        help_text="Why it is in this state, or what it waits for; may be empty."
    )
    progress = serializers.FloatField(source="torrent.live.progress", help_text="0 to 1.")
    size = serializers.IntegerField(
        source="torrent.size", allow_null=True, help_text="Bytes; null until known."
    )
    downloaded = serializers.IntegerField(source="torrent.live.downloaded", help_text="Bytes.")
    uploaded = serializers.IntegerField(source="torrent.live.uploaded", help_text="Bytes.")
    download_speed = serializers.IntegerField(
        source="torrent.live.download_speed", help_text="Bytes a second."
    )
    upload_speed = serializers.IntegerField(source="torrent.live.upload_speed", help_text="Bytes a second.")
    eta = serializers.IntegerField(
        source="torrent.live.eta", allow_null=True, help_text="Seconds; null: unknown."
    )
    seeds = serializers.IntegerField(source="torrent.live.seeds", help_text="Connected.")
    peers = serializers.IntegerField(source="torrent.live.peers", help_text="Connected.")
    infohash_v1 = serializers.CharField(source="torrent.infohash_v1", allow_null=True)
    infohash_v2 = serializers.CharField(source="torrent.infohash_v2", allow_null=True)
    private = serializers.BooleanField(source="torrent.private", allow_null=True)
    origin = serializers.ChoiceField(choices=Claim.Origin.choices)
    handed_over = serializers.IntegerField(
        help_text="Bytes fetched so far, every time counted. Alone it does not raise `change`."
    )
    added_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    change = serializers.IntegerField(help_text="Grows whenever any of this changes.")

    @extend_schema_field(serializers.ChoiceField(choices=LiveState.State.choices))
    def get_state(self, claim: Claim) -> str:
        return state_of(claim)

    def get_message(self, claim: Claim) -> str:
        return message_of(claim)


class AddTorrentSerializer(serializers.Serializer[Any]):
    """Exactly one of `source` and `metainfo`."""

    source = serializers.CharField(  # type: ignore[assignment]  # the metaclass takes it; Field.source stays
        required=False,
        max_length=LONGEST_SOURCE,
        help_text="A magnet link, or the http(s) address of a .torrent.",
    )
    metainfo = serializers.FileField(required=False, help_text="A .torrent file, up to 10 MiB.")
    paused = serializers.BooleanField(default=False)

    def validate_metainfo(self, upload: Any) -> bytes:
        if upload.size > MAX_TORRENT_BYTES:
            raise serializers.ValidationError(
                "This is larger than any .torrent file: 10 MiB is the limit.", "too_large"
            )
        return bytes(upload.read())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("source" in attrs) == ("metainfo" in attrs):
            raise serializers.ValidationError(
                {
                    "source": "Give either a magnet link or address as `source`, or a .torrent file as `metainfo`."
                }
            )
        return attrs


class ChangesQuerySerializer(serializers.Serializer[Any]):
    since = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=2000, default=500)


class ChangesSerializer(serializers.Serializer[Any]):
    change = serializers.IntegerField(help_text="Ask with `since` set to this next time.")
    more = serializers.BooleanField(help_text="Ask again at once: there is more.")
    reset = serializers.BooleanField(help_text="Forget everything you hold before you apply this.")
    torrents = TorrentSerializer(many=True, source="claims")
    removed = serializers.ListField(child=serializers.UUIDField())


class ListQuerySerializer(serializers.Serializer[Any]):
    state = serializers.MultipleChoiceField(choices=LiveState.State.choices, required=False)


class FileSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    path = serializers.CharField(
        help_text="Relative, parts separated by slashes. A stranger chose it: be careful."
    )
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.SerializerMethodField(
        help_text="Of the finished file; null until it has been computed."
    )
    content_url = serializers.SerializerMethodField(
        help_text="Where to fetch it; null until it can be fetched."
    )

    def get_sha256(self, file: TorrentFile) -> str | None:
        return file.sha256 or None

    def get_content_url(self, file: TorrentFile) -> str | None:
        claim: Claim = self.context["claim"]
        if claim.completed_at is None:
            return None
        return reverse("api:torrent-file-content", kwargs={"claim_id": claim.pk, "index": file.index})


class MakeLinkSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(
        required=False, min_value=0, help_text="Of the file; left out, the link is to the .tar archive."
    )


class LinkSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Works without logging in: whoever has it may fetch the file.")
    expires_at = serializers.DateTimeField()
    curl = serializers.CharField(
        help_text="A command for a POSIX shell that fetches it, and goes on after a break."
    )
    sftp_path = serializers.CharField(
        allow_null=True, help_text="Where the file, or the torrent, is found by SFTP."
    )


class DayOfTrafficSerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="UTC.")
    https = serializers.IntegerField(help_text="Bytes.")
    sftp = serializers.IntegerField(help_text="Bytes.")


class TrafficSerializer(serializers.Serializer[Any]):
    days = DayOfTrafficSerializer(many=True, help_text="The last 31, the newest first.")
    month = serializers.IntegerField(help_text="Bytes since the first of this month (UTC), by all channels.")


class EngineHealthSerializer(serializers.Serializer[Any]):
    reachable = serializers.BooleanField()
    message = serializers.CharField(allow_blank=True)
    checked_at = serializers.DateTimeField(allow_null=True)


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "degraded"])
    engine = EngineHealthSerializer()
