"""The rows of shows as matching knows them. What everybody may follow is one catalogue, kept as long as no row changes;
what one person typed in is a small one of their own, asked besides.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, Protocol

from django.utils import timezone

from accounts.models import User
from feeds.releases.release import Release
from watchlist import relation_rules
from watchlist.matching import Aliases, CatalogueShow, Match, Outcome
from watchlist.matching.catalogue import Catalogue
from watchlist.matching.redirects import Redirects
from watchlist.models import Relation, Show
from watchlist.records import Airing

NO_ALIASES: Aliases = MappingProxyType({})
_ENDED = (Airing.FINISHED, Airing.CANCELLED)


class Matching(Protocol):
    """As `watchlist.matching.catalogue.Catalogue`."""

    def match(
        self,
        release: Release,
        *,
        folders: Sequence[Release] = (),
        aliases: Aliases = ...,
        published: date | None = None,
    ) -> Match: ...


class Shows:
    """A catalogue and what is in it."""

    def __init__(self, shows: Iterable[CatalogueShow], redirects: Redirects | None = None) -> None:
        self.by_id = {show.id: show for show in shows}
        self._matching = build(self.by_id.values(), redirects)

    def match(self, release: Release, *, published: date | None, aliases: Aliases = NO_ALIASES) -> Match:
        return self._matching.match(release, aliases=aliases, published=published)


def build(shows: Iterable[CatalogueShow], redirects: Redirects | None) -> Matching:
    return Catalogue(shows, redirects)


_kept: tuple[tuple[Any, ...], Shows] | None = None
_reading = threading.Lock()


def everybodys() -> Shows:
    """As the rows are now."""
    global _kept
    with _reading:
        now = timezone.now()
        version = Show.objects.version(now)
        if _kept is None or _kept[0] != version:
            shows = Show.objects.everybodys().with_airings(now)
            _kept = (version, Shows(catalogue_shows(shows), relation_rules.current()))
        return _kept[1]


def is_current(shows: Shows) -> bool:
    """Whether everybody's are as they were when these were read."""
    kept = _kept
    return kept is not None and kept[1] is shows and kept[0] == Show.objects.version(timezone.now())


def who_typed_in() -> frozenset[int]:
    """Shows of their own. Who does so later looks back for them anyway."""
    return frozenset(Show.objects.owners())


def typed_by(user: User) -> Shows | None:
    """None for who has typed in none: most people."""
    shows = list(Show.objects.typed_by(user).with_airings(timezone.now()))
    return Shows(catalogue_shows(shows)) if shows else None


def catalogue_shows(shows: Iterable[Show]) -> Iterable[CatalogueShow]:
    """`shows` come `with_airings`."""
    rows = list(shows)
    relations: dict[int, list[tuple[str, int]]] = {show.pk: [] for show in rows}
    of_these = Relation.objects.filter(show__in=relations).order_by("pk")
    for show, kind, other in of_these.values_list("show_id", "kind", "other_id"):
        relations[show].append((kind, other))
    for row in rows:
        yield CatalogueShow(
            id=row.pk,
            titles=tuple(title for title in (row.romaji, row.english, row.native) if title),
            synonyms=tuple(row.synonyms),
            format=row.format,
            status=row.status,
            episodes=row.episodes,
            aired=_aired(row),
            year=row.season_year,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            relations=tuple(relations[row.pk]),
            anilist_id=_number(row.external_id) if row.provider == "anilist" else None,
            mal_id=row.mal_id,
        )


def joined(shared: Match, own: Match, *, follows_shared: bool) -> Match:
    """What both catalogues say. Somebody typed a show in because they missed it in the other, so theirs goes before;
    but not before one that they follow there: then they are asked."""
    if own.outcome is Outcome.UNKNOWN or (own.outcome is Outcome.UNSURE and shared.outcome is Outcome.FOUND):
        return shared
    if own.outcome is Outcome.UNSURE:
        return replace(own, candidates=tuple(dict.fromkeys((*own.candidates, *shared.candidates))))
    if shared.outcome is not Outcome.FOUND:
        return own
    if bool(own.reasons) != bool(shared.reasons):  # one of them by its plain title
        return shared if own.reasons else own
    if not follows_shared:
        return own
    found = tuple(match.show for match in (own, shared) if match.show is not None)
    return Match(outcome=Outcome.UNSURE, candidates=found, reasons=own.reasons)


def _aired(show: Any) -> int | None:
    """By the airing times that are stored, which may be the next one alone."""
    told = [
        number
        for number in (show.last_aired, (show.next_number or 0) - 1)
        if number is not None and number >= 0
    ]
    if told:
        return max(told)
    return show.episodes if show.status in _ENDED else None


def _number(external_id: str) -> int | None:
    return int(external_id) if external_id.isascii() and external_id.isdecimal() else None
