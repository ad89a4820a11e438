"""Rules as a consumer of items: each subscription has a position, which moves in the transaction that records what its
owner's rules decided. A kill in between loses nothing and takes nothing twice.

One person's rules are asked by one worker at a time, under the lock of their row: limits per day and "each episode
once" are counted there.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds.models import Decision, Grab, Item, Rule, Subscription
from feeds.rules import Candidate, Reason
from feeds.rules.book import RuleBook
from feeds.rules.conditions import CompiledRule
from feeds.specs import candidate_of, compiled_rules, episode_identity

logger = logging.getLogger(__name__)

AT_ONCE = 200  # items in one transaction

Outcome = Decision.Outcome


def catch_up() -> int:
    """Have everybody's rules see what they have not seen; how many items were taken."""
    taken = 0
    for user_id in Subscription.objects.owners_behind():
        try:
            while (more := _one_round(user_id)) is not None:
                taken += more
        except Exception:  # one person's trouble is not the others'; their position has not moved
            logger.exception("the rules of user %s", user_id)
    return taken


@transaction.atomic
def _one_round(user_id: int) -> int | None:
    """Some items, of as many subscriptions; how many were taken. None when all are seen, or another worker is at it."""
    user = (
        User.objects.filter(pk=user_id, is_active=True)
        .select_for_update(skip_locked=True, no_key=True)
        .first()
    )
    if user is None:
        return None
    asked: _Asked | None = None
    seen = taken = 0
    for subscription in Subscription.objects.of(user).filter(enabled=True):
        if subscription.position is None:
            _begin(subscription)
        if subscription.position is None or subscription.position >= subscription.source.last_number:
            continue
        asked = asked or _Asked(user)
        items = list(Item.objects.after(subscription.source, subscription.position)[: AT_ONCE - seen])
        taken += _Round(user, subscription, asked).decide(items)
        # Numbers may have holes, where items were forgotten.
        subscription.position = items[-1].number if items else subscription.source.last_number
        subscription.save(update_fields=["position"])
        seen += len(items)
        if seen == AT_ONCE:
            break
    return taken if asked is not None else None


def _begin(subscription: Subscription) -> None:
    """Where its rules begin: behind what the first check after it was added found, or before, if that was asked for."""
    source = subscription.source
    if source.succeeded_at is None or source.succeeded_at < subscription.since:
        return
    subscription.position = source.last_number
    if subscription.back_catalogue:
        first = Item.objects.filter(source=source, key__in=source.present).order_by("number").first()
        subscription.position = first.number - 1 if first is not None else source.last_number
    subscription.save(update_fields=["position"])


class _Asked:
    """One person's rules, ready to be asked: that takes longer than asking them."""

    def __init__(self, user: User) -> None:
        rules = Rule.objects.of(user).filter(enabled=True)
        self.compiled: dict[Any, CompiledRule] = compiled_rules(rules)
        self.rules = {rule.pk: rule for rule in rules}
        self.book = RuleBook(self.compiled)


class _Round:
    """What one person's rules make of some items of one subscription."""

    def __init__(self, user: User, subscription: Subscription, asked: _Asked) -> None:
        self._user = user
        self._subscription = subscription
        self._asked = asked

    def decide(self, items: Sequence[Item]) -> int:
        return sum(self._decide(item) for item in items)

    def _decide(self, item: Item) -> bool:
        """Whether one of the rules took it: the first that does, and no other."""
        candidate = candidate_of(item)
        for key, verdict in self._asked.book.verdicts(candidate):
            rule = self._asked.rules[key]
            if verdict.reasons:
                self._note(rule, item, Outcome.NEARLY, verdict.reasons)
            elif self._take(rule, item, candidate):
                return True
        return False

    def _take(self, rule: Rule, item: Item, candidate: Candidate) -> bool:
        if reason := self._had(item):
            self._note(rule, item, Outcome.HAD, [reason])
            return True
        if not item.download:
            self._note(
                rule, item, Outcome.NEARLY, [Reason("download", "no torrent in it", "a magnet or a .torrent")]
            )
            return False
        identity = episode_identity(item.release) if rule.once_per_episode or rule.delay_seconds else ""
        preference = self._asked.compiled[rule.pk].preference(candidate)
        if identity and (earlier := Grab.objects.filter(rule=rule, identity=identity).first()):
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
            origin_detail=f"{rule.name}, from {self._subscription.name}",
            due_at=timezone.now() + timedelta(seconds=rule.delay_seconds),
        )
        grab.identity, grab.preference = identity, preference
        grab.state = Grab.State.WAITING if waits else Grab.State.DUE
        grab.save()
        self._note(rule, item, Outcome.TAKEN, [])
        return True

    def _instead_of(self, earlier: Grab, rule: Rule, item: Item, preference: list[int]) -> bool:
        """The same episode again: better than one that still waits, or one too many."""
        if earlier.state != Grab.State.WAITING or preference >= earlier.preference:
            reason = Reason("once_per_episode", earlier.title, "one release of each episode")
            self._note(rule, item, Outcome.HAD, [reason])
            return True
        was = earlier.title
        earlier.item, earlier.title, earlier.download = item, item.title, item.download
        earlier.infohash, earlier.preference = item.infohash, preference
        earlier.save()
        self._note(rule, item, Outcome.TAKEN, [Reason("better", item.title, f"better than {was}")])
        return True

    def _had(self, item: Item) -> Reason | None:
        """They have or had it by the same item or the same torrent, whichever rule it was."""
        earlier = Grab.objects.of(self._user).for_item(item).first()
        return Reason("had", earlier.title, "each torrent once") if earlier is not None else None

    def _too_many_today(self, rule: Rule) -> Reason | None:
        if rule.max_per_day is None:
            return None
        today = Grab.objects.filter(rule=rule, made_at__gt=timezone.now() - timedelta(days=1)).count()
        if today < rule.max_per_day:
            return None
        return Reason("max_per_day", f"{today} in the last 24 hours", f"at most {rule.max_per_day}")

    def _note(self, rule: Rule, item: Item, outcome: str, reasons: Sequence[Reason]) -> None:
        Decision.objects.create(
            user=self._user,
            item=item,
            rule=rule,
            rule_name=rule.name,
            outcome=outcome,
            reasons=[
                {"what": reason.what, "got": reason.got[:500], "wanted": reason.wanted[:500]}
                for reason in reasons
            ],
        )


def make_grab(*, user: User, item: Item, rule: Rule | None, origin_detail: str, due_at: datetime) -> Grab:
    """Due, and not saved yet."""
    return Grab(
        user=user,
        item=item,
        rule=rule,
        origin_detail=origin_detail[:255],
        title=item.title,
        download=item.download,
        infohash=item.infohash,
        start_paused=rule.start_paused if rule is not None else False,
        label=rule.label if rule is not None else "",
        state=Grab.State.DUE,
        due_at=due_at,
    )


def forget_old_decisions() -> int:
    """With their items they go anyway; near misses of items that stay in their feed for long, too."""
    before = timezone.now() - timedelta(days=settings.FEED_ITEMS_KEPT_DAYS)
    return Decision.objects.filter(at__lt=before).delete()[0]
