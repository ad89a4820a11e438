"""From rows to what rules work on, and a rule's own identity of an episode."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from feeds.models import Item, Rule
from feeds.releases import parse
from feeds.releases.objects import to_object
from feeds.rules import Candidate, RuleError, RuleSpec
from feeds.rules.conditions import CompiledRule, selective_rule
from feeds.rules.text import normalised

_SAME = (
    "must_contain",
    "must_not_contain",
    "regex",
    "negative_regex",
    "min_size",
    "max_size",
    "season",
    "first_episode",
    "last_episode",
    "published_after",
    "resolutions",
    "groups",
    "only_groups",
    "refused_groups",
    "batches",
)


def spec_of(rule: Rule, sources: Iterable[int]) -> RuleSpec:
    """`sources` are those of the subscriptions it is limited to."""
    age = rule.max_age_seconds
    return RuleSpec(
        sources=frozenset(sources),
        max_age=timedelta(seconds=age) if age is not None else None,
        **{name: getattr(rule, name) for name in _SAME},
    )


def compiled_rules(rules: Iterable[Rule]) -> dict[Any, CompiledRule]:
    """By primary key, in their order. One that a newer version of this software cannot follow is left out: it could
    be saved once, and must not stop the others."""
    found = {}
    for rule in rules:
        try:
            found[rule.pk] = selective_rule(
                spec_of(rule, (subscription.source_id for subscription in rule.subscriptions.all()))
            )
        except RuleError:
            continue
    return found


def candidate_of(item: Item) -> Candidate:
    return Candidate(
        title=item.title,
        release=item.release,
        source=item.source_id,
        size=item.size,
        published_at=item.published_at,
        seen_at=item.seen_at,
    )


def pasted_candidate(title: str) -> Candidate:
    """Of a title alone."""
    return Candidate(title=title, release=to_object(parse(title)), seen_at=timezone.now())


def episode_identity(release: Mapping[str, Any]) -> str:
    """The same for every release of the same episodes; empty where the name does not say which they are."""
    series = normalised(str(release.get("series") or "")).strip()
    numbers = release.get("episodes") or release.get("absolute") or ()
    part = " ".join(str(number) for number in numbers) or str(release.get("date") or "")
    if not part and release.get("batch"):
        part = "batch"
    if not series or not part:
        return ""
    season, special = release.get("season"), release.get("special") or ""
    return f"{series}|{season if season is not None else ''}|{special}|{part}"[:255]
