"""What AniList is asked, as GraphQL.

AniList refuses what is too complex (each field counts one, 500 are allowed), pages of more than 50 and chunks of more
than 500, and goes no deeper than 5,000 rows into pages. Of its page counts only `hasNextPage` is right.
"""

from collections.abc import Iterable, Sequence
from typing import Any

PER_PAGE = 50
PER_CHUNK = 500
DEEPEST_PAGE = 5000 // PER_PAGE
SHOW_PAGES = 3  # in one request: some 50 fields each
AIRING_PAGES = 30  # some 8 fields each

_SHOW = """
fragment show on Media {
  id
  idMal
  title { romaji english native }
  synonyms
  format
  status
  episodes
  seasonYear
  startDate { year month day }
  endDate { year month day }
  isAdult
  siteUrl
}
"""

VIEWER = "query { Viewer { id name } }"

USER = "query ($name: String) { User(name: $name) { id name } }"

SEARCH = (
    """
query ($text: String, $count: Int) {
  Page(page: 1, perPage: $count) {
    media(search: $text, type: ANIME, sort: SEARCH_MATCH) { ...show }
  }
}
"""
    + _SHOW
)

# Entries that are hidden from status lists stand in custom lists alone; a status here is the entry's own.
LISTED = (
    """
query ($id: Int, $statuses: [MediaListStatus], $chunk: Int, $perChunk: Int) {
  MediaListCollection(
    userId: $id
    type: ANIME
    status_in: $statuses
    chunk: $chunk
    perChunk: $perChunk
    forceSingleCompletedList: true
  ) {
    hasNextChunk
    lists {
      name
      isCustomList
      entries { id status progress media { ...show } }
    }
  }
}
"""
    + _SHOW
)


def shows(ids: Sequence[int]) -> tuple[str, dict[str, Any]]:
    """Query and variables for at most SHOW_PAGES × PER_PAGE shows; the answer has them by page p0, p1, …"""
    pages = [ids[start : start + PER_PAGE] for start in range(0, len(ids), PER_PAGE)]
    declared = ", ".join(f"$ids{number}: [Int]" for number in range(len(pages)))
    fields = "\n".join(
        f"  p{number}: Page(page: 1, perPage: {PER_PAGE}) {{ media(id_in: $ids{number}, type: ANIME) {{"
        " ...show relations { edges { relationType node { type ...show } } } } }"
        for number in range(len(pages))
    )
    return f"query ({declared}) {{\n{fields}\n}}\n{_SHOW}", {
        f"ids{number}": list(page) for number, page in enumerate(pages)
    }


def airing(pages: Iterable[int]) -> str:
    """Of the shows $ids, after $since and before $until (Unix times), the earliest first; page 7 is p7 in the
    answer."""
    fields = "\n".join(
        f"  p{page}: Page(page: {page}, perPage: {PER_PAGE}) {{ ...airing }}" for page in pages
    )
    return f"""query ($ids: [Int], $since: Int, $until: Int) {{
{fields}
}}
fragment airing on Page {{
  pageInfo {{ hasNextPage }}
  airingSchedules(mediaId_in: $ids, airingAt_greater: $since, airingAt_lesser: $until, sort: [TIME, ID]) {{
    mediaId
    episode
    airingAt
  }}
}}
"""
