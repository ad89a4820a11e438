"""A show's name, from the part of a release's name that holds it: several scripts, seasons, years, labels."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from feeds.releases.numbering import has_letters
from feeds.releases.seasons import Season, find_season

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
# "A / B", "A | B" and "A AKA B" are names of one show; "Fate/stay night" and "22/7" are one name.
_BETWEEN_NAMES = re.compile(r"\s+[/|]\s*|\s*[/|]\s+|\s+(?:AKA|a\.?k\.?a\.?)\s+|(?<=[\u3040-\u9fff])/|/(?=[\u3040-\u9fff])")
_SQUARE = re.compile(r"\[[^\[\]]*\]?")
_YEAR_IN_BRACKETS = re.compile(r"\s?\((?P<year>(?:19|20)[0-9]{2})(?:-[0-9]{4})?\)")
_YEAR_AT_END = re.compile(r"(?<=[^0-9A-Za-z])(?P<year>19[0-9]{2}|20[0-3][0-9])$")
_COUNTRY = re.compile(r"\s(?:US|UK|\((?:US|UK|AU|NZ|CA)\))$")
_PART = re.compile(r"\s(?:Part|Pt|Cour)\s?(?:[0-9]{1,2}|I{1,3})$|\s?第?\s?[0-9一二三四]{1,2}(?:部分|クール)$", re.IGNORECASE)
_ASIDE = re.compile(r"\((?P<name>[^()]*)\)")
_OTHER_NAME = re.compile(r"\s*\((?P<name>[^()]*)\)$")
_LABELS = re.compile(
    r"^\((?:アニメ|TV)\)|^(?:[中台粤粵国國日语語文]{1,6}配音?版?\s-|★?[0-9]{0,2}月新番★?|新番|劇場版|剧场版|电影版|電影版|映画|Gekijou-?ban(?=\s)|TV版)[\s★☆]*"
    r"|[\s★☆]*(?:合集|全集|总集篇|總集篇|劇場版|剧场版|电影版|電影版)$"
    r"|\s(?:Complete|Batch|Complete Series|TV Series|The Complete Series|Ep|Episode|v[0-9]|Creditless|Textless)$",
    re.IGNORECASE,
)
_KIND_AT_END = re.compile(r"\s?(?:Movie|OVA|OAD|特典|特别篇|特別篇|番外篇?)$", re.IGNORECASE)
_NO_NAME = re.compile(r"国漫|國漫|国产|新番|连载|TV|剧场版|劇場版|电影版|電影版|合集|全集|アニメ|Movie", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_BRACKETS = re.compile(r"[\[\]]")
_EDGE = " \t-~_.,:;|/*=★☆\"'\0"


@dataclass(frozen=True, slots=True)
class Name:
    """`best` is for display, `others` are all further forms; `season` and `year` are those that stood in it."""

    best: str = ""
    others: tuple[str, ...] = ()
    season: Season | None = None
    year: int | None = None


def read_name(region: str) -> Name:
    """The show in `region`, the part of a release's name before its number (or the first technical word)."""
    season: Season | None = None
    year: int | None = None
    forms: list[str] = []
    whole: list[str] = []
    asides = {aside["name"].strip() for aside in _ASIDE.finditer(region)}
    for piece in _names(region):
        if found := find_season(piece):
            season = season or found
            whole.append(trimmed(piece))
            before = trimmed(piece[: found.start])
            piece = before if has_letters(before) else piece[found.end :]
        piece, stated = _without_year(trimmed(piece))
        year = year or stated
        form = _without_labels(piece)
        if not has_letters(form):
            continue
        shorter = _COUNTRY.sub("", _PART.sub("", form))
        if shorter != form and has_letters(shorter):
            whole.append(form)
            form = shorter
        parts = list(_by_script(form))
        forms += parts
        whole += [form] if len(parts) > 1 else []
    latin = [form for form in forms if not _CJK.search(form) and form not in asides]
    best = (latin or forms or [""])[0]
    others = [form for form in dict.fromkeys([*forms, *whole]) if form != best]
    return Name(best, tuple(others), season, year)


def _names(region: str) -> Iterator[str]:
    """The names in a region: free text, or where there is none, the texts in square brackets."""
    region = _SQUARE.sub(_season_freed, region)
    for piece in _BETWEEN_NAMES.split(region):
        free = _SQUARE.sub(" ", piece)
        if _says_a_name(free):
            yield free
        else:
            yield from (text for text in _BRACKETS.split(piece) if _says_a_name(text) and not _YEAR.fullmatch(text))


def _season_freed(match: re.Match[str]) -> str:
    """A season in brackets of its own, without them: it belongs to the name before."""
    inside = match[0].strip("[]")
    season = find_season(inside)
    return f" {inside} " if season and season.end - season.start == len(inside) else match[0]


def _says_a_name(text: str) -> bool:
    season = find_season(text)
    rest = text[: season.start] + text[season.end :] if season else text
    return has_letters(rest) and not _NO_NAME.fullmatch(trimmed(rest))


def _without_year(piece: str) -> tuple[str, int | None]:
    for pattern in (_YEAR_IN_BRACKETS, _YEAR_AT_END):
        if (match := pattern.search(piece)) and has_letters(before := trimmed(piece[: match.start()])):
            return trimmed(before + piece[match.end() :]), int(match["year"])
    return piece, None


def _without_labels(piece: str) -> str:
    for _ in range(3):
        piece = trimmed(_LABELS.sub("", piece))
    if _CJK.search(piece):
        piece = _KIND_AT_END.sub("", piece)
    return piece


def _by_script(form: str) -> Iterator[str]:
    """One name, or two where Chinese or Japanese words come first and Latin ones after, or the other way."""
    if (other := _OTHER_NAME.search(form)) and bool(_CJK.search(other["name"])) != bool(_CJK.search(form[: other.start()])):
        yield trimmed(form[: other.start()])
        yield trimmed(other["name"])
        return
    words = form.split(" ")
    kinds = [bool(_CJK.search(word)) for word in words if has_letters(word)]
    changes = sum(a != b for a, b in zip(kinds, kinds[1:], strict=False))
    if changes != 1:
        yield form
        return
    first = bool(_CJK.search(words[0])) if has_letters(words[0]) else kinds[0]
    cut = next(i for i, word in enumerate(words) if has_letters(word) and bool(_CJK.search(word)) != first)
    yield trimmed(" ".join(words[:cut]))
    yield trimmed(" ".join(words[cut:]))


def trimmed(text: str) -> str:
    """Without separators at the edges, brackets that open or close nothing, and double blanks."""
    text = re.sub(r"\s{2,}", " ", text).strip(_EDGE)
    while text and (text[-1] in "([{" or (text[-1] in ")]}" and not _opened(text))):
        text = text[:-1].strip(_EDGE)
    while text and text[0] in ")]}":
        text = text[1:].strip(_EDGE)
    if text.count("(") > text.count(")"):
        text = text[: text.rindex("(")].strip(_EDGE) or text.replace("(", " ").strip(_EDGE)
    return text


def _opened(text: str) -> bool:
    opening = {")": "(", "]": "[", "}": "{"}[text[-1]]
    return text.count(opening) >= text.count(text[-1])
