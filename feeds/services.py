"""What people may do with feeds. Each verb is one short transaction; nothing here waits for a feed's server."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import User
from feeds.grabs import Choice as Choice
from feeds.grabs import GrabRefused as GrabRefused
from feeds.grabs import take_many as take_many
from feeds.grabs import withdraw as withdraw
from feeds.models import FeedSource, Item, Rule, Subscription
from feeds.models import Grab as Grab
from feeds.moving import host_of
from feeds.positions import beginning, position_behind
from feeds.querysets import lock_person as lock_person  # for other rooms that take items for people
from feeds.querysets import lock_person_in_turn as lock_person_in_turn
from proxy_site.outbound import OutboundError, fetchable

ASK_AGAIN_AFTER = timedelta(minutes=1)  # a person who presses "check now" twice asks the feed's server once
MAX_CREDENTIAL = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedFeed:
    """A subscription as other consumers of items see it."""

    subscription: UUID
    user: int
    name: str
    source: int
    since: datetime
    """When it was added, or switched on again."""
    checked: bool
    """Since then."""
    last_number: int
    """Of the source's newest item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """An item as other consumers see it; what it downloads stays here."""

    id: int
    source: int
    number: int
    title: str
    release: Mapping[str, Any]
    """See feeds.releases.objects."""
    has_torrent: bool
    published_at: datetime | None
    seen_at: datetime


class FeedRefused(Exception):
    """This feed cannot be followed; the text says why. `code` is stable, `field` what it is about."""

    def __init__(self, message: str, *, code: str, field: str = "url") -> None:
        super().__init__(message)
        self.code = code
        self.field = field


def subscribe(
    *,
    user: User,
    url: str,
    name: str = "",
    username: str = "",
    password: str = "",
    back_catalogue: bool = False,
) -> Subscription:
    """Follow a feed; it is checked at once. Raises FeedRefused.

    `https://user:password@host/…` is understood: the credentials are kept apart from the address.
    """
    url, username, password = _address(url, username, password)
    with transaction.atomic():
        lock_person(user.pk)  # so that the count below stays true
        if Subscription.objects.filter(user=user).count() >= settings.FEEDS_PER_USER:
            raise FeedRefused(
                f"You follow {settings.FEEDS_PER_USER} feeds, as many as this box allows. Remove one first.",
                code="too_many",
            )
        # Locked, so that it is not forgotten at this moment for want of anybody who follows it.
        source, _made = FeedSource.objects.select_for_update().get_or_create(
            digest=FeedSource.digest_of(url, username, password),
            defaults={"url": url, "username": username, "password": password, "host": host_of(url)},
        )
        try:
            with transaction.atomic():
                subscription = Subscription.objects.create(
                    user=user, source=source, name=name or host_of(url), back_catalogue=back_catalogue
                )
        except IntegrityError as error:
            raise FeedRefused("You follow this feed already.", code="duplicate") from error
        _check_soon(source)
    return subscription


@transaction.atomic
def change_subscription(
    *, subscription: Subscription, name: str | None = None, enabled: bool | None = None
) -> Subscription:
    """Rename it, or have its rules look away and again: what came meanwhile is then not taken any more. Raises
    Subscription.DoesNotExist when another request removed it first."""
    lock_person(subscription.user_id)
    # As it is by now: its position moves with every item, and its source when the feed moves.
    subscription.refresh_from_db()
    if name is not None:
        subscription.name = name
    if enabled is not None and enabled != subscription.enabled:
        subscription.enabled = enabled
        subscription.position = None  # as when it was added: see feeds.consumer
        subscription.since = timezone.now()
        subscription.back_catalogue = False
    subscription.save()
    return subscription


@transaction.atomic
def unsubscribe(*, subscription: Subscription) -> None:
    """What its rules have taken stays; what they have decided can be read until it is forgotten as usual. Rules that
    looked at this feed alone are switched off: to look at none means to look at all."""
    lock_person(subscription.user_id)
    Rule.objects.only_at(subscription).update(enabled=False, changed_at=timezone.now())
    subscription.delete()


def check_now(*, subscription: Subscription) -> bool:
    """Ask for a check before it is due; False if one was made a moment ago."""
    source = subscription.source
    if source.checked_at is not None and timezone.now() - source.checked_at < ASK_AGAIN_AFTER:
        return False
    _check_soon(source)
    return True


def check_all_now(sources: Iterable[FeedSource]) -> int:
    """For admins: as `check_now`, however lately they were checked; how many."""
    wanted = FeedSource.objects.filter(pk__in=[source.pk for source in sources])
    with transaction.atomic():
        locked = list(
            wanted.select_for_update().order_by("pk").values_list("pk")
        )  # as those who store lock them
        asked = wanted.update(next_check_at=timezone.now()) if locked else 0
    async_task("feeds.tasks.check_feeds")
    return asked


def prune(*, items_kept: timedelta) -> int:
    """Forget items (and with them decisions) that are old and in no feed any more, and sources that nobody follows and
    that have no items; how many."""
    before = timezone.now() - items_kept
    pruned = Item.objects.forgettable(before).delete()[0]
    return pruned + FeedSource.objects.abandoned(before).delete()[0]


def followed_feeds(users: Collection[int]) -> list[FollowedFeed]:
    """Of those of them whose account works; none that is switched off."""
    rows = Subscription.objects.in_use(users).values_list(
        "pk", "user_id", "name", "source_id", "since", "source__succeeded_at", "source__last_number"
    )
    return [
        FollowedFeed(
            subscription=pk,
            user=user,
            name=name,
            source=source,
            since=since,
            checked=succeeded_at is not None and succeeded_at >= since,
            last_number=last_number,
        )
        for pk, user, name, source, since, succeeded_at, last_number in rows
    ]


def first_position(subscription: UUID) -> tuple[int, int] | None:
    """Its source, and behind which item of it another consumer begins to read, as its owner's rules do. None: not yet,
    or it is gone.

    Its row is locked, so that it is still there when the position is written down.
    """
    locked = Subscription.objects.named(subscription).select_for_update(no_key=True, of=("self",))
    found = locked.select_related("source").first()
    position = beginning(found) if found is not None else None
    return (found.source_id, position) if found is not None and position is not None else None


def position_after_move(*, was: int, source: int) -> int:
    """Behind which a consumer reads `source` that has read all of `was`, from which its subscription moved."""
    return position_behind(was, FeedSource.objects.get(pk=source))


def items_after(source: int, number: int, limit: int) -> list[StoredItem]:
    """What a consumer that has seen everything up to `number` has still to see, the oldest first."""
    return _stored(Item.objects.after(source, number)[:limit].read_only())


def newest_items(sources: Collection[int], limit: int) -> Iterator[StoredItem]:
    """The newest first, read in pieces."""
    rows = Item.objects.newest_of(sources)[:limit].read_only().iterator(chunk_size=_PIECE)
    while piece := list(islice(rows, _PIECE)):
        yield from _stored(piece)


def items(ids: Collection[int]) -> list[StoredItem]:
    """Those of them that are not forgotten, the oldest first."""
    return _stored(Item.objects.filter(pk__in=ids).order_by("pk").read_only())


_PIECE = 500  # items


def _stored(rows: Iterable[tuple[Any, ...]]) -> list[StoredItem]:
    return [
        StoredItem(
            id=pk,
            source=source,
            number=number,
            title=title,
            release=release,
            has_torrent=length > 0,
            published_at=published_at,
            seen_at=seen_at,
        )
        for pk, source, number, title, release, length, published_at, seen_at in rows
    ]


def _check_soon(source: FeedSource) -> None:
    FeedSource.objects.filter(pk=source.pk).update(next_check_at=timezone.now())
    async_task("feeds.tasks.check_feeds")  # joins the transaction


def _address(url: str, username: str, password: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url.strip())
        if parts.username is not None and not username:
            username, password = unquote(parts.username), unquote(parts.password or "")
            url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        url = fetchable(url)
    except (OutboundError, ValueError) as error:
        code = error.code if isinstance(error, OutboundError) else "bad_url"
        message = str(error) if isinstance(error, OutboundError) else "That is not a web address."
        raise FeedRefused(message, code=code) from error
    if (
        max(len(username), len(password)) > MAX_CREDENTIAL
        or ":" in username
        or not (username + password).isprintable()
    ):
        raise FeedRefused(
            f"A user name has no colon, and neither has more than {MAX_CREDENTIAL} characters or invisible ones.",
            code="bad_credentials",
            field="username",
        )
    return url, username, password
