"""What the server tells of services that know shows, and of people's accounts there; read as in `models`."""

from dataclasses import dataclass
from datetime import datetime

from torrent_proxy_client.models import Fields
from torrent_proxy_client.watchlist import Show


@dataclass(frozen=True, slots=True)
class Provider:
    name: str  # as the API calls it
    title: str  # as people do
    by_name: bool  # accounts can be linked by their public name
    by_code: bool
    code_url: str  # where the code is had
    message: str  # what is the matter with it; may be empty
    blocked_until: datetime | None  # it is not asked before
    data_at: datetime | None  # when airing times were last read

    @classmethod
    def from_json(cls, value: object) -> "Provider":
        read = Fields(value, "service")
        return cls(
            name=read.required("name", str),
            title=read.get("title", str, ""),
            by_name=read.get("by_name", bool, False),
            by_code=read.get("by_code", bool, False),
            code_url=read.get("code_url", str, ""),
            message=read.get("message", str, ""),
            blocked_until=read.time("blocked_until"),
            data_at=read.time("data_at"),
        )


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's account at a provider, whose list is followed."""

    provider: str
    name: str
    private: bool  # linked by a code, so that private lists are seen
    token_ends_at: datetime | None
    statuses: tuple[str, ...]  # of the shows that are followed: "CURRENT", "PLANNING", …
    include_adult: bool
    synced_at: datetime | None
    next_sync_at: datetime | None
    failing_since: datetime | None
    message: str  # what is the matter, and what to do

    @classmethod
    def from_json(cls, value: object) -> "Account":
        read = Fields(value, "linked account")
        return cls(
            provider=read.required("provider", str),
            name=read.get("name", str, ""),
            private=read.get("private", bool, False),
            token_ends_at=read.time("token_ends_at"),
            statuses=read.many("statuses", str),
            include_adult=read.get("include_adult", bool, False),
            synced_at=read.time("synced_at"),
            next_sync_at=read.time("next_sync_at"),
            failing_since=read.time("failing_since"),
            message=read.get("message", str, ""),
        )


@dataclass(frozen=True, slots=True)
class Found:
    shows: tuple[Show, ...]
    message: str  # why only what the server knew already was searched; else empty

    @classmethod
    def from_json(cls, value: object) -> "Found":
        read = Fields(value, "list of shows")
        return cls(read.many("results", Show.from_json), read.get("message", str, ""))
