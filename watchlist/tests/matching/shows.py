"""Shows for tests, and matching a name against them."""

import datetime
from collections.abc import Sequence

from feeds.releases import parse
from watchlist.matching import Aliases, CatalogueShow, Match, Outcome
from watchlist.matching.catalogue import Catalogue
from watchlist.matching.redirects import Redirects


def show(
    number: int,
    *titles: str,
    synonyms: Sequence[str] = (),
    format: str = "TV",
    status: str = "FINISHED",
    episodes: int | None = 12,
    aired: int | None = None,
    starts: str | None = None,
    ends: str | None = None,
    sequel: int | None = None,
    relations: Sequence[tuple[str, int]] = (),
    anilist_id: int | None = None,
    mal_id: int | None = None,
) -> CatalogueShow:
    starts_on = datetime.date.fromisoformat(starts) if starts else None
    return CatalogueShow(
        id=number,
        titles=titles,
        synonyms=tuple(synonyms),
        format=format,
        status=status,
        episodes=episodes,
        aired=aired,
        year=starts_on.year if starts_on else None,
        starts_on=starts_on,
        ends_on=datetime.date.fromisoformat(ends) if ends else None,
        relations=(*relations, *((("SEQUEL", sequel),) if sequel else ())),
        anilist_id=anilist_id,
        mal_id=mal_id,
    )


def match(
    shows: Sequence[CatalogueShow],
    name: str,
    *,
    folders: Sequence[str] = (),
    aliases: Aliases | None = None,
    published: str | None = None,
    redirects: Redirects | None = None,
) -> Match:
    """`folders`: the nearest first."""
    return Catalogue(shows, redirects).match(
        parse(name),
        folders=[parse(folder) for folder in folders],
        aliases=aliases or {},
        published=datetime.date.fromisoformat(published) if published else None,
    )


def found(result: Match) -> tuple[int | None, tuple[int | float | str, ...]] | str:
    """The show and its episodes; the outcome, where nothing is found."""
    return (result.show, result.episodes) if result.outcome is Outcome.FOUND else result.outcome.value
