"""A person's accounts at providers: linking them, and no longer.

An account is looked at while its owner waits, so that a wrong name or token is told at once. Where the provider cannot
be asked at that moment the link is stored all the same, says so, and is verified when its list is first read: nobody
has to come back and type it again.
"""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import User
from feeds.services import lock_person
from watchlist.budget import Purpose, open_provider
from watchlist.list_entries import FOLLOWED_BY_THEMSELVES
from watchlist.models import Entry, Link
from watchlist.providers import UnknownProvider
from watchlist.providers.base import ProviderError, Trouble, WatchProvider
from watchlist.records import AccountRecord, ListStatus

ASK_AGAIN_AFTER = timedelta(minutes=1)  # a person who presses "sync" twice asks once
LONGEST_NAME = 100  # characters
LONGEST_TOKEN = 16_000
_CODES = {
    Trouble.NOT_FOUND: "not_found",
    Trouble.PRIVATE: "private",
    Trouble.TOKEN: "bad_token",
    Trouble.REFUSED: "refused",
}


class LinkRefused(Exception):
    """This cannot be linked; the text says why. `code` is stable, `field` what it is about."""

    def __init__(self, message: str, *, code: str, field: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


def link_by_name(*, user: User, provider: str, name: str) -> Link:
    """Follow the public list of this name. Takes the place of what was linked there before. Raises LinkRefused."""
    service = _service(provider)
    if not service.links_by_name:
        raise LinkRefused(f"{service.title} has no public lists.", code="not_by_name", field="provider")
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise LinkRefused(
            f"Type the name of your profile at {service.title}, as it is written there.",
            code="bad_name",
            field="name",
        )
    account, message = _verified(service, name=name)
    account = account or AccountRecord(external_id="", name=name)
    return _store(user, service, account, token="", message=message)


def link_by_token(*, user: User, provider: str, token: str) -> Link:
    """Follow the list of the account that this token opens, private or not. Takes the place of what was linked there
    before. Raises LinkRefused, whose text does not hold the token."""
    service = _service(provider)
    if not service.links_by_token:
        raise LinkRefused(
            f"{service.title} cannot be linked by a code here: this box is not registered there. Link by name.",
            code="not_by_token",
            field="provider",
        )
    token = "".join(token.split())  # as it comes out of a narrow terminal
    if not token or len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable():
        raise LinkRefused(
            f"That is no code of {service.title}. Copy all of what its page shows.",
            code="bad_token",
            field="token",
        )
    account, message = _verified(service, token=token)
    account = account or AccountRecord(external_id="", name="")
    return _store(user, service, account, token=token, message=message)


@transaction.atomic
def change_link(
    *, link: Link, statuses: Collection[str] | None = None, include_adult: bool | None = None
) -> Link:
    """Which parts of the list are followed by themselves; it is read again at once. Raises LinkRefused, or
    Link.DoesNotExist when another request removed it first."""
    lock_person(link.user_id)
    link = Link.objects.defer("token").select_for_update().get(pk=link.pk)
    if statuses is not None:
        unknown = set(statuses) - set(ListStatus)
        if unknown:
            raise LinkRefused(
                f"A list has these parts: {', '.join(ListStatus)}.", code="bad_status", field="statuses"
            )
        link.statuses = [status for status in ListStatus if status in statuses]
    if include_adult is not None:
        link.include_adult = include_adult
    # Whoever reads the list at this moment does so for the old choice, and loses the lease with it.
    link.leased_until, link.next_sync_at = None, timezone.now()
    link.save(update_fields=["statuses", "include_adult", "leased_until", "next_sync_at"])
    _sync_soon()
    return link


@transaction.atomic
def unlink(*, link: Link, keep: bool) -> None:
    """Forget the account and its token. With `keep` its shows stay followed, as if they had been found by searching;
    without, those that only the list had brought leave. What was downloaded stays in both cases."""
    lock_person(link.user_id)
    entries = Entry.objects.filter(user=link.user_id, show__provider=link.provider, show__owner=None)
    from_list = entries.filter(origin=Entry.Origin.LIST)
    now = timezone.now()
    if keep:
        from_list.exclude(state__in=[Entry.State.LEFT, Entry.State.REMOVED]).update(
            origin=Entry.Origin.SEARCH, changed_at=now
        )
    else:
        leaving = from_list.filter(state__in=[Entry.State.FOLLOWED, Entry.State.PAUSED])
        leaving.update(state=Entry.State.LEFT, changed_at=now)
    entries.exclude(list_status="").update(list_status="", changed_at=now)
    Link.objects.filter(pk=link.pk).delete()


@transaction.atomic
def sync_now(*, link: Link) -> bool:
    """Ask for the list to be read before it is due; False if it was asked for or read a moment ago."""
    now = timezone.now()
    locked = Link.objects.defer("token").select_for_update().get(pk=link.pk)
    recent = [at for at in (locked.asked_at, locked.synced_at) if at and now - at < ASK_AGAIN_AFTER]
    if recent:
        return False
    locked.asked_at = now
    locked.next_sync_at = min(now, locked.next_sync_at)
    locked.save(update_fields=["asked_at", "next_sync_at"])
    _sync_soon()
    return True


def _service(provider: str) -> WatchProvider:
    try:
        return open_provider(provider, Purpose.PERSON)
    except UnknownProvider as error:
        raise LinkRefused(
            "This box uses no such service.", code="unknown_provider", field="provider"
        ) from error


def _verified(service: WatchProvider, *, name: str = "", token: str = "") -> tuple[AccountRecord | None, str]:
    """The account, or None and why it could not be looked at just now. Raises LinkRefused."""
    try:
        return service.account(name=name, token=token), ""
    except ProviderError as error:
        if error.permanent:
            raise LinkRefused(
                str(error), code=_CODES[error.trouble], field="token" if token else "name"
            ) from None
        return None, f"{error} Your list is read as soon as {service.title} answers: nothing more to do."


@transaction.atomic
def _store(user: User, service: WatchProvider, account: AccountRecord, *, token: str, message: str) -> Link:
    lock_person(user.pk)
    link = Link.objects.defer("token").select_for_update().filter(user=user, provider=service.name).first()
    if link is None:
        link = Link(user=user, provider=service.name, statuses=list(FOLLOWED_BY_THEMSELVES))
    now = timezone.now()
    if link.external_id != account.external_id:
        link.synced_at = None  # that was another list
    link.external_id, link.name, link.token = account.external_id, account.name, token
    link.token_ends_at = service.token_ends_at(token) if token else None
    link.next_sync_at, link.leased_until, link.asked_at = now, None, None
    link.failing_since, link.failures, link.message, link.long = None, 0, message, False
    link.save()
    _sync_soon()
    return link


def _sync_soon() -> None:
    async_task("watchlist.tasks.sync_lists")  # joins the transaction
