"""What providers tell, in plain records. Times are aware and in UTC; what is empty or None is not known."""

import datetime
from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    TV = "TV"
    TV_SHORT = "TV_SHORT"
    MOVIE = "MOVIE"
    SPECIAL = "SPECIAL"
    OVA = "OVA"
    ONA = "ONA"
    MUSIC = "MUSIC"


class Airing(StrEnum):
    FINISHED = "FINISHED"
    RELEASING = "RELEASING"
    NOT_YET_RELEASED = "NOT_YET_RELEASED"
    CANCELLED = "CANCELLED"
    HIATUS = "HIATUS"


class ListStatus(StrEnum):
    """Where a person keeps a show on their list."""

    CURRENT = "CURRENT"
    PLANNING = "PLANNING"
    COMPLETED = "COMPLETED"
    DROPPED = "DROPPED"
    PAUSED = "PAUSED"
    REPEATING = "REPEATING"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRecord:
    """One season or cour, film or special, as its provider counts them. Empty and None: not known."""

    external_id: str
    romaji: str = ""
    english: str = ""
    native: str = ""
    synonyms: tuple[str, ...] = ()
    format: str = ""
    """A `Format`, or what the provider has come up with since."""
    status: str = ""
    """An `Airing`, likewise."""
    episodes: int | None = None
    season_year: int | None = None
    starts_on: datetime.date | None = None
    """Where only year or month are known, the first day of these."""
    ends_on: datetime.date | None = None
    is_adult: bool = False
    site_url: str = ""
    mal_id: int | None = None
    relations: tuple["RelationRecord", ...] | None = None
    """None: not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRecord:
    """`kind` as AniList names it: PREQUEL, SEQUEL, SIDE_STORY, PARENT, ALTERNATIVE, …; `show` has no relations."""

    kind: str
    show: ShowRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AiringRecord:
    external_id: str
    """Of the show."""
    episode: int
    airs_at: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    external_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRecord:
    """One entry of a person's list, once, however many custom lists hold it."""

    show: ShowRecord
    status: str
    """A `ListStatus`; the entry's own, also where only custom lists show it."""
    progress: int = 0
    """Episodes watched."""
    custom_lists: tuple[str, ...] = ()
