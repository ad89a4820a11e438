"""A BitTorrent engine in memory: the same contract as a real one, without a network and without waiting.

Tests say what its swarm has (`offer`) and let time pass (`advance`). With `self_advancing`, for development
without qBittorrent, every poll lets a little time pass and whatever has metainfo is downloaded.
"""

import contextlib
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from torrents.engines.base import (
    EngineError,
    EngineFile,
    EngineState,
    EngineStatus,
    EngineTorrent,
    Snapshot,
    SwarmCounts,
    TorrentRejected,
)
from torrents.metainfo import MetainfoError, Source, merge_trackers, parse_magnet, parse_torrent

BYTES_PER_ADVANCE = 1024 * 1024


@dataclass
class _Held:
    """One torrent that the engine was given. `source` becomes the swarm's once its metadata has arrived."""

    source: Source
    save_path: str
    stopped: bool
    stops_at_metadata: bool
    trackers: tuple[str, ...]
    wanted: set[int] | None = None  # None: all
    received: dict[int, int] = field(default_factory=dict)  # bytes by file
    downloaded: int = 0
    speed: int = 0
    broken: bool = False
    download_limit: int | None = None
    upload_limit: int | None = None
    sequential: bool = False

    @property
    def key(self) -> str:
        """As in qBittorrent: the v2 infohash cut to 40 digits where one is known, else the v1 infohash."""
        return (self.source.infohash_v2 or self.source.infohash_v1 or "")[:40]

    @property
    def sizes(self) -> dict[int, int]:
        """Of the wanted files; empty until metadata is known."""
        files = enumerate(self.source.files or ())
        return {index: size for index, (_, size) in files if self.wants(index)}

    @property
    def left(self) -> int:
        return sum(size - self.received.get(index, 0) for index, size in self.sizes.items())

    @property
    def complete(self) -> bool:
        return self.source.size is not None and self.left == 0

    def wants(self, index: int) -> bool:
        return self.wanted is None or index in self.wanted

    def is_for(self, other: Source) -> bool:
        ours = {self.source.infohash_v1, self.source.infohash_v2} - {None}
        return not ours.isdisjoint({other.infohash_v1, other.infohash_v2})


class FakeEngine:
    """`away = True` makes every call fail, as when the engine is not running."""

    def __init__(self, *, self_advancing: bool = False) -> None:
        self.away = False
        self._self_advancing = self_advancing
        self._torrents: dict[str, _Held] = {}
        self._swarm: list[tuple[Source, Path | None]] = []
        self._last: dict[str, EngineTorrent] = {}
        self._was_away = True
        self._upload_limit: int | None = None
        self.uploaded: dict[str, int] = {}  # bytes by save path: this engine's swarm asks for nothing

    def offer(self, metainfo: bytes, content: Path | None = None) -> None:
        """Somebody in the swarm has this torrent. `content` is the file or folder that it was made from.

        With `content`, a file that completes appears under its torrent's save path.
        """
        self._swarm.append((parse_torrent(metainfo), content))

    def advance(self, received: int = BYTES_PER_ADVANCE) -> None:
        """Let time pass: each running torrent learns its metadata or, knowing it, receives so many bytes."""
        for held in self._torrents.values():
            offer = self._offer_for(held)
            held.speed = 0
            if held.stopped or held.broken or held.complete or offer is None:
                continue
            if held.source.size is None:
                held.source = offer[0]
                held.stopped, held.stops_at_metadata = held.stops_at_metadata, False
            else:
                self._receive(held, received, offer[1])
        # A hybrid's key changes with its metadata; if another torrent has that key, one of them is gone.
        self._torrents = {held.key: held for held in self._torrents.values()}

    def lose(self, key: str) -> None:
        """The engine forgets a torrent by itself; its files stay."""
        del self._torrents[key]

    def fail(self, key: str) -> None:
        """The torrent stops with an error, as when the disk is full, until it is started again."""
        self._torrents[key].broken = True

    def poll(self) -> Snapshot:
        self._answer()
        if self._self_advancing:
            self.advance()
        torrents = {key: self._seen(held) for key, held in self._torrents.items()}
        before, self._last = self._last, torrents
        resync, self._was_away = self._was_away, False
        return Snapshot(
            torrents=MappingProxyType(torrents),
            changed=frozenset(key for key in torrents if resync or torrents[key] != before.get(key)),
            removed=frozenset(before.keys() - torrents.keys()),
            status=EngineStatus(
                version="FakeEngine",
                connection="connected",
                download_speed=sum(seen.download_speed for seen in torrents.values()),
                upload_speed=0,
                dht_nodes=0,
                queued_io_jobs=0,
                received_ever=0,
                sent_ever=0,
                upload_limit=self._upload_limit,
            ),
            resynced=resync,
        )

    def add(self, *, metainfo: bytes | None, magnet: str | None, save_path: str, stopped: bool) -> None:
        self._answer()
        try:
            source = parse_magnet(magnet or "") if metainfo is None else parse_torrent(metainfo)
        except MetainfoError as error:
            raise TorrentRejected(str(error)) from error
        for held in self._torrents.values():
            if held.is_for(source):
                if held.save_path != save_path:
                    raise TorrentRejected("The engine already holds this torrent in another folder.")
                return
        is_magnet = metainfo is None
        held = _Held(source, save_path, stopped and not is_magnet, is_magnet, source.trackers)
        self._torrents[held.key] = held

    def start(self, keys: Collection[str]) -> None:
        for held in self._named(keys):
            held.stopped = held.broken = held.stops_at_metadata = False

    def stop(self, keys: Collection[str]) -> None:
        for held in self._named(keys):
            held.stopped = True
            held.speed = 0

    def remove(self, keys: Collection[str], *, delete_data: bool) -> None:
        for held in self._named(keys):
            del self._torrents[held.key]
            if delete_data:
                _delete(held)

    def files(self, key: str) -> tuple[EngineFile, ...]:
        held = self._one(key)
        return tuple(
            EngineFile(
                index=index,
                path=path,
                size=size,
                progress=held.received.get(index, 0) / size if size else 1.0,
                wanted=held.wants(index),
            )
            for index, (path, size) in enumerate(held.source.files or ())
        )

    def export_metainfo(self, key: str) -> bytes:
        metainfo = self._one(key).source.metainfo
        if metainfo is None:
            raise EngineError("The engine does not know this torrent's metadata yet.")
        return metainfo

    def swarm(self, key: str) -> SwarmCounts:
        held = self._one(key)
        trackers = len(held.trackers)
        offered = self._offer_for(held) is not None
        return SwarmCounts(
            trackers_working=trackers if offered and not held.stopped else 0,
            trackers_failing=0 if offered or held.stopped else trackers,
            trackers_waiting=trackers if held.stopped else 0,
            known_seeds=int(offered),
            known_peers=0,
            availability=None if held.stopped else float(offered),
        )

    def recheck(self, keys: Collection[str]) -> None:
        for held in self._named(keys):
            files = enumerate(held.source.files or ())
            held.received = {index: size for index, (path, size) in files if _intact(held, path, size)}

    def set_limits(self, keys: Collection[str], *, download: int | None, upload: int | None) -> None:
        for held in self._named(keys):
            held.download_limit, held.upload_limit = download, upload

    def set_total_upload_limit(self, limit: int | None) -> None:
        self._answer()
        self._upload_limit = limit

    def set_sequential(self, keys: Collection[str], *, sequential: bool) -> None:
        for held in self._named(keys):
            held.sequential = sequential

    def set_wanted_files(self, key: str, indexes: Collection[int] | None) -> None:
        held = self._one(key)
        if held.source.size is None:
            raise EngineError("The engine does not know this torrent's metadata yet.")
        empty = {index for index, (_, size) in enumerate(held.source.files or ()) if size == 0}
        held.wanted = None if indexes is None else empty.union(indexes)

    def add_trackers(self, key: str, urls: Collection[str]) -> None:
        held = self._one(key)
        held.trackers = merge_trackers(held.trackers, urls)

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self) -> None:
        if self.away:
            self._was_away = True
            raise EngineError("The engine does not answer.")

    def _named(self, keys: Collection[str]) -> list[_Held]:
        self._answer()
        return [self._torrents[key] for key in keys if key in self._torrents]

    def _one(self, key: str) -> _Held:
        for held in self._named([key]):
            return held
        raise EngineError("The engine does not have this torrent.")

    def _offer_for(self, held: _Held) -> tuple[Source, Path | None] | None:
        for source, content in self._swarm:
            if held.is_for(source):
                return source, content
        return (held.source, None) if self._self_advancing and held.source.metainfo else None

    def _receive(self, held: _Held, received: int, content: Path | None) -> None:
        """The wanted files fill up one after the other; each appears on the disk when it is whole."""
        before = held.left
        for index, size in held.sizes.items():
            had = held.received.get(index)
            got = min(received, size - (had or 0))
            held.received[index] = (had or 0) + got
            received -= got
            if held.received[index] == size and (got or had is None):
                _write(held, index, content, zeros=self._self_advancing)
        held.speed = before - held.left
        held.downloaded += held.speed

    def _seen(self, held: _Held) -> EngineTorrent:
        known = held.source.size is not None
        size = sum(held.sizes.values())
        offered = self._offer_for(held) is not None and not (held.stopped or held.broken)
        return EngineTorrent(
            key=held.key,
            infohash_v1=held.source.infohash_v1,
            infohash_v2=held.source.infohash_v2,
            save_path=held.save_path,
            name=held.source.name,
            state=_state(held, offered=offered),
            progress=1.0 if held.complete else (size - held.left) / size if size else 0.0,
            size=size if known else None,
            downloaded=held.downloaded,
            uploaded=self.uploaded.get(held.save_path, 0),
            download_speed=held.speed,
            upload_speed=0,
            eta=held.left // held.speed if held.speed else None,
            seeds=1 if offered and not held.complete else 0,
            peers=0,
            has_metadata=known,
            download_limit=held.download_limit,
            upload_limit=held.upload_limit,
            sequential=held.sequential,
        )


def _state(held: _Held, *, offered: bool) -> EngineState:
    if held.broken:
        return EngineState.ERROR
    if held.stopped:
        return EngineState.STOPPED
    if held.source.size is None:
        return EngineState.METADATA
    if held.complete:
        return EngineState.SEEDING
    return EngineState.DOWNLOADING if offered else EngineState.STALLED


def _write(held: _Held, index: int, content: Path | None, *, zeros: bool) -> None:
    """Put a whole file under its torrent's save path: the swarm's, or else a sparse one as large."""
    path, size = (held.source.files or ())[index]
    target = Path(held.save_path, path)
    if content is None and not zeros:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        shutil.copyfile(content.parent / path, target)
    else:
        with target.open("wb") as file:
            file.truncate(size)


def _intact(held: _Held, path: str, size: int) -> bool:
    """Whether the file is there, as far as its size tells."""
    target = Path(held.save_path, path)
    return target.is_file() and target.stat().st_size == size


def _delete(held: _Held) -> None:
    """Delete the torrent's files, and its folders where nothing else is in them."""
    root = Path(held.save_path)
    for path, _ in held.source.files or ():
        target = root / path
        target.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for folder in target.relative_to(root).parents:
                if folder != Path():
                    (root / folder).rmdir()
