"""Seasons as names state them, apart from an episode: `S2`, `Season 2`, `2nd Season`, `第二季`, `S01-S03`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from feeds.releases.numbers import read_chinese

_ORDINALS = {
    word: value for value, word in enumerate(("first", "second", "third", "fourth", "fifth", "sixth"), 1)
}

# In every name in which _SEASON finds something, and quick to look for, as it begins with a set of characters.
_HINT = re.compile(
    r"[SsTt季期기시](?:[0-9]|[Ee](?:[Aa][Ss]|[Rr][Ii]|[Mm])|[Aa][Ii][Ss]|[Tt][Aa][FfGg]|(?<=[季期기])|즌)"
)
_SEASON = re.compile(
    r"""[\s(\[-]*+(?:
        (?<![0-9A-Za-z])(?:
            S(?P<short>[0-9]{1,4})(?P<to>(?:(?:\s?[-~&+,]?\s?)S|[-~&+,])[0-9]{1,2})*+(?=[^0-9A-Za-z]|$|P[0-9]|DVD|D[0-9]|v[0-9])
            | Seasons\s(?P<first>[0-9]{1,2})\s?(?:[-~&]|to|and)\s?[0-9]{1,2}(?![0-9A-Za-z])
            | (?:Seasons?|Series|Saison|Staffel|Stagione|Temporada|Temp?)\s?(?P<word>[0-9]{1,2})
                (?P<until>(?:[-~,][0-9]{1,2}|\s?[&+]\s?(?:Season\s)?[0-9]{1,2}|\s[0-9](?=[\s-])){1,9}+)?(?![0-9A-Za-z])
            | (?P<ordinal>[0-9]{1,2})(?:st|nd|rd|th)\sSeason(?![0-9A-Za-z])
            | (?:The\s)?(?P<spelled>First|Second|Third|Fourth|Fifth|Sixth)\sSeason(?![0-9A-Za-z])
        )
        | (?P<all>全)?[第제]?\s?(?P<cjk>[0-9]{1,2}|[一二三四五六七八九十]{1,3})
            (?P<through>\s?[-~+&,、至到]\s?第?\s?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})){0,9}+
            \s?[季期기](?![一-鿿가-힣])
        | 시즌\s?(?P<korean>[0-9]{1,2})(?![0-9])
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
    """Each season, or span of seasons, that `name` states."""
    if not _HINT.search(name):
        return
    for match in _SEASON.finditer(name):
        number: int | None = None
        if match["cjk"]:
            number = None if match["all"] or match["through"] else read_chinese(match["cjk"])
        elif match["spelled"]:
            number = _ORDINALS[match["spelled"].lower()]
        elif not (match["to"] or match["until"] or match["first"]):
            number = int(match["short"] or match["word"] or match["ordinal"] or match["korean"])
        yield Season(match.start(), match.end(), number)
