"""What people may do with the shows they follow. Each verb is one short transaction under the person's lock; nothing
here waits for a provider."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from feeds.services import lock_person
from watchlist.models import Entry, Show
from watchlist.preferences import preferences_of
from watchlist.waking import look_soon
from watchlist.wishes import change, refuse_nonsense

BY_HAND = "manual"  # the provider of what people typed in
REMOVED_KEPT = 50  # of each person: so many of the shows they removed, the latest, can be taken back

_GONE = (Entry.State.REMOVED, Entry.State.LEFT)
_COUNTED = (Entry.State.FOLLOWED, Entry.State.PAUSED)  # what has ended costs nothing
_NO_WISHES: Mapping[str, Any] = {}


class EntryRefused(Exception):
    """This cannot be followed, or not so; the text says why. `code` is stable, `field` what it is about."""

    def __init__(self, message: str, *, code: str, field: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


@transaction.atomic
def follow(
    *,
    user: User,
    show: Show,
    from_episode: int | None = None,
    offset: int | None = None,
    end_with_show: bool | None = None,
    wishes: Mapping[str, Any] = _NO_WISHES,
) -> Entry:
    """What was removed, or left with a list, comes back as it was, with what is given here changed. What feeds have
    brought lately is looked through. Raises EntryRefused and WishRefused."""
    lock_person(user.pk)
    if show.owner_id not in (None, user.pk):
        raise EntryRefused("There is no such show. Search again.", code="no_show", field="show_id")
    entry = Entry.objects.filter(user=user, show=show).first()
    if entry is not None and entry.state not in _GONE:
        raise EntryRefused(f"You follow {show.title} already.", code="duplicate", field=_naming_field(show))
    _refuse_one_more(user, field=_naming_field(show))
    if entry is None:
        entry = Entry(user=user, show=show)
    # Their own wish now: what their list says does not end it.
    entry.origin = Entry.Origin.HAND if show.provider == BY_HAND else Entry.Origin.SEARCH
    entry.state, entry.state_before = Entry.State.FOLLOWED, ""
    return _changed(entry, from_episode, offset, end_with_show, wishes, look_back=True)


@transaction.atomic
def follow_by_hand(
    *,
    user: User,
    title: str,
    titles: Iterable[str] = (),
    episodes: int | None = None,
    from_episode: int | None = None,
    offset: int | None = None,
    end_with_show: bool | None = None,
    wishes: Mapping[str, Any] = _NO_WISHES,
) -> Entry:
    """A show that no provider knows: releases are recognised by `title` and `titles`. One of the same title that was
    removed comes back. Raises EntryRefused and WishRefused."""
    if BY_HAND not in settings.WATCHLIST_PROVIDERS:
        raise EntryRefused(
            "This box follows no shows that are typed in. Search for it.", code="not_by_hand", field="title"
        )
    lock_person(user.pk)
    title = _named(title, field="title")
    synonyms = list(dict.fromkeys(_named(one, field="titles") for one in titles))
    own = Show.objects.filter(provider=BY_HAND, owner=user)
    show = own.filter(romaji__iexact=title).first() or Show(
        provider=BY_HAND, external_id=uuid.uuid4().hex, owner=user, romaji=title
    )
    show.synonyms, show.episodes, show.fetched_at = synonyms, episodes, timezone.now()
    show.save()  # undone with the transaction where it cannot be followed
    return follow(
        user=user,
        show=show,
        from_episode=from_episode,
        offset=offset,
        end_with_show=end_with_show,
        wishes=wishes,
    )


@transaction.atomic
def change_entry(
    *,
    entry: Entry,
    state: str | None = None,
    from_episode: int | None = None,
    offset: int | None = None,
    end_with_show: bool | None = None,
    wishes: Mapping[str, Any] = _NO_WISHES,
) -> Entry:
    """`state`: followed or paused. What is None stays, and wishes that are not named. What feeds have brought is looked
    through again where that may matter. Raises EntryRefused, WishRefused, and Entry.DoesNotExist when it is gone."""
    lock_person(entry.user_id)
    entry.refresh_from_db()
    if entry.state == Entry.State.REMOVED:
        raise EntryRefused("You have removed this show. Take that back first.", code="removed", field="state")
    resumed = state == Entry.State.FOLLOWED != entry.state
    if state is not None and state != entry.state:
        if entry.state not in _COUNTED:
            _refuse_one_more(entry.user, field="state")
        if entry.state == Entry.State.LEFT:
            entry.origin = Entry.Origin.SEARCH
        entry.state = Entry.State(state)
    return _changed(entry, from_episode, offset, end_with_show, wishes, look_back=resumed)


@transaction.atomic
def remove_entry(*, entry: Entry) -> None:
    """Nothing more of it is taken, though a list may have it; what was taken stays. Can be taken back."""
    lock_person(entry.user_id)
    entry.refresh_from_db()
    if entry.state == Entry.State.REMOVED:
        return
    entry.state, entry.state_before = Entry.State.REMOVED, entry.state
    entry.changed_at = timezone.now()
    entry.save(update_fields=["state", "state_before", "changed_at"])
    _forget_what_was_removed_long_ago(entry.user)


@transaction.atomic
def restore_entry(*, entry: Entry) -> Entry:
    """As it was before it was removed. What was not, stays as it is. Raises EntryRefused."""
    lock_person(entry.user_id)
    entry.refresh_from_db()
    if entry.state != Entry.State.REMOVED:
        return entry
    before = entry.state_before or Entry.State.FOLLOWED
    if before in _COUNTED:
        _refuse_one_more(entry.user, field="state")
    entry.state, entry.state_before = Entry.State(before), ""
    return _changed(entry, look_back=entry.state == Entry.State.FOLLOWED)


def _changed(
    entry: Entry,
    from_episode: int | None = None,
    offset: int | None = None,
    end_with_show: bool | None = None,
    wishes: Mapping[str, Any] = _NO_WISHES,
    *,
    look_back: bool,
) -> Entry:
    if from_episode is not None:
        look_back |= from_episode < entry.from_episode
        entry.from_episode = from_episode
    if offset is not None:
        look_back |= offset != entry.offset
        entry.offset = offset
    if end_with_show is not None:
        entry.end_with_show = end_with_show
    look_back |= change(entry, wishes)
    refuse_nonsense(entry, preferences_of(entry.user))
    entry.look_back |= look_back
    entry.changed_at = timezone.now()
    entry.save()
    if look_back and entry.state == Entry.State.FOLLOWED:
        look_soon()
    return entry


def _refuse_one_more(user: User, *, field: str) -> None:
    if Entry.objects.filter(user=user, state__in=_COUNTED).count() >= settings.WATCHLIST_PER_USER:
        raise EntryRefused(
            f"You follow {settings.WATCHLIST_PER_USER} shows, as many as this box allows. Remove one first.",
            code="too_many",
            field=field,
        )


def _forget_what_was_removed_long_ago(user: User) -> None:
    """Else following and removing would fill the database. What is on a list stays: it must not come back by itself."""
    removed = Entry.objects.filter(user=user, state=Entry.State.REMOVED, list_status="")
    kept = removed.order_by("-changed_at").values_list("pk", flat=True)[:REMOVED_KEPT]
    removed.exclude(pk__in=list(kept)).delete()
    followed = Exists(Entry.objects.filter(show=OuterRef("pk")))
    Show.objects.filter(provider=BY_HAND, owner=user).exclude(followed).delete()


def _naming_field(show: Show) -> str:
    return "title" if show.provider == BY_HAND else "show_id"


def _named(text: str, *, field: str) -> str:
    """On one line, and with something by which a release can be recognised."""
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if not any(sign.isalnum() for sign in name):
        raise EntryRefused("A title has letters or digits.", code="no_name", field=field)
    return name
