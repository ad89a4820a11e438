"""The pages on which an admin manages people."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import Fieldset
from django.contrib.admin.utils import unquote
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services
from accounts.admin.lockouts import end_of_lock, place, unlock_button, who
from accounts.admin.logs import by
from accounts.forms import NewPasswordForm, NewUserForm, UserForm, gibibytes
from accounts.models import FailedLogins, User

if TYPE_CHECKING:
    BaseUserAdmin = DjangoUserAdmin[User]  # generic for the type checker only
else:
    BaseUserAdmin = DjangoUserAdmin


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    form = UserForm
    add_form = NewUserForm
    add_form_template = None
    list_display = ("username", "role", "is_active", "locked_out", "disk_space", "last_login", "joined")
    list_filter = ("role", "is_active")
    search_fields = ("username", "note")
    search_help_text = "Search by name or note."
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("password_button", "lockouts", "last_login", "date_joined")
    actions = ("disable", "enable", "make_new_password")
    add_fieldsets = (
        (None, {"fields": ("username", "role")}),
        (
            "Password",
            {
                "fields": ("password1", "password2"),
                "description": "Leave both empty to have a good one made. It is shown once after saving.",
            },
        ),
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Users", **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        locks = FailedLogins.objects.locked().filter(username=Lower(OuterRef("username")))
        return super().get_queryset(request).annotate(is_locked_out=Exists(locks))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        access: dict[str, Any] = {"fields": ("role", "is_active", "password_button", "lockouts")}
        if obj == request.user:
            access["description"] = "This is you. Only another admin can change your role or disable you."
        limits = (
            "disk_quota",
            "monthly_traffic_limit",
            "active_torrent_limit",
            "download_limit",
            "upload_limit",
        )
        return (
            ("Access", access),
            ("Limits", {"fields": limits}),
            ("About", {"fields": ("note", "last_login", "date_joined")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        own = ("role", "is_active") if obj is not None and obj == request.user else ()
        return (*self.readonly_fields, *own)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # a person is disabled instead: torrents and their history refer to people

    @admin.display(description="disk space", ordering="disk_quota")
    def disk_space(self, user: User) -> str:
        return "default" if user.disk_quota is None else f"{gibibytes(user.disk_quota)} GiB"

    @admin.display(ordering="date_joined")
    def joined(self, user: User) -> date:
        return user.date_joined.date()

    @admin.display(description="locked out", ordering="is_locked_out")
    def locked_out(self, user: User) -> str:
        return "Locked out" if user.is_locked_out else "no"  # type: ignore[attr-defined]  # by get_queryset

    @admin.display(description="Failed logins")
    def lockouts(self, user: User) -> str:
        lines = [
            (who(failures), place(failures), end_of_lock(failures), unlock_button(failures))
            for failures in FailedLogins.objects.that_lock_out(user).with_person()
        ]
        return (
            format_html_join("", "<p>{} is locked out from {} until {}. {}</p>", lines) or "Not locked out."
        )

    @admin.display(description="Password")
    def password_button(self, user: User) -> str:
        return format_html(
            '<a class="button" href="{}">Reset password</a>',
            reverse("admin:auth_user_password_change", args=[user.pk]),
        )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            if "is_active" in form.changed_data:  # first: it looks whether that is new
                (services.enable_user if obj.is_active else services.disable_user)(user=obj, by=by(request))
            super().save_model(request, obj, form, change)
            if changed := sorted(set(form.changed_data) - {"is_active", "note"}):
                services.note_changes(user=obj, names=changed, by=by(request))
            return
        created, made = services.create_user(
            username=obj.username, role=obj.role, password=form.chosen_password, by=by(request)
        )
        obj.pk = created.pk
        obj.refresh_from_db()
        obj.made_password = made  # type: ignore[attr-defined]  # response_add is given nothing else

    def response_add(
        self, request: HttpRequest, obj: User, post_url_continue: str | None = None
    ) -> HttpResponse:
        made: str | None = obj.made_password  # type: ignore[attr-defined]
        if made is not None:
            return self._show_once(request, [(obj, made)])
        return super().response_add(request, obj, post_url_continue)

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        user = self.get_object(request, unquote(id))
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user is None:
            raise Http404
        form = NewPasswordForm(user, request.POST or None)
        if form.is_valid():
            made = self._set_password(request, user, form.chosen_password)
            if made is not None:
                return self._show_once(request, [(user, made)])
            self.message_user(request, f"The password of {user} was changed.", messages.SUCCESS)
            return redirect("admin:accounts_user_change", user.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Reset the password of {user}",
            "original": user,
            "form": form,
            "fieldset": Fieldset(form, fields=tuple(form.fields)),  # type: ignore[arg-type]  # any form will do
        }
        return TemplateResponse(request, "admin/accounts/user/reset_password.html", context)

    @admin.action(description="Disable: cannot log in, torrents stay")
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            if user == request.user:
                self.message_user(
                    request, "You cannot disable yourself. Ask another admin to do it.", messages.ERROR
                )
                continue
            services.disable_user(user=user, by=by(request))
            self.log_change(request, user, "Disabled.")
            self.message_user(request, f"Disabled and logged out: {user}.", messages.SUCCESS)

    @admin.action(description="Enable: may log in again")
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            services.enable_user(user=user, by=by(request))
            self.log_change(request, user, "Enabled.")
            self.message_user(request, f"May log in again: {user}.", messages.SUCCESS)

    @admin.action(description="Make a new password and show it once")
    def make_new_password(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
        return self._show_once(
            request, [(user, self._set_password(request, user, None) or "") for user in queryset]
        )

    def _set_password(self, request: HttpRequest, user: User, password: str | None) -> str | None:
        made = services.set_password(user=user, password=password, by=by(request))
        self.log_change(request, user, "Password changed.")
        if user == request.user:
            update_session_auth_hash(request, user)  # stays logged in on this page
        return made

    def _show_once(self, request: HttpRequest, passwords: Sequence[tuple[User, str]]) -> HttpResponse:
        """In the answer itself: a redirect would have to keep them somewhere meanwhile."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "New password" if len(passwords) == 1 else "New passwords",
            "passwords": passwords,
        }
        return TemplateResponse(request, "admin/accounts/user/made_passwords.html", context)
