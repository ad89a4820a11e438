"""Three people, an engine and the clock in any order of steps, compared with claims_model.py after each.

The same machine works on the engine in memory and on a real qBittorrent. To add a rule: a method with `@rule` that does
one thing to the box and says the same to the model; what must then hold stands in `ClaimsMachine.looks_right` (always)
and in `World.problems` (as soon as everything has settled).
"""

import shutil
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from torrents import services
from torrents.metainfo import Source
from torrents.models import Claim, Torrent
from torrents.reconciler import data_root
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import TorrentRefused, default_engine
from torrents.tests.claims_model import WAYS, Content, Hold, Row
from torrents.tests.claims_world import FILE_SIZE, FILES, KINDS, USERS, Setting, World, make_contents

STEPS_EACH = 50  # of an example
PUBLIC = [number for number, (_, private) in enumerate(KINDS) if not private]
NUMBERS = st.integers(0, len(KINDS) - 1)
ADD = st.tuples(
    st.sampled_from(USERS),
    st.sampled_from([*range(len(KINDS)), *PUBLIC]),  # so that people meet
    st.sampled_from(["v1", "v2", "both", "torrent", "torrent"]),
    st.sampled_from([True, True, False]),
)
PICKS = st.integers(0, 11)  # one of the claims
FILE_CHOICES = st.sets(st.integers(0, len(FILES) - 1), max_size=len(FILES) - 1)  # none: all
WISHES: list[dict[str, Any]] = [
    {"download_limit": 400_000},
    {"download_limit": 900_001, "upload_limit": 50_000},
    {"upload_limit": 20_000},
    {"download_limit": None, "sequential": False},
    {"sequential": True},
    {"seed_ratio": 0},
    {"seed_ratio": None},
]
ONE = len(FILES) * FILE_SIZE  # bytes of a torrent
LIMITS: list[dict[str, int | None]] = [
    {"disk_quota": FILE_SIZE + 1},
    {"disk_quota": ONE},
    {"disk_quota": 2 * ONE + FILE_SIZE},
    {"disk_quota": None},
    {"active_torrent_limit": 1},
    {"active_torrent_limit": 2},
    {"active_torrent_limit": None},
    {"download_limit": 1_000_000},
    {"download_limit": 700_001, "upload_limit": 30_001},
    {"download_limit": None, "upload_limit": None},
]


def run_machine(machine: type["ClaimsMachine"], *, steps: int, root: Path, repeatable: bool) -> None:
    """About so many steps in all: the same ones every time where it is to be `repeatable`.

    What led to a failure is printed as it was; to shrink it takes minutes.
    """
    with ReconcilerLock(default_engine().pk) as lock:
        assert lock.try_acquire()
        machine.lock, machine.contents, machine.steps, machine.done = lock, make_contents(root), 0, Counter()
        while machine.steps < steps:
            run_state_machine_as_test(
                machine,
                settings=hypothesis_settings(
                    max_examples=-(-(steps - machine.steps) // STEPS_EACH) + 1,
                    stateful_step_count=STEPS_EACH,
                    deadline=None,
                    database=None,
                    derandomize=repeatable,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                ),
            )
    print(f"{machine.steps} steps: {dict(machine.done)}")


class ClaimsMachine(RuleBasedStateMachine):
    """Subclasses say where: `make_setting`, and what it needs."""

    lock: ClassVar[ReconcilerLock]
    contents: ClassVar[list[tuple[Source, Path]]]
    steps: ClassVar[int] = 0
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._rows = transaction.atomic()
        self._rows.__enter__()
        self.setting = self.make_setting()
        self.world = World(self.setting, self.lock, [Content(*content) for content in self.contents])
        self.model = self.world.model
        self.settled = False
        self.turn = 0

    def make_setting(self) -> Setting:
        raise NotImplementedError

    def teardown(self) -> None:
        self.setting.close()
        transaction.set_rollback(True)
        self._rows.__exit__(None, None, None)
        shutil.rmtree(data_root(), ignore_errors=True)

    def _did(self, what: str, *details: object) -> None:
        """For whoever has to find out how it came to a failure; pytest shows it then."""
        print(what, *details)
        self.done[what] += 1
        self.settled = what == "settle"

    def some(self, *, held: bool) -> bool:
        return any(hold.held == held for row in self.model.rows for hold in row.holds.values())

    def _one(self, pick: int, *, held: bool) -> tuple[str, Hold]:
        pairs = [(user, hold) for user in USERS for _, hold in self.model.holds_of(user) if hold.held == held]
        return pairs[pick % len(pairs)]

    @initialize(
        adds=st.lists(ADD, min_size=6, max_size=9),
        offered=st.sets(NUMBERS, min_size=2),
        limits=st.tuples(*[st.sampled_from(LIMITS)] * len(USERS)),
        wishes=st.lists(st.tuples(PICKS, st.sampled_from(WISHES)), min_size=2, max_size=5),
        files=st.lists(st.tuples(PICKS, FILE_CHOICES), max_size=3),
    )
    def begin(
        self,
        adds: list[tuple[str, int, str, bool]],
        offered: set[int],
        limits: Sequence[dict[str, int | None]] = (),
        wishes: Sequence[tuple[int, dict[str, Any]]] = (),
        files: Sequence[tuple[int, set[int]]] = (),
    ) -> None:
        """So that no example goes by in which there is nothing."""
        for number in sorted(offered):
            self.somebody_offers(number)
        for user, limit in zip(USERS, limits, strict=False):
            self.admin_limits(user, limit)
        for user, number, way, running in adds:
            self.add(user, number, way, running)
        for pick, wish in wishes if self.some(held=True) else ():
            self.somebody_wishes(pick, wish)
        for pick, choice in files if self.some(held=True) else ():
            self.choose_files(pick, choice)

    @rule(what=ADD)
    def somebody_adds(self, what: tuple[str, int, str, bool]) -> None:
        self.add(*what)

    def add(self, user: str, number: int, way: str, running: bool) -> None:
        content = self.world.contents[number]
        if way != "torrent" and not WAYS[way] <= content.names:
            (way,) = content.names
        refused = self.model.refuses(user, content, way)
        wanted = Claim.Wanted.RUNNING if running else Claim.Wanted.PAUSED
        try:
            claim, _ = services.add_torrent(
                user=self.world.users[user], source=self.world.as_source(content, way), wanted=wanted
            )
        except TorrentRefused:
            self._did("refused", user, number, way)
            assert refused
            return
        self._did("add", user, number, way, running)
        assert not refused
        torrent = Torrent.objects.get(pk=claim.torrent_id)
        names = {"v1"} if torrent.infohash_v1 else set()
        names |= {"v2"} if torrent.infohash_v2 else set()
        self.model.add(user, content, way, running=running, claim_id=claim.pk, names=names)

    @precondition(lambda self: self.some(held=True))
    @rule(pick=PICKS, running=st.booleans())
    def pause_or_resume(self, pick: int, running: bool) -> None:
        user, hold = self._one(pick, held=True)
        self._did("resume" if running else "pause", user, hold.ids)
        verb = services.resume_torrent if running else services.pause_torrent
        verb(claim=self.world.claim(min(hold.ids)))
        hold.running = running

    @precondition(lambda self: self.some(held=True))
    @rule(pick=PICKS)
    def remove(self, pick: int) -> None:
        user, hold = self._one(pick, held=True)
        self._did("remove", user, hold.ids)
        assert self.world.clients[user].delete(f"/api/v1/torrents/{min(hold.ids)}/").status_code == 204
        self.model.remove(hold)

    @precondition(lambda self: self.some(held=True))
    @rule(pick=PICKS, wishes=st.sampled_from(WISHES))
    def somebody_wishes(self, pick: int, wishes: dict[str, Any]) -> None:
        user, hold = self._one(pick, held=True)
        self._did("wish", user, hold.ids, wishes)
        assert self._patch(user, hold, wishes).status_code == 200
        self.model.wish(hold, wishes)

    @precondition(lambda self: self.some(held=True))
    @rule(pick=PICKS, files=FILE_CHOICES)
    def choose_files(self, pick: int, files: set[int]) -> None:
        user, hold = self._one(pick, held=True)
        known, had = self.world.knows_files(min(hold.ids)), hold.wishes.files
        is_there = hold.told.complete and (had is None or (files and files <= had))
        self._did("choose" if known else "choose too early", user, hold.ids, files)
        answer = self._patch(user, hold, {"files": sorted(files) or None})
        assert answer.status_code == (200 if known or not files else 400)
        if known:
            self.model.wish(hold, {"files": frozenset(files) or None})
            assert answer.json()["state"] == "finished" or not is_there, (
                "what somebody had was taken from them"
            )

    def _patch(self, user: str, hold: Hold, wishes: dict[str, Any]) -> Any:
        return self.world.clients[user].patch(f"/api/v1/torrents/{min(hold.ids)}/", wishes, format="json")

    @rule(user=st.sampled_from(USERS), limits=st.sampled_from(LIMITS))
    def admin_limits(self, user: str, limits: dict[str, int | None]) -> None:
        self._did("limit", user, limits)
        self.world.allow(user, limits)
        self.model.allow(user, limits)

    @precondition(lambda self: self.some(held=False))
    @rule(pick=PICKS)
    def restore(self, pick: int) -> None:
        user, hold = self._one(pick, held=False)
        self._did("restore" if hold.restorable else "restore too late", user, hold.ids)
        answer = self.world.clients[user].post(f"/api/v1/torrents/{min(hold.ids)}/restore/")
        assert answer.status_code == (200 if hold.restorable else 404)
        if hold.restorable:
            self.model.restore(hold)

    @precondition(lambda self: self.some(held=False))
    @rule(grace=st.booleans(), worker=st.booleans())
    def time_passes(self, grace: bool, worker: bool) -> None:
        if grace:
            self._did("grace passes")
            seconds = timedelta(seconds=settings.REMOVAL_GRACE_SECONDS)
            Claim.with_removed.exclude(removed_at=None).update(removed_at=F("removed_at") - seconds)
            self.model.pass_grace()
        if worker:
            self._did("retire", services.retire_unclaimed_torrents())
            self.model.retire()

    @rule(number=NUMBERS)
    def somebody_offers(self, number: int) -> None:
        content = self.world.contents[number]
        if not content.offered:
            self._did("offer", number)
            content.offered = True
            assert content.source.metainfo is not None
            self.setting.offer(content.source.metainfo, content.folder)

    @rule(rounds=st.integers(1, 3))
    def engine_works(self, rounds: int) -> None:
        self._did("rounds", rounds)
        for _ in range(rounds):
            self.world.round()

    @precondition(lambda self: not self.settled)
    @rule(rounds=st.integers(0, 2))
    def engine_is_killed(self, rounds: int) -> None:
        self._did("kill", rounds)
        self.setting.kill()
        for _ in range(rounds):
            self.world.round()
        self.setting.start()

    @precondition(lambda self: not self.settled)
    @rule()
    def reconciler_restarts(self) -> None:
        self._did("reconciler restarts")
        self.world.restart_reconciler()

    @precondition(lambda self: not self.settled)
    @rule()
    def everything_settles(self) -> None:
        self._did("settle")
        self.world.settle()
        for user in USERS:
            self._check_lists(user)
            for row, hold in self.model.holds_of(user):
                self._check_details(user, row, hold)

    def _check_details(self, user: str, row: Row, hold: Hold) -> None:
        if hold.waits:
            self.done[f"waits for {hold.told.waits_for}"] += 1
        for claim_id in hold.ids:
            for other, client in self.world.clients.items():
                answer = client.get(f"/api/v1/torrents/{claim_id}/")
                mine = other == user and hold.held
                assert answer.status_code == (200 if mine else 404), "a torrent of another is seen"
                if mine and hold.waits:
                    assert answer.json()["state"] == "waiting"
                    assert answer.json()["message"], "it does not say what it waits for"
                elif mine and hold.running and row.can_finish:
                    assert answer.json()["state"] == "finished"

    def _check_lists(self, user: str) -> None:
        client = self.world.clients[user]
        held = [hold for _, hold in self.model.holds_of(user) if hold.held]
        listed = {uuid.UUID(t["id"]): t for t in client.get("/api/v1/torrents/?limit=200").json()["results"]}
        assert _same(listed, held), "the list shows something else"
        for hold in held:
            state = listed[next(iter(hold.ids & listed.keys()))]["state"]
            assert state in ("paused", "finished") if not hold.running else state != "paused"
        removed = client.get("/api/v1/torrents/removed/?limit=200").json()["results"]
        restorable = [hold for _, hold in self.model.holds_of(user) if hold.restorable]
        assert _same([uuid.UUID(t["id"]) for t in removed], restorable)
        self.world.poll_changes(user)
        assert self.world.shown[user] == listed.keys(), "a client was told something else"

    @invariant()
    def looks_right(self) -> None:
        type(self).steps += 1
        self._check_lists(
            USERS[self.steps % len(USERS)]
        )  # one in turn: two requests are what a step costs most
        self.world.ask()
        assert not self.world.missing_files()
        assert not self.world.let_in_beyond_limits()


def _same(ids: Collection[uuid.UUID], holds: Collection[Hold]) -> bool:
    """Whether each hold shows exactly one of its ids, and nothing else is shown."""
    return len(ids) == len(holds) and all(len(hold.ids & set(ids)) == 1 for hold in holds)
