"""The API's shapes. What a person calls a torrent is their claim on it."""

from datetime import datetime
from typing import Any, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from torrents.allowances import Allowances
from torrents.engines.base import MAX_LIMIT
from torrents.listing import NEWEST_FIRST, SORTS
from torrents.metainfo import MAX_FILES, MAX_TORRENT_BYTES
from torrents.models import Claim, LiveState, TorrentFile
from torrents.own_files import eta_of, is_chosen, progress_of, size_of
from torrents.removal import until
from torrents.states import message_of, state_of

LONGEST_SOURCE = 20_000  # characters of a magnet or URL
LOWEST_LIMIT = 1024  # bytes a second: less than that is a pause that keeps others waiting
HIGHEST_RATIO = 1000
LONGEST_SEEDING = 10 * 365 * 24 * 3600  # seconds


class TorrentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(source="torrent.name")
    state = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField(
        help_text="Why it is in this state, or what it waits for; may be empty."
    )
    progress = serializers.SerializerMethodField(help_text="0 to 1, of the chosen files.")
    size = serializers.SerializerMethodField(help_text="Bytes of the chosen files; null until known.")
    downloaded = serializers.IntegerField(source="torrent.live.downloaded", help_text="Bytes.")
    uploaded = serializers.IntegerField(source="torrent.live.uploaded", help_text="Bytes.")
    download_speed = serializers.IntegerField(
        source="torrent.live.download_speed", help_text="Bytes a second."
    )
    upload_speed = serializers.IntegerField(source="torrent.live.upload_speed", help_text="Bytes a second.")
    eta = serializers.SerializerMethodField(
        help_text="Seconds until the chosen files are there; null: unknown."
    )
    seeds = serializers.IntegerField(source="torrent.live.seeds", help_text="Connected.")
    peers = serializers.IntegerField(source="torrent.live.peers", help_text="Connected.")
    infohash_v1 = serializers.CharField(source="torrent.infohash_v1", allow_null=True)
    infohash_v2 = serializers.CharField(source="torrent.infohash_v2", allow_null=True)
    private = serializers.BooleanField(source="torrent.private", allow_null=True)
    origin = serializers.ChoiceField(choices=Claim.Origin.choices)
    label = serializers.CharField(  # type: ignore[assignment]  # as with AddTorrentSerializer.source
        help_text="The owner's own word for it; may be empty."
    )
    waits_for = serializers.ChoiceField(
        choices=Claim.WaitsFor.choices,
        allow_blank=True,
        help_text="What must change before it starts by itself; `message` says it in words. Empty: nothing.",
    )
    sequential = serializers.BooleanField(help_text="Downloaded from the first piece to the last.")
    download_limit = serializers.IntegerField(allow_null=True, help_text="Bytes a second; null: none.")
    upload_limit = serializers.IntegerField(allow_null=True, help_text="Bytes a second; null: none.")
    seed_ratio = serializers.FloatField(allow_null=True, help_text="null: the box's default.")
    seed_seconds = serializers.IntegerField(allow_null=True, help_text="null: the box's default.")
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
        context = cast("dict[str, Any]", self.context)  # of the whole answer: each limit is looked up once
        return message_of(claim, context.setdefault("allowances", Allowances()))

    def get_progress(self, claim: Claim) -> float:
        return progress_of(claim)

    def get_size(self, claim: Claim) -> int | None:
        return size_of(claim)

    def get_eta(self, claim: Claim) -> int | None:
        return eta_of(claim)


class RemovedTorrentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField(source="torrent.name")
    size = serializers.IntegerField(
        source="torrent.size", allow_null=True, help_text="Bytes; null until known."
    )
    removed_at = serializers.DateTimeField()
    until = serializers.SerializerMethodField(help_text="When it goes for good.")

    def get_until(self, claim: Claim) -> datetime:
        return until(claim)


def limit_field() -> serializers.IntegerField:
    sentence = f"A limit is {LOWEST_LIMIT} to {MAX_LIMIT} bytes a second; null means none."
    return serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=LOWEST_LIMIT,
        max_value=MAX_LIMIT,
        error_messages={"min_value": sentence, "max_value": sentence, "max_string_length": sentence},
        help_text="Bytes a second; null: none.",
    )


class WishesSerializer(serializers.Serializer[Any]):
    """What one person wants of a torrent. What is left out stays as it is."""

    label = serializers.CharField(  # type: ignore[assignment]  # as with AddTorrentSerializer.source
        required=False,
        allow_blank=True,
        max_length=64,
        help_text="The owner's own word for it; may be empty.",
    )
    files = serializers.ListField(
        child=serializers.IntegerField(
            min_value=0,
            max_value=MAX_FILES,
            error_messages={
                "min_value": "Files are numbered from 0.",
                "max_value": f"No torrent here has more than {MAX_FILES} files.",
                "invalid": "Name files by their numbers, as the list of files has them.",
            },
        ),
        required=False,
        allow_null=True,
        allow_empty=False,
        max_length=MAX_FILES,
        error_messages={
            "empty": "Choose at least one file; null means all of them.",
            "max_length": f"No torrent here has more than {MAX_FILES} files.",
        },
        help_text="Indexes of the files to download; null: all of them.",
    )
    download_limit = limit_field()
    upload_limit = limit_field()
    seed_ratio = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=HIGHEST_RATIO,
        error_messages={
            "min_value": f"A ratio is 0 to {HIGHEST_RATIO}; null means the box's default.",
            "max_value": f"A ratio is 0 to {HIGHEST_RATIO}; null means the box's default.",
        },
        help_text="Give to others until so many times the size went out; null: the box's default.",
    )
    seed_seconds = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=LONGEST_SEEDING,
        error_messages={
            "min_value": "A time is 0 seconds or more; null means the box's default.",
            "max_value": "A torrent is given to others for ten years at most; null means the box's default.",
        },
        help_text="Give to others for so long once it is complete; null: the box's default.",
    )
    sequential = serializers.BooleanField(
        required=False, help_text="Download from the first piece to the last."
    )


class AddTorrentSerializer(WishesSerializer):
    """Exactly one of `source` and `metainfo`. `files` only where they are known: for a .torrent, or a magnet of a
    torrent that the box has already."""

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


MOST_CHANGES = 2000  # in one answer


class ChangesQuerySerializer(serializers.Serializer[Any]):
    since = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=MOST_CHANGES, default=500)


class ChangesSerializer(serializers.Serializer[Any]):
    change = serializers.IntegerField(help_text="Ask with `since` set to this next time.")
    more = serializers.BooleanField(help_text="Ask again at once: there is more.")
    reset = serializers.BooleanField(help_text="Forget everything you hold before you apply this.")
    torrents = TorrentSerializer(many=True, source="claims")
    removed = serializers.ListField(child=serializers.UUIDField())


class ListQuerySerializer(serializers.Serializer[Any]):
    state = serializers.MultipleChoiceField(choices=LiveState.State.choices, required=False)
    label = serializers.CharField(  # type: ignore[assignment]  # as with AddTorrentSerializer.source
        required=False, allow_blank=True, max_length=64, help_text="Exactly this; empty: those without one."
    )
    search = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=200,
        help_text="Words that name or label hold, all of them; case and accents do not matter.",
    )
    sort = serializers.ChoiceField(
        choices=SORTS,
        default=NEWEST_FIRST,
        error_messages={"invalid_choice": "Sort by one of " + ", ".join(SORTS) + "; a minus turns it round."},
        help_text="A minus turns the order round: `-added` has the newest first.",
    )
    cursor = serializers.CharField(required=False, help_text="Of `next` or `previous` of an earlier answer.")
    limit = serializers.IntegerField(
        default=50, min_value=1, help_text="Results on a page; never more than 200."
    )


class FileSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    path = serializers.CharField(
        help_text="Relative, parts separated by slashes. A stranger chose it: be careful."
    )
    size = serializers.IntegerField(help_text="Bytes.")
    wanted = serializers.SerializerMethodField(
        help_text="Whether you chose it. Others are not downloaded for you, and not handed over."
    )
    progress = serializers.SerializerMethodField(help_text="0 to 1; soon up to date while you look at it.")
    sha256 = serializers.SerializerMethodField(
        help_text="Of the finished file; null until it has been computed."
    )
    content_url = serializers.SerializerMethodField(
        help_text="Where to fetch it; null until it can be fetched."
    )

    def get_wanted(self, file: TorrentFile) -> bool:
        return is_chosen(self.context["claim"], file.index)

    def get_progress(self, file: TorrentFile) -> float:
        claim: Claim = self.context["claim"]
        is_there = claim.torrent.completed_at is not None or (
            claim.completed_at is not None and is_chosen(claim, file.index)
        )
        return 1.0 if is_there else file.progress

    def get_sha256(self, file: TorrentFile) -> str | None:
        return (file.sha256 or None) if self.get_wanted(file) else None

    def get_content_url(self, file: TorrentFile) -> str | None:
        claim: Claim = self.context["claim"]
        if claim.completed_at is None or not self.get_wanted(file):
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


class LimitSerializer(serializers.Serializer[Any]):
    used = serializers.IntegerField()
    limit = serializers.IntegerField()


class LimitsSerializer(serializers.Serializer[Any]):
    disk = LimitSerializer(help_text="Bytes of all your torrents that were let in, finished or not.")
    active = LimitSerializer(help_text="Your torrents that may download now.")
    traffic = LimitSerializer(help_text="Bytes that you have fetched since the first of this month (UTC).")
    traffic_resets_on = serializers.DateField(help_text="UTC.")
    seeding_notice = serializers.CharField(
        allow_blank=True, help_text="Why finished torrents are given to other peers slowly or not at all."
    )


class FetchedSerializer(serializers.Serializer[Any]):
    https = serializers.IntegerField()
    sftp = serializers.IntegerField()


class WaitingSerializer(serializers.Serializer[Any]):
    waits_for = serializers.CharField(help_text="As in a torrent.")
    torrents = serializers.IntegerField(help_text="How many of yours.")


class UsageSerializer(serializers.Serializer[Any]):
    disk = LimitSerializer(source="limits.disk", help_text="Bytes of all your torrents that were let in.")
    active = LimitSerializer(source="limits.active", help_text="Your torrents that may download now.")
    traffic = LimitSerializer(
        source="limits.traffic", help_text="Bytes that you have fetched since the first of this month (UTC)."
    )
    traffic_resets_on = serializers.DateField(source="limits.traffic_resets_on", help_text="UTC.")
    fetched = FetchedSerializer(help_text="The same bytes, by how you fetched them.")
    sent_to_peers = serializers.IntegerField(
        help_text="Bytes that the torrents you hold have sent to other peers, ever. No limit of yours counts them."
    )
    waiting = WaitingSerializer(many=True, help_text="What does not start yet, by what it waits for.")
    seeding_notice = serializers.CharField(
        source="limits.seeding_notice",
        allow_blank=True,
        help_text="Why finished torrents are given to other peers slowly or not at all.",
    )


class EngineHealthSerializer(serializers.Serializer[Any]):
    reachable = serializers.BooleanField()
    message = serializers.CharField(allow_blank=True)
    checked_at = serializers.DateTimeField(allow_null=True)


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "degraded"])
    engine = EngineHealthSerializer()
