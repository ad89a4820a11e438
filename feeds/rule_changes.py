"""What people may do with their rules. A rule that could not be followed is never saved."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from feeds.models import Rule, Subscription
from feeds.querysets import lock_person
from feeds.rules import RuleError
from feeds.rules.conditions import selective_rule
from feeds.specs import spec_of


@transaction.atomic
def create_rule(*, user: User, subscriptions: Iterable[UUID] = (), **fields: Any) -> Rule:
    """It sees items that come from now on. Raises RuleError."""
    lock_person(user.pk)  # so that the count below stays true
    if Rule.objects.filter(user=user).count() >= settings.RULES_PER_USER:
        raise RuleError(
            f"You have {settings.RULES_PER_USER} rules, as many as this box allows. Delete one first.",
            field="name",
        )
    return _save(Rule(user=user), list(subscriptions), fields)


@transaction.atomic
def change_rule(*, rule: Rule, subscriptions: Iterable[UUID] | None = None, **fields: Any) -> Rule:
    """What it has decided stays. Raises RuleError, and Rule.DoesNotExist when another request deleted it first; then
    nothing was changed."""
    lock_person(rule.user_id)
    rule.refresh_from_db()
    chosen = None if subscriptions is None else list(subscriptions)
    return _save(rule, chosen, fields)


@transaction.atomic
def delete_rule(*, rule: Rule) -> None:
    """What it took stays; what waits for a better release is not taken any more."""
    lock_person(rule.user_id)
    rule.grabs.filter(state="waiting").delete()
    rule.delete()


def _save(rule: Rule, chosen: list[UUID] | None, fields: dict[str, Any]) -> Rule:
    for name, value in fields.items():
        setattr(rule, name, value)
    if chosen is None:
        subscriptions = list(rule.subscriptions.all())
    else:
        subscriptions = list(Subscription.objects.of(rule.user).filter(pk__in=chosen))
        if len(subscriptions) != len(set(chosen)):
            raise RuleError("One of these feeds is not yours any more. Choose again.", field="subscriptions")
    selective_rule(spec_of(rule, (subscription.source_id for subscription in subscriptions)))
    rule.changed_at = timezone.now()
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError as error:
        raise RuleError("You have another rule of this name.", field="name") from error
    rule.subscriptions.set(subscriptions)
    return rule
