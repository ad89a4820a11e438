"""The box that claims_machine.py puts to the test, with an engine and a swarm around it."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from accounts.models import User
from deploy.swarm import make_torrent
from torrents.engines.base import Engine, EngineFile, EngineState, EngineTorrent
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim, Removal, Torrent
from torrents.reconciler import Reconciler, data_root
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import changes_since, default_engine
from torrents.tests.both_ways import BothWays
from torrents.tests.claims_expectations import (
    Doorkeeper,
    needless_waits,
    right_states,
    wrong_limits,
    wrong_wishes,
)
from torrents.tests.claims_model import WAYS, ClaimsModel, Content, Hold, Row, Told
from torrents.tests.engines.harness import write_content
from torrents.tests.factories import magnet, person

USERS = ("alice", "bob", "charlie")
# What exists in the world: (version, private). Few, so that people meet.
KINDS: tuple[tuple[Any, bool], ...] = (("hybrid", False), ("hybrid", True), ("v1", False), ("v2", False))
FILES = ("one.mkv", "more/two.mkv", "more/three.mkv")
FILE_SIZE = 40_000  # bytes


class Setting(Protocol):
    """An engine and its swarm, and what can happen to them."""

    @property
    def engine(self) -> Engine: ...

    def offer(self, metainfo: bytes, content: Path) -> None: ...

    def look(self) -> Collection[EngineTorrent]:
        """What the engine holds, without its reconciler noticing that somebody looked."""

    def files(self, key: str) -> Collection[EngineFile]: ...

    def kill(self) -> None:
        """It ends without a chance to save anything, and does not answer until `start`."""

    def start(self) -> None: ...

    def pass_time(self) -> None: ...

    def patience(self) -> Iterator[None]:
        """As many rounds as the engine may need to do all that it can."""

    def close(self) -> None:
        """Leave no torrents behind."""


def make_contents(root: Path) -> list[tuple[Source, Path]]:
    """What exists in the world, with the folders that it was made from."""
    made = []
    for number, (version, private) in enumerate(KINDS):
        folder = write_content(root / str(number) / "show", *FILES, size=FILE_SIZE)
        metainfo = make_torrent(folder, version=version, private=private, piece_size=16 * 1024)
        made.append((parse_torrent(metainfo), folder))
    return made


class World:
    """The box under test: rows, a reconciler, an engine and its swarm."""

    def __init__(self, setting: Setting, lock: ReconcilerLock, contents: list[Content]) -> None:
        self.setting = setting
        self._lock = lock
        self.users = {name: person(name) for name in USERS}
        self.clients = {name: BothWays(user) for name, user in self.users.items()}
        self.contents = contents
        self.model = ClaimsModel(USERS)
        self.shown: dict[str, set[uuid.UUID]] = {name: set() for name in USERS}
        self._seen = dict.fromkeys(USERS, 0)
        self._whole: dict[uuid.UUID, tuple[Content, set[int]]] = {}  # what somebody had complete of a torrent
        self._doorkeeper = Doorkeeper()
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
        assert not set(news.removed) & {claim.pk for claim in news.claims}, "gone and there at once"
        self.shown[user] -= set(news.removed)
        self.shown[user] |= {claim.pk for claim in news.claims}
        self._seen[user] = news.change

    def allow(self, user: str, limits: Mapping[str, int | None]) -> None:
        """As an admin does it."""
        User.objects.filter(pk=self.users[user].pk).update(**limits)

    def knows_files(self, claim_id: uuid.UUID) -> bool:
        torrent = self.claim(claim_id).torrent
        return torrent.metainfo is not None or torrent.files.exists()

    def ask(self) -> None:
        """Tell the model what the box says of its claims now."""
        facts = {}
        for claim in Claim.with_removed.select_related("torrent", "torrent__live").defer("torrent__metainfo"):
            content = self._content_of(claim.torrent)
            files = (content.source.files or ()) if content else ()
            chosen = set(range(len(files)) if claim.chosen_files is None else claim.chosen_files)
            complete = claim.completed_at is not None
            facts[claim.pk] = Told(
                waits_for=claim.waits_for,
                let_in=(claim.admitted_size or 0) >= sum(files[index][1] for index in chosen) > 0,
                complete=complete,
                begun=claim.torrent.live.progress > 0,
            )
            if complete and content:
                self._whole.setdefault(claim.torrent_id, (content, set()))[1].update(chosen)
        self.model.told(facts)

    def let_in_beyond_limits(self) -> list[str]:
        return self._doorkeeper.too_much(self.model)

    def missing_files(self) -> list[str]:
        """What was complete once stays on the disk as long as anybody may have it."""
        living = Claim.with_removed.filter(torrent__in=self._whole).values_list("torrent_id", "chosen_files")
        missing = set()
        for torrent_id, chosen in living:
            content, whole = self._whole[torrent_id]
            for index in whole.intersection(whole if chosen is None else chosen):
                path, size = (content.source.files or ())[index]
                if not _is_there(data_root() / str(torrent_id) / path, size):
                    missing.add(f"{path} of {torrent_id}")
        return sorted(missing)

    def _content_of(self, torrent: Torrent) -> Content | None:
        for content in self.contents:
            if torrent.infohash_v1 == content.source.infohash_v1 is not None:
                return content
            if torrent.infohash_v2 == content.source.infohash_v2 is not None:
                return content
        return None

    def settle(self) -> None:
        """Let rounds go by until the engine is as the rules want it."""
        for number, _ in enumerate(self.setting.patience()):
            self.round(woken=number % 2 == 0)
            if not self.problems():
                return
        raise AssertionError(self.problems())

    def problems(self) -> list[str]:
        """How the engine and the disk differ from what the model says, once everything has settled."""
        self.ask()
        entries = {seen.save_path: seen for seen in self.setting.look()}
        rows = {self._torrent_of(row): row for row in self.model.rows}
        found = [text for torrent, row in rows.items() for text in self._problems_of(torrent, row, entries)]
        paths = {str(torrent.data_dir) for torrent in rows}
        found += [f"the engine still has {path}" for path in entries.keys() - paths]
        folders = {str(folder) for folder in data_root().iterdir()} if data_root().is_dir() else set()
        found += [f"{folder} is left on the disk" for folder in folders - paths]
        found += [f"{removal} waits for its removal" for removal in Removal.objects.all()]
        found += needless_waits(self.model)
        if not found:
            running = {row: entries[str(torrent.data_dir)] for torrent, row in rows.items() if row.running}
            found += wrong_limits(self.model, running)
        return found

    def _torrent_of(self, row: Row) -> Torrent:
        ids = {self.claim(next(iter(hold.ids))).torrent_id for hold in row.holds.values()}
        (torrent_id,) = ids
        return Torrent.objects.select_related("live").get(pk=torrent_id)

    def _problems_of(self, torrent: Torrent, row: Row, entries: Mapping[str, EngineTorrent]) -> Iterator[str]:
        seen = entries.get(str(torrent.data_dir))
        what = f"{row.content.source.files} {torrent.pk} (wanted {row.wanted}, running {bool(row.running)})"
        if torrent.refused:
            yield f"{what} was refused: {torrent.refused}"
        elif seen is None:
            if row.wanted:
                yield f"{what} is not in the engine"
        elif not row.running:
            # A magnet's metadata is looked for though it is paused, so that its files can be chosen.
            looks = row.wanted and seen.state == EngineState.METADATA and not seen.downloaded
            if not looks and seen.state != EngineState.STOPPED:
                yield f"{what} is {seen.state}"
        elif seen.state not in right_states(row):
            yield f"{what} is {seen.state} at {seen.progress}, in the rows {torrent.live.state}"
        else:
            files = self.setting.files(seen.key) if seen.has_metadata else ()
            yield from (f"{what}: {wrong}" for wrong in wrong_wishes(row, seen, files))
            for hold in row.running if row.can_finish else ():
                yield from (f"{what}: {wrong}" for wrong in self._wrong_files(torrent, row, hold))

    def _wrong_files(self, torrent: Torrent, row: Row, hold: Hold) -> Iterator[str]:
        if not hold.told.complete:
            yield f"{hold.ids} is not complete"
            return
        for index, (path, _) in enumerate(row.content.source.files or ()):
            if hold.wishes.files is None or index in hold.wishes.files:
                original = row.content.folder.parent / path
                if (torrent.data_dir / path).read_bytes() != original.read_bytes():
                    yield f"{path} is another file"


def _is_there(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size
