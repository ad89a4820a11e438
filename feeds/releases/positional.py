"""Bare numbers, which are episodes by where they stand: `Show - 05`, `Show [05]`, `Show 05 [1080p]`, `05. Show`.

They read what `explicit` reads, and are linear in the same way.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from feeds.releases.numbering import (
    BLANK,
    LEFT,
    RIGHT,
    SEVERAL,
    TO,
    WORD,
    Numbering,
    in_round_brackets,
    is_year,
    numbered,
    with_absolute,
)
from feeds.releases.numbers import NUMBER
from feeds.releases.seasons import find_seasons
from feeds.releases.tidy import has_letters

_HIGHEST = (
    1900  # no show counts further without a dash before; from here on numbers are years, or part of a title
)
_ROMAN = {
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "v": 5,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
}

_ENDING = rf"(?:\s?\(?(?:END|FIN|Final|Pre|先行版?|完结?|完結|[合全]集|全|{BLANK}{{3}})\)?)?"
_CLOSES = rf"(?=[\s.]*(?:$|[\[\](){{}}\"'|+{BLANK}]))"

_PADDED_RANGE = re.compile(
    rf"(?<=\s)(?P<numbers>(?P<first>0[0-9]{{0,2}}[1-9])\s?(?:[-~]|to)\s?(?P<last>[0-9]{{2,4}}))(?=\s?(?:$|[\[({BLANK}]|Batch|END))",
    re.IGNORECASE,
)
_AFTER_DASH = re.compile(
    rf"[-~](?<![{WORD}{BLANK}][-~])(?<![\[(][0-9]{{2}}\s[-~])\s?(?P<numbers>{SEVERAL})'?{_ENDING}{RIGHT}(?P<sure>{_CLOSES}|(?=\s-\s))?",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    rf"\[\s?(?P<numbers>{NUMBER}\s-\s{NUMBER}|{SEVERAL}){_ENDING}(?=[\s\](+{BLANK}]|TV|全|完|合)"
    rf"|\((?P<range>{NUMBER}(?:\s-\s|{TO}){NUMBER}|0[0-9]{{1,2}}){_ENDING}(?=\)|\s?\+)",
    re.IGNORECASE,
)
_VOLUME = re.compile(rf"(?-i:[Vv])(?<![{WORD}][Vv])ol(?:ume|s)?\.?\s?[0-9]{{1,3}}", re.IGNORECASE)
_LAST = re.compile(rf"(?<=[\s.])(?P<numbers>{SEVERAL}){_ENDING}{_CLOSES}", re.IGNORECASE)
_IN_THE_MIDDLE = re.compile(
    r"(?<=[0-9A-Za-z!?)'~.]\s)(?P<numbers>[0-9]{2,3}(?:-[0-9]{2,3})?(?:v[0-9])?(?=\s-\s)|0[1-9](?:v[0-9])?(?=\s))"
)
_ROUND = re.compile(rf"(?<=\s)\((?P<numbers>[1-9][0-9]{{0,2}})\)(?=\s?(?:$|[\[({BLANK}]))")
_GLUED = re.compile(
    rf"(?:(?<=[{WORD}])-|(?<=[\u3040-\u9fff\uac00-\ud7af]))(?P<numbers>0[0-9]{{1,2}}(?:v[0-9])?)(?=\s?(?:$|[\[({BLANK}]))"
)
_FIRST = re.compile(r"\s*(?P<numbers>0[0-9]{1,2}(?:-[0-9]{2,3})?)(?:\.\s|\s?-\s?|\s)")
_SEASON_IN_NUMBER = re.compile(rf"(?:[1-9][0-9]{{2}}|0[0-9]{{3}}){RIGHT}")
_PART = re.compile(
    rf"{LEFT}Part\s?(?P<number>[0-9]{{1,2}}|[IV]{{1,3}}|One|Two|Three|Four|Five|Six){RIGHT}", re.IGNORECASE
)


def find_by_position(name: str, start: int, *, dotted: bool) -> Numbering | None:
    """The likeliest episode among the bare numbers of `name`; None where none is likely.

    `start` is where the show's name may begin. `dotted` names (dots for spaces, no bracket first) write 208 for S02E08
    and count the episodes of a short series as parts.
    """
    seasons = list(find_seasons(name))
    for season in seasons:
        name = name[: season.start] + " " * (season.end - season.start) + name[season.end :]
    for find in _LIKELIEST_FIRST:
        if found := find(name, start):
            return _with_season_in_number(name, found) if dotted and find is _last else found
    return _part(name) if dotted and not seasons else None


def _padded_range(name: str, start: int) -> Numbering | None:
    """`Show 01 - 07`: titles end in numbers, but not in 01."""
    match = _PADDED_RANGE.search(name, start)
    if not match or int(match["first"]) >= int(match["last"]):  # "Unit 0096 - 14" is no range
        return None
    return numbered(match, match["numbers"])


def _after_dash(name: str, start: int) -> Numbering | None:
    """The last `- 05` that ends something before the technical words, else the first with two digits."""
    found = [
        match
        for match in _AFTER_DASH.finditer(name, start)
        if not is_year(match["numbers"]) and has_letters(name[start : match.start()])
    ]
    if not found:
        return None
    # "Show - 05 (Other Name - 17)": in brackets it is an aside.
    found = [match for match in found if not in_round_brackets(name, match.start())] or found
    sure = [match for match in found if match["sure"] is not None]
    technical = name.find(BLANK)
    best = (
        [match for match in sure if match.end() <= technical][-1:]
        or sure[-1:]
        or [match for match in found if len(match["numbers"]) > 1][:1]
    )
    return with_absolute(name, numbered(best[0], best[0]["numbers"])) if best else None


def _in_brackets(name: str, start: int) -> Numbering | None:
    for match in _IN_BRACKETS.finditer(name):
        written = match["numbers"] or match["range"]
        # Long and before the name, "[46620] Show" is how an uploader counts.
        if not is_year(written) and not (match.start() < start and written.isdigit() and len(written) > 3):
            return with_absolute(name, numbered(match, written))
    return None


def _volume(name: str, start: int) -> Numbering | None:
    """Volumes are discs with several episodes, and do not say which."""
    match = _VOLUME.search(name, start)
    return Numbering(match.start(), match.end(), batch=True) if match else None


def _last(name: str, start: int) -> Numbering | None:
    """A number that ends the title, where it is written as episodes are: not 5, 00 or 2199."""
    for match in _LAST.finditer(name, start):
        written = match["numbers"]
        usual = len(written) < 4 or not written.isdigit() or int(written) < _HIGHEST
        if usual and len(written) > 1 and written != "00" and has_letters(name[start : match.start()]):
            return with_absolute(name, numbered(match, written))
    return None


def _in_the_middle(name: str, start: int) -> Numbering | None:
    """`Show 12 - Title`, `Show 05 Title`."""
    match = _IN_THE_MIDDLE.search(name, start)
    return numbered(match, match["numbers"]) if match and has_letters(name[start : match.start()]) else None


def _glued(name: str, start: int) -> Numbering | None:
    """`Show-05[1080p]`, `港湾之光05`: only with a zero in front, for titles have dashes too."""
    match = _GLUED.search(name, start)
    return numbered(match, match["numbers"]) if match else None


def _first(name: str, start: int) -> Numbering | None:
    """`05. Show`, `01 - Show`."""
    match = _FIRST.match(name, start)
    return numbered(match, match["numbers"]) if match else None


def _in_round_brackets(name: str, start: int) -> Numbering | None:
    """`Show (5)`, where nothing else is a number."""
    match = _ROUND.search(name, start)
    return numbered(match, match["numbers"]) if match and has_letters(name[start : match.start()]) else None


def _part(name: str) -> Numbering | None:
    match = _PART.search(name)
    if not match or not has_letters(name[: match.start()]):
        return None
    number = _ROMAN.get(match["number"].lower()) or (
        int(match["number"]) if match["number"].isdigit() else None
    )
    return Numbering(match.start(), match.end(), episodes=(number,)) if number else None


def _with_season_in_number(name: str, found: Numbering) -> Numbering:
    """208 and 0208 are S02E08."""
    match = _SEASON_IN_NUMBER.match(name, found.start)
    return replace(found, season=int(match[0][:-2]), episodes=(int(match[0][-2:]),)) if match else found


_LIKELIEST_FIRST: tuple[Callable[[str, int], Numbering | None], ...] = (
    _padded_range,
    _after_dash,
    _in_brackets,
    _volume,
    _last,
    _in_the_middle,
    _glued,
    _first,
    _in_round_brackets,
)
