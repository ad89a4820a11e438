"""Named reads. Views, tasks and commands ask these and write no queries of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Length
from django.utils import timezone

from proxy_site.turns import Busy

if TYPE_CHECKING:
    from accounts.models import User
    from feeds.models import (  # noqa: F401  the querysets' type arguments
        Decision,
        FeedSource,
        Grab,
        Item,
        Rule,
        Subscription,
    )


def lock_person(user_id: int) -> User | None:
    """Everything that changes one person's feeds, rules and grabs takes this lock first, so that their rules can be
    asked in peace. `no_key`: rows that only refer to the person need not wait. None: there is no such person any more.
    """
    return _locking_people().filter(pk=user_id).first()


def lock_person_in_turn(user_id: int) -> User | None:
    """The same for a turn of `proxy_site.turns`, which does not wait: Busy where somebody else has them. None where
    nothing is decided for them any more."""
    user = _locking_people(skip_locked=True).filter(pk=user_id).first()
    if user is None and _people().filter(pk=user_id).exists():
        raise Busy
    return user if user is not None and user.is_active else None


def _locking_people(*, skip_locked: bool = False) -> models.QuerySet[User]:
    return _people().select_for_update(no_key=True, skip_locked=skip_locked)


def _people() -> models.QuerySet[User]:
    from accounts.models import User

    return User.objects.all()


class SourceQuerySet(models.QuerySet["FeedSource"]):
    def due(self, now: datetime) -> SourceQuerySet:
        """Locked; those that somebody follows and nobody checks, the healthy ones first."""
        from feeds.models import Subscription

        followed = Subscription.objects.filter(source=OuterRef("pk"), enabled=True, user__is_active=True)
        free = Q(leased_until=None) | Q(leased_until__lt=now)
        return (
            self.filter(free, next_check_at__lte=now)
            .filter(Exists(followed))
            .select_for_update(skip_locked=True)
            .order_by(Case(When(failures=0, then=0), default=1), "next_check_at")
        )

    def lock_leased(self, sources: Iterable[FeedSource]) -> set[int]:
        """Which of them are still leased as they are here."""
        leases = {source.pk: source.leased_until for source in sources}
        rows = self.filter(pk__in=leases).select_for_update().order_by("pk").values_list("pk", "leased_until")
        return {pk for pk, leased_until in rows if leased_until == leases[pk]}

    def give_back(self, sources: Iterable[FeedSource]) -> None:
        """They were leased and not checked: they are due as before."""
        for source in sources:
            self.filter(pk=source.pk, leased_until=source.leased_until).update(
                leased_until=None, next_check_at=timezone.now(), attempts=F("attempts") - 1
            )

    def narrowed_to(
        self, sources: models.QuerySet[FeedSource], health: str | None
    ) -> models.QuerySet[FeedSource]:
        """Failing, healthy, or overdue: followed, and not checked for longer than is promised."""
        from feeds.models import Subscription

        match health:
            case "failing":
                return sources.exclude(failing_since=None)
            case "healthy":
                return sources.filter(failing_since=None).exclude(succeeded_at=None)
            case "overdue":
                followed = Subscription.objects.filter(source=OuterRef("pk"), enabled=True)
                late = timezone.now() - timedelta(minutes=10)
                return sources.filter(Exists(followed), next_check_at__lt=timezone.now()).exclude(
                    checked_at__gt=late
                )
            case _:
                return sources

    def abandoned(self, before: datetime) -> SourceQuerySet:
        """Nobody follows them, and they are not from just now."""
        from feeds.models import Item, Subscription

        return self.filter(added_at__lt=before).exclude(
            Exists(Subscription.objects.filter(source=OuterRef("pk")))
            | Exists(Item.objects.filter(source=OuterRef("pk")))
        )


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def of(self, user: User) -> SubscriptionQuerySet:
        return self.filter(user=user).select_related("source").order_by("name", "pk")

    def named(self, subscription_id: UUID) -> SubscriptionQuerySet:
        return self.filter(pk=subscription_id)

    def in_use(self, users: Collection[int]) -> SubscriptionQuerySet:
        return self.filter(user__in=users, user__is_active=True, enabled=True).order_by(
            "user_id", "name", "pk"
        )

    def owners_behind(self) -> list[int]:
        """Whose rules have something to see."""
        checked = Q(position=None, source__succeeded_at__gte=F("since"))
        behind = self.filter(checked | Q(position__lt=F("source__last_number")), enabled=True)
        behind = behind.filter(user__is_active=True)
        return list(behind.order_by("user_id").values_list("user_id", flat=True).distinct())

    def behind(self, items: int) -> list[Subscription]:
        """As many of them as have some `items` that their rules have not seen."""
        found = []
        rows = self.filter(enabled=True, position__lt=F("source__last_number"))
        # Encrypted columns and arrays take long to read, and nobody needs them here.
        for subscription in rows.defer(
            "source__url", "source__username", "source__password", "source__present"
        ):
            found.append(subscription)
            items -= subscription.source.last_number - (subscription.position or 0)
            if items <= 0:
                break
        return found


class ItemQuerySet(models.QuerySet["Item"]):
    def unseen(self, subscriptions: Collection[Subscription]) -> ItemQuerySet:
        """What their rules have still to see, subscription by subscription, the oldest first. Its addresses, which
        are encrypted, are read where something is taken."""
        theirs = self.filter(
            source__in=[subscription.source_id for subscription in subscriptions],
            source__subscriptions__in=subscriptions,
            number__gt=F("source__subscriptions__position"),
        )
        return theirs.defer("page", "download").order_by(
            "source__subscriptions__name", "source__subscriptions__pk", "number"
        )

    def after(self, source: FeedSource | int, number: int) -> ItemQuerySet:
        """What a consumer that has seen everything up to `number` has still to see, the oldest first."""
        return self.filter(source=source, number__gt=number).order_by("number")

    def numbered(self, source: FeedSource, number: int) -> ItemQuerySet:
        return self.filter(source=source, number=number) if number < 2**63 else self.none()

    def kept(self, items: Collection[int]) -> dict[int, Item]:
        """Those of them that are there, by id, with what taking them needs: nobody forgets them until the transaction
        ends. Unlike what `select_for_update` can say, two people may keep the same items in any order."""
        rows = self.raw(
            "SELECT id, title, download, infohash FROM feeds_item WHERE id = ANY(%s) FOR KEY SHARE",
            [list(items)],
        )
        return {item.pk: item for item in rows}

    def newest_of(self, sources: Collection[int]) -> ItemQuerySet:
        return self.filter(source__in=sources).order_by("-seen_at", "-number")

    def with_words(self, search: str) -> ItemQuerySet:
        """All of them in the title, in any case."""
        items = self
        for word in search.split():
            items = items.filter(title__icontains=word)
        return items

    def decided(self, user: User, outcome: str) -> ItemQuerySet:
        """So by one of the person's rules; "none": by none of them in any way."""
        from feeds.models import Decision

        decisions = Decision.objects.filter(item=OuterRef("pk"), user=user)
        if outcome == "none":
            return self.exclude(Exists(decisions))
        return self.filter(Exists(decisions.filter(outcome=outcome)))

    def read_only(self) -> models.QuerySet[Item, tuple[Any, ...]]:
        """What other consumers see of them. Of what they download, whether there is anything: it is not decrypted."""
        length = Length("download")
        return self.values_list(
            "pk", "source_id", "number", "title", "release", length, "published_at", "seen_at"
        )

    def forgettable(self, before: datetime) -> ItemQuerySet:
        """Seen before then and gone from their feeds: an item that still stands there would come back as a new one."""
        from feeds.models import FeedSource, Subscription

        followed = Exists(Subscription.objects.filter(source=OuterRef("source")))
        here = Exists(FeedSource.objects.filter(pk=OuterRef("source"), present__contains=[OuterRef("key")]))
        return self.filter(seen_at__lt=before).exclude(here & followed)


class RuleQuerySet(models.QuerySet["Rule"]):
    def of(self, user: User) -> RuleQuerySet:
        """In the order in which they are asked."""
        return (
            self.filter(user=user).order_by("-priority", "created_at", "pk").prefetch_related("subscriptions")
        )

    def only_at(self, subscription: Subscription) -> RuleQuerySet:
        """Those that look at this feed and at no other."""
        from feeds.models import Subscription

        others = Subscription.objects.filter(rules=OuterRef("pk")).exclude(pk=subscription.pk)
        return self.filter(subscriptions=subscription).exclude(Exists(others))

    def named(self, rule_id: UUID) -> RuleQuerySet:
        return self.filter(pk=rule_id)


class DecisionQuerySet(models.QuerySet["Decision"]):
    def of(self, user: User) -> DecisionQuerySet:
        from feeds.models import Subscription

        followed = Subscription.objects.filter(user=user, source=OuterRef("item__source"))
        return (
            self.filter(user=user)
            .select_related("item")
            .annotate(subscription_id=Subquery(followed.values("pk")))
            .order_by("-pk")
        )

    def narrowed(self, *, search: str, outcome: str | None, rule: UUID | None) -> DecisionQuerySet:
        decisions = self
        for word in search.split():
            decisions = decisions.filter(item__title__icontains=word)
        if outcome is not None:
            decisions = decisions.filter(outcome=outcome)
        return decisions if rule is None else decisions.filter(rule=rule)


class GrabQuerySet(models.QuerySet["Grab"]):
    def of(self, user: User) -> GrabQuerySet:
        return self.filter(user=user).order_by("-made_at", "-pk")

    def for_items(self, items: Collection[Item]) -> GrabQuerySet:
        """Of the items themselves, or of the same torrents."""
        infohashes = {item.infohash for item in items} - {""}
        same = Q(item__in=[item.pk for item in items])
        return self.filter(same | Q(infohash__in=infohashes) if infohashes else same)

    def due(self, now: datetime) -> GrabQuerySet:
        """Locked, those of people whose account works: the least tried first, so that what fails delays nothing new."""
        return (
            self.filter(state__in=("waiting", "due"), due_at__lte=now, user__is_active=True)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("item__source")
            .order_by("attempts", "due_at")
        )
