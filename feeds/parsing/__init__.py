"""From a feed's bytes to its items. Pure: no Django, no network, no clock.

What feeds send is hostile, so reading happens in a child process with a deadline (`isolated.Parser`): a strict scan
first (`scan`), then feedparser, which sees only the items that are new.
"""

from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 5 * 1024 * 1024  # of a body; real feeds have some 100 kB
MAX_ITEMS = 2_000
MAX_TITLE = 500  # characters; file names have at most 255 bytes
MAX_ADDRESS = 8_000


class FeedError(Exception):
    """This is no feed that can be read; the text says why, to a person. `code` is stable."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """One entry. Empty strings and None where the feed does not say."""

    key: str  # 32 hexadecimal digits: what identifies it in its feed, across checks
    title: str
    page: str = field(repr=False)  # absolute address for people
    download: str = field(repr=False)  # magnet, or absolute address of a .torrent
    infohash: str  # v1 or v2, lower-case hexadecimal
    size: int | None  # bytes
    published_at: str  # ISO 8601 in UTC
    release: dict[str, Any] = field(default_factory=dict)  # what the title says: feeds.releases


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """`keys` are those of all items, `items` only those whose keys were not known, the newest last as far as the feed
    tells (feeds put the newest first)."""

    title: str
    ttl: int | None  # seconds that the feed asks to be left alone
    keys: list[str]
    items: list[ParsedItem]
