"""What goes over the wire of what was decided, and of what people are to decide."""

from typing import Any

from rest_framework import serializers

from watchlist.api.serializers import FIRST_KEY, MAX_KEY, ShowSerializer
from watchlist.matching import Outcome
from watchlist.models import Decision, Entry
from watchlist.preview import MAX_TITLES, Previewed

GONE = (Entry.State.REMOVED, Entry.State.LEFT)
OUTCOMES = tuple(outcome.value for outcome in Outcome)


class WatchReasonSerializer(serializers.Serializer[Any]):
    what = serializers.CharField(help_text="Which wish, or what else stood against it.")
    got = serializers.CharField()
    wanted = serializers.CharField()


class ReviewSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="decision.pk")
    title = serializers.CharField(source="decision.item.title", help_text="Of the release.")
    feed = serializers.CharField(help_text="As you call it; empty: you follow it no more.")
    seen_at = serializers.DateTimeField(source="decision.item.seen_at")
    reasons = WatchReasonSerializer(source="decision.reasons", many=True, help_text="Why it is not clear.")
    shows = ShowSerializer(many=True, help_text="Which it may be of, the likeliest first.")


class AnswerSerializer(serializers.Serializer[Any]):
    show_id = serializers.IntegerField(
        min_value=FIRST_KEY,
        max_value=MAX_KEY,
        allow_null=True,
        help_text="Which show it is of; null: none of yours.",
    )
    remember = serializers.BooleanField(
        required=False, default=True, help_text="Later releases of this name are treated alike."
    )


class WatchDecisionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="decision.pk")
    title = serializers.CharField(source="decision.item.title", help_text="Of the release.")
    feed = serializers.CharField(allow_null=True, help_text="As you call it; null: you follow it no more.")
    entry_id = serializers.UUIDField(source="decision.entry_id", allow_null=True)
    show_title = serializers.CharField(source="decision.entry.show.title", allow_null=True, default=None)
    outcome = serializers.ChoiceField(source="decision.outcome", choices=Decision.Outcome.choices)
    reasons = WatchReasonSerializer(source="decision.reasons", many=True)
    at = serializers.DateTimeField(source="decision.at")


class WatchDecisionsQuerySerializer(serializers.Serializer[Any]):
    search = serializers.CharField(
        required=False, default="", max_length=200, help_text="Words of the release's title."
    )
    outcome = serializers.ChoiceField(choices=Decision.Outcome.choices, required=False)
    entry = serializers.UUIDField(required=False)


class TitlesSerializer(serializers.Serializer[Any]):
    titles = serializers.ListField(
        child=serializers.CharField(max_length=2000, allow_blank=True),
        max_length=MAX_TITLES,
        help_text="Names of releases, one a line as you would paste them.",
    )


class WatchPreviewSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    outcome = serializers.ChoiceField(source="match.outcome", choices=OUTCOMES)
    show = ShowSerializer(allow_null=True)
    followed = serializers.SerializerMethodField(help_text="By you.")
    episodes = serializers.ListField(
        source="numbers", child=serializers.FloatField(), help_text="As the show counts them."
    )
    special = serializers.CharField(
        source="match.special", help_text="OVA, SP, …: then `episodes` count these."
    )
    candidates = ShowSerializer(many=True, help_text="Where it is not clear: which it may be of.")
    reasons = WatchReasonSerializer(
        source="match.reasons", many=True, help_text="Why it is of that show, or of none."
    )
    wanted = serializers.BooleanField(help_text="It would be taken.")
    wish_reasons = WatchReasonSerializer(
        source="reasons", many=True, help_text="Why it would not, though it is clear what it is."
    )

    def get_followed(self, previewed: Previewed) -> bool:
        return previewed.entry is not None and previewed.entry.state not in GONE
