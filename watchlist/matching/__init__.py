"""Which show, and which of its episodes, a release is. Pure functions on plain data."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from feeds.releases.release import EpisodeNumber
from feeds.rules import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueShow:
    """A show as matching knows it. `id` and the ids of relations are whatever the catalogue counts by."""

    id: int
    titles: tuple[str, ...]
    """Main ones: romaji, english, native."""
    synonyms: tuple[str, ...] = ()
    format: str = ""
    """As in `watchlist.records.Format`."""
    status: str = ""
    episodes: int | None = None
    aired: int | None = None
    """How many have aired, where that is known."""
    year: int | None = None
    starts_on: datetime.date | None = None
    ends_on: datetime.date | None = None
    relations: tuple[tuple[str, int], ...] = ()
    """(kind, id): `("SEQUEL", 7)` where 7 is the sequel of this."""
    anilist_id: int | None = None
    mal_id: int | None = None


@dataclass(frozen=True, slots=True)
class AliasKey:
    """A name as one person knows it; `season` None: of releases that state none."""

    key: str
    season: int | None


class Outcome(StrEnum):
    FOUND = "found"
    UNSURE = "unsure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """FOUND: `show`, and `episodes` as that show counts them. UNSURE: a person must choose among `candidates`."""

    outcome: Outcome
    show: int | None = None
    episodes: tuple[EpisodeNumber, ...] = ()
    special: str = ""
    """OVA, SP, …: `episodes` count these, not the show's own. Empty where the show itself is the special."""
    whole: bool = False
    """All there is of the show: a batch or film that states no numbers."""
    candidates: tuple[int, ...] = ()
    """The likeliest first."""
    reasons: tuple[Reason, ...] = ()
    """Why it is not FOUND; and for FOUND by which way, where that was not the plain title."""


Aliases = Mapping[AliasKey, int | None]
"""To a show, or to None: to none that its owner follows."""
