"""What goes over the wire of shows, entries and their releases. Tokens never do."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchlist.episodes import EpisodeStatus
from watchlist.models import NAME, Candidate, Entry, Preferences, Wishes
from watchlist.wishes import WISHES

MAX_EPISODE = 100_000
MAX_KEY = 2**63 - 1
FIRST_KEY = 1
EPISODE_STATES = tuple(status.value for status in EpisodeStatus)
USUAL_CALENDAR = timedelta(days=8)
LONGEST_CALENDAR = timedelta(days=31)


class ShowSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    provider = serializers.CharField(help_text='Who knows it; "manual": you, its owner.')
    title = serializers.CharField()
    romaji = serializers.CharField()
    english = serializers.CharField()
    native = serializers.CharField()
    synonyms = serializers.ListField(child=serializers.CharField())
    format = serializers.CharField(help_text="TV, MOVIE, OVA, …; empty: not known.")
    status = serializers.CharField(help_text="RELEASING, FINISHED, …; empty: not known.")
    episodes = serializers.IntegerField(allow_null=True, help_text="How many there will be.")
    year = serializers.IntegerField(source="season_year", allow_null=True)
    starts_on = serializers.DateField(allow_null=True)
    is_adult = serializers.BooleanField()
    site_url = serializers.CharField(help_text="Where to read about it; may be empty.")
    fetched_at = serializers.DateTimeField(
        allow_null=True, help_text="How old this is; null: only another show mentions it."
    )


class WishesSerializer(serializers.ModelSerializer[Preferences]):
    """Which releases are wanted. Null: what holds for all your shows, and there what the box does by itself."""

    class Meta:
        model = Preferences
        fields = WISHES
        extra_kwargs: dict[str, dict[str, Any]] = {
            "groups": {"max_length": 100},
            "refused_groups": {"max_length": 100},
            "resolutions": {"max_length": 20},
            "languages": {"max_length": 20},
            "delay_seconds": {"min_value": 0, "max_value": 14 * 24 * 3600},
            "stalled_hours": {"min_value": 0, "max_value": 365 * 24},
        }


class EffectiveWishesSerializer(serializers.Serializer[Any]):
    """What holds in the end."""

    groups = serializers.ListField(child=serializers.CharField())
    only_groups = serializers.BooleanField()
    refused_groups = serializers.ListField(child=serializers.CharField())
    resolutions = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    must_not_contain = serializers.CharField()
    batches = serializers.ChoiceField(choices=Wishes.Batches.choices)
    specials = serializers.BooleanField()
    newer_versions = serializers.BooleanField()
    delay_seconds = serializers.IntegerField()
    stalled_hours = serializers.IntegerField()
    start_paused = serializers.BooleanField()
    label = serializers.CharField()  # type: ignore[assignment]  # as with a torrent's


class PreferencesSerializer(WishesSerializer):
    effective = EffectiveWishesSerializer(read_only=True)

    class Meta(WishesSerializer.Meta):
        fields = (*WISHES, "effective")


class AliasSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=NAME, help_text="As releases write it.")
    season = serializers.IntegerField(
        min_value=0,
        max_value=1000,
        required=False,
        allow_null=True,
        default=None,
        help_text="Only where a release states this season; null: where it states none.",
    )


class SummarySerializer(serializers.Serializer[Any]):
    aired = serializers.IntegerField(allow_null=True, help_text="Episodes; null: not known.")
    have = serializers.IntegerField()
    downloading = serializers.IntegerField()
    found = serializers.IntegerField(help_text="A release is there and not yet taken.")
    missing = serializers.IntegerField(help_text="Aired, wanted, and of no release so far.")
    missing_since = serializers.DateTimeField(allow_null=True, help_text="When the first of these aired.")
    next_episode = serializers.IntegerField(allow_null=True)
    next_airs_at = serializers.DateTimeField(allow_null=True)


class EntrySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="entry.pk")
    show = ShowSerializer(source="entry.show")
    origin = serializers.ChoiceField(source="entry.origin", choices=Entry.Origin.choices)
    state = serializers.ChoiceField(source="entry.state", choices=Entry.State.choices)
    list_status = serializers.CharField(source="entry.list_status", help_text="Empty: on no list of yours.")
    list_progress = serializers.IntegerField(
        source="entry.list_progress", help_text="Episodes watched, as your list says."
    )
    from_episode = serializers.IntegerField(
        source="entry.from_episode", help_text="Nothing before this one is wanted."
    )
    offset = serializers.IntegerField(
        source="entry.offset",
        help_text="Added to the number in a release's name to get the episode of the show.",
    )
    end_with_show = serializers.BooleanField(
        source="entry.end_with_show", help_text="Ends by itself once the last episode is there."
    )
    wishes = WishesSerializer(source="entry")
    effective_wishes = EffectiveWishesSerializer()
    aliases = AliasSerializer(many=True, help_text="Names that you said mean this show.")
    summary = SummarySerializer()
    added_at = serializers.DateTimeField(source="entry.added_at")
    changed_at = serializers.DateTimeField(source="entry.changed_at")


class _OfAnEntry(serializers.Serializer[Any]):
    from_episode = serializers.IntegerField(min_value=0, max_value=MAX_EPISODE, required=False)
    offset = serializers.IntegerField(min_value=-MAX_EPISODE, max_value=MAX_EPISODE, required=False)
    end_with_show = serializers.BooleanField(required=False)
    wishes = WishesSerializer(required=False, help_text="What is not named stays.")


class FollowSerializer(_OfAnEntry):
    """A show that was found, by its id; or one that no provider knows, by its title."""

    show_id = serializers.IntegerField(min_value=FIRST_KEY, max_value=MAX_KEY, required=False)
    title = serializers.CharField(max_length=NAME, required=False)
    titles = serializers.ListField(
        child=serializers.CharField(max_length=NAME),
        max_length=20,
        required=False,
        help_text="Its other names; only with `title`.",
    )
    episodes = serializers.IntegerField(
        min_value=1,
        max_value=MAX_EPISODE,
        required=False,
        allow_null=True,
        help_text="How many there will be, where you know; only with `title`.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("show_id" in attrs) == ("title" in attrs):
            raise serializers.ValidationError(
                {"show_id": "Name a show that was found by its show_id, or give the title of another."}
            )
        if "show_id" in attrs and not attrs.keys().isdisjoint({"titles", "episodes"}):
            raise serializers.ValidationError(
                {"show_id": "Titles and episodes of a show that was found are not yours to state."}
            )
        return attrs


class ChangeEntrySerializer(_OfAnEntry):
    state = serializers.ChoiceField(
        choices=[(state.value, state.label) for state in (Entry.State.FOLLOWED, Entry.State.PAUSED)],
        required=False,
    )


class EntriesQuerySerializer(serializers.Serializer[Any]):
    search = serializers.CharField(
        required=False, default="", max_length=200, help_text="Words of any of its names."
    )
    state = serializers.ChoiceField(
        choices=Entry.State.choices,
        required=False,
        help_text="Without it: all but what you removed.",
    )


class EpisodeSerializer(serializers.Serializer[Any]):
    number = serializers.FloatField(help_text="12.5 is one, too.")
    special = serializers.CharField(help_text="OVA, SP, …: then the number counts these.")
    airs_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=EPISODE_STATES)
    missing_since = serializers.DateTimeField(allow_null=True)
    title = serializers.CharField(help_text="Of the release; empty: none.")
    group = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    candidate_id = serializers.IntegerField(allow_null=True)
    claim_id = serializers.UUIDField(allow_null=True, help_text="Its torrent, which may be gone.")
    message = serializers.CharField(help_text="What is the matter, in words; may be empty.")


class CandidateSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    group = serializers.CharField()
    version = serializers.IntegerField()
    numbers = serializers.ListField(child=serializers.FloatField(), help_text="Episodes that it holds.")
    special = serializers.CharField(help_text="OVA, SP, …: then the numbers count these.")
    state = serializers.ChoiceField(choices=Candidate.State.choices)
    message = serializers.CharField(help_text="Why it could not be had; else empty.")
    claim_id = serializers.UUIDField(allow_null=True, help_text="Its torrent, which may be gone.")
    found_at = serializers.DateTimeField()


class CalendarQuerySerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField(required=False, help_text="Default: yesterday at this time.")
    until = serializers.DateTimeField(
        required=False, help_text="Default: eight days after that; at most 31 days after it."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        since, until = attrs.get("since"), attrs.get("until")
        try:
            if since is None:
                since = until - USUAL_CALENDAR if until is not None else timezone.now() - timedelta(days=1)
            if until is None:
                until = since + USUAL_CALENDAR
            length = until - since
        except OverflowError as error:
            raise serializers.ValidationError({"since": "No calendar goes there."}) from error
        if not timedelta(0) < length <= LONGEST_CALENDAR:
            raise serializers.ValidationError(
                {"until": f"This comes after since, by at most {LONGEST_CALENDAR.days} days."}
            )
        return {"since": since, "until": until}


class CalendarItemSerializer(serializers.Serializer[Any]):
    airs_at = serializers.DateTimeField()
    number = serializers.IntegerField()
    entry_id = serializers.UUIDField()
    title = serializers.CharField(help_text="Of the show.")
    state = serializers.ChoiceField(choices=EPISODE_STATES)
