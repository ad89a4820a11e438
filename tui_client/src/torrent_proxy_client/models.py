"""What the server tells, as frozen dataclasses.

Sizes are bytes, speeds bytes per second, `eta` seconds, `progress` 0.0 to 1.0, times aware datetimes.
A newer server may send fields and states that are not known here: unknown fields are ignored, and an unknown
state stays the server's own word. Only a missing `id` or a value of the wrong kind is a BadAnswer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from torrent_proxy_client.errors import BadAnswer

T = TypeVar("T")


class State(StrEnum):
    """The states of today; `Torrent.state` may be another word."""

    WAITING = "waiting"
    METADATA = "metadata"
    CHECKING = "checking"
    QUEUED = "queued"
    DOWNLOADING = "downloading"
    STALLED = "stalled"
    PAUSED = "paused"
    FINISHED = "finished"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Torrent:
    id: str
    name: str
    state: str
    message: str
    progress: float
    size: int | None
    downloaded: int
    uploaded: int
    download_speed: int
    upload_speed: int
    eta: int | None
    seeds: int
    peers: int
    infohash_v1: str | None
    infohash_v2: str | None
    private: bool | None
    origin: str
    label: str  # its owner's own word for it; may be empty
    waits_for: str  # which limit keeps it waiting; empty where none does
    sequential: bool  # downloaded from the first piece to the last
    download_limit: int | None  # None: none
    upload_limit: int | None
    seed_ratio: float | None  # None: the server's default
    seed_seconds: int | None
    handed_over: int  # bytes fetched from the server so far, every time counted
    added_at: datetime | None
    completed_at: datetime | None
    change: int

    @classmethod
    def from_json(cls, value: object) -> "Torrent":
        read = Fields(value, "torrent")
        return cls(
            id=read.required("id", str),
            name=read.get("name", str, ""),
            state=read.get("state", str, ""),
            message=read.get("message", str, ""),
            progress=min(max(read.number("progress"), 0.0), 1.0),
            size=read.optional("size", int),
            downloaded=read.get("downloaded", int, 0),
            uploaded=read.get("uploaded", int, 0),
            download_speed=read.get("download_speed", int, 0),
            upload_speed=read.get("upload_speed", int, 0),
            eta=read.optional("eta", int),
            seeds=read.get("seeds", int, 0),
            peers=read.get("peers", int, 0),
            infohash_v1=read.optional("infohash_v1", str),
            infohash_v2=read.optional("infohash_v2", str),
            private=read.optional("private", bool),
            origin=read.get("origin", str, ""),
            label=read.get("label", str, ""),
            waits_for=read.get("waits_for", str, ""),
            sequential=read.get("sequential", bool, False),
            download_limit=read.optional("download_limit", int),
            upload_limit=read.optional("upload_limit", int),
            seed_ratio=read.optional_number("seed_ratio"),
            seed_seconds=read.optional("seed_seconds", int),
            handed_over=read.get("handed_over", int, 0),
            added_at=read.time("added_at"),
            completed_at=read.time("completed_at"),
            change=read.get("change", int, 0),
        )


@dataclass(frozen=True, slots=True)
class TorrentFile:
    index: int
    path: str  # as the torrent names it, parts separated by "/": never use it as a local path
    size: int
    sha256: str | None  # lower-case hexadecimal; None until the server has computed it
    ready: bool  # its content can be fetched
    wanted: bool = True  # chosen; others are neither downloaded nor handed over
    progress: float | None = None  # None where the server does not tell
    choosable: bool = False  # the server lets people choose files

    @classmethod
    def from_json(cls, value: object) -> "TorrentFile":
        read = Fields(value, "file")
        sha256 = read.optional("sha256", str)
        return cls(
            index=read.natural("index"),
            path=read.required("path", str),
            size=read.natural("size"),
            sha256=sha256.lower() if sha256 else None,
            ready=read.optional("content_url", str) is not None,
            wanted=read.get("wanted", bool, True),
            progress=read.optional_number("progress"),
            choosable=read.optional("wanted", bool) is not None,
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since `since`; see `Mirror.apply` for how to use it."""

    change: int
    more: bool
    reset: bool
    torrents: tuple[Torrent, ...]
    removed: tuple[str, ...]

    @classmethod
    def from_json(cls, value: object) -> "Changes":
        read = Fields(value, "list of changes")
        return cls(
            change=read.required("change", int),
            more=read.get("more", bool, False),
            reset=read.get("reset", bool, False),
            torrents=read.many("torrents", Torrent.from_json),
            removed=read.many("removed", str),
        )


@dataclass(frozen=True, slots=True)
class Me:
    username: str
    role: str
    disk_quota: int | None
    active_torrent_limit: int | None
    monthly_traffic_limit: int | None

    @classmethod
    def from_json(cls, value: object) -> "Me":
        read = Fields(value, "user")
        return cls(
            username=read.required("username", str),
            role=read.get("role", str, "user"),
            disk_quota=read.optional("disk_quota", int),
            active_torrent_limit=read.optional("active_torrent_limit", int),
            monthly_traffic_limit=read.optional("monthly_traffic_limit", int),
        )


@dataclass(frozen=True, slots=True)
class Health:
    status: str  # "ok" or "degraded"
    engine_reachable: bool
    engine_message: str

    @classmethod
    def from_json(cls, value: object) -> "Health":
        read = Fields(value, "health report")
        engine = Fields(read.required("engine", dict), "health report")
        return cls(
            status=read.required("status", str),
            engine_reachable=engine.get("reachable", bool, False),
            engine_message=engine.get("message", str, ""),
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str

    @classmethod
    def from_json(cls, value: object) -> "Tokens":
        read = Fields(value, "session")
        return cls(access=read.required("access", str), refresh=read.required("refresh", str))


class Fields:
    """Reads fields of one JSON object; a value of the wrong kind raises BadAnswer."""

    def __init__(self, value: object, what: str) -> None:
        self._what = what
        if not isinstance(value, Mapping):
            raise self._bad("it is not an object")
        self._value = value

    def _bad(self, why: str) -> BadAnswer:
        return BadAnswer(
            f"The server sent a {self._what} that this client does not understand ({why}). "
            "Check the server address, or update the client.",
            status=200,
        )

    def required(self, name: str, kind: type[T]) -> T:
        value = self.optional(name, kind)
        if value is None:
            raise self._bad(f"{name} is missing")
        return value

    def optional(self, name: str, kind: type[T]) -> T | None:
        value = self._value.get(name)
        if value is None:
            return None
        # bool is an int to isinstance; a size of `true` is a mistake all the same.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._bad(f"{name} is not a {kind.__name__}")
        return value

    def get(self, name: str, kind: type[T], default: T) -> T:
        value = self.optional(name, kind)
        return default if value is None else value

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def identifier(self, name: str) -> str:
        """Servers may number things or give them UUIDs."""
        value = self._value.get(name)
        return str(value) if isinstance(value, int) else self.required(name, str)

    def natural(self, name: str) -> int:
        value = self.required(name, int)
        if value < 0:
            raise self._bad(f"{name} is negative")
        return value

    def number(self, name: str) -> float:
        return self.optional_number(name) or 0.0

    def optional_number(self, name: str) -> float | None:
        """JSON writes whole numbers without a point."""
        value = self._value.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return self.optional(name, float)

    def time(self, name: str) -> datetime | None:
        text = self.optional(name, str)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self._bad(f"{name} is not a time") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def many(self, name: str, make: Callable[[object], T]) -> tuple[T, ...]:
        return tuple(make(item) for item in self.get(name, list, []))
