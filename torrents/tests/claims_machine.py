"""Three people, an engine and the clock in any order of steps, compared with claims_model.py after each.

The same machine works on the engine in memory and on a real qBittorrent. To add a rule: a method with `@rule` that does
one thing to the box and says the same to the model; what must then hold stands in `ClaimsMachine.looks_right` (always)
and in `World.problems` (as soon as everything has settled).
"""

import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from rest_framework.test import APIClient

from deploy.swarm import make_torrent
from torrents import services
from torrents.engines.base import Engine, EngineState, EngineTorrent
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim, LiveState, Removal, Torrent
from torrents.reconciler import Reconciler, data_root
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import TorrentRefused, changes_since, default_engine
from torrents.tests.claims_model import WAYS, ClaimsModel, Content, Hold, Row
from torrents.tests.engines.harness import same_files, write_content
from torrents.tests.factories import client_of, magnet, person

State = LiveState.State
USERS = ("alice", "bob", "charlie")
# What exists in the world: (version, private).
KINDS: tuple[tuple[Any, bool], ...] = (
    ("v1", False),
    ("v2", False),
    ("hybrid", False),
    ("hybrid", False),
    ("hybrid", True),
    ("v1", True),
)
STEPS_EACH = 50  # of an example
FILE_SIZE = 40_000  # bytes


class Setting(Protocol):
    """An engine and its swarm, and what can happen to them."""

    @property
    def engine(self) -> Engine: ...

    def offer(self, metainfo: bytes, content: Path) -> None: ...

    def look(self) -> Collection[EngineTorrent]:
        """What the engine holds, without its reconciler noticing that somebody looked."""

    def kill(self) -> None:
        """It ends without a chance to save anything, and does not answer until `start`."""

    def start(self) -> None: ...

    def pass_time(self) -> None: ...

    def patience(self) -> Iterator[None]:
        """As many rounds as the engine may need to do all that it can."""

    def close(self) -> None:
        """Leave no torrents behind."""


def run_machine(machine: type["ClaimsMachine"], *, steps: int, root: Path, **options: Any) -> None:
    """As many examples as make about so many steps in all."""
    with ReconcilerLock(default_engine().pk) as lock:
        assert lock.try_acquire()
        machine.lock, machine.contents, machine.steps = lock, make_contents(root), 0
        run_state_machine_as_test(
            machine,
            settings=hypothesis_settings(
                max_examples=-(-steps // STEPS_EACH),
                stateful_step_count=STEPS_EACH,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                **options,
            ),
        )
    print(f"{machine.steps} steps")


def make_contents(root: Path) -> list[tuple[Source, Path]]:
    """What exists in the world, with the folders that it was made from."""
    made = []
    for number, (version, private) in enumerate(KINDS):
        folder = write_content(root / str(number) / "show", "one.mkv", "more/two.mkv", size=FILE_SIZE)
        metainfo = make_torrent(folder, version=version, private=private, piece_size=16 * 1024)
        made.append((parse_torrent(metainfo), folder))
    return made


class World:
    """The box under test: rows, a reconciler, an engine and its swarm."""

    def __init__(self, setting: Setting, lock: ReconcilerLock, contents: list[Content]) -> None:
        self.setting = setting
        self._lock = lock
        self.users = {name: person(name) for name in USERS}
        self.clients: dict[str, APIClient] = {name: client_of(user) for name, user in self.users.items()}
        self.contents = contents
        self.model = ClaimsModel()
        self.shown: dict[str, set[uuid.UUID]] = {name: set() for name in USERS}
        self._seen = dict.fromkeys(USERS, 0)
        self._completed: dict[uuid.UUID, Content] = {}
        self.restart_reconciler()

    def restart_reconciler(self) -> None:
        self._reconciler = Reconciler(engine=self.setting.engine, row=default_engine(), lock=self._lock)

    def round(self, *, woken: bool = True) -> None:
        self.setting.pass_time()
        self._reconciler.attempt(woken=woken)
        self.notice()

    def notice(self) -> None:
        """Tell the model what only the world decides: whose metadata has arrived, and what is complete."""
        for content in self.contents:
            source = content.source
            found = Torrent.objects.matching(source.infohash_v1, source.infohash_v2)
            whole = [
                t for t in found if (t.infohash_v1, t.infohash_v2) == (source.infohash_v1, source.infohash_v2)
            ]
            known = [t for t in whole if t.metainfo is not None or len(content.names) == 2]
            for torrent in known:
                claims = Claim.with_removed.filter(torrent=torrent).select_related("user")
                self.model.learned(content, {claim.user.username for claim in claims})
            for torrent in whole:
                if torrent.completed_at is not None:
                    self._completed[torrent.pk] = content

    def as_source(self, content: Content, way: str) -> Source:
        v1, v2 = content.source.infohash_v1, content.source.infohash_v2
        names = WAYS[way]
        return (
            content.source
            if way == "torrent"
            else magnet(v1=v1 if "v1" in names else None, v2=v2 if "v2" in names else None)
        )

    def claim(self, claim_id: uuid.UUID) -> Claim:
        return Claim.with_removed.named(claim_id).select_related("user").get()

    def poll_changes(self, user: str) -> None:
        news = changes_since(user=self.users[user], change=self._seen[user], limit=50)
        self.shown[user] -= set(news.removed)
        self.shown[user] |= {claim.pk for claim in news.claims}
        self._seen[user] = news.change

    def missing_files(self) -> list[str]:
        """What was complete once stays on the disk as long as anybody may have it."""
        ids = set(Torrent.objects.filter(pk__in=self._completed).values_list("pk", flat=True))
        return [
            f"{file} of {torrent_id}"
            for torrent_id, content in self._completed.items()
            if torrent_id in ids
            for file, size in content.source.files or ()
            if not _is_there(data_root() / str(torrent_id) / file, size)
        ]

    def settle(self) -> None:
        """Let rounds go by until the engine is as the rules want it."""
        for number, _ in enumerate(self.setting.patience()):
            self.round(woken=number % 2 == 0)
            if not self.problems():
                return
        raise AssertionError(self.problems())

    def problems(self) -> list[str]:
        """How the engine and the disk differ from what the model says, once everything has settled."""
        entries = {seen.save_path: seen for seen in self.setting.look()}
        rows = {self._torrent_of(row): row for row in self.model.rows}
        found = [text for torrent, row in rows.items() for text in self._problems_of(torrent, row, entries)]
        paths = {str(torrent.data_dir) for torrent in rows}
        found += [f"the engine still has {path}" for path in entries.keys() - paths]
        folders = {str(folder) for folder in data_root().iterdir()} if data_root().is_dir() else set()
        found += [f"{folder} is left on the disk" for folder in folders - paths]
        found += [f"{removal} waits for its removal" for removal in Removal.objects.all()]
        return found

    def _torrent_of(self, row: Row) -> Torrent:
        ids = {self.claim(next(iter(hold.ids))).torrent_id for hold in row.holds.values()}
        (torrent_id,) = ids
        return Torrent.objects.select_related("live").get(pk=torrent_id)

    def _problems_of(self, torrent: Torrent, row: Row, entries: Mapping[str, EngineTorrent]) -> list[str]:
        seen = entries.get(str(torrent.data_dir))
        what = f"{row.content.source.files} {torrent.pk} (wanted {row.wanted}, running {row.running})"
        if torrent.refused:
            return [f"{what} was refused: {torrent.refused}"]
        if not row.wanted:
            return [] if seen is None or seen.state == EngineState.STOPPED else [f"{what} is {seen.state}"]
        if seen is None:
            return [f"{what} is not in the engine"]
        if not row.running:
            return [] if seen.state == EngineState.STOPPED else [f"{what} is {seen.state}"]
        if row.content.offered:
            if seen.state != EngineState.SEEDING or torrent.completed_at is None:
                return [f"{what} is {seen.state} at {seen.progress}, in the rows {torrent.live.state}"]
            return [] if same_files(torrent.data_dir, row.content.folder) else [f"{what} has other files"]
        waiting = (EngineState.METADATA, EngineState.STALLED, EngineState.SEEDING)
        return [] if seen.state in waiting else [f"{what} is {seen.state}"]


class ClaimsMachine(RuleBasedStateMachine):
    """Subclasses say where: `make_setting`, and what it needs."""

    lock: ClassVar[ReconcilerLock]
    contents: ClassVar[list[tuple[Source, Path]]]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._rows = transaction.atomic()
        self._rows.__enter__()
        self.setting = self.make_setting()
        self.world = World(self.setting, self.lock, [Content(*content) for content in self.contents])
        self.model = self.world.model

    def make_setting(self) -> Setting:
        raise NotImplementedError

    def teardown(self) -> None:
        self.setting.close()
        transaction.set_rollback(True)
        self._rows.__exit__(None, None, None)
        shutil.rmtree(data_root(), ignore_errors=True)

    def _one(self, user: str, pick: int, *, held: bool) -> Hold | None:
        holds = [hold for _, hold in self.model.holds_of(user) if hold.held == held]
        return holds[pick % len(holds)] if holds else None

    @rule(
        user=st.sampled_from(USERS),
        number=st.integers(0, len(KINDS) - 1),
        way=st.sampled_from(sorted(WAYS)),
        running=st.sampled_from([True, True, False]),
    )
    def add(self, user: str, number: int, way: str, running: bool) -> None:
        content = self.world.contents[number]
        if way != "torrent" and not WAYS[way] <= content.names:
            way = "torrent"
        refused = self.model.refuses(user, content, way)
        wanted = Claim.Wanted.RUNNING if running else Claim.Wanted.PAUSED
        try:
            claim, _ = services.add_torrent(
                user=self.world.users[user], source=self.world.as_source(content, way), wanted=wanted
            )
        except TorrentRefused:
            assert refused
            return
        assert not refused
        torrent = Torrent.objects.get(pk=claim.torrent_id)
        names = {"v1"} if torrent.infohash_v1 else set()
        names |= {"v2"} if torrent.infohash_v2 else set()
        self.model.add(user, content, way, running=running, claim_id=claim.pk, names=names)

    @rule(user=st.sampled_from(USERS), pick=st.integers(0, 9), running=st.booleans())
    def pause_or_resume(self, user: str, pick: int, running: bool) -> None:
        if hold := self._one(user, pick, held=True):
            verb = services.resume_torrent if running else services.pause_torrent
            verb(claim=self.world.claim(min(hold.ids)))
            hold.running = running

    @rule(user=st.sampled_from(USERS), pick=st.integers(0, 9))
    def remove(self, user: str, pick: int) -> None:
        if hold := self._one(user, pick, held=True):
            assert self.world.clients[user].delete(f"/api/v1/torrents/{min(hold.ids)}/").status_code == 204
            self.model.remove(hold)

    @rule(user=st.sampled_from(USERS), pick=st.integers(0, 9))
    def restore(self, user: str, pick: int) -> None:
        if hold := self._one(user, pick, held=False):
            answer = self.world.clients[user].post(f"/api/v1/torrents/{min(hold.ids)}/restore/")
            assert answer.status_code == (200 if hold.restorable else 404)
            if hold.restorable:
                self.model.restore(hold)

    @rule()
    def grace_passes(self) -> None:
        grace = timedelta(seconds=settings.REMOVAL_GRACE_SECONDS)
        Claim.with_removed.exclude(removed_at=None).update(removed_at=F("removed_at") - grace)
        self.model.pass_grace()

    @rule()
    def worker_retires(self) -> None:
        services.retire_unclaimed_torrents()
        self.model.retire()

    @rule(number=st.integers(0, len(KINDS) - 1))
    def somebody_offers(self, number: int) -> None:
        content = self.world.contents[number]
        if not content.offered:
            content.offered = True
            assert content.source.metainfo is not None
            self.setting.offer(content.source.metainfo, content.folder)

    @rule(rounds=st.integers(1, 3))
    def engine_works(self, rounds: int) -> None:
        for _ in range(rounds):
            self.world.round()

    @rule(rounds=st.integers(0, 2))
    def engine_is_killed(self, rounds: int) -> None:
        self.setting.kill()
        for _ in range(rounds):
            self.world.round()
        self.setting.start()

    @rule()
    def reconciler_restarts(self) -> None:
        self.world.restart_reconciler()

    @rule()
    def everything_settles(self) -> None:
        self.world.settle()
        for user in USERS:
            self._check_lists(user)
            for row, hold in self.model.holds_of(user):
                self._check_details(user, row, hold)

    def _check_details(self, user: str, row: Row, hold: Hold) -> None:
        for claim_id in hold.ids:
            for other, client in self.world.clients.items():
                answer = client.get(f"/api/v1/torrents/{claim_id}/")
                mine = other == user and hold.held
                assert answer.status_code == (200 if mine else 404), "a torrent of another is seen"
                if mine and hold.running and row.content.offered:
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
        assert not self.world.missing_files()


def _same(ids: Collection[uuid.UUID], holds: Collection[Hold]) -> bool:
    """Whether each hold shows exactly one of its ids, and nothing else is shown."""
    return len(ids) == len(holds) and all(len(hold.ids & set(ids)) == 1 for hold in holds)


def _is_there(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size
