"""From a title to a `Release`. Nothing here raises, whatever the title."""

import re
from dataclasses import dataclass

import anitomy_ng
from anitomy_ng import Element, ElementKind

from feeds.releases.numbering import BLANK, Numbering, has_letters, find_explicit, find_numbering
from feeds.releases.release import Release
from feeds.releases.series import read_name, trimmed
from feeds.releases.technical import Span, technical_spans
from feeds.releases.tidy import spaced, tidy

_BRACKET = re.compile(r"[\s*★-]*[\[{](?P<text>[^\[\]{}]*)[\]}]")
_SITE = re.compile(r"www\.|www |\.(?:com|org|net|cd|to|me|re|tv)$|^(?:private|no[ .]rar|req|request)$", re.I)
_SCENE_GROUP = re.compile(r"-\s?\[?(?P<group>[0-9A-Za-z_]+)\]?(?:[\s.]?\[[^\]]*\])?$")
_YEAR = re.compile(r"(?<=[\s(])(?:19[0-9]{2}|20[0-3][0-9])(?![0-9A-Za-z])")


def parse(title: str) -> Release:
    """What `title` says. Bounded in time for any input; of a long title the first 300 characters count."""
    tidied = tidy(title)
    text = tidied.text
    if tidied.folder and not find_explicit(spaced(text)) and find_explicit(spaced(tidied.folder)):
        text = tidied.folder  # the file's name is scrambled, or only counts
    elements = anitomy_ng.parse(text)
    plain = spaced(text)
    spans = technical_spans(plain, elements)
    masked = blanked(plain, spans)
    scene = not text.startswith("[") and plain != text
    opening = _BRACKET.match(plain)
    numbering = find_numbering(masked, opening.end() if opening else 0, scene=scene)
    start, group = _opening(plain, spans, numbering)
    name = read_name(_region(plain, start, spans, numbering, scene))
    if numbering and tidied.folder and not has_letters(plain[start : numbering.start]):
        name = read_name(_region(spaced(tidied.folder), 0, [], None, scene))
    elif numbering and not has_letters(plain[start : numbering.start]):
        rest = plain[numbering.end :]
        cut = min((span.start - numbering.end for span in spans if span.start >= numbering.end), default=len(rest))
        name = read_name(rest[:cut].strip(" -.").split(" - ")[0])
    if not name.best:
        name = read_name(plain)
    season = numbering.season if numbering and numbering.season is not None else (name.season.number if name.season else None)
    return Release(
        series=name.best,
        series_alternatives=name.others,
        season=season,
        episodes=numbering.episodes if numbering else (),
        absolute=numbering.absolute if numbering else (),
        group=group,
    )


def blanked(plain: str, spans: list[Span]) -> str:
    letters = list(plain)
    for span in spans:
        letters[span.start : span.end] = BLANK * (min(span.end, len(plain)) - span.start)
    return "".join(letters)


def _opening(plain: str, spans: list[Span], numbering: Numbering | None) -> tuple[int, str | None]:
    """Where the name may begin, and the group in the brackets before it."""
    match = _BRACKET.match(plain)
    if not match or match.end() == len(plain):
        return 0, None
    inside = range(match.start("text"), match.end("text"))
    if numbering and numbering.start in inside and has_letters(plain[inside.start : numbering.start]):
        return inside.start, None
    if (numbering and numbering.start in range(match.start(), match.end())) or any(span.unmistakable and span.start in inside for span in spans):
        return match.end(), None
    label = trimmed(match["text"])
    return match.end(), None if _SITE.search(label) or not label else label


def _region(plain: str, start: int, spans: list[Span], numbering: Numbering | None, scene: bool) -> str:
    """The part that holds the show's name: up to its number or the first technical word."""
    bounds = [span.start for span in spans if span.unmistakable or _in_brackets(plain, span.start)]
    if numbering:
        bounds.append(numbering.start)
    elif scene:
        bounds += [match.start() for match in _YEAR.finditer(plain)][:1]
    for bound in sorted(bounds):
        if bound > start and has_letters(re.sub(r"[\[(][^\[\]()]*$", "", plain[start:bound])):
            return re.sub(r"[\[(][^\[\]()]*$", "", plain[start:bound])
    return plain[start:]


def _in_brackets(plain: str, position: int) -> bool:
    return plain.rfind("[", 0, position) > plain.rfind("]", 0, position) or plain.rfind("(", 0, position) > plain.rfind(")", 0, position)
