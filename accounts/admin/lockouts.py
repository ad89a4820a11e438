"""Who failed to log in too often, and the button that lets them try again at once."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html

from accounts import lockout
from accounts.admin.logs import ReadOnly, by
from accounts.models import FailedLogins, User

if TYPE_CHECKING:
    BaseFailedLoginsAdmin = admin.ModelAdmin[FailedLogins]  # generic for the type checker only
else:
    BaseFailedLoginsAdmin = admin.ModelAdmin


class LockedOutNow(admin.SimpleListFilter):
    title = "locked out"
    parameter_name = "locked_out"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Now")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FailedLogins]) -> QuerySet[FailedLogins]:
        return queryset & FailedLogins.objects.locked() if self.value() == "now" else queryset


@admin.register(FailedLogins)
class FailedLoginsAdmin(ReadOnly, BaseFailedLoginsAdmin):
    list_display = ("who", "place", "failures", "last_failure_at", "locked_out", "unlock")
    list_display_links = None
    list_filter = (LockedOutNow,)
    ordering = ("-last_failure_at",)
    # A whole name only: nobody shall find out letter by letter what was typed in the wrong field.
    search_fields = ("=username", "address")
    search_help_text = "Search by a whole name, or by address."

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Failed logins", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[FailedLogins]:
        return FailedLogins.objects.with_person().order_by(*self.ordering)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.unlock_view)
        return [path("<int:pk>/unlock/", view, name="accounts_failedlogins_unlock"), *super().get_urls()]

    @admin.display(description="who")
    def who(self, failures: FailedLogins) -> str:
        return who(failures)

    @admin.display(description="from", ordering="address")
    def place(self, failures: FailedLogins) -> str:
        return place(failures)

    @admin.display(description="locked out", ordering="locked_until")
    def locked_out(self, failures: FailedLogins) -> str:
        return f"Until {end_of_lock(failures)}" if failures.is_locked else "no"

    @admin.display(description="")
    def unlock(self, failures: FailedLogins) -> str:
        return unlock_button(failures) if failures.is_locked else ""

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the button leads to: a link must change nothing, so this asks once more."""
        failures = FailedLogins.objects.locked().with_person().filter(pk=pk).first()
        if failures is None:
            self.message_user(request, "Nobody is locked out by that any more.", messages.INFO)
            return redirect("admin:accounts_failedlogins_changelist")
        if request.method == "POST":
            lockout.unlock(failures=failures, by=by(request))
            said = f"{who(failures)} may try to log in again at once from {place(failures)}."
            self.message_user(request, said, messages.SUCCESS)
            person = User.objects.named(failures.username).first()
            if person is not None:
                self.log_change(request, person, said)  # type: ignore[arg-type]  # in that person's history
                return redirect("admin:accounts_user_change", person.pk)
            return redirect("admin:accounts_failedlogins_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Unlock",
            "failures": failures,
            "who": who(failures),
            "place": place(failures),
            "until": end_of_lock(failures),
        }
        return TemplateResponse(request, "admin/accounts/failedlogins/unlock.html", context)


def who(failures: FailedLogins) -> str:
    """Never what was typed where no person has that name: it may be a password."""
    person: str | None = failures.person  # type: ignore[attr-defined]  # annotated by with_person
    return person or ("Somebody with an unknown name" if failures.username else "Everybody")


def place(failures: FailedLogins) -> str:
    return failures.address or "an unknown address"


def end_of_lock(failures: FailedLogins) -> str:
    assert failures.locked_until is not None
    return f"{date_format(failures.locked_until, 'DATETIME_FORMAT')} UTC"


def unlock_button(failures: FailedLogins) -> str:
    url = reverse("admin:accounts_failedlogins_unlock", args=[failures.pk])
    return format_html('<a class="button" href="{}">Unlock</a>', url)
