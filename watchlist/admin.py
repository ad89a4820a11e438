"""The pages on which an admin sees whom the box asks for shows, whose lists it reads, and who follows what.

Tokens are shown to nobody. What people want of releases is their own business.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from proxy_site.read_only_admin import ReadOnlyAdmin
from watchlist import linking
from watchlist.models import Candidate, Entry, Episode, Link, Provider, Relation, RelationRules, Show
from watchlist.retrying import try_again

if TYPE_CHECKING:  # generic for the type checker only
    BaseInline = admin.TabularInline[Any, Any]
else:
    BaseInline = admin.TabularInline


class ReadOnlyInline(BaseInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Provider)
class ProviderAdmin(ReadOnlyAdmin):
    list_title = "Services that know shows"
    list_display = ("name", "state", "asked_lately", "failing_since", "airing_at")
    fields = (
        "name",
        "state",
        "message",
        "blocked_until",
        "failing_since",
        "failures",
        "asked_lately",
        "airing_at",
    )
    ordering = ("name",)
    actions = ("try_again_now",)

    @admin.display(description="state")
    def state(self, provider: Provider) -> str:
        if provider.blocked_until is not None and provider.blocked_until > timezone.now():
            return f"Left alone until {provider.blocked_until:%Y-%m-%d %H:%M} UTC."
        if provider.failing_since is not None:
            return (
                f"Does not work since {provider.failing_since:%Y-%m-%d %H:%M} UTC; the next request tries it."
            )
        return "Works." if provider.asked_at else "Was not asked yet."

    @admin.display(description="requests of the last minute")
    def asked_lately(self, provider: Provider) -> str:
        asked = [at for at in provider.asked_at if timezone.now() - at < timedelta(minutes=1)]
        return f"{len(asked)} of {settings.ANILIST_REQUESTS_PER_MINUTE}"

    @admin.action(description="Try again now", permissions=["view"])
    def try_again_now(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        asked = try_again(queryset)
        self.message_user(request, f"{asked} will be tried with the next request.", messages.SUCCESS)


class RelationInline(ReadOnlyInline):
    model = Relation
    fk_name = "show"
    verbose_name_plural = "Relations"
    fields = readonly_fields = ("kind", "other")
    ordering = ("kind", "other")


class EpisodeInline(ReadOnlyInline):
    model = Episode
    verbose_name_plural = "Airing times"
    fields = readonly_fields = ("number", "airs_at")
    ordering = ("number",)


@admin.register(Show)
class ShowAdmin(ReadOnlyAdmin):
    list_title = "Shows"
    list_display = ("title", "provider", "format", "status", "episodes", "followers", "fetched_at")
    list_filter = ("provider", "status", "format")
    search_fields = ("romaji", "english", "native", "synonyms", "=external_id")
    ordering = ("-fetched_at", "-pk")
    fields = (
        "romaji",
        "english",
        "native",
        "synonyms",
        "provider",
        "external_id",
        "mal_id",
        "owner",
        "format",
        "status",
        "episodes",
        "season_year",
        "starts_on",
        "ends_on",
        "is_adult",
        "site_url",
        "fetched_at",
        "relations_at",
    )
    inlines = (RelationInline, EpisodeInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Show]:
        following = Q(entries__state__in=(Entry.State.FOLLOWED, Entry.State.PAUSED))
        return Show.objects.annotate(follower_count=Count("entries", filter=following))

    @admin.display(description="followed by", ordering="follower_count")
    def followers(self, show: Any) -> int:
        return int(show.follower_count)


@admin.register(RelationRules)
class RelationRulesAdmin(ReadOnlyAdmin):
    list_title = "Rules for numbers that run across seasons"
    list_display = ("url", "rules", "checked_at", "succeeded_at", "message")
    fields = ("url", "rules", "checked_at", "succeeded_at", "message")

    @admin.display(description="rules")
    def rules(self, stored: RelationRules) -> int:
        return sum(line.startswith("- ") for line in stored.text.splitlines())


@admin.register(Link)
class LinkAdmin(ReadOnlyAdmin):
    list_title = "Lists of people that are read"
    list_display = ("user", "provider", "name", "failing_since", "synced_at", "next_sync_at")
    list_filter = ("provider",)
    search_fields = ("user__username", "name")
    ordering = ("-failing_since", "next_sync_at")
    fields = (
        "user",
        "provider",
        "name",
        "token_ends_at",
        "statuses",
        "include_adult",
        "message",
        "failing_since",
        "failures",
        "synced_at",
        "next_sync_at",
        "linked_at",
    )
    actions = ("sync_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Link]:
        return Link.objects.defer("token").select_related("user")

    @admin.action(description="Sync now", permissions=["view"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Link]) -> None:
        asked = sum(linking.sync_now(link=link) for link in queryset)
        self.message_user(request, f"{asked} will be read as soon as there is room for it.", messages.SUCCESS)


class CandidateInline(ReadOnlyInline):
    model = Candidate
    verbose_name_plural = "Releases"
    fields = readonly_fields = ("title", "group", "version", "numbers", "state", "message", "found_at")
    ordering = ("-found_at", "-pk")


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_title = "Who follows which shows"
    list_display = ("show", "user", "how", "origin", "list_status", "look_back", "changed_at")
    list_filter = ("state", "origin")
    list_select_related = ("show", "user")
    search_fields = ("user__username", "show__romaji", "show__english")
    ordering = ("-changed_at",)
    fields = (
        "user",
        "show",
        "origin",
        "how",
        "list_status",
        "list_progress",
        "from_episode",
        "offset",
        "end_with_show",
        "look_back",
        "added_at",
        "changed_at",
    )
    inlines = (CandidateInline,)

    @admin.display(description="state", ordering="state")
    def how(self, entry: Entry) -> str:
        """Its label says more and leaves the word out: it is for the API's documentation."""
        return entry.state
