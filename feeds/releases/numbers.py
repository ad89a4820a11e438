"""Episode numbers as they are written: `05`, `07.5`, `4a`, `01-12`, `E01E02`, `01+03`, `十二`."""

import re

from feeds.releases.release import EpisodeNumber

LONGEST_RANGE = 2000  # episodes of one name; what claims more are numbers that happen to stand together

NUMBER = (
    r"(?>[0-9]{1,5}(?:(?:\.5|(?<=[0-9][0-9])\.[1-9])(?![0-9]))?(?:(?:(?-i:[a-d])|(?<=[0-9][0-9])[a-c])(?![0-9A-Za-z]))?"
    r"(?:\s?v[0-9](?![0-9A-Za-z]))?)"
)
"""One number with its version, as a pattern without groups that matches in one way only. Behind two digits there may
be any tenth: `04.1` is an extra between 4 and 5, `1.1` is part of a title."""

_PARTS = re.compile(
    r"(?P<number>[0-9]{1,5}(?:\.5|(?<=[0-9][0-9])\.[1-9])?)(?P<letter>[a-d](?![0-9A-Za-z]))?(?:\s?v(?P<version>[0-9]))?",
    re.I,
)
_TO = re.compile(r"[-~]|to")
_SEASON_AGAIN = re.compile(r"(?<![0-9A-Za-z])(?:S[0-9]{1,4}\s?(?=[Ex])|(?<=[\s-])[0-9]{1,2}(?=x))", re.I)
_CHINESE = {digit: value for value, digit in enumerate("零一二三四五六七八九十")}


def read_numbers(text: str) -> tuple[tuple[EpisodeNumber, ...], int | None]:
    """The numbers in `text` in ascending order of appearance, ranges expanded, and the highest version."""
    if text.isdecimal() and text.isascii():  # nearly always
        return (int(text),), None
    text = _SEASON_AGAIN.sub("", text)
    found: list[EpisodeNumber] = []
    version: int | None = None
    last, end = None, 0
    for match in _PARTS.finditer(text):
        if match["version"]:
            version = max(version or 0, int(match["version"]))
        number = float(match["number"])
        whole = int(number) if number.is_integer() else None
        between = text[end : match.start()]
        if (
            last is not None
            and whole is not None
            and not match["letter"]
            and _TO.search(between)
            and last < whole <= last + LONGEST_RANGE - len(found)
        ):
            found += range(last + 1, whole + 1)
        elif match["letter"]:
            found.append(f"{number:g}{match['letter'].lower()}")
        else:
            found.append(number if whole is None else whole)
        last, end = whole, match.end()
    return tuple(dict.fromkeys(found)), version


def read_chinese(text: str) -> int | None:
    """`十二` is 12, `二十` is 20, `3` is 3; None for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not all(digit in _CHINESE for digit in tens + ones) or len(tens) > 1 or len(ones) > 1:
        return None
    return (_CHINESE.get(tens, 1) * 10 if ten else 0) + _CHINESE.get(ones, 0)
