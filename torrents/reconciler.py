"""The loop between the rows and the engine: wishes go in, what the engine really does comes back.

Everything here can be done twice: a round that was cut off anywhere is simply repeated. What the engine holds is
recognised by its save path, which carries our id; infohashes of hybrids change under way, paths never do.
"""

import logging
import shutil
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import transaction

from proxy_site import life_signs
from torrents import admission, egress, engine_records, metainfo
from torrents.engine_wishes import NO_WISHES, EngineWishes, read_wishes
from torrents.engines.base import Engine as EngineAdapter
from torrents.engines.base import EngineError, EngineState, EngineTorrent, Snapshot, TorrentRejected
from torrents.file_progress import FileProgress, is_partial
from torrents.foreign import ForeignTorrents
from torrents.metainfo import MetainfoError, Source
from torrents.models import Engine, LiveState, Removal, Torrent
from torrents.querysets import TorrentFacts
from torrents.rechecks import apply_rechecks
from torrents.reconciler_lock import ReconcilerLock
from torrents.swarm import SwarmReader
from torrents.uploads import grown, record_upload

logger = logging.getLogger(__name__)

SHORTEST_PAUSE = 1.0  # seconds between two polls
SOON = 0.25  # the same, after what is likely to lead to something at once
LONGEST_PAUSE = 10.0
POLL_SHARE = 0.1  # of our time at most goes into asking: the engine answers everything on one thread
RELOAD_EVERY = 30.0  # seconds; the rows are read again even if nobody woke us
ADD_SECONDS = (
    20.0  # in one round: with an engine that takes seconds for each, many would keep everything else waiting
)
STOP_WITHIN = 1.0
AWAY_PAUSES = (1.0, 2.0, 5.0, 10.0)


class Reconciler:
    """One per engine; the caller holds its lock.

    Between two wake-ups it works from memory: an unchanged box costs the database one small UPDATE a round.
    """

    def __init__(self, *, engine: EngineAdapter, row: Engine, lock: ReconcilerLock) -> None:
        self._engine = engine
        self._row = row
        self._lock = lock
        self._rows: dict[uuid.UUID, TorrentFacts] = {}
        self._wishes = NO_WISHES
        self._in_engine = EngineWishes(engine)
        self._file_progress = FileProgress(engine)
        self._upload_limit: int | None = None  # bytes a second, of all torrents together
        self._seeding_over: set[uuid.UUID] = set()  # finished, and given to other peers for long enough
        self._written = engine_records.stored_live_states(row)
        self._compare_all = True  # the engine's news since our last complete round may be lost
        self._unstorable: set[uuid.UUID] = set()
        self._learn_after: dict[uuid.UUID, float] = {}  # of torrents whose metadata could not be had
        self._swarms = SwarmReader(engine=engine, row=row)
        self._foreign = ForeignTorrents(row)
        self._long_searches: set[uuid.UUID] = set()
        self._next_reload = 0.0
        self._expects_news = False
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. Raises LockLost when another reconciler may have taken over."""
        woken = True
        while not stop.is_set():
            life_signs.alive()
            woken = self._rest(self.attempt(woken=woken), stop)

    def attempt(self, *, woken: bool) -> float:
        """One round, whether or not the engine is there. Returns the seconds to wait before the next one."""
        started = time.monotonic()
        try:
            self.round(woken=woken)
        except EngineError as error:
            return self._note_away(error)
        self._failures = 0
        shortest = SOON if self._expects_news else SHORTEST_PAUSE
        return min(max(shortest, (time.monotonic() - started) / POLL_SHARE), LONGEST_PAUSE)

    def _rest(self, seconds: float, stop: threading.Event) -> bool:
        """Until somebody wishes something (True), the time is over, or we are told to stop."""
        end = time.monotonic() + seconds
        while not stop.is_set() and (left := end - time.monotonic()) > 0:
            if self._lock.wait_for_intent(min(left, STOP_WITHIN)):
                return True
        return False

    def round(self, *, woken: bool) -> None:
        """One look at the engine and everything that follows from it.

        Raises EngineError when the engine is away or fails half-way: the next round does the rest.
        """
        self._lock.check()
        snapshot = self._engine.poll()
        if snapshot.resynced:
            self._in_engine.forget()
        if not self._row.reachable:
            logger.info("The engine answers: %s", snapshot.status.version)
        engine_records.record_engine(engine=self._row, status=snapshot.status, free_space=free_space())
        reloaded = woken or time.monotonic() >= self._next_reload
        if reloaded:
            self._reload()
        if snapshot.status.upload_limit != self._upload_limit:
            self._engine.set_total_upload_limit(self._upload_limit)
        held = self._held(snapshot)
        if reloaded:
            self._remove_retired(held)
            apply_rechecks(engine=self._engine, row=self._row, held=held)
        # First: rows that turn out to be one torrent must not be asked for as two, and a size that came to light may
        # be more than there is room for.
        self._expects_news = self._learn_metadata(held)
        if self._expects_news:
            self._reload()
        self._grant_wishes(held, retry_errors=reloaded and not woken)
        self._record(snapshot, held)
        if self._file_progress.follow(held, self._rows, self._wishes):
            self._next_reload = 0.0
        self._swarms.read(held)
        if self._foreign.due():
            torrents = snapshot.torrents.values()
            self._foreign.record(seen for seen in torrents if torrent_id_of(seen.save_path) not in self._rows)

    def _reload(self) -> None:
        admission.decide(engine=self._row, free_space=self._row.free_space)
        self._seeding_over = admission.seeding_over(self._row)
        self._upload_limit = egress.current_policy().upload_limit
        self._rows = {facts.id: facts for facts in Torrent.objects.filter(engine=self._row).facts()}
        self._wishes = read_wishes(self._row)
        for gone in self._written.keys() - self._rows.keys():
            del self._written[gone]
        self._swarms.reload()
        self._long_searches = engine_records.tell_long_searches(engine=self._row, told=self._long_searches)
        self._next_reload = time.monotonic() + RELOAD_EVERY

    def _held(self, snapshot: Snapshot) -> dict[uuid.UUID, EngineTorrent]:
        """What the engine has of ours, by our ids. Anything else in it is not ours to touch."""
        named = ((torrent_id_of(seen.save_path), seen) for seen in snapshot.torrents.values())
        return {torrent_id: seen for torrent_id, seen in named if torrent_id is not None}

    def _remove_retired(self, held: Mapping[uuid.UUID, EngineTorrent]) -> None:
        for removal in Removal.objects.filter(engine=self._row).order_by("requested_at"):
            seen = held.get(removal.pk)
            if seen is not None:
                self._engine.remove([seen.key], delete_data=True)
            folder = data_root() / str(removal.pk)
            try:
                shutil.rmtree(folder)
            except FileNotFoundError:
                pass
            except OSError as error:
                logger.warning("Cannot delete %s yet, trying again later: %s", folder, error)
                continue
            if seen is None:  # the engine has nothing of it left: only now is it forgotten
                engine_records.forget_removal(torrent_id=removal.pk)
            else:
                self._next_reload = 0.0

    def _grant_wishes(self, held: Mapping[uuid.UUID, EngineTorrent], *, retry_errors: bool) -> None:
        """Make the engine's list and its running torrents those that the rows ask for."""
        self._in_engine.apply(self._wishes, held)
        start: list[str] = []
        stop: list[str] = []
        last_add = time.monotonic() + ADD_SECONDS
        for facts in list(self._rows.values()):
            seen = held.get(facts.id)
            if seen is None:
                if (
                    facts.claimed and not facts.refused and time.monotonic() < last_add
                ):  # the next round goes on
                    self._add(facts)
            elif not seen.has_metadata:
                self._look_for_metadata(facts, seen, stop, retry_errors=retry_errors)
            elif facts.wanted_running and not (seen.progress >= 1 and facts.id in self._seeding_over):
                rests = seen.state == EngineState.STOPPED or (
                    retry_errors and seen.state == EngineState.ERROR
                )
                # Not before its size was looked at, nor before the engine knows which files are wanted.
                if rests and facts.has_files and self._in_engine.settle(facts.id, seen, self._wishes):
                    start.append(seen.key)
            elif seen.state not in (EngineState.STOPPED, EngineState.ERROR, EngineState.CHECKING):
                stop.append(seen.key)
        if start:
            self._engine.start(start)
        if stop:
            self._engine.stop(stop)
        self._in_engine.settle_all(self._wishes, held)

    def _look_for_metadata(
        self, facts: TorrentFacts, seen: EngineTorrent, stop: list[str], *, retry_errors: bool
    ) -> None:
        """A magnet whose metadata is not known looks for it, or is stopped."""
        if facts.has_metainfo:
            # Somebody has presented the .torrent meanwhile: the swarm need not tell, and of a private one it does not.
            self._engine.remove([seen.key], delete_data=False)
            self._add(facts)
        elif facts.id in self._wishes.lookups:
            if seen.state == EngineState.STOPPED or (retry_errors and seen.state == EngineState.ERROR):
                # Started, it would download everything. Added anew it stops once its metadata is there.
                self._engine.remove([seen.key], delete_data=False)
                self._add(facts)
        elif seen.state not in (EngineState.STOPPED, EngineState.ERROR, EngineState.CHECKING):
            stop.append(seen.key)

    def _add(self, facts: TorrentFacts) -> None:
        torrent = Torrent.objects.filter(pk=facts.id).first()
        if torrent is None or (torrent.metainfo is None and facts.id not in self._wishes.lookups):
            return
        torrent.data_dir.mkdir(parents=True, exist_ok=True)
        known = bytes(torrent.metainfo) if torrent.metainfo is not None else None
        try:
            self._engine.add(
                metainfo=known,
                magnet=None if known is not None else torrent.magnet,
                save_path=str(torrent.data_dir),
                # Data that was complete is checked first, and only a started torrent is. What is not all wanted
                # starts when the engine knows which files are.
                stopped=(not facts.wanted_running and torrent.completed_at is None)
                or self._wishes.of(facts.id).files is not None,
            )
        except TorrentRejected as rejected:
            logger.warning("The engine rejects %s: %s", torrent.pk, rejected)
            engine_records.record_refusal(torrent_id=torrent.pk, reason=str(rejected))
            self._rows[facts.id] = replace(facts, refused=True)
            if facts.id in self._written:
                self._written[facts.id].state = ""  # it says so now; whatever comes after that is news

    def _learn_metadata(self, held: dict[uuid.UUID, EngineTorrent]) -> bool:
        """Note what the engine has learned from the swarm about torrents that came as magnets; False if nothing.

        What turned out to be private is taken out of the engine and of `held`, to be added anew.
        """
        now = time.monotonic()
        learned = False
        for torrent_id, seen in list(held.items()):
            facts = self._rows.get(torrent_id)
            if facts is None or not seen.has_metadata or self._learn_after.get(torrent_id, now) > now:
                continue
            try:
                learned |= self._learn(facts, seen, held)
            except EngineError as error:
                # Perhaps this torrent alone is to blame: the others must not wait. If not, the next poll tells.
                logger.warning("The metadata of %s cannot be had now: %s", torrent_id, error)
                self._learn_after[torrent_id] = now + RELOAD_EVERY
                break
        return learned

    def _learn(self, facts: TorrentFacts, seen: EngineTorrent, held: dict[uuid.UUID, EngineTorrent]) -> bool:
        """Note what is new about one torrent; False if nothing is."""
        new_infohash = (seen.infohash_v1 and not facts.has_infohash_v1) or (
            seen.infohash_v2 and not facts.has_infohash_v2
        )
        if new_infohash:
            engine_records.record_infohashes(torrent_id=facts.id, v1=seen.infohash_v1, v2=seen.infohash_v2)
        if not facts.has_files:
            self._record_files(facts, seen, held)
        elif not facts.has_metainfo and seen.progress >= 1 and facts.id not in self._unstorable:
            if source := self._exported(facts, seen):
                self._leave_trackers(facts.id, source, held)
                engine_records.record_metainfo(torrent_id=facts.id, source=source)
            else:
                self._unstorable.add(facts.id)
        else:
            return bool(new_infohash)
        return True

    def _record_files(
        self, facts: TorrentFacts, seen: EngineTorrent, held: dict[uuid.UUID, EngineTorrent]
    ) -> None:
        files = self._engine.files(seen.key)
        if files:
            source = None if facts.has_metainfo else self._exported_early(facts, seen)
            if source is not None:
                self._leave_trackers(facts.id, source, held)
            engine_records.record_metadata(
                torrent_id=facts.id,
                source=source,
                name=source.name if source else metainfo.display_name(seen.name),
                files=files,
            )

    def _leave_trackers(
        self, torrent_id: uuid.UUID, source: Source, held: dict[uuid.UUID, EngineTorrent]
    ) -> None:
        """While nobody knew that it is private it was joined to the trackers of all who named it, passkeys included.
        Added anew, it has those of its row. Before the rows know: cut off in between, all of this is done again."""
        if source.private:
            self._engine.remove([held[torrent_id].key], delete_data=False)
            del held[torrent_id]

    def _exported_early(self, facts: TorrentFacts, seen: EngineTorrent) -> Source | None:
        """The same before the data is there: qBittorrent 5.3 then refuses one whose v2 piece layers are to come."""
        try:
            return self._exported(facts, seen)
        except EngineError:
            if seen.infohash_v2 is None:
                raise
            return None

    def _exported(self, facts: TorrentFacts, seen: EngineTorrent) -> Source | None:
        """The engine's .torrent, vetted; None where it is not whole, or odder than what we would store."""
        try:
            return metainfo.parse_torrent(self._engine.export_metainfo(seen.key))
        except MetainfoError as error:
            logger.info("The metadata of %s is not kept now: %s", facts.id, error)
            return None

    def _record(self, snapshot: Snapshot, held: Mapping[uuid.UUID, EngineTorrent]) -> None:
        """Write back what differs from what was last written."""
        changed = {torrent_id_of(snapshot.torrents[key].save_path) for key in snapshot.changed}
        candidates = [
            torrent_id
            for torrent_id in self._rows
            if self._compare_all
            or torrent_id in changed
            or torrent_id not in self._written
            or torrent_id not in held
        ]
        differing = list(self._differing(candidates, held))
        if differing:
            partial = {id for id, facts in self._rows.items() if id in held and is_partial(facts, held[id])}
            with transaction.atomic():
                engine_records.record_live_states(differing, partial=partial)
                record_upload(engine=self._row, sent=grown(self._written, differing))
            if any(self._has_just_finished(live) for live in differing):
                self._next_reload = 0.0  # perhaps another one may start now
            self._written.update((live.torrent_id, live) for live in differing)
        self._compare_all = False

    def _has_just_finished(self, live: LiveState) -> bool:
        before = self._written.get(live.torrent_id)
        return live.state == LiveState.State.FINISHED and (before is None or before.state != live.state)

    def _differing(
        self, candidates: Iterable[uuid.UUID], held: Mapping[uuid.UUID, EngineTorrent]
    ) -> Iterable[LiveState]:
        for torrent_id in candidates:
            written = self._written.get(torrent_id)
            live = engine_records.live_state(torrent_id, held.get(torrent_id), written)
            if self._rows[torrent_id].refused:
                continue
            if written is None or any(
                getattr(live, field) != getattr(written, field) for field in engine_records.LIVE_FIELDS
            ):
                yield live

    def _note_away(self, error: EngineError) -> float:
        if self._failures == 0:
            logger.warning("The engine is away: %s", error)
        engine_records.record_engine_away(engine=self._row, message=str(error), notice=error.notice)
        self._written = engine_records.stored_live_states(self._row)
        self._compare_all = True
        self._next_reload = 0.0  # whoever woke us may not have been heard
        pause = AWAY_PAUSES[min(self._failures, len(AWAY_PAUSES) - 1)]
        self._failures += 1
        return pause


def data_root() -> Path:
    return Path(settings.DOWNLOADS_DIR) / "t"


def free_space() -> int | None:
    """Bytes left on the volume of the downloads; None before their folder exists."""
    try:
        return shutil.disk_usage(settings.DOWNLOADS_DIR).free
    except FileNotFoundError:
        return None


@lru_cache(maxsize=100_000)
def torrent_id_of(save_path: str) -> uuid.UUID | None:
    """Which of our torrents lives at this path of the engine; None for a path that is not ours."""
    folder = Path(save_path)
    if folder.parent != data_root():
        return None
    try:
        return uuid.UUID(folder.name)
    except ValueError:
        return None
