"""What goes over the wire. Addresses are shown without what may be a passkey."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feeds.models import Decision, Grab, Rule
from feeds.services import MAX_CREDENTIAL
from proxy_site.outbound import MAX_URL_LENGTH, redact

MAX_NAME = 100
MAX_SECONDS = 10 * 365 * 24 * 3600
MAX_BYTES = 2**60


class RedactedField(serializers.CharField):
    def to_representation(self, value: str) -> str:
        return redact(value) if value else ""


class FeedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(source="source.title", help_text="As the feed calls itself.")
    address = RedactedField(source="source.url", help_text="Without what may be a passkey.")
    enabled = serializers.BooleanField()
    health = serializers.ChoiceField(
        choices=["unchecked", "healthy", "failing"], help_text="Unchecked: the first check is still to come."
    )
    message = serializers.CharField(
        source="source.message", help_text="Why the last check failed; else empty."
    )
    failing_since = serializers.DateTimeField(source="source.failing_since", allow_null=True)
    checked_at = serializers.DateTimeField(source="source.checked_at", allow_null=True)
    next_check_at = serializers.DateTimeField(source="source.next_check_at")
    added_at = serializers.DateTimeField()


class AddFeedSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(
        max_length=MAX_URL_LENGTH, help_text="Of an RSS, Atom, RDF or torznab feed; http or https."
    )
    name = serializers.CharField(max_length=MAX_NAME, required=False, default="", allow_blank=True)
    username = serializers.CharField(max_length=MAX_CREDENTIAL, required=False, default="", allow_blank=True)
    password = serializers.CharField(
        max_length=MAX_CREDENTIAL, required=False, default="", allow_blank=True, trim_whitespace=False
    )
    back_catalogue = serializers.BooleanField(
        required=False, default=False, help_text="Rules may also take what stands in the feed now."
    )


class ChangeFeedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=MAX_NAME, required=False)
    enabled = serializers.BooleanField(
        required=False, help_text="What comes while it is off is not taken afterwards."
    )


class CheckSerializer(serializers.Serializer[Any]):
    asked = serializers.BooleanField(help_text="False: it was checked a moment ago.")


class ReasonSerializer(serializers.Serializer[Any]):
    what = serializers.CharField(
        help_text="Which condition: a field of the rule, or what else stood against it."
    )
    got = serializers.CharField()
    wanted = serializers.CharField()


class GrabSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Grab.State.choices)
    message = serializers.CharField(help_text="Why it is not added; else empty.")
    due_at = serializers.DateTimeField(help_text="When it is tried (again), while it is waiting or due.")
    torrent = serializers.UUIDField(
        source="claim_id", allow_null=True, help_text="Its id, which may be gone."
    )


class ItemDecisionSerializer(serializers.Serializer[Any]):
    rule = serializers.UUIDField(source="rule_id", allow_null=True, help_text="NULL: the rule is gone.")
    rule_name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Decision.Outcome.choices)
    reasons = ReasonSerializer(many=True)
    at = serializers.DateTimeField()


class ItemSerializer(serializers.Serializer[Any]):
    feed = serializers.UUIDField(source="subscription_id")
    number = serializers.IntegerField(source="item.number", help_text="Counts the feed's items.")
    title = serializers.CharField(source="item.title")
    page = RedactedField(
        source="item.page", help_text="Where to read about it, without what may be a passkey."
    )
    size = serializers.IntegerField(source="item.size", allow_null=True, help_text="Bytes, as the feed says.")
    infohash = serializers.CharField(source="item.infohash", help_text="As the feed says; may be empty.")
    has_torrent = serializers.BooleanField()
    published_at = serializers.DateTimeField(source="item.published_at", allow_null=True)
    seen_at = serializers.DateTimeField(source="item.seen_at")
    release = serializers.DictField(
        source="item.release", help_text="What its title says; what it does not is left out."
    )
    decisions = ItemDecisionSerializer(many=True, help_text="Of your rules.")
    grab = GrabSerializer(allow_null=True)


class VerdictSerializer(serializers.Serializer[Any]):
    rule = serializers.UUIDField(source="rule_id")
    rule_name = serializers.CharField()
    taken = serializers.BooleanField()
    reasons = ReasonSerializer(many=True, help_text="Why it does not take it.")


class ExplainedItemSerializer(ItemSerializer):
    verdicts = VerdictSerializer(many=True, help_text="What each of your rules says of it now.")


class ItemsQuerySerializer(serializers.Serializer[Any]):
    search = serializers.CharField(
        required=False, default="", max_length=200, help_text="Words of the title."
    )
    outcome = serializers.ChoiceField(
        choices=[*Decision.Outcome.choices, ("none", "nothing decided")], required=False
    )


class DecisionsQuerySerializer(serializers.Serializer[Any]):
    search = serializers.CharField(
        required=False, default="", max_length=200, help_text="Words of the title."
    )
    outcome = serializers.ChoiceField(choices=Decision.Outcome.choices, required=False)
    rule = serializers.UUIDField(required=False)


class DecisionSerializer(ItemDecisionSerializer):
    title = serializers.CharField(source="item.title")
    number = serializers.IntegerField(source="item.number")
    feed = serializers.UUIDField(
        source="subscription_id", allow_null=True, help_text="NULL: not followed any more."
    )


class RuleSerializer(serializers.ModelSerializer[Rule]):
    """Every condition that is set must hold; what is null or empty is none."""

    feeds = serializers.ListField(
        child=serializers.UUIDField(),
        source="feed_ids",
        max_length=1000,
        required=False,
        help_text="The feeds it looks at; none: all.",
    )

    class Meta:
        model = Rule
        fields = (
            "id", "name", "enabled", "dry_run", "priority", "feeds",
            "must_contain", "must_not_contain", "regex", "negative_regex",
            "min_size", "max_size", "season", "first_episode", "last_episode", "published_after", "max_age_seconds",
            "resolutions", "groups", "only_groups", "refused_groups", "batches",
            "once_per_episode", "max_per_day", "delay_seconds", "start_paused", "label",
            "created_at", "changed_at",
        )  # fmt: skip
        read_only_fields = ("id", "created_at", "changed_at")
        validators = ()  # a name of one's own another rule has: RuleError says so
        extra_kwargs: dict[str, dict[str, Any]] = {
            "priority": {"min_value": -1000, "max_value": 1000},
            "min_size": {"min_value": 0, "max_value": MAX_BYTES, "required": False},
            "max_size": {"min_value": 0, "max_value": MAX_BYTES, "required": False},
            "season": {"min_value": 0, "max_value": 10_000, "required": False},
            "first_episode": {"min_value": 0, "max_value": 100_000, "required": False},
            "last_episode": {"min_value": 0, "max_value": 100_000, "required": False},
            "published_after": {"required": False},
            "max_age_seconds": {"min_value": 1, "max_value": MAX_SECONDS, "required": False},
            "max_per_day": {"min_value": 1, "max_value": 10_000, "required": False},
            "delay_seconds": {"min_value": 0, "max_value": 14 * 24 * 3600},
            "resolutions": {"max_length": 20},
            "groups": {"max_length": 100},
            "refused_groups": {"max_length": 100},
        }


class PreviewRuleSerializer(RuleSerializer):
    """A rule that need not be saved, nor have a name."""

    titles = serializers.ListField(
        child=serializers.CharField(max_length=2000, allow_blank=True),
        max_length=500,
        required=False,
        help_text="Pasted ones to try it on; without them, on what is in the feeds.",
    )

    class Meta(RuleSerializer.Meta):
        fields = (*RuleSerializer.Meta.fields, "titles")  # type: ignore[assignment]
        extra_kwargs = RuleSerializer.Meta.extra_kwargs | {"name": {"required": False}}


class PreviewedSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(source="candidate.title")
    feed = serializers.UUIDField(allow_null=True, help_text="NULL: a pasted title.")
    number = serializers.IntegerField(source="item.number", allow_null=True, default=None)
    size = serializers.IntegerField(source="candidate.size", allow_null=True)
    release = serializers.DictField(source="candidate.release")
    taken = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)


class PreviewSerializer(serializers.Serializer[Any]):
    taken = serializers.SerializerMethodField(help_text="How many.")
    of = serializers.SerializerMethodField()
    items = PreviewedSerializer(many=True, source="*")

    @extend_schema_field(int)
    def get_taken(self, previewed: list[Any]) -> int:
        return sum(one.taken for one in previewed)

    @extend_schema_field(int)
    def get_of(self, previewed: list[Any]) -> int:
        return len(previewed)
