"""What a rule would make of items, before anybody trusts it with them: by the very code that decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import User
from feeds.models import Item, Rule, Subscription
from feeds.parsing import MAX_TITLE
from feeds.rules import NO_TORRENT, Candidate, Reason, RuleError
from feeds.rules.conditions import CompiledRule, selective_rule
from feeds.rules.text import normalised
from feeds.specs import candidate_of, pasted_candidate, spec_of

MAX_ITEMS = 500
MAX_TITLES = 200


@dataclass(frozen=True, slots=True)
class Previewed:
    """One title: taken where there are no reasons. `item` and `feed` (a subscription) are None for a pasted one."""

    item: Item | None
    feed: UUID | None
    candidate: Candidate
    reasons: tuple[Reason, ...]

    @property
    def taken(self) -> bool:
        return not self.reasons


def preview(
    *, user: User, titles: Sequence[str] | None = None, subscriptions: Iterable[UUID] = (), **conditions: Any
) -> list[Previewed]:
    """What a rule of these fields (`feeds.models.Rule`) would take: of the pasted titles, which have neither size nor
    date, or of what stands in the person's feeds, the newest first. Raises RuleError."""
    followed = {subscription.pk: subscription for subscription in Subscription.objects.of(user)}
    chosen = list(subscriptions)
    if any(pk not in followed for pk in chosen):
        raise RuleError("One of these feeds is not yours any more. Choose again.", field="subscriptions")
    wanted = [followed[pk] for pk in chosen or followed]
    rule = selective_rule(spec_of(Rule(user=user, **conditions), [followed[pk].source_id for pk in chosen]))
    if titles is not None:
        return [_previewed(rule, pasted_candidate(title)) for title in _lines(titles)]
    by_source = {subscription.source_id: subscription.pk for subscription in wanted}
    items = Item.objects.newest_of(by_source)[:MAX_ITEMS]
    return [_previewed(rule, candidate_of(item), item, by_source[item.source_id]) for item in items]


def _lines(titles: Iterable[str]) -> list[str]:
    return [title.strip()[:MAX_TITLE] for title in titles if title.strip()][:MAX_TITLES]


def _previewed(
    rule: CompiledRule, candidate: Candidate, item: Item | None = None, feed: UUID | None = None
) -> Previewed:
    reasons = rule.verdict(candidate, normalised(candidate.title)).reasons
    if item is not None and not item.download:
        reasons += (NO_TORRENT,)
    return Previewed(item, feed, candidate, reasons)
