"""What the server tells of releases that are, or may be, of followed shows; read as in `models`."""

from dataclasses import dataclass
from datetime import datetime

from torrent_proxy_client.feeds import Reason
from torrent_proxy_client.models import Fields
from torrent_proxy_client.watchlist import Show, number


@dataclass(frozen=True, slots=True)
class Question:
    """An item that may be of a show somebody follows: of which, they must say."""

    id: str
    title: str
    feed: str  # its name
    seen_at: datetime | None
    reasons: tuple[Reason, ...]
    shows: tuple[Show, ...]  # the likeliest first

    @classmethod
    def from_json(cls, value: object) -> "Question":
        read = Fields(value, "question")
        return cls(
            id=read.identifier("id"),
            title=read.get("title", str, ""),
            feed=read.get("feed", str, ""),
            seen_at=read.time("seen_at"),
            reasons=read.many("reasons", Reason.from_json),
            shows=read.many("shows", Show.from_json),
        )


@dataclass(frozen=True, slots=True)
class WatchDecision:
    """What became of an item that is, or may be, of a show somebody follows."""

    id: str
    title: str
    feed: str | None
    entry: str | None
    show: str  # its title; may be empty
    outcome: str  # "taken", "nearly", "had", "review" or "settled"
    reasons: tuple[Reason, ...]
    at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "WatchDecision":
        read = Fields(value, "decision")
        return cls(
            id=read.identifier("id"),
            title=read.get("title", str, ""),
            feed=read.optional("feed", str),
            entry=read.optional("entry_id", str),
            show=read.get("show_title", str, ""),
            outcome=read.get("outcome", str, ""),
            reasons=read.many("reasons", Reason.from_json),
            at=read.time("at"),
        )


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of a release of this title."""

    title: str
    outcome: str  # "found", "unsure" or "unknown"
    show: Show | None
    followed: bool
    episodes: tuple[float, ...]
    special: str  # then the episodes count these
    shows: tuple[Show, ...]  # which it may be of
    reasons: tuple[Reason, ...]  # why it is of that show, or of none
    wanted: bool
    wish_reasons: tuple[Reason, ...]  # why it is not wanted

    @classmethod
    def from_json(cls, value: object) -> "Tried":
        read = Fields(value, "preview")
        show = read.optional("show", dict)
        return cls(
            title=read.get("title", str, ""),
            outcome=read.get("outcome", str, ""),
            show=Show.from_json(show) if show else None,
            followed=read.get("followed", bool, False),
            episodes=read.many("episodes", number),
            special=read.get("special", str, ""),
            shows=read.many("candidates", Show.from_json),
            reasons=read.many("reasons", Reason.from_json),
            wanted=read.get("wanted", bool, False),
            wish_reasons=read.many("wish_reasons", Reason.from_json),
        )
