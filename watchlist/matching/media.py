"""Shows from what AniList answers, whatever it was asked: every Media in it, wherever it stands."""

import datetime
from collections.abc import Iterable, Iterator
from typing import Any

from watchlist.matching import CatalogueShow

_NO_ANIME = frozenset(("MANGA", "NOVEL", "ONE_SHOT"))
_TITLES = ("romaji", "english", "native")


def shows_in(documents: Iterable[Any]) -> list[CatalogueShow]:
    """All shows in some JSON documents: every object with an `id` and a `title` object that is no manga.

    What several objects say of the same id is put together. Related shows count, too.
    """
    media: dict[int, dict[str, Any]] = {}
    relations: dict[int, dict[tuple[str, int], None]] = {}
    for found in _media(documents):
        show = int(found["id"])
        known = media.setdefault(show, {"titles": {}, "synonyms": {}})
        known["titles"] |= {name: text for name, text in found["title"].items() if text}
        known["synonyms"] |= dict.fromkeys(found.get("synonyms") or ())
        known |= {
            name: value
            for name, value in found.items()
            if name not in ("title", "titles", "synonyms") and value not in (None, {}, [])
        }
        for edge in _edges(found):
            relations.setdefault(show, {})[edge] = None
    anime = {
        show: said
        for show, said in media.items()
        if said.get("type") != "MANGA" and said.get("format") not in _NO_ANIME
    }
    no_anime = media.keys() - anime.keys()
    return [
        _show(show, said, [edge for edge in relations.get(show, ()) if edge[1] not in no_anime])
        for show, said in anime.items()
    ]


def _media(documents: Iterable[Any]) -> Iterator[dict[str, Any]]:
    pending = list(documents)
    while pending:
        found = pending.pop()
        if isinstance(found, dict):
            if isinstance(found.get("title"), dict) and str(found.get("id", "")).isdecimal():
                yield found
            pending += found.values()
        elif isinstance(found, list):
            pending += found


def _edges(media: dict[str, Any]) -> Iterator[tuple[str, int]]:
    relations = media.get("relations")
    for edge in (relations.get("edges") if isinstance(relations, dict) else None) or ():
        other = edge.get("node") or {}
        if edge.get("relationType") and str(other.get("id", "")).isdecimal():
            yield edge["relationType"], int(other["id"])


def _show(show: int, said: dict[str, Any], relations: Iterable[tuple[str, int]]) -> CatalogueShow:
    titles = [said["titles"][name] for name in _TITLES if name in said["titles"]]
    starts_on = _date(said.get("startDate"))
    return CatalogueShow(
        id=show,
        titles=tuple(dict.fromkeys(titles)) or tuple(said["titles"].values()),
        synonyms=tuple(said["synonyms"]),
        format=said.get("format", ""),
        status=said.get("status", ""),
        episodes=said.get("episodes"),
        year=said.get("seasonYear") or (starts_on.year if starts_on else None),
        starts_on=starts_on,
        ends_on=_date(said.get("endDate")),
        relations=tuple(relations),
        anilist_id=show,
        mal_id=said.get("idMal"),
    )


def _date(said: dict[str, Any] | None) -> datetime.date | None:
    """Where month or day are not known, the first."""
    if not said or not said.get("year"):
        return None
    return datetime.date(said["year"], said.get("month") or 1, said.get("day") or 1)
