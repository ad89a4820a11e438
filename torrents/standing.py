"""How far people's torrents are, for the rooms that had them added."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from accounts.models import User
from torrents import history
from torrents.models import Claim, LiveState
from torrents.own_files import progress_of, size_of
from torrents.states import state_of

_SEARCHES = (LiveState.State.METADATA, LiveState.State.DOWNLOADING, LiveState.State.STALLED)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one person's torrent is, for those who had it added for them."""

    claim_id: uuid.UUID  # of the claim that it is by now
    ids: frozenset[uuid.UUID]  # by which it is known: its own, and those of claims that were merged into it
    origin: str
    complete: bool
    done: int | None  # bytes of their own files; None like the size
    size: int | None  # bytes; None until known
    state: str  # as its owner sees it: torrents.states
    searching: bool  # nothing but its swarm keeps it: it runs, was let in, and the engine is there
    refused: str  # why the box will not have it, or ended it, in words; else empty
    removed: bool  # given up by its owner


def standing(*, user: User, claim_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Standing]:
    """How far these torrents of `user` are, by the ids asked for, in one query, or two where some are gone: what its
    owner gave up for good is not among them, what the box ended says why."""
    wanted = set(claim_ids)
    found: dict[uuid.UUID, Standing] = {}
    for claim in Claim.with_removed.of(user).known_by(wanted):
        told = _standing(claim)
        found.update(dict.fromkeys(told.ids & wanted, told))
    gone = wanted - found.keys()
    ended = history.ended_by_the_box(user, gone) if gone else {}
    return found | {claim_id: _ended(claim_id, why) for claim_id, why in ended.items()}


def _standing(claim: Claim) -> Standing:
    state, size = state_of(claim), size_of(claim)
    return Standing(
        claim_id=claim.pk,
        ids=frozenset({claim.pk, *vars(claim)["merged"]}),
        origin=claim.origin,
        complete=claim.completed_at is not None,
        done=None if size is None else round(progress_of(claim) * size),
        size=size,
        state=state,
        searching=claim.removed_at is None and claim.torrent.engine.reachable and state in _SEARCHES,
        refused=claim.torrent.refused,
        removed=claim.removed_at is not None,
    )


def _ended(claim_id: uuid.UUID, why: str) -> Standing:
    return Standing(
        claim_id=claim_id,
        ids=frozenset({claim_id}),
        origin="",
        complete=False,
        done=None,
        size=None,
        state="",
        searching=False,
        refused=why,
        removed=False,
    )
