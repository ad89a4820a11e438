"""Titles as they are compared, after Taiga's normalisation: https://github.com/erengy/taiga

Case, punctuation, blanks, diacritics, "the", and how Japanese is written in Latin letters do not count; "II",
"2nd Season", "Season 2" and "S2" are one thing, and so are "Part 2", "Cour 2" and "2nd Cour".
"""

import re
import unicodedata
from typing import NamedTuple


class Title(NamedTuple):
    """A title, read. `season`, `part` and `year` are None where it states none."""

    stem: str
    """What is left of the name, without blanks. Never empty."""
    season: int | None = None
    part: int | None = None
    """Of a season: a cour."""
    year: int | None = None

    @property
    def key(self) -> str:
        season = f" {self.season}" if self.season is not None else ""
        return f"{self.stem}{season} part {self.part}" if self.part is not None else self.stem + season


_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")  # "x" stands for "and": Hunter x Hunter
_SPELLED = ("first", "second", "third", "forth", "fifth", "sixth", "seventh", "eighth", "ninth")
_SEASON_WORDS = frozenset(("season", "seasons", "saison", "staffel", "temporada", "stagione"))
_PART_WORDS = frozenset(("part", "cor"))  # "cour": see _without_long_vowels
_COUNTED = _SEASON_WORDS | _PART_WORDS
_ORDINAL = {
    f"{number}{ending}": str(number) for number in range(1, 31) for ending in ("st", "nd", "rd", "th")
}
# What may be written in one way or another, or be left out. "hen" (an arc) is added and dropped at will.
_SAME = {
    **{numeral: str(number) for number, numeral in enumerate(_ROMAN, 1)},
    "the": "",
    "hen": "",
    "ha": "wa",
    "wo": "o",
    "he": "e",
}
_SAME_WORDS = {**_ORDINAL, **_SAME}
_SPELLED_NUMBERS = {word: str(number) for number, word in enumerate(_SPELLED, 1)}
_TABLE = str.maketrans(
    {code: " " for code in range(128) if not chr(code).isalnum()} | {"'": "", "`": "", "’": "", "&": " and "}
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_ACCENTED = re.compile("[\u00c0-\u036f\u0400-\u04ff\u1e00-\u1eff]")
_NO_LETTERS = re.compile(r"[^\w\x00-\x7f]")
_YEAR = re.compile(r"\((?P<year>(?:19|20)[0-9]{2})\)")
_QUALIFIER = "(tv)"
_BLANK_BETWEEN_LETTERS = re.compile(r"(?<![0-9])\s|\s(?![0-9])")
_DIGITS = re.compile(r"[0-9]+")
_CJK_NUMBERS = {digit: number for number, digit in enumerate("一二三四五六七八九十", 1)}
_CJK_COUNTED = re.compile(
    r"第?\s?(?P<season>[0-9]{1,2}|[一二三四五六七八九十])\s?(?:期|季|シーズン|기)|(?:シーズン|시즌)\s?(?P<after>[0-9]{1,2})"
    r"|第?\s?(?P<part>[0-9]{1,2}|[一二三四五六七八九十])\s?(?:クール|部分)|(?:パート|파트)\s?(?P<part_after>[0-9]{1,2})"
)
_CJK_MARKS = frozenset("期季기シ시ク部パ파")
_BEFORE_SUBTITLE = re.compile(r"(?<=[\w!?]\s)(?P<number>[1-9]|i{1,3}|iv|vi{0,3})\s?(?::|\s-\s)\s*(?=\S)")
_SEASON_WORD = re.compile(r"season|saison|staffel|temporada|stagione|シーズン|시즌|\bS[0-9]", re.IGNORECASE)
_SUBTITLE = re.compile(r"\s?:\s|:|\s[-~–]\s")
# "Movie 2" is no second season, and neither is "Act 2" or "Volume 2".
_NUMBERED_ANYWAY = re.compile(
    "act|arc|chapter|cor|episode|ep|film|level|lv|movie|no|ova|part|phase|project|season|special|specials|stage|vol|volume"
)
_LAST_SEASON = 20  # what ends in a larger number is called so: "Zom 100"


def key(name: str) -> str:
    """`name` as it is compared. Two names with the same key are the same name."""
    return read(name).key


def read(name: str) -> Title:
    """What `name` says, whatever it is."""
    text = _folded(name)
    year = None
    if "(" in text:
        text = text.replace(_QUALIFIER, " ")
        if match := _YEAR.search(text):
            year = int(match["year"])
            text = text[: match.start()] + text[match.end() :]
    written = _without_long_vowels(text.translate(_TABLE)).split()
    words = [word for word in [_SAME_WORDS.get(word, word) for word in written] if word]
    season = part = None
    if len(words) > 1:
        words, season, part = _without_numbers(words, written[-1])
    stem = _joined(words) or "".join(text.split()) or name.strip() or "?"
    return Title(stem, season, part, year)


def variants(name: str) -> tuple[Title, ...]:
    """`read(name)`, and where a numeral stands before a subtitle, the same with that as its season: "Show II: Under
    the Bridge" is the second of "Show: Under the Bridge"."""
    title = read(name)
    if title.season is None and (":" in name or " - " in name):
        folded = _folded(name)
        if match := _BEFORE_SUBTITLE.search(folded):
            number = int(_SAME.get(match["number"], match["number"]))
            return title, read(f"{folded[: match.start()]} {folded[match.end() :]}")._replace(season=number)
    return (title,)


def with_number(name: str, title: Title) -> Title | None:
    """Where `name` ends in a number that was read as its season, the same with the number as part of the name."""
    if title.season is None or not name[-1:].isdecimal() or _SEASON_WORD.search(name):
        return None
    return Title(_joined([title.stem, str(title.season)]), year=title.year)


def before_subtitle(name: str) -> Title | None:
    """What stands before a colon or dash, if anything does: "Show" of "Show: Under the Bridge"."""
    match = _SUBTITLE.search(name)
    if match is None or len(name[: match.start()].strip()) < 3:
        return None
    return read(name[: match.start()])


def letters(title: Title) -> str:
    """The stem without digits."""
    return _DIGITS.sub("", title.stem).replace(" ", "")


def numbers(title: Title) -> tuple[str, ...]:
    """All numbers of a title, wherever they stand, in ascending order."""
    found = _DIGITS.findall(title.stem)
    found += [str(number) for number in (title.season, title.part) if number is not None]
    return tuple(sorted(number.lstrip("0") or "0" for number in found))


def exactly(name: str) -> str:
    """`name` with the punctuation that tells "Show!!" from "Show!", without what readers of names trim."""
    return "".join(_folded(name).split()).strip("-~_.,:;|/*=★☆\"'")


def _folded(name: str) -> str:
    """In lower case; of all that is neither ASCII nor a letter or digit, nothing is left."""
    if name.isascii():
        return name.lower()
    text = unicodedata.normalize("NFKC", name).casefold().replace("’", "").replace("×", " x ")
    if _ACCENTED.search(text):
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))
    if not _CJK_MARKS.isdisjoint(text):
        text = _CJK_COUNTED.sub(_in_latin, text)
    return _NO_LETTERS.sub(" ", text)


def _without_long_vowels(text: str) -> str:
    return text.replace("ou", "o").replace("oo", "o").replace("uu", "u")


def _in_latin(match: re.Match[str]) -> str:
    if season := match["season"] or match["after"]:
        return f" season {_CJK_NUMBERS.get(season, season)} "
    part = match["part"] or match["part_after"]
    return f" part {_CJK_NUMBERS.get(part, part)} "


def _without_numbers(words: list[str], last_written: str) -> tuple[list[str], int | None, int | None]:
    """The words, the season and the part that they state. At least one word remains.

    "100 II" states a season and "2.5", whose dot is gone, does not: so it counts how the last word was written.
    """
    season = part = None
    if not _COUNTED.isdisjoint(words):
        season, words = _counted(words, _SEASON_WORDS)
        part, words = _counted(words, _PART_WORDS)
    if season is None:
        for position, word in enumerate(words[1:], 1):
            if word[0] == "s" and word[1:].isdigit() and len(word) < 4:
                season = int(word[1:])
                words = words[:position] + words[position + 1 :]
                break
    last = words[-1]
    if season is None and len(words) > 1 and len(last) < 3 and last.isdigit() and last[0] != "0":
        belongs = _NUMBERED_ANYWAY.fullmatch(words[-2]) or (words[-2].isdigit() and last_written.isdigit())
        if 1 < int(last) <= _LAST_SEASON and not belongs:
            return words[:-1], int(last), part
    return words, season, part


def _counted(words: list[str], what: frozenset[str]) -> tuple[int | None, list[str]]:
    """The number before or after one of the words `what`, and the other words."""
    for position, word in enumerate(words):
        if word not in what:
            continue
        # "season 2" before "2 season": of "Show 100 Season 2", the season is 2.
        for at in (position + 1, position - 1):
            if not 0 <= at < len(words):
                continue
            stated = _SPELLED_NUMBERS.get(words[at], words[at])
            others = [other for index, other in enumerate(words) if index not in (at, position)]
            if stated.isdecimal() and len(stated) < 3 and others:
                return int(stated), others
    return None, words


def _joined(words: list[str]) -> str:
    """Without blanks, but between two numbers."""
    text = "".join(words)
    return text if text.isalpha() else _BLANK_BETWEEN_LETTERS.sub("", " ".join(words))
