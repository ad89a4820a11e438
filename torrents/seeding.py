"""How long a finished torrent is given to other peers. Pure.

- A policy ends when either its ratio or its time is reached. Of several people the longest wish wins: a torrent seeds
  while the policy of any of them lasts.
- The ratio is what was sent to peers, ever, by the size of what was wanted. Not by what was received: that begins at
  nothing when an engine takes finished data anew. What was sent before a re-add counts (uploads.py).
- The time runs from completion, whether or not the engine was there: an end that everybody can foresee.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SeedingPolicy:
    ratio: float
    time: timedelta


@dataclass(frozen=True, slots=True)
class SeedingRules:
    """What the box gives whoever asks for nothing, and the most that anybody may ask for."""

    default: SeedingPolicy
    most: SeedingPolicy

    def policy(self, seed_ratio: float | None, seed_seconds: int | None) -> SeedingPolicy:
        """Of a person who wishes this; None: nothing in particular."""
        ratio = self.default.ratio if seed_ratio is None else seed_ratio
        time = self.default.time if seed_seconds is None else min(self.most.time, _seconds(seed_seconds))
        return SeedingPolicy(min(ratio, self.most.ratio), min(time, self.most.time))


@dataclass(frozen=True, slots=True)
class SeedingWish:
    """One person's, for a torrent that they have complete and want to run."""

    torrent_id: uuid.UUID
    completed_at: datetime
    uploaded: int  # bytes, of the torrent
    size: int  # of what they wanted of it
    seed_ratio: float | None
    seed_seconds: int | None


def may_seed(*, ratio: float, seeded_for: timedelta, policy: SeedingPolicy) -> bool:
    return ratio < policy.ratio and seeded_for < policy.time


def seeding_over(
    wishes: Iterable[SeedingWish], *, rules: SeedingRules, budget_left: bool, now: datetime
) -> set[uuid.UUID]:
    """Finished torrents that nobody's wish keeps seeding; all of them when the month's budget is used up."""
    over, goes_on = set(), set()
    for wish in wishes:
        over.add(wish.torrent_id)
        policy = rules.policy(wish.seed_ratio, wish.seed_seconds)
        ratio = wish.uploaded / max(wish.size, 1)
        if budget_left and may_seed(ratio=ratio, seeded_for=now - wish.completed_at, policy=policy):
            goes_on.add(wish.torrent_id)
    return over - goes_on


def _seconds(seconds: int) -> timedelta:
    """As a timedelta, which has an end."""
    return timedelta(seconds=min(seconds, 10**12))
