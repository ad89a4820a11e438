"""Who may download now: the rules, without a database. `admission.py` reads the rows and writes what comes out.

- A torrent of unknown size may look for its metadata; people's lookups take turns, so that dead magnets block nobody.
- One of known size is let in when its owner's disk quota, active torrents and traffic of the month have room for it,
  and the box's traffic, active torrents and disk too. What several people claim counts once for the box, and for each
  of them on its own.
- Fair order: people with fewer running torrents first, each person's oldest first. What fits may pass what does not.
- What is running stays, whoever comes, until the disk falls below its floor: then all wait.
- Nothing starves: what has waited a day for disk space is given every second day. On it, nothing newer takes space
  that it needs; the days between, small ones pass again, so that one large torrent stops nobody for ever.

Sizes are bytes.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from torrents.models import Claim

WaitsFor = Claim.WaitsFor
PATIENCE = timedelta(days=1)
LOOKUP_TURN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Person:
    disk_quota: int
    active_limit: int
    traffic_limit: int  # of a month
    sent: int  # this month


@dataclass(frozen=True, slots=True)
class Held:
    """A claim that its owner holds, and what there is of its torrent."""

    id: uuid.UUID
    user_id: int
    torrent_id: uuid.UUID
    added_at: datetime
    running: bool  # its owner wants it to run
    complete: bool  # handed over
    waits_for: str
    admitted_size: int | None
    handed_over: int
    size: int | None  # of the files that its owner chose
    torrent_size: int | None
    torrent_complete: bool
    progress: float
    refused: bool

    @property
    def admitted(self) -> bool:
        """Let in, for at least what it has become since."""
        return (
            self.running
            and not self.complete
            and not self.refused
            and not self.waits_for
            and self.size is not None
            and self.admitted_size is not None
            and self.size <= self.admitted_size
        )

    @property
    def undecided(self) -> bool:
        return self.running and not (self.complete or self.refused or self.admitted)

    @property
    def disk(self) -> int:
        """What counts towards its owner's quota: all of it once it was let in, of a paused one what is there."""
        if self.complete or self.admitted:
            return self.size or 0
        return 0 if self.running else ceil((self.size or 0) * self.progress)

    @property
    def to_fetch(self) -> int:
        """What its owner is still going to fetch of it."""
        return max(0, (self.size or 0) - self.handed_over)


@dataclass(frozen=True, slots=True)
class Box:
    free_space: int | None  # None: nobody knows, so it limits nothing
    floor: int
    active_limit: int
    egress: int  # this month, to people and peers
    egress_limit: int
    lookups: int  # of one person at a time

    @property
    def full(self) -> bool:
        return self.free_space is not None and self.free_space < self.floor

    @property
    def margin(self) -> int:
        """What must be free above the floor before anything that waited for disk starts: it is not to flutter."""
        return self.floor // 8


@dataclass(frozen=True, slots=True)
class Decision:
    waits_for: str
    admitted_size: int | None
    completes: bool = False  # others have downloaded it: it is handed over from now on


@dataclass(slots=True)
class Use:
    """What one person's claims take of their limits."""

    disk: int = 0
    active: int = 0
    to_fetch: int = 0

    def add(self, held: Held, *, let_in: bool = False) -> None:
        """Count a claim as it is; with `let_in`, as it is once it was let in."""
        admitted = let_in or held.admitted
        self.disk += (held.size or 0) if let_in else held.disk
        self.to_fetch += held.to_fetch if admitted or held.complete else 0
        self.active += admitted and not held.torrent_complete


@dataclass(slots=True)
class _Running:
    """What the torrents that were let in still need of the box."""

    wanted: Counter[uuid.UUID] = field(default_factory=Counter)
    to_come: int = 0
    to_fetch: int = 0

    def additional(self, held: Held) -> int:
        """Bytes that come to the disk on top of what comes anyway, if this claim is let in too."""
        before = self._to_come(held, self.wanted[held.torrent_id])
        return self._to_come(held, self.wanted[held.torrent_id] + (held.size or 0)) - before

    def add(self, held: Held) -> None:
        if not held.torrent_complete:
            self.to_come += self.additional(held)
            self.wanted[held.torrent_id] += held.size or 0
        self.to_fetch += held.to_fetch

    @staticmethod
    def _to_come(held: Held, wanted: int) -> int:
        # People's choices may overlap: never more than the torrent has.
        return ceil(min(wanted, held.torrent_size or 0) * (1 - held.progress))


def decide(
    held: Collection[Held], people: Mapping[int, Person], box: Box, now: datetime
) -> dict[uuid.UUID, Decision]:
    """A decision for each claim that is not complete. Deciding again in the same moment changes less and less: what
    was let in stays, and what waits finds no more room than before."""
    tally = _Tally(people, box, now)
    decisions = {}
    for claim in held:
        if claim.admitted and box.full and not claim.torrent_complete:
            decisions[claim.id] = Decision(WaitsFor.BOX_DISK, None)
            continue
        tally.count(claim)
        if claim.admitted:
            decisions[claim.id] = Decision("", claim.size)
        elif claim.refused and not claim.complete:
            decisions[claim.id] = Decision("", None)
        elif not claim.running and not claim.complete:  # let in anew when it runs again
            decisions[claim.id] = Decision(claim.waits_for, None)
    undecided = [claim for claim in held if claim.undecided]
    decisions.update(_lookups([claim for claim in undecided if claim.size is None], box.lookups, now))
    waiting = [claim for claim in undecided if claim.size is not None]
    tally.keep_room(waiting, _on_disk(held))
    for claim in tally.in_fair_order(waiting):
        obstacle = tally.obstacle(claim)
        if obstacle:
            decisions[claim.id] = Decision(obstacle, None)
        else:
            tally.let_in(claim)
            decisions[claim.id] = Decision("", claim.size, completes=claim.torrent_complete)
    return decisions


def _lookups(unknown: Collection[Held], at_a_time: int, now: datetime) -> dict[uuid.UUID, Decision]:
    """Which torrents of unknown size look for their metadata: some of each person's, taking turns by the clock."""
    decisions = {}
    by_user: dict[int, list[Held]] = defaultdict(list)
    for claim in sorted(unknown, key=_age):
        by_user[claim.user_id].append(claim)
    for claims in by_user.values():
        turns = ceil(len(claims) / at_a_time)
        first = int(now.timestamp() // LOOKUP_TURN.total_seconds()) % turns * at_a_time
        for index, claim in enumerate(claims):
            looks = (index - first) % len(claims) < at_a_time
            decisions[claim.id] = Decision("" if looks else WaitsFor.USER_ACTIVE, None)
    return decisions


class _Tally:
    def __init__(self, people: Mapping[int, Person], box: Box, now: datetime) -> None:
        self._people = people
        self._box = box
        self._now = now
        self._use: dict[int, Use] = defaultdict(Use)
        self._running = _Running()
        self._kept_of_user: dict[int, Held] = {}
        self._kept_of_box: Held | None = None

    def count(self, claim: Held) -> None:
        self._use[claim.user_id].add(claim)
        if claim.admitted:
            self._running.add(claim)
        elif claim.complete:
            self._running.to_fetch += claim.to_fetch

    def let_in(self, claim: Held) -> None:
        self._use[claim.user_id].add(claim, let_in=True)
        self._running.add(claim)
        if self._kept_of_user.get(claim.user_id) is claim:
            del self._kept_of_user[claim.user_id]
        if self._kept_of_box is claim:
            self._kept_of_box = None

    def in_fair_order(self, waiting: Collection[Held]) -> list[Held]:
        turns: Counter[int] = Counter({user_id: use.active for user_id, use in self._use.items()})
        order = []
        for claim in sorted(waiting, key=_age):
            order.append((turns[claim.user_id], *_age(claim), claim))
            turns[claim.user_id] += 1
        return [claim for *_, claim in sorted(order, key=lambda entry: entry[:3])]

    def keep_room(self, waiting: Collection[Held], on_disk: int) -> None:
        """Find those for which space is kept today: the person's oldest, and the box's."""
        for claim in sorted(waiting, key=_age):
            if (self._now - claim.added_at) // PATIENCE % 2 == 0:
                continue
            if claim.waits_for == WaitsFor.USER_DISK and (claim.size or 0) <= self._person(claim).disk_quota:
                self._kept_of_user.setdefault(claim.user_id, claim)
            elif claim.waits_for == WaitsFor.BOX_DISK and self._kept_of_box is None:
                ever = (self._box.free_space or 0) + on_disk - self._box.floor - self._box.margin
                self._kept_of_box = claim if (claim.size or 0) <= ever else None

    def obstacle(self, claim: Held) -> str:
        """What this claim has to wait for; empty if it may start."""
        person, use, box, size = self._person(claim), self._use[claim.user_id], self._box, claim.size or 0
        if use.disk + self._kept(self._kept_of_user.get(claim.user_id), claim) + size > person.disk_quota:
            return WaitsFor.USER_DISK
        if claim.torrent_complete:
            return ""
        if use.active >= person.active_limit:
            return WaitsFor.USER_ACTIVE
        if person.sent + use.to_fetch + claim.to_fetch > person.traffic_limit:
            return WaitsFor.USER_TRAFFIC
        if box.full:
            return WaitsFor.BOX_DISK
        if claim.torrent_id not in self._running.wanted:
            if box.egress + self._running.to_fetch + claim.to_fetch > box.egress_limit:
                return WaitsFor.BOX_TRAFFIC
            if len(self._running.wanted) >= box.active_limit:
                return WaitsFor.BOX_ACTIVE
        return "" if self._box_has_room(claim) else WaitsFor.BOX_DISK

    def _box_has_room(self, claim: Held) -> bool:
        extra = self._running.additional(claim)
        if self._box.free_space is None or extra <= 0:
            return True
        left = self._box.free_space - self._running.to_come - self._kept(self._kept_of_box, claim) - extra
        waited = claim.waits_for == WaitsFor.BOX_DISK
        return left >= self._box.floor + (self._box.margin if waited else 0)

    def _kept(self, kept: Held | None, claim: Held) -> int:
        """Space that is kept from this claim: it is newer than the one that has waited so long."""
        if kept is None or _age(claim) <= _age(kept):
            return 0
        return self._running.additional(kept) if kept is self._kept_of_box else kept.size or 0

    def _person(self, claim: Held) -> Person:
        return self._people[claim.user_id]


def _on_disk(held: Collection[Held]) -> int:
    """Bytes of all torrents that are on the disk already."""
    seen = {
        claim.torrent_id: (claim.torrent_size or 0) * (1 if claim.torrent_complete else claim.progress)
        for claim in held
    }
    return int(sum(seen.values()))


def _age(claim: Held) -> tuple[datetime, uuid.UUID]:
    return claim.added_at, claim.id
