"""Named reads. Views, tasks and commands ask these and write no queries of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

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


class SourceQuerySet(models.QuerySet["FeedSource"]):
    pass


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def of(self, user: User) -> SubscriptionQuerySet:
        return self.filter(user=user).select_related("source").order_by("name", "pk")


class ItemQuerySet(models.QuerySet["Item"]):
    def after(self, source: FeedSource, number: int) -> ItemQuerySet:
        """What a consumer that has seen everything up to `number` has still to see, the oldest first."""
        return self.filter(source=source, number__gt=number).order_by("number")


class RuleQuerySet(models.QuerySet["Rule"]):
    def of(self, user: User) -> RuleQuerySet:
        """In the order in which they are asked."""
        return self.filter(user=user).order_by("-priority", "created_at", "pk")


class DecisionQuerySet(models.QuerySet["Decision"]):
    def of(self, user: User) -> DecisionQuerySet:
        return self.filter(user=user).select_related("item__source").order_by("-pk")


class GrabQuerySet(models.QuerySet["Grab"]):
    def of(self, user: User) -> GrabQuerySet:
        return self.filter(user=user).order_by("-made_at", "-pk")
