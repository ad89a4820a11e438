"""The rules of claims, once more and as plainly as possible: what the machine of claims_machine.py compares with.

Nothing here touches a database or an engine. Where the rules leave a choice (which of two ids stays), the model takes
all that are allowed. What only the world decides it is told: by `learned` that metadata has arrived, by `told` who was
let in and what is complete. Whether these decisions are right it judges itself.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from torrents.metainfo import Source

WAYS = {"v1": {"v1"}, "v2": {"v2"}, "both": {"v1", "v2"}, "torrent": {"v1", "v2"}}


@dataclass(eq=False)
class Content:
    """A torrent that exists in the world. `folder` holds what it was made from."""

    source: Source
    folder: Path
    offered: bool = False  # somebody in the swarm has it

    @property
    def names(self) -> set[str]:
        source = self.source
        return {name for name, known in (("v1", source.infohash_v1), ("v2", source.infohash_v2)) if known}

    @property
    def private(self) -> bool:
        return bool(self.source.private)


@dataclass(frozen=True)
class Wishes:
    """What one person wants of a torrent, beside that it runs. Limits in bytes a second, None: none."""

    files: frozenset[int] | None = None  # by index; None: all
    download_limit: int | None = None
    upload_limit: int | None = None
    sequential: bool = False
    seed_ratio: float | None = None  # nothing in particular, or 0: not to be seeded at all


@dataclass(frozen=True)
class Person:
    """What an admin allows somebody. Bytes, torrents, and bytes a second; None: more than anybody needs here."""

    disk_quota: int | None = None
    active_torrent_limit: int | None = None
    download_limit: int | None = None
    upload_limit: int | None = None


@dataclass(frozen=True)
class Told:
    """What the box says of a claim."""

    waits_for: str = ""
    let_in: bool = False  # to be downloaded, at the size that it has
    complete: bool = False
    begun: bool = False  # some of its torrent is there


@dataclass(eq=False)
class Hold:
    """What one person has of a row: held, or given up and to be taken back."""

    ids: set[uuid.UUID]  # it answers to all of them, and shows one
    running: bool
    by_file: bool
    added: int
    removed: int | None = None  # grace periods since it was given up
    wishes: Wishes = Wishes()
    told: Told = Told()

    @property
    def held(self) -> bool:
        return self.removed is None

    @property
    def restorable(self) -> bool:
        return self.removed == 0

    @property
    def waits(self) -> bool:
        return self.held and self.running and bool(self.told.waits_for)

    @property
    def runs(self) -> bool:
        return self.held and self.running and not self.waits

    @property
    def downloads(self) -> bool:
        return self.runs and self.told.let_in and not self.told.complete


@dataclass(eq=False)
class Row:
    """A torrent as far as the box knows it: by one of its names, or by all."""

    content: Content
    names: set[str]
    known: bool  # its metadata
    holds: dict[str, Hold] = field(default_factory=dict)

    @property
    def wanted(self) -> bool:
        return any(hold.held for hold in self.holds.values())

    @property
    def can_finish(self) -> bool:
        """While it runs. libtorrent's peers do not tell the metadata of private torrents, others may."""
        return self.content.offered and (self.known or not self.content.private)

    @property
    def running(self) -> list[Hold]:
        return [hold for hold in self.holds.values() if hold.runs]

    def size_of(self, hold: Hold) -> int:
        """Bytes of the files that somebody chose."""
        files, chosen = self.content.source.files or (), hold.wishes.files
        return sum(size for index, (_, size) in enumerate(files) if chosen is None or index in chosen)


class ClaimsModel:
    def __init__(self, users: Iterable[str]) -> None:
        self.rows: list[Row] = []
        self.people = dict.fromkeys(users, Person())
        self._counter = count()

    def holds_of(self, user: str) -> Iterator[tuple[Row, Hold]]:
        return ((row, row.holds[user]) for row in self.rows if user in row.holds)

    def refuses(self, user: str, content: Content, way: str) -> bool:
        """Whether the rule of private torrents forbids it."""
        rows = self._named(content, WAYS[way])
        if not content.private:
            return False
        if way == "torrent":
            others = (hold for row in rows for name, hold in row.holds.items() if name != user)
            return any(hold.held and hold.by_file for hold in others)
        own = next((row.holds[user] for row in rows if user in row.holds), None)
        return any(row.known for row in rows) and not (own and (own.held or own.restorable))

    def add(
        self, user: str, content: Content, way: str, *, running: bool, claim_id: uuid.UUID, names: set[str]
    ) -> None:
        """It was added; `claim_id` and `names`: which claim, on a torrent of which names, the answer was."""
        row = self._row_for(content, way, names)
        if content.private and way == "torrent":
            row.holds = {name: hold for name, hold in row.holds.items() if name == user}
        hold = row.holds.get(user)
        if hold is None or not (hold.held or hold.restorable):
            assert not any(claim_id in other.ids for _, other in self.holds_of(user)), "an old id came back"
            hold = row.holds[user] = Hold({claim_id}, running, False, next(self._counter))
        assert claim_id in hold.ids
        if not hold.held:
            hold.removed, hold.running = None, running
        hold.by_file |= way == "torrent"

    def learned(self, content: Content, survivors: set[str]) -> None:
        """The box knows the metadata of this content now; `survivors`: who has a claim on it."""
        row = self._merged(content, self._named(content, content.names))
        if row.known:
            return
        row.known = True
        if content.private and len(row.holds) > 1:
            pool = {user: hold for user, hold in row.holds.items() if hold.held} or row.holds
            (stays,) = survivors
            assert stays in pool
            if all(len(hold.ids) == 1 for hold in pool.values()):
                oldest = min(pool, key=lambda user: (not pool[user].by_file, pool[user].added))
                assert stays == oldest
            row.holds = {stays: row.holds[stays]}

    def remove(self, hold: Hold) -> None:
        hold.removed = 0

    def restore(self, hold: Hold) -> None:
        hold.removed = None

    def wish(self, hold: Hold, wishes: Mapping[str, Any]) -> None:
        hold.wishes = replace(hold.wishes, **wishes)

    def allow(self, user: str, limits: Mapping[str, int | None]) -> None:
        self.people[user] = replace(self.people[user], **limits)

    def told(self, facts: Mapping[uuid.UUID, Told]) -> None:
        for row in self.rows:
            for hold in row.holds.values():
                hold.told = next((facts[claim_id] for claim_id in hold.ids if claim_id in facts), Told())

    def pass_grace(self) -> None:
        for row in self.rows:
            for hold in row.holds.values():
                if hold.removed is not None:
                    hold.removed += 1

    def retire(self) -> None:
        for row in self.rows:
            row.holds = {user: hold for user, hold in row.holds.items() if hold.held or hold.restorable}
        self.rows = [row for row in self.rows if row.holds]

    def _named(self, content: Content, names: Iterable[str]) -> list[Row]:
        return [row for row in self.rows if row.content is content and row.names & set(names)]

    def _row_for(self, content: Content, way: str, names: set[str]) -> Row:
        rows = self._named(content, WAYS[way])
        if way == "torrent":
            row = self._merged(content, rows)
            row.known = True
            return row
        found = [row for row in rows if row.names == names]
        if not rows:
            found = [Row(content, {"v1"} if "v1" in WAYS[way] else {"v2"}, known=False)]
            self.rows += found
        (row,) = found
        assert row.names == names
        return row

    def _merged(self, content: Content, rows: list[Row]) -> Row:
        if not rows:
            self.rows.append(Row(content, set(), known=False))
            rows = self.rows[-1:]
        kept, *others = rows
        for other in others:
            self.rows.remove(other)
            for user, hold in other.holds.items():
                mine = kept.holds.get(user)
                kept.holds[user] = hold if mine is None else _one_of(mine, hold)
        kept.names = content.names
        kept.known = any(row.known for row in rows)
        return kept


def _one_of(first: Hold, second: Hold) -> Hold:
    """Two claims of one person that turned out to be one."""
    alike = first.held == second.held
    leading = first if alike or first.held else second
    ages = (first.removed, second.removed)
    return Hold(
        ids=first.ids | second.ids,
        running=first.running or second.running if alike else leading.running,
        by_file=first.by_file or second.by_file,
        added=min(first.added, second.added),
        removed=None if None in ages else min(age for age in ages if age is not None),
        wishes=_both_wishes(first.wishes, second.wishes) if alike else leading.wishes,
    )


def _both_wishes(first: Wishes, second: Wishes) -> Wishes:
    """What was wished of either, the more generous of two; nobody can have chosen files of what was not known."""
    assert first.files is second.files is None
    given = {
        name: [wish for wish in (getattr(first, name), getattr(second, name)) if wish is not None]
        for name in ("download_limit", "upload_limit", "seed_ratio")
    }
    highest = {name: max(wishes, default=None) for name, wishes in given.items()}
    return Wishes(sequential=first.sequential or second.sequential, **highest)
