"""Verdicts become rows: decisions, and a candidate for each release that may be had. Under the person's lock, in the
transaction that moves what tells where to go on."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from feeds.rules import Reason
from watchlist import choosing
from watchlist.deciding import Verdict
from watchlist.models import Candidate, Decision, Entry, Grab
from watchlist.offers import Offer

MOST_ASKED_ABOUT = 10  # shows that somebody must choose among
_PIECE = 500  # rows in one statement

Outcome = Decision.Outcome


def record(
    user: User,
    decided: Sequence[tuple[Offer, Verdict]],
    *,
    entries: Collection[Entry] | None = None,
    again: bool = False,
    answered: Collection[int] = (),
) -> int:
    """How many candidates that made. What an item was decided to be before, this replaces; except that what its owner
    has said of it themselves stays, and that they are asked of nothing that was decided already.

    `entries`: nothing is recorded but what is of these or may be. `again`: these items, or with `entries` these
    entries, were decided before: what they are not any more goes, and of items that are decided anew altogether their
    owner may be asked after all. `answered`: items of which the person says so now.
    """
    recording = _Recording(user, decided, entries, again, answered)
    recording.write_decisions()
    return recording.write_candidates()


class _Recording:
    def __init__(
        self,
        user: User,
        decided: Sequence[tuple[Offer, Verdict]],
        entries: Collection[Entry] | None,
        again: bool,
        answered: Collection[int],
    ) -> None:
        self._user = user
        self._now = timezone.now()
        self._entries = entries
        self._again = again
        self._anew = again and entries is None
        self._answered = frozenset(answered)
        self._shows = None if entries is None else frozenset(entry.show_id for entry in entries)
        self._asked = {offer.item.id for offer, _verdict in decided if offer.item is not None}
        self._verdicts = {
            offer.item.id: (offer, verdict)
            for offer, verdict in decided
            if offer.item is not None and self._is_of_interest(offer.item.id, verdict)
        }
        self._before = self._decisions_before()
        self._keep_what_was_said()

    def write_decisions(self) -> None:
        had = _Had(
            verdict.entry.pk for _offer, verdict in self._verdicts.values() if verdict.entry is not None
        )
        rows = [self._decision(item, verdict, had) for item, (_offer, verdict) in self._verdicts.items()]
        Decision.objects.bulk_create(
            rows,
            batch_size=_PIECE,
            update_conflicts=True,
            unique_fields=["user", "item"],
            update_fields=["entry", "outcome", "reasons", "shows", "at"],
        )
        if self._again:
            gone = [
                decision.pk
                for item, decision in self._before.items()
                if item in self._asked and item not in self._verdicts and decision.outcome != Outcome.SETTLED
            ]
            Decision.objects.filter(pk__in=gone).delete()

    def write_candidates(self) -> int:
        # Who has decided nothing of these items before has no candidates of them either.
        known = self._candidates_before() if self._again or self._before else ()
        before = {(candidate.entry_id, candidate.item_id): candidate for candidate in known}
        new, better_known = [], []
        for item, (offer, verdict) in self._verdicts.items():
            entry = verdict.entry
            if entry is None or not verdict.acceptable:
                continue
            candidate = before.pop((entry.pk, item), None)
            if candidate is None:
                new.append(self._candidate(Candidate(entry=entry, item_id=item), offer, verdict))
            elif candidate.state == Candidate.State.FOUND:
                better_known.append(self._candidate(candidate, offer, verdict))
        # Except where their decisions are forgotten: then they stay as they are.
        Candidate.objects.bulk_create(new, batch_size=_PIECE, ignore_conflicts=True)
        Candidate.objects.bulk_update(
            better_known, ["numbers", "special", "preference", "changed_at"], batch_size=_PIECE
        )
        if gone := [candidate.pk for candidate in before.values() if self._is_no_more(candidate)]:
            Candidate.objects.filter(pk__in=gone, state=Candidate.State.FOUND).delete()
        if new or better_known:
            entries = {candidate.entry_id: candidate.entry for candidate in (*new, *better_known)}
            choosing.choose(user=self._user, entries=list(entries.values()))
        return len(new)

    def _is_of_interest(self, item: int, verdict: Verdict) -> bool:
        if item in self._answered:
            return True
        if verdict.outcome is None:
            return False
        if self._shows is None:
            return True
        match = verdict.match
        return match.show in self._shows or not self._shows.isdisjoint(match.candidates)

    def _decisions_before(self) -> dict[int, Decision]:
        asked = Q(item__in=list(self._verdicts))
        if self._anew:
            asked = Q(item__in=self._asked)
        elif self._again and self._entries is not None and self._shows is not None:
            asked |= Q(entry__in=self._entries)
            asked |= Q(outcome=Outcome.REVIEW, shows__overlap=list(self._shows))
        decisions = Decision.objects.filter(asked, user=self._user)
        return {decision.item_id: decision for decision in decisions}

    def _candidates_before(self) -> list[Candidate]:
        asked = Q(item__in=list(self._verdicts))
        if self._anew:
            asked = Q(item__in=self._asked)
        elif self._again and self._entries is not None:
            asked |= Q(entry__in=self._entries)
        return list(Candidate.objects.filter(asked, entry__user=self._user).select_related("entry__show"))

    def _keep_what_was_said(self) -> None:
        self._said = {
            item
            for item, decision in self._before.items()
            if decision.outcome == Outcome.SETTLED and item not in self._answered
        }
        for item, decision in self._before.items():
            if item in self._verdicts and item not in self._answered:
                asks = self._verdicts[item][1].outcome == Outcome.REVIEW and not self._anew
                if item in self._said or (asks and decision.outcome != Outcome.REVIEW):
                    del self._verdicts[item]
                    self._said.add(item)

    def _is_no_more(self, candidate: Candidate) -> bool:
        item = candidate.item_id
        return item in self._asked and item not in self._said and candidate.state == Candidate.State.FOUND

    def _decision(self, item: int, verdict: Verdict, had: "_Had") -> Decision:
        outcome, reasons = verdict.outcome or Outcome.SETTLED, verdict.reasons or verdict.match.reasons
        offer = self._verdicts[item][0]
        if verdict.acceptable and (earlier := had.by_another(item, offer, verdict)):
            outcome, reasons = Outcome.HAD, (Reason("had", earlier, "each episode once"),)
        if item in self._answered:
            outcome = Outcome.SETTLED
        return Decision(
            user=self._user,
            item_id=item,
            entry=verdict.entry,
            outcome=outcome,
            reasons=[reason.as_object() for reason in reasons],
            shows=list(verdict.match.candidates[:MOST_ASKED_ABOUT]),
            at=self._now,
        )

    def _candidate(self, candidate: Candidate, offer: Offer, verdict: Verdict) -> Candidate:
        candidate.title = offer.title
        candidate.group = (offer.release.group or "")[:100]
        candidate.version = offer.release.version or 1
        candidate.numbers = list(verdict.numbers)
        candidate.special = verdict.match.special
        candidate.preference = list(verdict.preference)
        candidate.changed_at = self._now
        return candidate


class _Release(NamedTuple):
    item: int
    title: str
    group: str
    version: int


class _Had:
    """By which release the episodes of some entries are there, or under way."""

    def __init__(self, entries: Iterable[UUID]) -> None:
        wanted = set(entries)
        self._releases = {
            row[:3]: _Release(*row[3:]) for row in (Grab.objects.releases(wanted) if wanted else ())
        }

    def by_another(self, item: int, offer: Offer, verdict: Verdict) -> str:
        """Its title, where all that is wanted of this one is there by others, and not as an older version of it."""
        entry = verdict.entry
        assert entry is not None
        special = verdict.match.special
        wanted = [number for number in verdict.numbers if special or number >= entry.from_episode]
        by = [self._releases.get((entry.pk, special, number)) for number in wanted]
        others = [
            one.title
            for one in by
            if one is not None and one.item != item and not (verdict.newer_versions and _is_older(one, offer))
        ]
        return others[0] if others and len(others) == len(wanted) else ""


def _is_older(release: _Release, offer: Offer) -> bool:
    group, version = (offer.release.group or "")[:100].casefold(), offer.release.version or 1
    return group != "" and release.group.casefold() == group and release.version < version


def forget(now: datetime) -> int:
    """Decisions that are old, and candidates that nobody can take any more; how many rows."""
    before = now - timedelta(days=settings.FEED_ITEMS_KEPT_DAYS)
    forgotten = Decision.objects.filter(at__lt=before).delete()[0]
    return forgotten + Candidate.objects.forgettable(before).delete()[0]
