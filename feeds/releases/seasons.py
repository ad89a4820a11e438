"""Seasons and parts as names state them, apart from an episode: `S2`, `Season 2`, `2nd Season`, `第二季`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from feeds.releases.numbers import read_chinese

_L, _R = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_ORDINALS = {word: value for value, word in enumerate(("first", "second", "third", "fourth", "fifth", "sixth"), 1)}

_SEASON = re.compile(
    rf"""[\s(\[-]*(?:
        {_L}S(?P<short>[0-9]{{1,4}})(?P<to>(?:(?:\s?[-~&+,]\s?)?S|[-~&+,])[0-9]{{1,2}})?(?=[^0-9A-Za-z]|$|P[0-9]|DVD|D[0-9])
        | {_L}(?:Seasons?|Series|Saison|Staffel|Stagione|Temporada|Tem)\s?(?P<word>[0-9]{{1,2}})(?P<until>(?:[-~,][0-9]{{1,2}}|\s?[&+]\s?[0-9]{{1,2}}|\s[0-9](?=[\s-])){{1,9}})?{_R}
        | {_L}(?P<ordinal>[0-9]{{1,2}})(?:st|nd|rd|th)\sSeason{_R}
        | {_L}(?P<spelled>First|Second|Third|Fourth|Fifth|Sixth)\sSeason{_R}
        | 第?\s?(?P<cjk>[0-9]{{1,2}}|[一二三四五六七八九十]{{1,3}})\s?[季期](?![一-鿿])
    )[\s)\]]*""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Season:
    """`number` is None where several are stated. `[start, end)` is the part that says it, blanks included."""

    start: int
    end: int
    number: int | None


def find_season(name: str) -> Season | None:
    """The first season that `name` states."""
    return next(find_seasons(name), None)


def find_seasons(name: str) -> Iterator[Season]:
    """Each season or span of seasons that `name` states."""
    for match in _SEASON.finditer(name):
        if match["to"] or match["until"]:
            yield Season(match.start(), match.end(), None)
            continue
        if match["cjk"]:
            number = read_chinese(match["cjk"])
        elif match["spelled"]:
            number = _ORDINALS[match["spelled"].lower()]
        else:
            number = int(match["short"] or match["word"] or match["ordinal"])
        if number is not None:
            yield Season(match.start(), match.end(), number)
