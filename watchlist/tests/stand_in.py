"""A catalogue that knows titles letter by letter, where a test is about what is decided and not about names."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pytest

from feeds.releases.release import Release
from feeds.rules import Reason
from watchlist import aliases, catalogue, offers, relation_rules
from watchlist.matching import Aliases, AliasKey, CatalogueShow, Match, Outcome


def key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


class StandIn:
    """Several shows of one name, and numbers that a show does not have, are questions."""

    def __init__(self, shows: Iterable[CatalogueShow], redirects: Any = None) -> None:
        self._by_title: dict[str, list[CatalogueShow]] = defaultdict(list)
        self._by_id: dict[int, CatalogueShow] = {}
        for show in shows:
            self._by_id[show.id] = show
            for name in {key(title) for title in (*show.titles, *show.synonyms)}:
                self._by_title[name].append(show)

    def match(
        self,
        release: Release,
        *,
        folders: Sequence[Release] = (),
        aliases: Aliases = catalogue.NO_ALIASES,
        published: date | None = None,
    ) -> Match:
        said = AliasKey(key(release.series), release.season)
        if said in aliases:
            meant = aliases[said]
            return Match(outcome=Outcome.UNKNOWN) if meant is None else self._of(self._by_id[meant], release)
        name = f"{release.series} {release.season}" if (release.season or 1) > 1 else release.series
        found = self._by_title.get(key(name), [])
        if len(found) == 1:
            return self._of(found[0], release)
        if found:
            reason = Reason("title", release.series, "one show of this name")
            candidates = tuple(show.id for show in found)
            return Match(outcome=Outcome.UNSURE, candidates=candidates, reasons=(reason,))
        return Match(outcome=Outcome.UNKNOWN)

    def _of(self, show: CatalogueShow, release: Release) -> Match:
        numbers = [number for number in release.episodes if not isinstance(number, str)]
        if show.episodes and numbers and max(numbers) > show.episodes:
            reason = Reason("episodes", f"{max(numbers):g}", f"at most {show.episodes}")
            return Match(outcome=Outcome.UNSURE, candidates=(show.id,), reasons=(reason,))
        return Match(
            outcome=Outcome.FOUND,
            show=show.id,
            episodes=release.episodes,
            special=release.special or "",
            whole=not release.episodes,
        )


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "build", StandIn)
    for module in (offers, aliases):
        monkeypatch.setattr(module, "key", key)
    monkeypatch.setattr(relation_rules, "current", lambda: None)
    monkeypatch.setattr(catalogue, "_kept", None)
