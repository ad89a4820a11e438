"""What goes over the wire of providers and accounts there. A token comes in and never goes out."""

from typing import Any

from rest_framework import serializers

from watchlist.api.serializers import ShowSerializer
from watchlist.linking import LONGEST_NAME, LONGEST_TOKEN
from watchlist.records import ListStatus


class FoundShowsSerializer(serializers.Serializer[Any]):
    results = ShowSerializer(many=True)
    message = serializers.CharField(help_text="Why there are only those that the box knows; else empty.")


class ShowsQuerySerializer(serializers.Serializer[Any]):
    search = serializers.CharField(max_length=200, help_text="Words of any of its names.")


class ProviderSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField(help_text="For people.")
    by_name = serializers.BooleanField(help_text="A public list can be linked by its owner's name.")
    by_code = serializers.BooleanField(help_text="A list, private ones too, can be linked by a code.")
    code_url = serializers.CharField(help_text="The page that shows the code; empty: none.")
    message = serializers.CharField(help_text="What is the matter with it; else empty.")
    blocked_until = serializers.DateTimeField(allow_null=True, help_text="It is left alone until then.")
    data_at = serializers.DateTimeField(allow_null=True, help_text="How old its airing times are.")


class WatchLinkSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    name = serializers.CharField(help_text="Of the account, as the provider writes it.")
    private = serializers.BooleanField(help_text="Linked by a code: private lists are read, too.")
    token_ends_at = serializers.DateTimeField(allow_null=True, help_text="Link it again before.")
    statuses = serializers.ListField(
        child=serializers.ChoiceField(choices=[status.value for status in ListStatus]),
        help_text="Where on the list shows are followed by themselves.",
    )
    include_adult = serializers.BooleanField()
    synced_at = serializers.DateTimeField(allow_null=True, help_text="When the list was last read.")
    next_sync_at = serializers.DateTimeField()
    failing_since = serializers.DateTimeField(allow_null=True)
    message = serializers.CharField(help_text="What is the matter and what to do; else empty.")


class MakeWatchLinkSerializer(serializers.Serializer[Any]):
    """By the name of a public account, or by the code that the provider's page shows."""

    provider = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=LONGEST_NAME, required=False)
    token = serializers.CharField(max_length=LONGEST_TOKEN, required=False, help_text="The code.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("name" in attrs) == ("token" in attrs):
            raise serializers.ValidationError({"name": "Give the account's name, or a code for it."})
        return attrs


class ChangeWatchLinkSerializer(serializers.Serializer[Any]):
    statuses = serializers.ListField(
        child=serializers.ChoiceField(choices=[status.value for status in ListStatus]),
        max_length=len(ListStatus),
        required=False,
        help_text="None: nothing of the list is followed by itself.",
    )
    include_adult = serializers.BooleanField(required=False)


class UnlinkQuerySerializer(serializers.Serializer[Any]):
    keep = serializers.BooleanField(
        required=False, default=True, help_text="Go on following the shows that came from the list."
    )


class SyncSerializer(serializers.Serializer[Any]):
    asked = serializers.BooleanField(help_text="False: it was read a moment ago.")
