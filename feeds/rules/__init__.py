"""What a rule wants, and whether an item is it. Pure functions: the checker, the preview and the benchmark run the very
same code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


class RuleError(Exception):
    """This rule says nothing that can be followed; the text tells what to change. `field` is where."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule does not take an item."""

    what: str  # which condition: the name of the rule's field, or "feed"
    got: str
    wanted: str

    def as_object(self) -> dict[str, str]:
        """As it is stored and sent."""
        return {"what": self.what, "got": self.got[:500], "wanted": self.wanted[:1000]}


NO_TORRENT = Reason("download", "no torrent in it", "a magnet or a .torrent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item as rules see it."""

    title: str
    release: Mapping[str, Any]  # feeds.releases.Release as an object
    source: int | None = None  # None: pasted, of no feed
    size: int | None = None  # bytes
    published_at: datetime | None = None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    """A rule's conditions, as in `feeds.models.Rule`; what is empty or None is no condition."""

    sources: frozenset[int] = frozenset()  # of the feeds it looks at; empty: all
    must_contain: str = ""
    must_not_contain: str = ""
    regex: str = ""
    negative_regex: str = ""
    min_size: int | None = None
    max_size: int | None = None
    season: int | None = None
    first_episode: float | None = None
    last_episode: float | None = None
    published_after: datetime | None = None
    max_age: timedelta | None = None
    resolutions: Sequence[str] = field(default=())
    groups: Sequence[str] = field(default=())
    only_groups: bool = False
    refused_groups: Sequence[str] = field(default=())
    batches: str = "any"
