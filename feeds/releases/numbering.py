"""What the numbers in a name say; what `explicit` and `positional` share."""

import datetime
import re
from dataclasses import dataclass, replace

from feeds.releases.numbers import NUMBER, read_numbers
from feeds.releases.release import EpisodeNumber, Special

BLANK = "\0"
"""Stands in place of every letter of a technical word, so that no codec and no resolution is taken for an episode."""

WORD = "0-9A-Za-zÀ-ӿ"
"""Letters that are written in words, with blanks between: not those of Chinese and Japanese."""

LEFT, RIGHT = rf"(?<![{WORD}])", rf"(?![{WORD}])"
TO = r"(?:-|\s?~\s?)"
SEVERAL = rf"{NUMBER}(?:(?:{TO}|\s?[+&,]\s?){NUMBER}){{0,9}}+"
"""`05`, `01-12`, `01 ~ 12`, `05+06`. A dash between blanks is none of these: it parts a number from a title."""

_YEAR = re.compile(r"(?:19|20)[0-9]{2}(?![0-9])")
_ACROSS_SEASONS = re.compile(rf"\s?[\[(]\s?\#?(?P<numbers>[0-9]{{2,4}}(?:{TO}[0-9]{{2,4}})?)\s?[\])]")


@dataclass(frozen=True, slots=True)
class Numbering:
    """`[start, end)` is the part of the name that says it."""

    start: int
    end: int
    season: int | None = None
    episodes: tuple[EpisodeNumber, ...] = ()
    absolute: tuple[EpisodeNumber, ...] = ()
    version: int | None = None
    special: Special | None = None
    batch: bool = False
    date: datetime.date | None = None


def numbered(match: re.Match[str], written: str) -> Numbering:
    """The numbers in `written`, said by the whole of `match`. More than three are a batch."""
    episodes, version = read_numbers(written)
    return Numbering(match.start(), match.end(), episodes=episodes, version=version, batch=len(episodes) > 3)


def with_absolute(name: str, found: Numbering) -> Numbering:
    """With as many numbers across seasons in brackets behind: `01 (51)`, never a year."""
    after = _ACROSS_SEASONS.match(name, found.end)
    if not after or is_year(after["numbers"]):
        return found
    absolute, _ = read_numbers(after["numbers"])
    if len(absolute) != len(found.episodes):
        return found
    return replace(found, end=after.end(), absolute=absolute)


def in_round_brackets(name: str, position: int) -> bool:
    return name.rfind("(", 0, position) > name.rfind(")", 0, position)


def is_year(written: str) -> bool:
    """Whether a number, or a span of them, begins with a year: `2014`, `1993-2018`."""
    return _YEAR.match(written) is not None
