"""From a chosen release to a torrent, and giving one up. Whoever calls these holds the person's lock.

A torrent that was given up is not removed here: that takes torrents' locks, of which one transaction may take those of
one torrent only, and last. The candidate is marked as `leaving` instead, and `remove_left` does it.
"""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds.services import Choice, GrabRefused, lock_person, take_many, withdraw
from feeds.services import Grab as Download
from torrents.services import Standing, remove_named, standing
from watchlist.models import Candidate, Grab
from watchlist.picking import held_by
from watchlist.wanted import Wanted

State = Candidate.State
ORIGIN = "watchlist"
GONE_FROM_FEED = (
    "Its feed does not hold it any more, and what it pointed to is forgotten. Take another release."
)


def begin(user: User, chosen: Mapping[Candidate, Wanted], *, again: bool = False) -> set[Candidate]:
    """Have them downloaded; which of them can be. The others say why not. `again`: also what they had before, and
    removed."""
    choices = {
        candidate: Choice(
            item=candidate.item_id,
            origin_detail=in_words(candidate),
            label=wanted.label,
            start_paused=wanted.start_paused,
        )
        for candidate, wanted in chosen.items()
        if candidate.item_id is not None
    }
    outcomes = _take(user, choices)
    if again:
        removed = [one for one, download in outcomes.items() if _was_removed(user, download)]
        outcomes |= _take(user, {one: choices[one] for one in removed}, again=True)
    begun: dict[int, int] = {}
    now = timezone.now()
    for candidate in chosen:
        outcome = outcomes.get(candidate, GrabRefused(GONE_FROM_FEED))
        candidate.changed_at = now
        if isinstance(outcome, GrabRefused):
            candidate.state, candidate.message = State.FAILED, str(outcome)
            candidate.save(update_fields=["state", "message", "changed_at"])
            continue
        candidate.state, candidate.message, candidate.leaving = State.TAKEN, "", False
        candidate.download, candidate.claim_id = outcome, None
        candidate.looked_at, candidate.bytes_done, candidate.idle_seconds = None, None, 0
        begun[candidate.pk] = outcome.pk
    Candidate.objects.begin(begun, now)
    return {candidate for candidate in chosen if candidate.pk in begun}


def let_go(user: User, candidates: Iterable[Candidate], state: State, message: str = "") -> None:
    """Those of them that no episode lives on any more get `state`, and their downloads end, if nothing else of the
    person's lives on these."""
    for candidate in candidates:
        if not Grab.objects.living_on(candidate).exists():
            _give_up(user, candidate, state, message)


def remove_left(user: User) -> int:
    """Remove the torrents of what was given up, each in a transaction of its own, as their owner would: they can take
    it back for a while. What they or a rule of theirs added stays; how many went."""
    leaving = Candidate.objects.of(user).filter(leaving=True).order_by("pk").values_list("pk", flat=True)
    return sum(_remove_one(user, pk) for pk in leaving)


def claims_of(user: User, candidates: Collection[Candidate]) -> dict[UUID, Standing]:
    """How far the torrents of these are, by the candidates' `claim_id`."""
    claim_ids = {candidate.claim_id for candidate in candidates if candidate.claim_id is not None}
    return standing(user=user, claim_ids=claim_ids) if claim_ids else {}


def is_held(user: User, candidate: Candidate) -> bool:
    """Whether its torrent is there, or is on its way, and its owner has not removed it."""
    if candidate.claim_id is None:
        return candidate.state == State.TAKEN
    return candidate.state in (State.TAKEN, State.HAVE) and _is_held(user, candidate.claim_id)


def in_words(candidate: Candidate) -> str:
    """`Lighthouse, episode 3`: what its owner reads as the origin of the torrent."""
    numbers = sorted(number for _special, number in held_by(candidate))
    if not numbers:
        return candidate.entry.show.title
    kind = candidate.special or ("episode" if len(numbers) == 1 else "episodes")
    last = f"–{numbers[-1]:g}" if len(numbers) > 1 else ""
    return f"{candidate.entry.show.title}, {kind} {numbers[0]:g}{last}"


def _take(
    user: User, choices: Mapping[Candidate, Choice], *, again: bool = False
) -> dict[Candidate, Download | GrabRefused]:
    outcomes = take_many(user=user, choices=list(choices.values()), origin=ORIGIN, again=again)
    return dict(zip(choices, outcomes, strict=True))


def _was_removed(user: User, outcome: Download | GrabRefused) -> bool:
    if isinstance(outcome, GrabRefused) or outcome.claim_id is None:
        return False
    return not _is_held(user, outcome.claim_id)


def _is_held(user: User, claim_id: UUID) -> bool:
    told = standing(user=user, claim_ids=[claim_id]).get(claim_id)
    return told is not None and not told.removed and not told.refused


def _give_up(user: User, candidate: Candidate, state: State, message: str) -> None:
    candidate.state, candidate.message, candidate.changed_at = state, message, timezone.now()
    download = candidate.download
    if download is not None:
        candidate.claim_id = candidate.claim_id or download.claim_id
        others = Candidate.objects.of(user).that_need(download=download.pk, claims=())
        if not others.exclude(pk=candidate.pk).exists() and withdraw(download, origin=ORIGIN):
            candidate.download = None
    candidate.leaving = candidate.claim_id is not None
    candidate.save(update_fields=["state", "message", "changed_at", "download", "claim_id", "leaving"])


@transaction.atomic
def _remove_one(user: User, pk: int) -> bool:
    lock_person(user.pk)
    candidate = Candidate.objects.filter(pk=pk, leaving=True).first()
    if candidate is None:
        return False  # another worker was quicker, or it was taken again
    candidate.leaving = False
    candidate.save(update_fields=["leaving"])
    told = claims_of(user, [candidate]).get(candidate.claim_id) if candidate.claim_id is not None else None
    if told is None or told.removed or told.origin != ORIGIN:
        return False
    if Candidate.objects.of(user).that_need(download=candidate.download_id, claims=told.ids).exists():
        return False
    return remove_named(user=user, claim_id=told.claim_id)
