"""The audit log, and what pages that only show something have in common."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from accounts import audit
from accounts.addresses import address_of
from accounts.models import AuditEvent, User

if TYPE_CHECKING:
    BaseAuditEventAdmin = admin.ModelAdmin[AuditEvent]  # generic for the type checker only
else:
    BaseAuditEventAdmin = admin.ModelAdmin


def by(request: HttpRequest) -> audit.By:
    assert isinstance(request.user, User)
    return audit.By(request.user, address_of(request))


class ReadOnly:
    """Mixed into the page of a model that nobody changes by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, BaseAuditEventAdmin):
    list_display = ("at", "action", "user", "actor", "address", "channel", "detail")
    list_filter = ("action", "channel", "at", ("user", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "actor")
    search_fields = ("user__username", "actor__username", "address", "detail")
    search_help_text = "Search by name, address or detail."
    date_hierarchy = "at"
