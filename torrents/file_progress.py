"""How far each file is, and which claims are complete with that, where the torrent's own progress does not tell.

It does not where people chose different files: a claim is complete when its files are. And it does not show files
to somebody who looks at them. One question to the engine for each of these torrents, so at intervals.
"""

import time
import uuid
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from torrents import history
from torrents.engine_wishes import Wishes
from torrents.engines.base import Engine as EngineAdapter
from torrents.engines.base import EngineError, EngineFile, EngineState, EngineTorrent
from torrents.models import Claim, Torrent, TorrentFile
from torrents.querysets import TorrentFacts

READ_EVERY = 2.0  # seconds, of one torrent
READ_SECONDS = 0.5  # in one round
UNSETTLED = (EngineState.CHECKING, EngineState.METADATA)  # what seems to be missing may only be unread yet
WORTH_WRITING = 0.001  # of progress


class FileProgress:
    """Reads files of one engine, and notes what became of them."""

    def __init__(self, engine: EngineAdapter) -> None:
        self._engine = engine
        self._read: dict[
            uuid.UUID, tuple[float, float, int | None]
        ] = {}  # when, and what the torrent was like

    def follow(
        self,
        held: Mapping[uuid.UUID, EngineTorrent],
        rows: Mapping[uuid.UUID, TorrentFacts],
        wishes: Wishes,
    ) -> bool:
        """Read what is due; True if somebody's torrent may be complete by that, so that the rows are to be read
        again. Raises EngineError."""
        for gone in self._read.keys() - held.keys():
            del self._read[gone]
        started = time.monotonic()
        completed = False
        for torrent_id, seen in held.items():
            facts = rows.get(torrent_id)
            if facts is None or not facts.has_files or not self._is_due(facts, seen, wishes):
                continue
            if time.monotonic() - started > READ_SECONDS:
                break  # the next round goes on
            self._read[torrent_id] = (time.monotonic(), seen.progress, seen.size)
            try:
                files = self._engine.files(seen.key)
            except EngineError:
                continue  # this one may be gone just now; if the engine is, the next poll tells
            completed |= record_file_progress(
                torrent_id=torrent_id, files=files, settled=seen.state not in UNSETTLED
            )
        return completed

    def _is_due(self, facts: TorrentFacts, seen: EngineTorrent, wishes: Wishes) -> bool:
        waited_for = facts.id in wishes.unfinished and seen.progress >= 1
        differs = facts.id in wishes.partial or is_partial(facts, seen)
        if not (waited_for or differs or facts.id in wishes.looked_at):
            return False
        if facts.id not in self._read:
            return True
        when, *was = self._read[facts.id]
        return time.monotonic() - when >= READ_EVERY and (waited_for or was != [seen.progress, seen.size])


def is_partial(facts: TorrentFacts, seen: EngineTorrent) -> bool:
    """Whether the engine's progress is that of some of the files only."""
    return seen.size != facts.size


@transaction.atomic
def record_file_progress(*, torrent_id: uuid.UUID, files: Sequence[EngineFile], settled: bool) -> bool:
    """Write how far each file is; note which claims are complete with that, and which are not any more. True if
    any of that changed. `settled` is False while the engine still looks at what is there."""
    torrent = Torrent.objects.locked().filter(pk=torrent_id).first()
    stored = {} if torrent is None else {file.index: file for file in torrent.files.all()}
    if torrent is None or not files or stored.keys() != {file.index for file in files}:
        return False
    changed, there = [], set()
    for seen in files:
        file = stored[seen.index]
        before = 1.0 if torrent.completed_at is not None else file.progress
        after = _progress(seen, before) if settled else max(before, _progress(seen, before))
        if after >= 1:
            there.add(file.index)
        if abs(after - file.progress) >= WORTH_WRITING or (after >= 1) != (file.progress >= 1):
            file.progress = after
            if after < 1:
                file.sha256 = ""
            changed.append(file)
    TorrentFile.objects.bulk_update(changed, ["progress", "sha256"], batch_size=2000)
    judged = _judge(torrent, there, all_there=len(there) == len(stored))
    if judged or (changed and Claim.objects.filter(torrent=torrent, chosen_files__isnull=False).exists()):
        Claim.objects.mark_changed([torrent.pk])
    return judged


def _progress(seen: EngineFile, before: float) -> float:
    """What is there of a file that is not wanted need not lie at its path, unless it was whole while it was wanted."""
    if seen.progress >= 1 and not seen.wanted and before < 1:
        return 0.999
    return seen.progress


def _judge(torrent: Torrent, there: Collection[int], *, all_there: bool) -> bool:
    now = timezone.now()
    changed = all_there != (torrent.completed_at is not None)
    if changed:
        torrent.completed_at = now if all_there else None
        torrent.save(update_fields=["completed_at"])
    for claim in Claim.with_removed.filter(torrent=torrent):
        chosen = claim.chosen_files
        complete = all_there if chosen is None else all(index in there for index in chosen)
        running = claim.wanted == Claim.Wanted.RUNNING and not claim.waits_for and claim.removed_at is None
        if claim.completed_at is not None and not complete:
            Claim.with_removed.filter(pk=claim.pk).update(completed_at=None)
        elif claim.completed_at is None and complete and running:
            Claim.with_removed.filter(pk=claim.pk).update(completed_at=now)
        else:
            continue
        changed = True
    history.note_completed([torrent.pk])
    return changed
