"""What people may do with feeds. Each verb is one short transaction; nothing here waits for a feed's server."""

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import unquote, urlsplit, urlunsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import User
from feeds.models import FeedSource, Item, Rule, Subscription
from feeds.moving import host_of
from feeds.querysets import lock_person
from proxy_site.outbound import OutboundError, fetchable

ASK_AGAIN_AFTER = timedelta(minutes=1)  # a person who presses "check now" twice asks the feed's server once
MAX_CREDENTIAL = 200  # characters


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
