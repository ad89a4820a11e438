"""A person's items and decisions, with what became of each."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from accounts.models import User
from feeds.models import Decision, Grab, Item, Rule, Subscription
from feeds.querysets import DecisionQuerySet, ItemQuerySet
from feeds.rules import Reason
from feeds.rules.text import normalised
from feeds.specs import candidate_of, compiled_rules


@dataclass(frozen=True, slots=True)
class Verdict:
    rule_id: UUID
    rule_name: str
    reasons: tuple[Reason, ...]

    @property
    def taken(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class ListedItem:
    subscription_id: UUID
    item: Item
    decisions: list[Decision]
    grab: Grab | None
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def has_torrent(self) -> bool:
        return bool(self.item.download)


def items_of(subscription: Subscription, *, search: str = "", outcome: str | None = None) -> ItemQuerySet:
    """The newest first."""
    items = Item.objects.newest_of([subscription.source_id]).with_words(search)
    return items.decided(subscription.user, outcome) if outcome is not None else items


def item_of(subscription: Subscription, number: int) -> Item | None:
    return Item.objects.numbered(subscription.source, number).first()


def listed(subscription: Subscription, items: Iterable[Item]) -> list[ListedItem]:
    items = list(items)
    decisions: dict[int, list[Decision]] = defaultdict(list)
    for decision in Decision.objects.filter(user=subscription.user, item__in=items).order_by("pk"):
        decisions[decision.item_id].append(decision)
    grabs = {grab.item_id: grab for grab in Grab.objects.filter(user=subscription.user, item__in=items)}
    return [ListedItem(subscription.pk, item, decisions[item.pk], grabs.get(item.pk)) for item in items]


def explained(subscription: Subscription, item: Item) -> ListedItem:
    """With what each rule of theirs says of it now."""
    (one,) = listed(subscription, [item])
    candidate, title = candidate_of(item), normalised(item.title)
    rules = {rule.pk: rule for rule in Rule.objects.of(subscription.user)}
    for pk, compiled in compiled_rules(rules.values()).items():
        one.verdicts.append(Verdict(pk, rules[pk].name, compiled.verdict(candidate, title).reasons))
    return one


def decisions_of(
    user: User, *, search: str = "", outcome: str | None = None, rule: UUID | None = None
) -> DecisionQuerySet:
    """The latest first, each with `subscription_id`, which is None where they follow the feed no more."""
    return Decision.objects.of(user).narrowed(search=search, outcome=outcome, rule=rule)
