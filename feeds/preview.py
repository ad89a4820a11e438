"""What a rule would make of items, before anybody trusts it with them: by the very code that decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import User
from feeds.models import Item, Subscription
from feeds.rules import Candidate, Reason, RuleSpec
from feeds.rules.conditions import CompiledRule
from feeds.rules.text import normalised
from feeds.specs import candidate_of, pasted_candidate

MAX_ITEMS = 500
MAX_TITLES = 200


@dataclass(frozen=True, slots=True)
class Previewed:
    """One title: taken where there are no reasons. `item` is None for a pasted one."""

    item: Item | None
    candidate: Candidate
    reasons: tuple[Reason, ...]

    @property
    def taken(self) -> bool:
        return not self.reasons


def preview_stored(*, user: User, spec: RuleSpec, at_most: int = MAX_ITEMS) -> list[Previewed]:
    """Against what stands in the person's feeds now, the newest first. Raises RuleError."""
    rule = CompiledRule(spec)
    sources = Subscription.objects.of(user).values_list("source_id", flat=True)
    wanted = [source for source in sources if not spec.sources or source in spec.sources]
    items = Item.objects.newest_of(wanted)[:at_most]
    return [_previewed(rule, item, candidate_of(item)) for item in items]


def preview_titles(*, spec: RuleSpec, titles: Sequence[str]) -> list[Previewed]:
    """Against titles that somebody pasted, which have neither size nor date. Raises RuleError."""
    rule = CompiledRule(spec)
    return [_previewed(rule, None, pasted_candidate(title)) for title in _lines(titles)]


def _lines(titles: Iterable[str]) -> list[str]:
    return [title.strip()[:500] for title in titles if title.strip()][:MAX_TITLES]


def _previewed(rule: CompiledRule, item: Item | None, candidate: Candidate) -> Previewed:
    return Previewed(item, candidate, rule.verdict(candidate, normalised(candidate.title)).reasons)
