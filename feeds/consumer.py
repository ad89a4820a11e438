"""Rules as a consumer of items: each subscription has a position, which moves in the transaction that records what its
owner's rules decided. A kill in between loses nothing and takes nothing twice.

One person's rules are asked by one worker at a time, under the lock of their row: limits per day and "each episode
once" are counted there.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds.bulk_writes import Step, advance, begin_subscriptions
from feeds.grabs import make_grab
from feeds.models import Decision, Grab, Item, Rule, Subscription
from feeds.querysets import lock_person_in_turn
from feeds.rules import NO_TORRENT, Candidate, Reason
from feeds.rules.book import RuleBook
from feeds.rules.conditions import CompiledRule
from feeds.specs import candidate_of, compiled_rules, episode_identity
from proxy_site.turns import in_turns

AT_ONCE = 1_000  # items in one transaction
BUDGET_SECONDS = 50.0  # of a run, which the worker ends after Q_CLUSTER["timeout"]
ROUND_SECONDS = 5.0  # of one transaction; then it is somebody else's turn
MOST_NEAR_MISSES = (
    10  # told of an item; who has a hundred rules that nearly match learns nothing from the others
)

Outcome = Decision.Outcome


def catch_up() -> int:
    """Have everybody's rules see what they have not seen; how many items were taken."""
    return in_turns(
        Subscription.objects.owners_behind(), _one_round, seconds=BUDGET_SECONDS, what="the rules"
    )


@transaction.atomic
def _one_round(user_id: int) -> int | None:
    """Some items, of as many subscriptions; how many were taken. None when all are seen."""
    user = lock_person_in_turn(user_id)
    if user is None:
        return None
    begin_subscriptions(user_id)
    behind = Subscription.objects.of(user).behind(AT_ONCE)
    if not behind:
        return None
    items = list(Item.objects.unseen(behind)[:AT_ONCE])
    taken, seen = _Round(user, behind, _Asked(user)).decide(items, ends_at=time.monotonic() + ROUND_SECONDS)
    steps = _steps(behind, items, seen)
    if advance(steps) != len(steps):
        transaction.set_rollback(True)  # a feed moved meanwhile: once more, from where it is now
        return 0
    return taken


def _steps(behind: Sequence[Subscription], items: Sequence[Item], seen: int) -> list[Step]:
    """How far positions move when the first `seen` of the items were looked at."""
    last = {item.source_id: item.number for item in items[:seen]}
    if seen == len(items) < AT_ONCE:
        # Nothing is left of any of them. Numbers may have holes, where items were forgotten.
        last = {subscription.source_id: subscription.source.last_number for subscription in behind} | last
    return [
        Step(subscription.pk, subscription.source_id, subscription.position, last[subscription.source_id])
        for subscription in behind
        if subscription.position is not None and subscription.source_id in last
    ]


class _Asked:
    """One person's rules, ready to be asked: that takes longer than asking them."""

    def __init__(self, user: User) -> None:
        rules = Rule.objects.of(user).filter(enabled=True)
        self.compiled: dict[Any, CompiledRule] = compiled_rules(rules)
        self.rules = {rule.pk: rule for rule in rules}
        self.book = RuleBook(self.compiled)


class _Round:
    """What one person's rules make of some items of some subscriptions."""

    def __init__(self, user: User, subscriptions: Iterable[Subscription], asked: _Asked) -> None:
        self._user = user
        self._subscriptions = {subscription.source_id: subscription for subscription in subscriptions}
        self._asked = asked
        self._decisions: list[Decision] = []

    def decide(self, items: Sequence[Item], *, ends_at: float) -> tuple[int, int]:
        """How many of them were taken, and how many were looked at: some rules take long."""
        taken = seen = 0
        for item in items:
            taken += self._decide(item)
            seen += 1
            if time.monotonic() > ends_at:
                break
        self._write()
        return taken, seen

    def _write(self) -> None:
        """An item can come before a rule again, when somebody follows a feed anew. What the rule says then replaces
        what it said, except that they have it already."""
        had = [decision for decision in self._decisions if decision.outcome == Outcome.HAD]
        others = [decision for decision in self._decisions if decision.outcome != Outcome.HAD]
        Decision.objects.bulk_create(had, ignore_conflicts=True)
        Decision.objects.bulk_create(
            others,
            update_conflicts=True,
            unique_fields=["rule", "item"],
            update_fields=["rule_name", "outcome", "reasons", "at"],
        )

    def _decide(self, item: Item) -> bool:
        """Whether one of the rules took it: the first that does, and no other."""
        candidate = candidate_of(item)
        near_misses = 0
        for key, verdict in self._asked.book.verdicts(candidate):
            rule = self._asked.rules[key]
            if verdict.reasons:
                near_misses += 1
                if near_misses <= MOST_NEAR_MISSES:
                    self._note(rule, item, Outcome.NEARLY, verdict.reasons)
            elif self._take(rule, item, candidate):
                return True
        return False

    def _take(self, rule: Rule, item: Item, candidate: Candidate) -> bool:
        if reason := self._had(item):
            self._note(rule, item, Outcome.HAD, [reason])
            return True
        if not item.download:
            self._note(rule, item, Outcome.NEARLY, [NO_TORRENT])
            return False
        identity = episode_identity(item.release) if rule.once_per_episode or rule.delay_seconds else ""
        preference = self._asked.compiled[rule.pk].preference(candidate)
        if identity and (
            earlier := Grab.objects.filter(rule=rule, identity=identity).select_for_update().first()
        ):
            return self._instead_of(earlier, rule, item, preference)
        if reason := self._too_many_today(rule):
            self._note(rule, item, Outcome.NEARLY, [reason])
            return False
        if rule.dry_run:
            self._note(rule, item, Outcome.DRY_RUN, [])
            return False
        waits = rule.delay_seconds > 0
        grab = make_grab(
            user=self._user,
            item=item,
            rule=rule,
            origin_detail=f"{rule.name}, from {self._subscriptions[item.source_id].name}",
            due_at=timezone.now() + timedelta(seconds=rule.delay_seconds),
        )
        grab.identity, grab.preference = identity, preference
        grab.state = Grab.State.WAITING if waits else Grab.State.DUE
        grab.save()
        self._note(rule, item, Outcome.TAKEN, [])
        return True

    def _instead_of(self, earlier: Grab, rule: Rule, item: Item, preference: list[int]) -> bool:
        """The same episode again: better than one that still waits, in place of one that failed, or one too many."""
        failed = earlier.state == Grab.State.FAILED
        if not failed and (earlier.state != Grab.State.WAITING or preference >= earlier.preference):
            reason = Reason("once_per_episode", earlier.title, "one release of each episode")
            self._note(rule, item, Outcome.HAD, [reason])
            return True
        if rule.dry_run:
            self._note(rule, item, Outcome.DRY_RUN, [])
            return False
        was = earlier.title
        earlier.item, earlier.title, earlier.download = item, item.title, item.download
        earlier.infohash, earlier.preference = item.infohash, preference
        if failed:
            earlier.state, earlier.due_at, earlier.ended_at = Grab.State.DUE, timezone.now(), None
            earlier.attempts, earlier.message = 0, ""
        earlier.save()
        reason = Reason(
            "better", item.title, f"in place of {was}, which failed" if failed else f"better than {was}"
        )
        self._note(rule, item, Outcome.TAKEN, [reason])
        return True

    def _had(self, item: Item) -> Reason | None:
        """They have or had it by the same item or the same torrent, whichever rule it was."""
        earlier = Grab.objects.of(self._user).for_items([item]).first()
        return Reason("had", earlier.title, "each torrent once") if earlier is not None else None

    def _too_many_today(self, rule: Rule) -> Reason | None:
        if rule.max_per_day is None:
            return None
        today = Grab.objects.filter(rule=rule, made_at__gt=timezone.now() - timedelta(days=1)).count()
        if today < rule.max_per_day:
            return None
        return Reason("max_per_day", f"{today} in the last 24 hours", f"at most {rule.max_per_day}")

    def _note(self, rule: Rule, item: Item, outcome: str, reasons: Sequence[Reason]) -> None:
        self._decisions.append(
            Decision(
                user=self._user,
                item=item,
                rule=rule,
                rule_name=rule.name,
                outcome=outcome,
                reasons=[reason.as_object() for reason in reasons],
                at=timezone.now(),
            )
        )


def forget_old_decisions() -> int:
    """With their items they go anyway; near misses of items that stay in their feed for long, too."""
    before = timezone.now() - timedelta(days=settings.FEED_ITEMS_KEPT_DAYS)
    return Decision.objects.filter(at__lt=before).delete()[0]
