"""From a title to a `Release`."""

import re
from collections.abc import Iterator

from anitomy_ng import Element, ElementKind

from feeds.releases.explicit import find_explicit
from feeds.releases.guesses import guess
from feeds.releases.numbering import BLANK, Numbering, in_round_brackets
from feeds.releases.positional import find_by_position
from feeds.releases.release import Release, Special
from feeds.releases.seasons import find_season
from feeds.releases.series import Name, has_cjk, read_name, trimmed
from feeds.releases.technical import Span, read_technical, recognised, technical_spans
from feeds.releases.tidy import Tidied, has_letters, is_dotted, spaced, tidy

_FIRST_BRACKET = re.compile(
    r"[\s*★-]*(?:[\[{](?P<text>[^\[\]{}]*)[\]}]|(?![(][0-9]+[)])\((?P<round>[^()]*)\)(?=\s-\s|\s?[^\W\d_]))"
)
_NO_GROUP = re.compile(
    r"www\.|www |\.(?:com|org|net|cd|to|me|re|tv)$|^(?:private|no[ .]rar|req|request|アニメ|国漫|國漫|更新|完[结結])$"
    r"|^Cap[ .][0-9]|^[0-9]{4,8}$|^[0-9]{4}-|^[全第][0-9]",
    re.IGNORECASE,
)
_SCENE_GROUP = re.compile(r"(?<=\S)-\[?(?P<group>[0-9A-Za-z_]+)\]?\s?(?:\[[^\[\]]*\]|\([^()]*\))?$")
_OPEN_BRACKET_AT_END = re.compile(r"[\[(][^\[\]()]*$")
# "Show S01 [1080p] | Other Name (Batch)": behind the technical words it is no episode's title.
_NAME_BEHIND = re.compile(r"[\])]\s\|\s(?P<name>[^\[\]()|]*)")
_YEAR = re.compile(r"(?<=[\s(])(?:19[0-9]{2}|20[0-3][0-9])(?![0-9A-Za-z])")
# These begin with a character, and look behind it: so all others are passed over quickly.
_VERSION = re.compile(r"[vV](?<![0-9A-Za-z][vV])(?P<version>[0-9])(?![0-9A-Za-z.])")
_KIND = re.compile(r"O(?<![0-9A-Za-z+]O)(?<!\+\sO)(?:VA|NA|AD)(?![0-9A-Za-z])")
_BATCH = re.compile(
    r"[BbCc合全](?:(?<![0-9A-Za-z].)(?:atch|ATCH|omplete|OMPLETE)(?![0-9A-Za-z])|(?<=[合全])集)"
)


def parse(title: str) -> Release:
    """What `title` says. Raises nothing, whatever the title; of a long one the first 300 characters count."""
    tidied = _unscrambled(tidy(title))
    elements = recognised(tidied.text)
    plain = spaced(tidied.text)
    spans = technical_spans(plain, elements)
    masked = _masked(plain, spans)
    dotted = is_dotted(tidied.text) and not plain.startswith("[")
    scene = dotted or _is_like_scene(plain, spans)
    bracket = _FIRST_BRACKET.match(plain)
    numbering = find_explicit(masked) or find_by_position(
        masked, bracket.end() if bracket else 0, dotted=dotted
    )

    start, group = _opening(plain, bracket, spans, numbering, dotted=is_dotted(tidied.text))
    start, region = _region(plain, start, spans, numbering, scene=scene)
    name = read_name(region)
    if numbering and not has_letters(plain[start : numbering.start]):
        name = _name_elsewhere(plain, tidied.folder, group, spans, numbering)
        group = None if group and trimmed(group) == name.best else group
    name = name if name.best else Name(trimmed(region))

    details = start + len(region)
    if behind := _NAME_BEHIND.search(masked, details):
        name = name.also(read_name(behind["name"]))
    season = name.season or find_season(masked[start:]) or find_season(masked[:start])
    if not numbering and not season and scene and (guessed := guess(tidied.text)):
        name = name.renamed(guessed.series)
        stated = Numbering(details, details, episodes=guessed.episodes)
    else:
        stated = numbering or Numbering(details, details)
    number = stated.season if stated.season is not None or not season else season.number
    year = _YEAR.search(plain, start, max(details + 6, stated.start)) if name.year is None else None
    version = _VERSION.search(plain, start) if stated.version is None else None
    whole_season = season is not None and not (stated.episodes or stated.date or stated.special)
    technical = read_technical(plain, elements, details)
    return Release(
        series=name.best,
        series_alternatives=name.others,
        season=number,
        episodes=stated.episodes,
        absolute=stated.absolute,
        version=int(version["version"]) if version else stated.version,
        special=stated.special or _special_by_word(plain, start, number),
        batch=stated.batch or whole_season or _BATCH.search(plain, start) is not None,
        date=stated.date,
        year=int(year[0]) if year else name.year,
        group=group or _group_behind(tidied.text, start, spans, elements),
        resolution=technical.resolution,
        source=technical.source,
        video_codec=technical.video_codec,
        audio_codec=technical.audio_codec,
        languages=technical.languages,
        subtitles=technical.subtitles,
        checksum=technical.checksum,
    )


def _unscrambled(tidied: Tidied) -> Tidied:
    """The folder of a file whose own name says nothing: downloads are scrambled, or only counted."""
    if tidied.folder and not find_explicit(spaced(tidied.text)) and find_explicit(spaced(tidied.folder)):
        return Tidied(tidied.folder)
    return tidied


def _is_like_scene(plain: str, spans: list[Span]) -> bool:
    """Whether no bracket comes first, and none around the technical words: `Film 2014 EXTENDED 1080p x264`."""
    first = next((span for span in spans if span.unmistakable), None)
    return first is not None and not plain.startswith("[") and not _is_in_brackets(plain, first.start)


def _masked(plain: str, spans: list[Span]) -> str:
    """`plain`, as long as before, with technical words blanked."""
    parts, end = [], 0
    for span in spans:
        if span.start >= end:
            parts += [plain[end : span.start], BLANK * (min(span.end, len(plain)) - span.start)]
        elif span.end > end:
            parts.append(BLANK * (min(span.end, len(plain)) - end))
        end = max(end, span.end)
    return "".join(parts) + plain[end:]


def _opening(
    plain: str, bracket: re.Match[str] | None, spans: list[Span], numbering: Numbering | None, *, dotted: bool
) -> tuple[int, str | None]:
    """Where the name may begin, and the group in the brackets before it."""
    if not bracket or bracket.end() == len(plain):
        return 0, None
    which = "text" if bracket["round"] is None else "round"
    inside = range(bracket.start(which), bracket.end(which))
    if numbering and numbering.start in inside and has_letters(plain[inside.start : numbering.start]):
        return inside.start, None
    if dotted and has_cjk(bracket[which]) and not has_cjk(plain[bracket.end() :]):
        return inside.start, None  # "[港湾之光].Harbour.Lights.S01E05.1080p": no group, but another name
    label = trimmed(bracket[which])
    if (
        not label
        or (numbering and bracket.start() <= numbering.start < bracket.end())
        or any(span.unmistakable and span.start in inside for span in spans)
        or _NO_GROUP.search(label)
        or find_season(bracket[which])
    ):
        return bracket.end(), None
    return bracket.end(), label


def _region(
    plain: str, start: int, spans: list[Span], numbering: Numbering | None, *, scene: bool
) -> tuple[int, str]:
    """Where the part begins that holds the show's name, and that part: behind technical words that come first, up to
    its number, the next technical word, or a scene name's year."""
    limit = len(plain)
    if numbering:
        limit = numbering.start
    elif scene and (year := _YEAR.search(plain)):
        limit = year.start()
    begin = start
    for bound, end in _bounds(plain, spans, limit):
        if bound > begin and has_letters(region := _OPEN_BRACKET_AT_END.sub("", plain[begin:bound])):
            return begin, region
        begin = max(begin, end)
    return start, plain[start:]


def _bounds(plain: str, spans: list[Span], limit: int) -> Iterator[tuple[int, int]]:
    """Where a name may end, in ascending order, and where one may begin behind: at `limit`, and at technical words
    that are surely none of its own."""
    for span in spans:
        if span.start >= limit:
            yield limit, limit
            limit = len(plain)
        if span.unmistakable or _is_in_brackets(plain, span.start):
            yield span.start, span.end
    yield limit, limit


def _is_in_brackets(plain: str, position: int) -> bool:
    in_square_brackets = plain.rfind("[", 0, position) > plain.rfind("]", 0, position)
    return in_square_brackets or in_round_brackets(plain, position)


def _name_elsewhere(
    plain: str, folder: str, group: str | None, spans: list[Span], numbering: Numbering
) -> Name:
    """The show of a name that begins with its number: its folder, what follows the number, or the first brackets."""
    if folder:
        return read_name(spaced(folder))
    end = next((span.start for span in spans if span.start >= numbering.end), len(plain))
    following = plain[numbering.end : end].strip(" -.")
    name = read_name(following.split(" - ")[0])
    return name if name.best or not group else read_name(group)


def _special_by_word(plain: str, start: int, season: int | None) -> Special | None:
    if match := _KIND.search(plain, start):
        return Special(match[0])
    return Special.SP if season == 0 else None


def _group_behind(text: str, start: int, spans: list[Span], elements: list[Element]) -> str | None:
    """The scene's `-GROUP` behind technical words, else what anitomy-ng takes for one, but not the name at `start`."""
    if match := _SCENE_GROUP.search(text):
        behind = any(span.unmistakable and span.end <= match.start() for span in spans)
        of_a_word = any(span.start <= match.start() < span.end for span in spans)  # WEB-DL
        if behind and not of_a_word:
            return match["group"]
    groups = (
        element
        for element in elements
        if element.kind is ElementKind.RELEASE_GROUP and element.position != start
    )
    return next(
        (
            group.value
            for group in groups
            if text[group.position - 1 : group.position] in ("[", "(") and not _NO_GROUP.search(group.value)
        ),
        None,
    )
