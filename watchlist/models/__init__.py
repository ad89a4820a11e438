"""Shows and what is known of them, who follows which, and what was taken for whom.

Lock order: the person (`feeds.services.lock_person`), then links, then entries by id, then candidates; what feeds and
torrents lock comes after.
"""

from watchlist.models.following import (
    Alias,
    Entry,
    Preferences,
    Wishes,
)
from watchlist.models.shows import (
    NAME,
    Episode,
    Link,
    Provider,
    Relation,
    RelationRules,
    Search,
    Show,
)
from watchlist.models.taking import (
    Candidate,
    Decision,
    Grab,
    Reading,
)

__all__ = [
    "NAME",
    "Alias",
    "Candidate",
    "Decision",
    "Entry",
    "Episode",
    "Grab",
    "Link",
    "Preferences",
    "Provider",
    "Reading",
    "Relation",
    "RelationRules",
    "Search",
    "Show",
    "Wishes",
]
