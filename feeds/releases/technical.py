"""How a release was made: codecs, sources, languages, checksum. anitomy-ng knows hundreds of such words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from anitomy_ng import Element, ElementKind

_RATED = frozenset(
    {
        ElementKind.AUDIO_TERM,
        ElementKind.DEVICE,
        ElementKind.FILE_CHECKSUM,
        ElementKind.LANGUAGE,
        ElementKind.RELEASE_INFORMATION,
        ElementKind.SOURCE,
        ElementKind.SUBTITLES,
        ElementKind.VIDEO_RESOLUTION,
        ElementKind.VIDEO_TERM,
    }
)
# What carries digits that are no episode, and ends a title wherever it stands.
_UNMISTAKABLE = re.compile(
    r"""(?<![0-9A-Za-z])(?:
        [0-9]{3,4}\s?[x×]\s?[0-9]{3,4}[pi]? | (?:480|576|720|1080|1440|2160)(?:[pi](?:[0-9]{2})?|\s?HD|(?=\]))
        | [48]K | [xh][\s.-]?26[456] | HEVC | AVC | AV1 | XviD | DivX[0-9]? | MPEG-?[24] | VC-?1
        | Hi(?:10|422|444)P? | (?:8|10|12)[\s-]?bits? | [0-9]{2}\s?fps
        | (?:E?AC|MP|FLAC|AAC|DDPA?|DD\+?|DTS(?:-?HD)?(?:[\s.]?MA)?|TrueHD|Opus|EAC3)[\s.-]?(?:[0-9][\s.][0-9]|[0-9])
        | DD\s[25][01] | [257]\.[01](?:ch)? | [0-9]{1,4}(?:\.[0-9]{1,2})?\s?[MG]i?B | [0-9]{1,2}x?DVD[0-9]{0,2} | DVD[0-9]{1,2}
        | HDTV | WEB-?(?:DL|Rip) | B[DR]-?Rip | DVD-?Rip | Blu-?Ray | [PSU]?HD(?:TV)?Rip | [HPS]DTV | (?:HDTV|DL|WEB|BD|BR)-?Mux
        | DVD(?=[\s.(\])]|$) | 3D(?=\s) | [0-9A-F]{8}(?=\])
    )(?![0-9A-Za-z])""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A technical word's place: `[start, end)` in the tidied title."""

    start: int
    end: int
    unmistakable: bool


def technical_spans(text: str, elements: list[Element]) -> list[Span]:
    """Where technical words stand, by their start."""
    found = [Span(match.start(), match.end(), True) for match in _UNMISTAKABLE.finditer(text)]
    found += [
        Span(element.position, element.position + len(element.value), False)
        for element in elements
        if element.kind in _RATED
    ]
    return sorted(found, key=lambda span: span.start)
