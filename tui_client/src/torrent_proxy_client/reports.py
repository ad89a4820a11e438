"""What the server tells on request: what became of a torrent, how its swarm is doing, what the person may take."""

from dataclasses import dataclass
from datetime import date, datetime

from torrent_proxy_client.errors import BadAnswer
from torrent_proxy_client.models import Fields


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that became of a torrent; `kind` may be a word of a newer server."""

    kind: str
    detail: str  # by whom, by which way or why; may be empty
    at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "Event":
        read = Fields(value, "history")
        return cls(kind=read.get("kind", str, ""), detail=read.get("detail", str, ""), at=read.time("at"))


@dataclass(frozen=True, slots=True)
class TorrentHistory:
    events: tuple[Event, ...]  # the latest first
    more: bool  # there are older ones


@dataclass(frozen=True, slots=True)
class Swarm:
    """Counts are None until they are known."""

    message: str  # why it stalls and what happens next; may be empty
    trackers_working: int | None
    trackers_failing: int | None
    trackers_waiting: int | None  # not asked yet, or being asked
    known_seeds: int | None  # have all of it, connected or not
    known_peers: int | None
    availability: float | None  # whole copies among those who are connected
    connected_seeds: int
    connected_peers: int
    age: float | None  # seconds since this was read; None: it has not been yet

    @classmethod
    def from_json(cls, value: object) -> "Swarm":
        read = Fields(value, "swarm")
        return cls(
            message=read.get("message", str, ""),
            trackers_working=read.optional("trackers_working", int),
            trackers_failing=read.optional("trackers_failing", int),
            trackers_waiting=read.optional("trackers_waiting", int),
            known_seeds=read.optional("known_seeds", int),
            known_peers=read.optional("known_peers", int),
            availability=read.optional_number("availability"),
            connected_seeds=read.get("connected_seeds", int, 0),
            connected_peers=read.get("connected_peers", int, 0),
            age=read.optional_number("age"),
        )


@dataclass(frozen=True, slots=True)
class Limit:
    used: int
    limit: int

    @classmethod
    def from_json(cls, value: object) -> "Limit":
        read = Fields(value, "limit")
        return cls(used=read.required("used", int), limit=read.required("limit", int))


@dataclass(frozen=True, slots=True)
class Waiting:
    waits_for: str
    torrents: int

    @classmethod
    def from_json(cls, value: object) -> "Waiting":
        read = Fields(value, "list of what waits")
        return cls(waits_for=read.required("waits_for", str), torrents=read.natural("torrents"))


@dataclass(frozen=True, slots=True)
class Usage:
    disk: Limit  # bytes
    active: Limit  # torrents that may download at the same time
    traffic: Limit  # bytes fetched this month
    traffic_resets_on: date | None
    seeding_notice: str = ""  # why other peers get less than usual
    # What follows an older server does not tell.
    https: int | None = None  # bytes fetched this month, by how they were
    sftp: int | None = None
    sent_to_peers: int | None = None  # bytes, ever, of the torrents that are still there
    waiting: tuple[Waiting, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> "Usage":
        read = Fields(value, "list of limits")
        resets = read.optional("traffic_resets_on", str)
        try:
            resets_on = date.fromisoformat(resets) if resets else None
        except ValueError:
            raise BadAnswer("The server sent a date that is none.", status=200) from None
        fetched = Fields(read.get("fetched", dict, {}), "list of what was fetched")
        return cls(
            disk=Limit.from_json(read.required("disk", dict)),
            active=Limit.from_json(read.required("active", dict)),
            traffic=Limit.from_json(read.required("traffic", dict)),
            traffic_resets_on=resets_on,
            seeding_notice=read.get("seeding_notice", str, ""),
            https=fetched.optional("https", int),
            sftp=fetched.optional("sftp", int),
            sent_to_peers=read.optional("sent_to_peers", int),
            waiting=tuple(Waiting.from_json(one) for one in read.get("waiting", list, [])),
        )
