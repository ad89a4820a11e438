"""The page on which an admin sees which feeds the box checks, and how that goes.

Addresses are shown without what may be a passkey; what people's rules say is their own business.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from feeds import services
from feeds.models import FeedSource, Subscription
from proxy_site.outbound import redact
from proxy_site.read_only_admin import ReadOnlyAdmin

if TYPE_CHECKING:  # generic for the type checker only
    BaseInline = admin.TabularInline[Subscription, FeedSource]
else:
    BaseInline = admin.TabularInline


class SubscriptionInline(BaseInline):
    model = Subscription
    verbose_name_plural = "Who follows it"
    fields = ("user", "enabled", "added_at")
    readonly_fields = fields
    ordering = ("added_at", "id")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HealthFilter(admin.SimpleListFilter):
    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("failing", "failing"),
            ("healthy", "healthy"),
            ("overdue", "not checked for more than ten minutes"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return FeedSource.objects.narrowed_to(queryset, self.value())


@admin.register(FeedSource)
class FeedSourceAdmin(ReadOnlyAdmin):
    list_title = "Feeds that the box checks"
    list_display = (
        "__str__",
        "host",
        "followers",
        "failing_since",
        "failures",
        "checked_at",
        "next_check_at",
    )
    list_filter = (HealthFilter,)
    search_fields = ("title", "host")
    ordering = ("-failing_since", "next_check_at")
    fields = (
        "title",
        "address",
        "message",
        "failing_since",
        "failures",
        "checked_at",
        "succeeded_at",
        "next_check_at",
        "last_number",
        "added_at",
    )
    inlines = (SubscriptionInline,)
    actions = ("check_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeedSource]:
        return FeedSource.objects.annotate(follower_count=Count("subscriptions")).defer("password", "present")

    @admin.display(description="followed by", ordering="follower_count")
    def followers(self, source: Any) -> int:
        return int(source.follower_count)

    @admin.display(description="address")
    def address(self, source: FeedSource) -> str:
        return redact(source.url)

    @admin.action(description="Check now", permissions=["view"])
    def check_now(self, request: HttpRequest, queryset: QuerySet[FeedSource]) -> None:
        asked = services.check_all_now(queryset)
        self.message_user(request, f"{asked} will be checked within a minute.", messages.SUCCESS)
