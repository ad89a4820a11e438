"""What the reconciler needs of a BitTorrent engine, and nothing more.

One module implements `Engine` for one kind of engine, and is the only one that imports that engine's library.
Sizes are bytes, speeds bytes per second, times seconds, infohashes lower-case hexadecimal (v1: 40, v2: 64 digits).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MAX_LIMIT = 2_000_000_000  # bytes per second; qBittorrent takes 2**31 - 1 and more for no limit


class EngineError(Exception):
    """The engine did not do what was asked; the text is a sentence for an admin.

    `permanent` is True where asking again cannot help until a person changes something
    (wrong password, banned address). `notice` is what everybody may read, so without addresses: what is wrong, and
    what happens next; empty where the engine is simply away.
    """

    def __init__(self, message: str, *, permanent: bool = False, notice: str = "") -> None:
        super().__init__(message)
        self.permanent = permanent
        self.notice = notice


class TorrentRejected(EngineError):
    """The engine is there and will never take this torrent; `add` raises it. The text is for the torrent's owner."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class EngineState(StrEnum):
    """What a torrent is doing inside the engine."""

    METADATA = "metadata"  # a magnet looking for somebody who knows its files
    CHECKING = "checking"  # hashing data on disk, allocating, or loading resume data
    QUEUED = "queued"  # waits for its turn in the engine's own queue
    DOWNLOADING = "downloading"
    STALLED = "stalled"  # wants to download, receives nothing
    STOPPED = "stopped"  # stopped by us, complete or not: see `progress`
    SEEDING = "seeding"  # complete and running, whether or not anybody fetches
    ERROR = "error"  # disk full, files missing, or the engine does not say


@dataclass(frozen=True, slots=True)
class EngineTorrent:
    """One torrent as the engine sees it."""

    key: str  # the engine's id for it; a hybrid's changes when its metadata arrives
    infohash_v1: str | None
    infohash_v2: str | None
    save_path: str  # as given to `add`; never changes, so it identifies the torrent
    name: str
    state: EngineState
    progress: float  # 0.0 to 1.0; 1.0 only when every wanted byte is there and checked
    size: int | None  # of the wanted files; None until metadata is known
    downloaded: int  # payload received since it was added, waste included
    uploaded: int
    download_speed: int
    upload_speed: int
    eta: int | None  # None: unknown or endless
    seeds: int  # connected
    peers: int  # connected, seeds excluded
    has_metadata: bool
    download_limit: int | None  # None: none
    upload_limit: int | None
    sequential: bool


@dataclass(frozen=True, slots=True)
class EngineFile:
    index: int
    path: str  # relative to the save path, parts separated by "/"
    size: int
    progress: float  # 1.0 only when every byte is there and checked; it lags behind, never runs ahead
    wanted: bool = True  # what is there of an unwanted file need not lie at its path


@dataclass(frozen=True, slots=True)
class SwarmCounts:
    """A torrent's trackers and those who have it, as counts; None is unknown."""

    trackers_working: int
    trackers_failing: int
    trackers_waiting: int  # not asked yet, or being asked
    known_seeds: int | None  # as trackers count them, or else as the engine has heard of them
    known_peers: int | None
    availability: float | None  # whole copies among the connected peers


@dataclass(frozen=True, slots=True)
class EngineStatus:
    version: str  # "qBittorrent v4.5.2"
    connection: str  # "connected", "firewalled" or "disconnected"
    download_speed: int
    upload_speed: int
    dht_nodes: int
    queued_io_jobs: int  # of its disk
    received_ever: (
        int  # bytes, with what it does besides torrents' data; it may forget its last minutes in a crash
    )
    sent_ever: int
    upload_limit: int | None  # of all torrents together; None: none


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the engine holds, and what differs from the snapshot before it."""

    torrents: Mapping[str, EngineTorrent]  # by key
    changed: frozenset[str]  # keys that are new or differ since the last poll; all of them after a reconnect
    removed: frozenset[str]  # keys that were in the last snapshot and are not in this one
    status: EngineStatus
    resynced: bool  # asked for anew, not for what changed: the engine may be another process than before


class Engine(Protocol):
    """Every method raises EngineError, and only that, when the engine is away or refuses."""

    def poll(self) -> Snapshot:
        """One cheap look at everything: asks for what changed, where the engine can tell."""
        ...

    def add(self, *, metainfo: bytes | None, magnet: str | None, save_path: str, stopped: bool) -> None:
        """Add a torrent from exactly one of `metainfo` (a .torrent's bytes) and `magnet` (rebuilt by us).

        A magnet looks for its metadata whatever `stopped` says, and then stops before anything is downloaded.
        Adding one that the engine already has under this save path is no error and changes nothing.
        Raises TorrentRejected where this torrent, and only this one, cannot be taken.
        """
        ...

    def start(self, keys: Collection[str]) -> None:
        """A magnet that is started before it has its metadata goes on to download everything."""
        ...

    def stop(self, keys: Collection[str]) -> None: ...

    def remove(self, keys: Collection[str], *, delete_data: bool) -> None:
        """Forget torrents; unknown keys are no error."""
        ...

    def files(self, key: str) -> tuple[EngineFile, ...]:
        """In the torrent's own order; empty while metadata is unknown."""
        ...

    def export_metainfo(self, key: str) -> bytes:
        """The .torrent as the engine has it. Only once metadata is known."""
        ...

    def swarm(self, key: str) -> SwarmCounts:
        """Asks the engine about one torrent's trackers; the rest is as of the last poll."""
        ...

    def recheck(self, keys: Collection[str]) -> None:
        """Hash the data on disk again, of stopped torrents too; what is damaged counts as missing afterwards."""
        ...

    def set_limits(self, keys: Collection[str], *, download: int | None, upload: int | None) -> None:
        """The limits of each of these torrents, 1 to MAX_LIMIT; unknown keys are no error."""
        ...

    def set_total_upload_limit(self, limit: int | None) -> None:
        """The limit of all torrents together, a multiple of 1024 from 1024 to MAX_LIMIT; None: none."""
        ...

    def set_sequential(self, keys: Collection[str], *, sequential: bool) -> None:
        """Whether to download from the first piece to the last; unknown keys are no error."""
        ...

    def set_wanted_files(self, key: str, indexes: Collection[int] | None) -> None:
        """Download these files, and those without a byte, and no others; None: all. Returns when it is so.

        Only once metadata is known. Indexes that the torrent does not have are no error.
        """
        ...

    def add_trackers(self, key: str, urls: Collection[str]) -> None:
        """Announce to these (vetted) URLs as well; those that it has already are left as they are."""
        ...

    def close(self) -> None: ...
