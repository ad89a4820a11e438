"""What the reconciler writes back: rows follow the engine, and everybody concerned is told.

Only the reconciler calls these. Each is one transaction; lock order as in services.py.
"""

import uuid
from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils import timezone

from torrents import blocking, history
from torrents.engines.base import EngineFile, EngineState, EngineStatus, EngineTorrent
from torrents.locks import lock_change_counters, lock_infohashes
from torrents.merging import learn_infohashes, learn_metainfo
from torrents.metainfo import Source
from torrents.models import Claim, Engine, LiveState, Removal, Torrent, TorrentFile
from torrents.private import leave_one_claim
from torrents.states import LONG_SEARCH
from torrents.uploads import counts_after

State = LiveState.State
LIVE_FIELDS = [
    "state",
    "progress",
    "downloaded",
    "engine_uploaded",
    "download_speed",
    "upload_speed",
    "eta",
    "seeds",
    "peers",
]


def live_state(
    torrent_id: uuid.UUID, seen: EngineTorrent | None, before: LiveState | None = None
) -> LiveState:
    """The row that says what the engine says; `None` for a torrent that the engine does not have.

    `before`: the row as it is now. What was uploaded goes on from there.
    """
    uploaded, engine_uploaded = counts_after(before, seen=None if seen is None else seen.uploaded)
    if seen is None:
        return LiveState(torrent_id=torrent_id, uploaded=uploaded, engine_uploaded=engine_uploaded)
    state = State.WAITING
    match seen.state:
        case EngineState.SEEDING:
            state = State.FINISHED
        case EngineState.STOPPED:
            state = State.FINISHED if seen.progress >= 1 else State.PAUSED
        case other:
            state = State(other.value)
    finished = state == State.FINISHED
    return LiveState(
        torrent_id=torrent_id,
        state=state,
        progress=seen.progress,
        downloaded=seen.downloaded,
        uploaded=uploaded,
        engine_uploaded=engine_uploaded,
        download_speed=0 if finished else seen.download_speed,  # the last second's, which is over
        upload_speed=seen.upload_speed,
        eta=None if finished else seen.eta,
        seeds=seen.seeds,
        peers=seen.peers,
    )


@transaction.atomic
def record_live_states(states: Collection[LiveState], *, partial: Collection[uuid.UUID] = ()) -> None:
    """Write live states and tell the claims; notes completion, and takes it back when data went missing.

    `partial`: torrents whose progress is that of some files only. What is complete of them file_progress.py knows.
    """
    ids = [live.torrent_id for live in states]
    torrents = {torrent.pk: torrent for torrent in Torrent.objects.filter(pk__in=ids).locked()}
    states = [live for live in states if live.torrent_id in torrents]
    moving = [live.torrent_id for live in states if live.downloaded]
    started = LiveState.objects.filter(pk__in=moving, downloaded=0)
    history.note_started(started.values_list("pk", flat=True) if moving else [])
    LiveState.objects.bulk_create(
        states,
        update_conflicts=True,
        unique_fields=["torrent"],
        update_fields=[*LIVE_FIELDS, "uploaded"],
    )
    for live in states:
        torrent = torrents[live.torrent_id]
        if live.state == State.FINISHED and torrent.completed_at is None and torrent.pk not in partial:
            _complete(torrent)
        elif live.progress < 1 and live.state not in (State.WAITING, State.CHECKING) and torrent.completed_at:
            _uncomplete(torrent)
    Claim.objects.mark_changed(torrents.keys())


@transaction.atomic
def record_metadata(
    *, torrent_id: uuid.UUID, source: Source | None, name: str, files: Sequence[EngineFile]
) -> None:
    """A magnet's metadata arrived: which torrent it is after all, and its files as the engine names them.

    `source` is None where the metadata cannot be stored (yet): see record_metainfo.
    """
    torrent = _locked(
        torrent_id, source.infohash_v1 if source else None, source.infohash_v2 if source else None
    )
    if torrent is None:
        return
    if source is not None:
        learn_metainfo(torrent=torrent, source=source)
        leave_one_claim(torrent)
    torrent.name = name or torrent.name
    torrent.size = sum(file.size for file in files)
    torrent.save(update_fields=["name", "size"])
    TorrentFile.objects.filter(torrent=torrent).delete()
    TorrentFile.objects.bulk_create(
        [TorrentFile(torrent=torrent, index=file.index, path=file.path, size=file.size) for file in files],
        batch_size=2000,
    )
    Claim.objects.mark_changed([torrent.pk])


@transaction.atomic
def record_metainfo(*, torrent_id: uuid.UUID, source: Source) -> None:
    """The .torrent of a magnet became whole: of a v2 one the piece layers arrive with the data."""
    torrent = _locked(torrent_id, source.infohash_v1, source.infohash_v2)
    if torrent is not None:
        learn_metainfo(torrent=torrent, source=source)
        leave_one_claim(torrent)
        Claim.objects.mark_changed([torrent.pk])


@transaction.atomic
def record_infohashes(*, torrent_id: uuid.UUID, v1: str | None, v2: str | None) -> None:
    """The engine learned the other infohash of a hybrid."""
    torrent = _locked(torrent_id, v1, v2)
    if torrent is not None:
        learn_infohashes(torrent=torrent, infohash_v1=v1, infohash_v2=v2)
        leave_one_claim(torrent)
        Claim.objects.mark_changed([torrent.pk])


@transaction.atomic
def record_refusal(*, torrent_id: uuid.UUID, reason: str) -> None:
    """The engine will not take this torrent; it is not asked again until somebody adds it again."""
    torrent = Torrent.objects.locked().filter(pk=torrent_id).first()
    if torrent is None:
        return
    torrent.refused = reason
    torrent.save(update_fields=["refused"])
    LiveState.objects.filter(torrent=torrent).update(state=State.ERROR)
    Claim.objects.mark_changed([torrent.pk])


@transaction.atomic
def record_engine(*, engine: Engine, status: EngineStatus, free_space: int | None) -> None:
    """The engine answered. When it had been away, every unfinished claim reads differently now.

    `free_space` is in bytes, as the volume itself says (qBittorrent answers 0 until its first look at it).
    """
    was_away = not engine.reachable
    engine.reachable = True
    engine.message = engine.notice = ""
    engine.version = status.version
    engine.connection = status.connection
    engine.dht_nodes = status.dht_nodes
    engine.queued_io_jobs = status.queued_io_jobs
    engine.received_ever = status.received_ever
    engine.sent_ever = status.sent_ever
    engine.free_space = free_space
    engine.checked_at = timezone.now()
    engine.save()
    if was_away:
        _tell_everybody(engine)


@transaction.atomic
def record_engine_away(*, engine: Engine, message: str, notice: str = "") -> None:
    """The engine does not answer: nothing moves any more, and everybody is told once. Texts as of EngineError."""
    was_there, told = engine.reachable, engine.notice
    engine.reachable = False
    engine.message = message
    engine.notice = notice
    engine.dht_nodes = engine.queued_io_jobs = engine.received_ever = engine.sent_ever = None
    engine.checked_at = timezone.now()
    engine.save()
    if was_there:
        LiveState.objects.filter(torrent__engine=engine).update(
            download_speed=0, upload_speed=0, eta=None, seeds=0, peers=0
        )
    if was_there or notice != told:
        _tell_everybody(engine)


@transaction.atomic
def tell_long_searches(*, engine: Engine, told: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """A search for metadata that takes long reads differently: tell those who have not been told. Returns the claims
    of all whom that concerns."""
    since = timezone.now() - LONG_SEARCH
    searching = Claim.objects.filter(
        torrent__engine=engine, torrent__live__state=State.METADATA, added_at__lt=since
    )
    torrents = dict(searching.values_list("pk", "torrent_id"))
    if fresh := {torrent_id for claim_id, torrent_id in torrents.items() if claim_id not in told}:
        Claim.objects.mark_changed([torrent.pk for torrent in Torrent.objects.filter(pk__in=fresh).locked()])
    return set(torrents)


def forget_removal(*, torrent_id: uuid.UUID) -> None:
    Removal.objects.filter(pk=torrent_id).delete()


def stored_live_states(engine: Engine) -> dict[uuid.UUID, LiveState]:
    """What the rows say now, for a reconciler that has just started."""
    return {live.torrent_id: live for live in LiveState.objects.filter(torrent__engine=engine)}


def _locked(torrent_id: uuid.UUID, infohash_v1: str | None, infohash_v2: str | None) -> Torrent | None:
    """The torrent, locked in order together with any row that may turn out to be the same torrent. None if it is
    gone, also because these infohashes show that it is blocked."""
    lock_infohashes(infohash_v1, infohash_v2)
    matching = Torrent.objects.filter(pk=torrent_id) | Torrent.objects.matching(infohash_v1, infohash_v2)
    rows = list(matching.locked())
    lock_change_counters(rows)
    if blocking.take_down_revealed(rows, infohash_v1, infohash_v2):
        return None
    return next((torrent for torrent in rows if torrent.pk == torrent_id), None)


def _complete(torrent: Torrent) -> None:
    torrent.completed_at = timezone.now()
    torrent.save(update_fields=["completed_at"])
    # Whoever waits for room in their own quota gets it when there is some: see admission.py.
    running = Claim.objects.filter(
        torrent=torrent, completed_at=None, wanted=Claim.Wanted.RUNNING, waits_for=""
    )
    running.update(completed_at=torrent.completed_at)
    history.note_completed([torrent.pk])


def _uncomplete(torrent: Torrent) -> None:
    torrent.completed_at = None
    torrent.save(update_fields=["completed_at"])
    TorrentFile.objects.filter(torrent=torrent).update(sha256="", progress=0)
    Claim.with_removed.filter(torrent=torrent).update(completed_at=None)


def _tell_everybody(engine: Engine) -> None:
    unfinished = Torrent.objects.filter(engine=engine, claims__completed_at=None, claims__isnull=False)
    Claim.objects.mark_changed([torrent.pk for torrent in Torrent.objects.filter(pk__in=unfinished).locked()])
