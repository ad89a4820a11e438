"""A show's name, from the part of a release's name that holds it: several scripts, seasons, years, labels."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from feeds.releases.seasons import Season, find_season
from feeds.releases.tidy import has_letters

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1dff\u2e80-\ud7ff]")
# "A / B", "A | B" and "A AKA B" are names of one show; "Fate/stay night" and "22/7" are one name.
_BETWEEN_NAMES = re.compile(
    r"[\s/|](?:(?<=\s)(?:[/|]\s?|(?:AKA|a\.k\.a\.)\s)|(?<=[/|])\s|(?<=[\u3040-\u9fff][/|])|(?<=[/|])(?=[\u3040-\u9fff]))",
    re.IGNORECASE,
)
_SQUARE = re.compile(r"\[[^\[\]]*\]?")
_BRACKETS = re.compile(r"[\[\]]")
# "Not [Quite] Alone": a word in brackets between words is one of them.
_WORD_IN_BRACKETS = re.compile(r"(?<=[A-Za-z]\s)\[(?P<word>[A-Za-z]+)\](?=\s[A-Za-z])")
_YEAR_ALONE = re.compile(r"(?:19|20)[0-9]{2}")
_YEAR_IN_BRACKETS = re.compile(r"\s?\((?P<year>(?:19|20)[0-9]{2})(?:-[0-9]{4})?\)")
_YEAR_AT_END = re.compile(r"(?<=[^0-9A-Za-z])(?P<year>19[0-9]{2}|20[0-3][0-9])$")
# "Show (TV)" tells a series from films of the same name, as "Show (US)" does from the British one.
_QUALIFIER = re.compile(r"\s(?:US|UK|\((?:US|UK|AU|NZ|CA|TV|tv)\))$")
_PART = re.compile(
    r"\s\(?(?:(?:Part|Pt|Cour)\s?(?:[0-9]{1,2}|I{1,3})|(?:[0-9](?:st|nd|rd|th)|First|Second)\sCour)\)?$",
    re.IGNORECASE,
)
_CJK_PART = re.compile(r"\s?第?\s?[0-9一二三四]{1,2}(?:部分|クール)$")
_NUMERAL = re.compile(r"[0-9.+]+(?:st|nd|rd|th)?|[IVX]+|[\u2160-\u216b]|[A-Za-z]{1,2}")
_IDENTIFIER = re.compile(r"\{[^{}]*\}")  # as media servers have them in names: {tvdb-12345}
_ASIDE = re.compile(r"\s*[(「](?P<name>[^()「」]*)[)」]$")
_LABEL = re.compile(
    r"\s(?:(?:The\s)?Complete(?:\s(?:TV\s)?Series)?|TV\sSeries|Batch|Ep|Episode|v[0-9]|Creditless|Textless|(?:BD|DVD)(?:[\s-]?Box)?|Dis[ck]\s?[0-9]{1,2}"
    r"|(?:Complete|Uncensored|Uncut)\sVersion|\(?Uncensored\)?|(?:HD\s)?Remaster(?:ed)?|(?:Dual|Multi)[\s-]Audio|Box\s?set"
    r"|Eng(?:lish)?[\s-](?:Sub|Dub)(?:s|bed|titled|titles)?"
    r"|-\s(?:OVA|ONA|OAD|NC(?:OP|ED)[0-9]{0,2})|\+\s(?:OVA|OAD|Special|Movie|Extra)s?"
    r"|Gekijou-?ban|Vol(?:ume)?\.?\s?[0-9]{1,3})$",
    re.IGNORECASE,
)
_LONGEST_LABEL = 32  # characters: what is looked for at the end of a name is not looked for before
_FILM_BEFORE = re.compile(r"Gekijou-?ban\s", re.IGNORECASE)
_CJK_LABEL = re.compile(
    r"^\((?:アニメ|TV)\)|^[中台粤粵国國日语語文]{1,6}配音?版?\s-|^(?:新番|劇場版|剧场版|电影版|電影版|映画|TV版|(?:电影|電影)\s|(?:合集|全集)\s-)"
    r"|\s?\((?:[僅仅]限|年[齡龄]限制)[^()]*\)$"
    r"|(?:合集|全集|总集篇|總集篇|劇場版|剧场版|电影版|電影版|特典|特别篇|特別篇|番外篇?|更新至?|(?:\sthe)?\sMovie|\s?OVA|\s?OAD)$"
)
_NO_NAME = re.compile(
    r"国漫|國漫|国产|新番|连载|TV|剧场版|劇場版|电影版|電影版|合集|全集|アニメ|Movie"
    r"|(?:[0-9]{2,4}年)?(?:[0-9]{1,2}月)?(?:[日韩韓美英泰国國大陆陸]?[剧劇]|[动動][画畫漫])"
    r"|[简簡繁日双雙]{1,3}[体體语語文]?[内內]?[嵌封]?",
    re.IGNORECASE,
)
_ANY_BRACKET = re.compile(r"[()\[\]{}]")
_OPENING = {")": "(", "]": "[", "}": "{"}
_EDGE = " -~_.,:;|/*=★☆\"'\0"


@dataclass(frozen=True, slots=True)
class Name:
    """`best` is for display, `others` are all further forms; `season` and `year` are those that stood in it."""

    best: str = ""
    others: tuple[str, ...] = ()
    season: Season | None = None
    year: int | None = None

    def also(self, other: "Name") -> "Name":
        """With the forms of another name for the same show."""
        others = dict.fromkeys((*self.others, other.best, *other.others))
        return replace(self, others=tuple(form for form in others if form and form != self.best))

    def renamed(self, best: str) -> "Name":
        """With another best form, if that is a part of this one."""
        whole, part = _bare(self.best), _bare(best)
        if not part or part == whole or part not in whole:
            return self
        others = [other for other in (self.best, *self.others) if other and other != best]
        return replace(self, best=best, others=tuple(others))


def read_name(region: str) -> Name:
    """The show in `region`, the part of a release's name before its number or the first technical word."""
    season: Season | None = None
    year: int | None = None
    forms: list[str] = []
    asides: list[str] = []
    longer: list[str] = []
    halves: list[str] = []
    texts = list(_names(region))
    for text in texts:
        piece = trimmed(text)
        if found := find_season(text):
            season = season or found
            longer.append(piece)
            before, after = text[: found.start], text[found.end :]
            piece = next(filter(has_letters, (trimmed(before), trimmed(after))), "")
            two_scripts = has_letters(before) and has_cjk(before) != has_cjk(after)
            if two_scripts and "(" not in text[found.start : found.end] and _says_a_name(after):
                texts.append(after)  # 港湾之光 第二季 Harbour Lights: the season parts two names
        piece, stated = _without_year(_without_labels(piece))
        year = year or stated
        shorter = _without_end(_QUALIFIER, _without_end(_PART, piece))
        if has_cjk(shorter):
            shorter = _without_end(_CJK_PART, shorter)
        if shorter != piece and has_letters(shorter):
            longer.append(piece)
            piece, stated = _without_year(shorter)
            year = year or stated
        if (
            (aside := _ASIDE.search(piece))
            and has_letters(piece[: aside.start()])
            and _says_a_name(aside["name"])
        ):
            longer.append(piece)
            asides.append(aside["name"])
            if has_cjk(aside["name"]) != has_cjk(piece[: aside.start()]):
                piece = piece[: aside.start()]
            else:
                asides.append(piece[: aside.start()])
        parts = _by_script(piece)
        if len(parts) > 1:
            halves += filter(has_letters, map(trimmed, parts))
            longer.append(piece)
        elif has_letters(piece := trimmed(piece)):
            forms.append(piece)
    forms += halves  # behind the whole names: of "Light 港湾 / Light Harbour", "Light" is none
    best = next((form for form in forms if not _OTHER_SCRIPT.search(form)), forms[0] if forms else "")
    others = dict.fromkeys(form for form in (*forms, *asides, *longer) if form != best)
    return Name(best, tuple(others), season, year)


def _names(region: str) -> Iterator[str]:
    """The names in a region: free text, or where there is none, the texts in square brackets."""
    if "[" not in region and "]" not in region:
        texts = _BETWEEN_NAMES.split(region)
        yield from filter(_says_a_name, texts) if len(texts) > 1 else texts  # what stands alone is the name
        return
    inside, closing, behind = region.partition("]")
    if closing and "[" not in inside:  # it begins within brackets: "[港湾之光].Harbour.Lights"
        yield from _names(inside)
        yield from _names(behind)
        return
    for piece in _BETWEEN_NAMES.split(_SQUARE.sub(_season_freed, region)):
        free = _SQUARE.sub(" ", _WORD_IN_BRACKETS.sub(r"\g<word>", piece))
        if _says_a_name(free):
            yield free
        else:
            bracketed = (text for text in _BRACKETS.split(piece) if not _YEAR_ALONE.fullmatch(text))
            yield from filter(_says_a_name, bracketed)


def _season_freed(match: re.Match[str]) -> str:
    """A season in brackets of its own, without them: it belongs to the name before."""
    inside = match[0].strip("[]")
    season = find_season(inside)
    return f" {inside} " if season and season.end - season.start == len(inside) else match[0]


def _says_a_name(text: str) -> bool:
    if season := find_season(text):
        text = text[: season.start] + text[season.end :]
    return has_letters(text) and not _NO_NAME.fullmatch(trimmed(text))


def _without_year(piece: str) -> tuple[str, int | None]:
    for pattern in (_YEAR_IN_BRACKETS, _YEAR_AT_END):
        if (match := pattern.search(piece)) and has_letters(before := trimmed(piece[: match.start()])):
            return trimmed(before + piece[match.end() :]), int(match["year"])
    return piece, None


def _without_labels(piece: str) -> str:
    """Without words that say what it is: `Complete`, `劇場版`, `合集`; and without identifiers in braces."""
    if "{" in piece and has_letters(rest := _IDENTIFIER.sub("", piece)):
        piece = trimmed(rest)
    if (film := _FILM_BEFORE.match(piece)) and has_letters(piece[film.end() :]):
        piece = trimmed(piece[film.end() :])
    while (rest := _without_end(_LABEL, piece)) != piece and has_letters(rest := trimmed(rest)):
        piece = rest
    while has_cjk(piece) and has_letters(rest := trimmed(_CJK_LABEL.sub("", piece))) and rest != piece:
        piece = rest
    return piece


def _without_end(pattern: re.Pattern[str], piece: str) -> str:
    """`piece` up to where `pattern`, which ends with it, matches."""
    match = pattern.search(piece, max(0, len(piece) - _LONGEST_LABEL))
    return piece[: match.start()] if match else piece


def _by_script(piece: str) -> list[str]:
    """Two names where Chinese, Japanese or Korean words stand before or after Latin ones; mixed ones are one name."""
    if not has_cjk(piece):
        return [piece]
    words = piece.split(" ")
    # Numbers and single letters belong to the name they follow: "呪術廻戦 0", "港湾之光 EX" have no second name.
    scripts = [None if _NUMERAL.fullmatch(word) or not has_letters(word) else has_cjk(word) for word in words]
    lettered = [position for position, script in enumerate(scripts) if script is not None]
    changes = [after for before, after in pairwise(lettered) if scripts[before] != scripts[after]]
    if len(changes) != 1:
        return [piece]
    return [" ".join(words[: changes[0]]), " ".join(words[changes[0] :])]


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def has_cjk(text: str) -> bool:
    """Whether there is a Chinese, Japanese or Korean letter."""
    return not text.isascii() and _CJK.search(text) is not None


def trimmed(text: str) -> str:
    """Without separators at the edges, brackets that open or close nothing, and double blanks."""
    text = " ".join(text.split()).strip(_EDGE)
    if not _ANY_BRACKET.search(text):
        return text
    while text and (
        text[-1] in "([{" or (text[-1] in ")]}" and text.count(_OPENING[text[-1]]) < text.count(text[-1]))
    ):
        text = text[:-1].strip(_EDGE)
    while text and text[0] in ")]}":
        text = text[1:].strip(_EDGE)
    if text.count("(") > text.count(")"):
        text = text[: text.rindex("(")].strip(_EDGE) or text.replace("(", " ").strip(_EDGE)
    return text
