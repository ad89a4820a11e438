"""The box that claims_machine.py puts to the test, with an engine and a swarm around it."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from rest_framework.test import APIClient

from deploy.swarm import make_torrent
from torrents.engines.base import Engine, EngineState, EngineTorrent
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim, Removal, Torrent
from torrents.reconciler import Reconciler, data_root
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import changes_since, default_engine
from torrents.tests.claims_model import WAYS, ClaimsModel, Content, Row
from torrents.tests.engines.harness import same_files, write_content
from torrents.tests.factories import client_of, magnet, person

USERS = ("alice", "bob", "charlie")
# What exists in the world: (version, private). Few, so that people meet.
KINDS: tuple[tuple[Any, bool], ...] = (("hybrid", False), ("hybrid", True), ("v1", False), ("v2", False))
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
        assert not set(news.removed) & {claim.pk for claim in news.claims}, "gone and there at once"
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
            looks = (
                seen.state == EngineState.METADATA and not seen.downloaded
            )  # so that its files can be chosen
            return [] if looks or seen.state == EngineState.STOPPED else [f"{what} is {seen.state}"]
        if row.can_finish:
            if seen.state != EngineState.SEEDING or torrent.completed_at is None:
                return [f"{what} is {seen.state} at {seen.progress}, in the rows {torrent.live.state}"]
            return [] if same_files(torrent.data_dir, row.content.folder) else [f"{what} has other files"]
        waiting = (EngineState.METADATA, EngineState.STALLED, EngineState.SEEDING)
        return [] if seen.state in waiting else [f"{what} is {seen.state}"]


def _is_there(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size
