"""How a release was made: codecs, sources, languages, checksum. anitomy-ng knows hundreds of such words."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import anitomy_ng
from anitomy_ng import Element, ElementKind, Options

# Their members by names of our own: looking one up on the enumeration takes as long as what is done with it here.
_AUDIO = ElementKind.AUDIO_TERM
_CHECKSUM = ElementKind.FILE_CHECKSUM
_GROUP = ElementKind.RELEASE_GROUP
_INFORMATION = ElementKind.RELEASE_INFORMATION
_LANGUAGE = ElementKind.LANGUAGE
_ORIGIN = ElementKind.SOURCE
_RESOLUTION = ElementKind.VIDEO_RESOLUTION
_SUBTITLES = ElementKind.SUBTITLES
_VIDEO = ElementKind.VIDEO_TERM
_KINDS = frozenset(
    {
        _AUDIO,
        _CHECKSUM,
        _GROUP,
        _INFORMATION,
        _LANGUAGE,
        _ORIGIN,
        _RESOLUTION,
        _SUBTITLES,
        _VIDEO,
        ElementKind.DEVICE,
    }
)
# What no title has: it ends one wherever it stands. Much of it carries digits that are no episode.
_UNMISTAKABLE = re.compile(
    r"""\b(?=[0-9A-FHMOPSTUVWX])(?:  # what they begin with: most words need no further look
        [0-9]{3,4}\s?[x×]\s?[0-9]{3,4}[pi]? | (?:480|540|576|720|1080|1440|2160)(?:[pi](?:[0-9]{2})?|\s?HD|(?=\]))
        | [48]K | [xh][\s.-]?26[456] | HEVC | AVC | AV1 | XviD
        | DivX(?:[0-9]|[\s.][0-9](?:[\s.][0-9]{2})?)? | MPEG-?[24] | VC-?1 | Hi(?:10|422|444)P?
        | (?:8|10|12)[\s-]?bits? | [0-9]{2}\s?fps
        | (?:E?AC-?3?|MP|FLAC|AAC|DDPA?|DD\+?|DTS(?:-?HD)?(?:[\s.]?MA)?|TrueHD|Opus)
            [\s.-]?(?:[257][01]|[0-9](?:[\s.][0-9])?)
        | DD\s[25][01] | [257]\.[01](?:ch)?(?!\s-\s) | [0-9]{1,4}(?:\.[0-9]{1,2})?\s?[MG]i?B | [0-9]{2,4}\s?kbps
        | [0-9]{1,2}x?DVD[0-9]{0,2} | DVD[0-9]{1,2} | DVD(?=[\s.(\])]|$)
        | 3D(?=\s(?:720|1080|2160|4K|H-?(?:SBS|OU)|Half|Full|SBS|Blu|BD|[xh]26))
        | Box-?Set | [HPS]DTV | (?:HDTV|DL|WEB|BD|BR)-?Mux
        | WEB-?(?:DL|Rip) | B[DR]-?Rip | DVD-?Rip | Blu-?Ray | [PSU]?HD(?:TV)?Rip
        | [0-9A-F]{8}(?=\])
    )(?![0-9A-Za-z])""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_SPARED = Options(parse_episode_title=False, parse_file_extension=False, parse_part=False)  # not read here
_FINAL_SEASON = re.compile(r"final[\s._](?:season|cour)", re.IGNORECASE)
_SOURCE = re.compile(r"web|bd|blu|dvd|tv|vhs|ld", re.IGNORECASE)
_VIDEO_CODEC = re.compile(r"[xh][\s.]?26[456]|hevc|avc|av1|xvid|divx|mpeg|vp9|vc-?1|wmv", re.IGNORECASE)
_AUDIO_CODEC = re.compile(r"e?ac-?3|aac|flac|ddp?|dd\+|dts|mp3|opus|truehd|vorbis|ogg|pcm", re.IGNORECASE)
_HEIGHT = re.compile(
    r"[0-9]{3,4}\s?[x×]\s?(?P<of_two>[0-9]{3,4})|(?P<alone>[0-9]{3,4})(?P<scan>[pi])?", re.IGNORECASE
)
_CJK_LANGUAGE = re.compile(
    r"[简簡繁][体體中日繁简]{0,3}|(?<![0-9A-Za-z])(?:CHS|CHT|BIG5|GB|JPN?)(?![0-9A-Za-z])"
)
_CJK_SUBTITLES = re.compile(r"[内內][封嵌]|外[挂掛]")


class Span(NamedTuple):
    """A technical word's place: `[start, end)` in the tidied title."""

    start: int
    end: int
    unmistakable: bool


@dataclass(frozen=True, slots=True)
class Technical:
    """Fields as in `Release`."""

    resolution: str | None
    source: str | None
    video_codec: str | None
    audio_codec: str | None
    languages: tuple[str, ...]
    subtitles: tuple[str, ...]
    checksum: str | None


def recognised(text: str) -> list[Element]:
    """The technical words and groups anitomy-ng sees in `text`, without what it only infers (`Batch`, of `01-12 +
    OVA`), without checksums of digits alone outside of brackets (those are days, `20140516`), and without the `Final`
    of `The Final Season`."""
    return [
        element
        for element in anitomy_ng.parse(text, _SPARED)
        if element.kind in _KINDS
        and text.startswith(element.value, element.position)
        and not (
            element.kind is _CHECKSUM
            and element.value.isdigit()
            and text[element.position - 1 : element.position] not in ("[", "(")
        )
        and not (element.kind is _INFORMATION and _FINAL_SEASON.match(text, element.position))
    ]


def technical_spans(text: str, elements: list[Element]) -> list[Span]:
    """Where technical words stand, by their start."""
    found = [Span(*match.span(), True) for match in _UNMISTAKABLE.finditer(text)]
    found += [
        Span(element.position, element.position + len(element.value), False)
        for element in elements
        if element.kind is not _GROUP
    ]
    return sorted(found)


def read_technical(text: str, elements: list[Element], start: int) -> Technical:
    """What the technical words from `start` on say: before, they are words of the title (`Web of Lies`)."""
    resolutions: list[str] = []
    sources: list[str] = []
    video: list[str] = []
    audio_codec = checksum = None
    languages: list[str] = []
    subtitles: list[str] = []
    for element in elements:
        kind, value = element.kind, element.value
        if element.position < start:
            continue
        if kind is _VIDEO:
            video.append(value)
        elif kind is _RESOLUTION:
            resolutions.append(value)
        elif kind is _ORIGIN:
            sources.append(value)
        elif kind is _AUDIO:
            audio_codec = audio_codec or (value if _AUDIO_CODEC.match(value) else None)
        elif kind is _CHECKSUM:
            checksum = checksum or value.upper()
        elif kind is _LANGUAGE:
            languages.append(value)
        elif kind is _SUBTITLES:
            subtitles.append(value)
    if not text.isascii():
        languages += _CJK_LANGUAGE.findall(text, start)
        subtitles += _CJK_SUBTITLES.findall(text, start)
    return Technical(
        resolution=next(filter(None, map(_resolution, (*resolutions, *video))), None),
        source=next(filter(_SOURCE.search, sources), sources[0] if sources else None),
        video_codec=next(filter(_VIDEO_CODEC.match, video), None),
        audio_codec=audio_codec,
        languages=tuple(dict.fromkeys(languages)),
        subtitles=tuple(dict.fromkeys(subtitles)),
        checksum=checksum,
    )


def _resolution(written: str) -> str | None:
    """`1080p` for `1920x1080`, `1080`, `1080P`; `2160p` for `4K`."""
    if written.upper() in ("4K", "UHD"):
        return "2160p"
    match = _HEIGHT.fullmatch(written)
    return f"{match['of_two'] or match['alone']}{(match['scan'] or 'p').lower()}" if match else None
