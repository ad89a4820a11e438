"""The pages on which an admin sees what the box holds, has it checked, and takes torrents down.

Save paths are shown. Trackers are not, nor can they be searched: their addresses hold people's passkeys.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import Fieldset
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse

from accounts.addresses import address_of
from accounts.audit import By
from accounts.models import User
from proxy_site.read_only_admin import ReadOnlyAdmin
from torrents import blocking, rechecks
from torrents.models import BlockedInfohash, Claim, Engine, ForeignTorrent, Removal, Torrent

if TYPE_CHECKING:  # generic for the type checker only
    BaseAdmin = admin.ModelAdmin[Any]
    BaseInline = admin.TabularInline[Claim, Torrent]
    BlockedInfohashModelForm = forms.ModelForm[BlockedInfohash]
else:
    BaseAdmin = admin.ModelAdmin
    BaseInline = admin.TabularInline
    BlockedInfohashModelForm = forms.ModelForm


MOST_BLOCKED_AT_ONCE = 100


class ClaimInline(BaseInline):
    model = Claim
    verbose_name_plural = "Who has it"
    fields = ("user", "wanted", "waits_for", "origin", "added_at", "completed_at", "removed_at")
    readonly_fields = fields
    ordering = ("added_at", "id")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        return Claim.with_removed.select_related("user").order_by(*self.ordering)

    def has_add_permission(self, request: HttpRequest, obj: Torrent | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HeldFilter(admin.SimpleListFilter):
    title = "who has it"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("somebody", "somebody"), ("nobody", "nobody, deleted soon")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Torrent]) -> QuerySet[Torrent]:
        held = Exists(Claim.objects.filter(torrent=OuterRef("pk")))
        match self.value():
            case "somebody":
                return queryset.filter(held)
            case "nobody":
                return queryset.exclude(held)
        return queryset


class BlockForm(forms.Form):
    reason = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For admins, for example whose letter asked for it. People do not see it.",
    )


@admin.register(Torrent)
class TorrentAdmin(ReadOnlyAdmin):
    list_title = "Torrents"
    list_display = ("name", "how_large", "state", "progress", "held", "who", "added_at")
    list_filter = ("live__state", HeldFilter, "private", "added_at")
    search_fields = ("name", "^infohash_v1", "^infohash_v2", "claims__user__username")
    search_help_text = "Search by name, infohash or who has it."
    ordering = ("-added_at", "id")
    actions = ("recheck", "block")
    inlines = (ClaimInline,)
    fieldsets = (
        (
            None,
            {
                "fields": ("name", "how_large", "state", "progress", "connected", "refused"),
                "description": "To check its data again or to block it, tick it in the list and choose an action.",
            },
        ),
        ("Where it is", {"fields": ("infohash_v1", "infohash_v2", "private", "data_dir", "engine")}),
        ("When", {"fields": ("added_at", "completed_at", "unclaimed_at", "recheck_requested_at")}),
    )
    readonly_fields = ("how_large", "state", "progress", "connected", "data_dir")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Torrent]:
        claims = Claim.objects.filter(torrent=OuterRef("pk")).order_by()
        held = claims.values("torrent").annotate(count=Count("pk")).values("count")
        first = claims.order_by("added_at", "id").values("user__username")
        return (
            Torrent.objects.select_related("live", "engine")
            .defer("metainfo", "trackers")
            .annotate(
                held=Coalesce(Subquery(held, output_field=IntegerField()), 0), first=Subquery(first[:1])
            )
        )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        if {"trackers", "metainfo"} & set(lookup.split("__")):
            return False
        return super().lookup_allowed(lookup, value, request)

    @admin.display(description="size", ordering="size")
    def how_large(self, torrent: Torrent) -> str:
        return "not known yet" if torrent.size is None else filesizeformat(torrent.size)

    @admin.display(ordering="live__state")
    def state(self, torrent: Torrent) -> str:
        return torrent.live.get_state_display()

    @admin.display(ordering="live__progress")
    def progress(self, torrent: Torrent) -> str:
        return f"{int(torrent.live.progress * 100)} %"  # 100 only when all of it is there

    @admin.display(description="claims", ordering="held")
    def held(self, torrent: Any) -> int:
        return int(torrent.held)

    @admin.display(description="who added it", ordering="first")
    def who(self, torrent: Any) -> str:
        if torrent.first is None:
            return "nobody has it any more"
        return f"{torrent.first} and {torrent.held - 1} more" if torrent.held > 1 else str(torrent.first)

    @admin.display(description="connected")
    def connected(self, torrent: Torrent) -> str:
        live = torrent.live
        speeds = f"{filesizeformat(live.download_speed)}/s down, {filesizeformat(live.upload_speed)}/s up"
        return f"{live.seeds} who have all of it, {live.peers} others; {speeds}"

    @admin.display(description="folder")
    def data_dir(self, torrent: Torrent) -> str:
        return str(torrent.data_dir)

    @admin.action(description="Check the data on the disk again")
    def recheck(self, request: HttpRequest, queryset: QuerySet[Torrent]) -> None:
        torrents = list(queryset)
        asked = rechecks.request_recheck([torrent.pk for torrent in torrents])
        for torrent in torrents:
            self.log_change(request, torrent, "Asked for its data to be checked again.")
        said = f"The engine is asked to check {asked} of them. What is damaged is downloaded again."
        self.message_user(request, said, messages.SUCCESS)

    @admin.action(description="Block: delete it for everybody, and refuse it from now on…")
    def block(self, request: HttpRequest, queryset: QuerySet[Torrent]) -> HttpResponse | None:
        if queryset.count() > MOST_BLOCKED_AT_ONCE:
            said = f"Choose at most {MOST_BLOCKED_AT_ONCE} torrents to block. Nothing was changed."
            self.message_user(request, said, messages.ERROR)
            return None
        form = BlockForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": "Block torrents",
                "torrents": queryset,
                "form": form,
                "fieldset": Fieldset(form, fields=tuple(form.fields)),  # type: ignore[arg-type]  # any form will do
            }
            return TemplateResponse(request, "admin/torrents/torrent/block.html", context)
        reason = form.cleaned_data["reason"]
        for torrent in queryset:
            infohash = torrent.infohash_v1 or torrent.infohash_v2 or ""
            blocking.block_infohash(infohash=infohash, reason=reason, by=_by(request))
            self.log_change(request, torrent, f"Blocked: {reason}")
            self.message_user(request, f"Blocked, and being deleted: {torrent}.", messages.SUCCESS)
        return None


class BlockedInfohashForm(BlockedInfohashModelForm):
    class Meta:
        model = BlockedInfohash
        fields = ("infohash", "reason")
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}
        error_messages = {"infohash": {"unique": "This infohash is blocked already."}}

    def clean_infohash(self) -> str:
        try:
            return blocking.infohash_of(self.cleaned_data["infohash"])
        except blocking.NotAnInfohash as error:
            raise ValidationError(str(error)) from error


@admin.register(BlockedInfohash)
class BlockedInfohashAdmin(ReadOnlyAdmin):
    list_title = "Blocked torrents: nobody can add them"
    list_display = ("infohash", "reason", "blocked_by", "blocked_at")
    list_select_related = ("blocked_by",)
    search_fields = ("infohash", "reason", "blocked_by__username")
    search_help_text = "Search by infohash, reason or who blocked it."
    ordering = ("-blocked_at", "id")
    form = BlockedInfohashForm
    fields = ("infohash", "other_infohash", "reason", "blocked_by", "blocked_at")
    actions = ("unblock",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def get_fields(self, request: HttpRequest, obj: BlockedInfohash | None = None) -> Any:
        return ("infohash", "reason") if obj is None else self.fields

    def save_model(self, request: HttpRequest, obj: BlockedInfohash, form: Any, change: bool) -> None:
        blocking.block_infohash(infohash=obj.infohash, reason=obj.reason, by=_by(request))
        obj.pk = BlockedInfohash.objects.get(infohash=obj.infohash).pk
        obj.refresh_from_db()

    @admin.action(description="Unblock: people may add it again")
    def unblock(self, request: HttpRequest, queryset: QuerySet[BlockedInfohash]) -> None:
        for blocked in queryset:
            if blocking.unblock_infohash(infohash=blocked.infohash, by=_by(request)):
                self.log_change(request, blocked, "Unblocked.")
        self.message_user(request, "Unblocked. Whoever wants it has to add it again.", messages.SUCCESS)


@admin.register(ForeignTorrent)
class ForeignTorrentAdmin(ReadOnlyAdmin):
    list_title = "In the engine, but nobody's here: left alone, shown because it fills the disk"
    list_display = ("name", "how_large", "save_path", "key", "seen_at")
    list_filter = ("engine",)
    search_fields = ("name", "^key", "save_path")
    search_help_text = "Search by name, infohash or folder."
    ordering = ("-size", "id")

    @admin.display(description="size", ordering="size")
    def how_large(self, torrent: ForeignTorrent) -> str:
        return "not known yet" if torrent.size is None else filesizeformat(torrent.size)


@admin.register(Removal)
class RemovalAdmin(ReadOnlyAdmin):
    list_title = "Being deleted: the engine takes these one after the other"
    list_display = ("id", "engine", "requested_at")
    list_select_related = ("engine",)
    search_fields = ("id",)
    search_help_text = "Search by the name of the folder."
    ordering = ("requested_at", "id")


@admin.register(Engine)
class EngineAdmin(ReadOnlyAdmin):
    list_title = "Engines: what downloads and seeds"
    list_display = ("name", "reachable", "version", "connection", "left", "checked_at", "message")
    ordering = ("name",)
    fields = ("name", "reachable", "message", "version", "connection", "left", "checked_at")
    readonly_fields = ("left",)

    @admin.display(description="space left", ordering="free_space")
    def left(self, engine: Engine) -> str:
        return "not known" if engine.free_space is None else filesizeformat(engine.free_space)


def _by(request: HttpRequest) -> By:
    assert isinstance(request.user, User)
    return By(request.user, address_of(request))
