"""From what was found to what is taken: one grab an episode, by constraint; newer versions in place of older ones.

See `picking` for which release wins and `progress` for what becomes of downloads. Candidates and grabs are written
under the person's lock. Every candidate that is TAKEN or HAVE has an episode that lives on it: a `Grab` whose
`candidate` or `successor` it is. No other candidate has one, but for those of which their owner removed the torrent
(REMOVED): they keep theirs, so that these episodes are not downloaded again by themselves.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from feeds.services import lock_person
from watchlist.downloads import begin, is_held, let_go, remove_left
from watchlist.models import Candidate, Entry, Grab
from watchlist.picking import Episode, Pick, first_found, held_by, pick, upgrades
from watchlist.progress import RESTORABLE, is_stalled, look_after
from watchlist.wanted import Wanted, wishes_of

logger = logging.getLogger(__name__)

BUDGET_SECONDS = 50.0  # of a run, which the worker ends after Q_CLUSTER["timeout"]
LONGEST_WAIT = timedelta(
    days=31
)  # more than anybody may wait for a better release: older ones had their turn

State = Candidate.State


class ChoiceRefused(Exception):
    """This release cannot be taken; the text says why. `code` is stable."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


def choose(*, user: User, entries: Collection[Entry] | None = None) -> int:
    """Take what is due of what was found for these entries (None: all) that are followed; how many releases.

    The caller holds the person's lock, in a transaction.
    """
    followed = Entry.objects.followed_of(user)
    if entries is not None:
        followed = followed.filter(pk__in=[entry.pk for entry in entries])
    chosen = list(followed)
    candidates: dict[UUID, list[Candidate]] = defaultdict(list)
    for candidate in Candidate.objects.filter(entry__in=chosen):
        candidates[candidate.entry_id].append(candidate)
    chosen = [
        entry for entry in chosen if any(one.state == State.FOUND for one in candidates.get(entry.pk, ()))
    ]
    if not chosen:
        return 0
    grabs: dict[UUID, list[Grab]] = defaultdict(list)
    for grab in Grab.objects.filter(entry__in=chosen):
        grabs[grab.entry_id].append(grab)
    wanted = wishes_of(user)
    choices = [_Choice(user, entry, wanted(entry), candidates[entry.pk], grabs[entry.pk]) for entry in chosen]
    taken = 0
    while picks := [(choice, one) for choice in choices for one in choice.picks()]:
        served = _serve(user, [_Taking(one, choice.grabs, choice.wanted) for choice, one in picks])
        taken += len(served)
        for choice, one in picks:
            if one.candidate not in served and one.candidate.state == State.FOUND:
                choice.leave_out(one.candidate)  # somebody else took its episodes this moment
    return taken


def advance() -> int:
    """Look after everybody's downloads, take what is due by now, remove what was given up, and end shows of which
    everything is there; how many releases that concerned. Bounded in time: who is not reached comes first next time.
    """
    ends_at = time.monotonic() + BUDGET_SECONDS
    changed = 0
    for user_id in _owners():
        if time.monotonic() > ends_at:
            break
        try:
            changed += _look_after(user_id)
        except Exception:  # one person's trouble is not the others'
            logger.exception("the watchlist of user %s", user_id)
    return changed


def take_candidate(*, user: User, candidate: Candidate) -> Candidate:
    """This one instead, whatever wishes say. What it replaces goes at once, or, where that is complete, when this one
    is. Raises ChoiceRefused, and Candidate.DoesNotExist where it is gone or somebody else's."""
    with transaction.atomic():
        lock_person(user.pk)
        taken = (
            Candidate.objects.of(user).select_related("entry__show", "download", "item").get(pk=candidate.pk)
        )
        _take_instead(user, taken)
    remove_left(user)
    return taken


class _Choice:
    """For one entry."""

    def __init__(
        self, user: User, entry: Entry, wanted: Wanted, candidates: Sequence[Candidate], grabs: Iterable[Grab]
    ) -> None:
        self._user = user
        self._entry = entry
        self.wanted = wanted
        self._candidates = list(candidates)
        by_pk = {candidate.pk: candidate for candidate in candidates}
        for candidate in candidates:
            candidate.entry = entry
        self.grabs: dict[Episode, Grab] = {}
        for grab in grabs:
            grab.candidate = by_pk[grab.candidate_id]
            grab.successor = by_pk[grab.successor_id] if grab.successor_id is not None else None
            self.grabs[grab.special, grab.number] = grab

    def picks(self) -> list[Pick]:
        """What is taken next, of different episodes each; of what cannot be had, the next best comes after that."""
        return self._upgrades() or self._others()

    def leave_out(self, candidate: Candidate) -> None:
        self._candidates.remove(candidate)

    def _offers(self) -> list[Candidate]:
        return [candidate for candidate in self._candidates if candidate.state == State.FOUND]

    def _others(self) -> list[Pick]:
        offers = self._offers()
        served = {episode for episode, grab in self.grabs.items() if not self._may_be_given_up(grab)}
        under_way = {episode for episode in served if _is_under_way(self.grabs[episode])}
        lacking = {
            episode for offer in offers for episode in held_by(offer) - served if self._is_wanted(episode)
        }
        now, wait = timezone.now(), timedelta(seconds=self.wanted.delay_seconds)
        first = first_found(self._candidates)
        return pick(
            offers,
            lacking=lacking,
            ripe={episode for episode in lacking if first[episode] + wait <= now},
            there=served - under_way,
            under_way=under_way,
        )

    def _upgrades(self) -> list[Pick]:
        if not self.wanted.newer_versions:
            return []
        # Who has watched and removed an episode does not want it once more.
        return [
            one
            for one in upgrades(self._offers(), self.grabs)
            if all(is_held(self._user, self.grabs[episode].candidate) for episode in one.episodes)
        ]

    def _is_wanted(self, episode: Episode) -> bool:
        special, number = episode
        return special != "" or number >= self._entry.from_episode

    def _may_be_given_up(self, grab: Grab) -> bool:
        return is_stalled(grab.candidate, self.wanted.stalled_hours)


def _is_under_way(grab: Grab) -> bool:
    return grab.candidate.state == State.TAKEN or grab.successor is not None


@dataclass(frozen=True, slots=True)
class _Taking:
    """One pick of an entry's. `grabs`, all of that entry's, are kept up to date."""

    pick: Pick
    grabs: dict[Episode, Grab]
    wanted: Wanted

    @property
    def candidate(self) -> Candidate:
        return self.pick.candidate

    @property
    def lacking(self) -> AbstractSet[Episode]:
        return self.pick.episodes - self.grabs.keys()

    @property
    def present(self) -> list[Grab]:
        return [grab for episode, grab in self.grabs.items() if episode in self.pick.episodes]


@transaction.atomic(savepoint=False)
def _serve(user: User, takings: Collection[_Taking], *, again: bool = False) -> set[Candidate]:
    """Have episodes come from these candidates; from which they do now. Not from what cannot be had, nor where somebody
    who did not take the person's lock was quicker.

    All are begun before anything is let go: what one of them needs, too, stays.
    """
    unchanged = _lock_unchanged([taking.candidate for taking in takings])
    takings = [taking for taking in takings if taking.candidate.pk in unchanged]
    new = _grab_each(takings)
    takings = [taking for taking in takings if new[taking.candidate] or taking.present]
    begun = begin(user, {taking.candidate: taking.wanted for taking in takings}, again=again)
    if lost := [grab.pk for candidate in new.keys() - begun for grab in new[candidate].values()]:
        Grab.objects.filter(pk__in=lost).delete()
    for taking in takings:
        if taking.candidate in begun:
            _displace(user, taking)
            taking.grabs.update(new[taking.candidate])
    return begun


def _lock_unchanged(candidates: Collection[Candidate]) -> set[int]:
    """Which of them are still in the state that they are in here."""
    states = {candidate.pk: candidate.state for candidate in candidates}
    rows = Candidate.objects.filter(pk__in=states).select_for_update(no_key=True).order_by("pk")
    return {pk for pk, state in rows.values_list("pk", "state") if state == states[pk]}


def _grab_each(takings: Collection[_Taking]) -> dict[Candidate, dict[Episode, Grab]]:
    """The lacking episodes, as far as nobody else has them by now."""
    candidates = {taking.candidate.pk: taking.candidate for taking in takings}
    new: dict[Candidate, dict[Episode, Grab]] = {candidate: {} for candidate in candidates.values()}
    lacking = [(taking.candidate, episode) for taking in takings for episode in sorted(taking.lacking)]
    for grab in Grab.objects.grab(lacking):
        grab.candidate = candidates[grab.candidate_id]
        new[grab.candidate][grab.special, grab.number] = grab
    return new


def _displace(user: User, taking: _Taking) -> None:
    displaced: dict[int, Candidate] = {}
    for grab in taking.present:
        for other in _put_in_place(user, grab, taking.candidate):
            displaced[other.pk] = other
    stalled = [other for other in displaced.values() if is_stalled(other, taking.wanted.stalled_hours)]
    message = f"Nothing arrived for a long time, so {taking.candidate.title} was tried."
    let_go(user, stalled, State.STALLED, message)
    let_go(user, [other for other in displaced.values() if other not in stalled], State.REPLACED)


def _put_in_place(user: User, grab: Grab, candidate: Candidate) -> list[Candidate]:
    """At once, or behind what is complete until this is, too; what it displaces."""
    displaced = [grab.successor] if grab.successor is not None else []
    if grab.candidate == candidate:
        grab.successor = None
    elif grab.candidate.state == State.HAVE and is_held(user, grab.candidate):
        grab.successor = candidate
    else:
        displaced.append(grab.candidate)
        grab.candidate, grab.successor = candidate, None
    grab.save(update_fields=["candidate", "successor"])
    return [other for other in displaced if other != candidate]


def _take_instead(user: User, candidate: Candidate) -> None:
    episodes = held_by(candidate)
    if not episodes:
        raise ChoiceRefused(
            "Its name does not say which episodes it holds, so nothing of it can be taken by itself. "
            "Take it from its feed.",
            code="no_episodes",
        )
    entry = candidate.entry
    grabs = {(grab.special, grab.number): grab for grab in Grab.objects.of_entries([entry])}
    lived_on = {
        one.pk for grab in grabs.values() for one in (grab.candidate, grab.successor) if one is not None
    }
    if candidate.pk in lived_on and is_held(user, candidate):
        return  # it is being taken, or is there
    if not _serve(user, [_Taking(Pick(candidate, episodes), grabs, wishes_of(user)(entry))], again=True):
        raise ChoiceRefused(candidate.message, code="not_there")


def _owners() -> list[int]:
    """Of everything that is to be looked after. What is done once comes first: it is not there again next time."""
    now = timezone.now()
    some = (
        Candidate.objects.filter(leaving=True).owners(),
        Candidate.objects.in_line().filter(found_at__gte=now - LONGEST_WAIT).owners(),
        list(Entry.objects.with_everything_there().owners()),
        Candidate.objects.to_look_at(now - RESTORABLE).owners(),
    )
    return list(dict.fromkeys(chain.from_iterable(some)))


def _look_after(user_id: int) -> int:
    with transaction.atomic():
        user = lock_person(user_id)
        if user is None or not user.is_active:
            return 0
        changed, stalled = look_after(user)
        in_line = Candidate.objects.of(user).in_line().values("entry")
        changed += choose(user=user, entries=Entry.objects.filter(Q(pk__in=in_line) | Q(pk__in=stalled)))
        Entry.objects.filter(user=user).with_everything_there().end()
    remove_left(user)
    return changed
