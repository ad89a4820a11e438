"""A title as the rest reads it: bounded, one line, half-width, without folders and extension."""

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 300  # characters of a title that are read: all that follows takes time in proportion to them, or their square

_HALF_WIDTH = {
    **{
        code: code - 0xFEE0
        for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
    },
    **str.maketrans("【】［］〔〕（）｛｝＃＆＋－＿／｜～〜\u3000", "[][][](){}#&+-_/|~~ "),
    **str.maketrans("–—‐‑−", "-----"),
}
_INVISIBLE = re.compile(r"[\ud800-\udfff\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BLANKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_EXTENSION = re.compile(
    r"\.(?:mkv|mp4|m4v|avi|ogm|wmv|flv|mov|webm|rmvb|mpe?g|m2ts|ts|iso|rar|zip|7z|nfo|nzb|srt|ass|torrent)$",
    re.IGNORECASE,
)
_SITE = re.compile(r"^(?:www\.)?[\w-]+\.(?:com|org|net|cc|cd|me|to|tv|info)[ _]*-[ _]+", re.IGNORECASE)
_FOLDER_OF_A_SEASON = re.compile(
    r"(?:season|series|saison|staffel|temporada)[ ._-]?[0-9]+|s[0-9]{1,2}|extras|specials", re.IGNORECASE
)
# "★10月新番★", "[2023年4月新番]": when it is on, not what it is.
_BROADCAST = re.compile(r"\[[★☆]?(?:[0-9]{4}年)?[0-9]{1,2}月(?:新番)?[★☆]?\]|[★☆]?[0-9]{1,2}月新番[★☆]?")
_ACRONYM_DOT = re.compile(r"(?<![^\s._()\[\]-])([A-Za-z])\.(?=[A-Za-z](?:[._\s]|$))")
_HALF_EPISODE_DOT = re.compile(r"(?<=[0-9])\.(?=5(?![0-9]))")
_JOINED = re.compile(r"(?<=[0-9A-Za-z])[-+](?=[0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Tidied:
    """`text` is the title or, of a path, the last part; `folder` then the last one that is no season's."""

    text: str
    folder: str = ""


def tidy(title: str) -> Tidied:
    """At most LONGEST characters of `title`, without what is invisible and without a file's extension."""
    text = title[: 2 * LONGEST]
    if not text.isascii():
        text = _BROADCAST.sub(
            " ", unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).translate(_HALF_WIDTH)
        )
    if not text.isprintable() or "  " in text:
        text = _BLANKS.sub(" ", text)
    text = text.strip()
    if text.count("★") > 2 and text[0] != "[":
        text = "".join(f"[{part}]" for part in text.split("★") if part.strip())
    if "/" in text or "\\" in text:
        *folders, last = [part.strip() for part in re.split(r"[/\\]", text) if part.strip()] or [""]
        if folders and _is_path(text, folders, last):
            named = [folder for folder in folders if not _FOLDER_OF_A_SEASON.fullmatch(folder)]
            return Tidied(_EXTENSION.sub("", last[:LONGEST]), named[-1][:LONGEST] if named else "")
    return Tidied(_SITE.sub("", _EXTENSION.sub("", text[:LONGEST].strip())))


def _is_path(text: str, folders: list[str], last: str) -> bool:
    """It starts at a root, has backslashes or a season's folder, repeats the folder's name, or is a file's name:
    `Fate/Zero - 01` is none."""
    return (
        text[0] in "/\\"
        or text[1:3] in (":/", ":\\")
        or "\\" in text
        or any(_FOLDER_OF_A_SEASON.fullmatch(folder) for folder in folders)
        or (text[0] != "[" and "/[" in text)
        or (" / " not in text and last.startswith(folders[-1]))
        or (text[0] != "[" and " / " not in text and _EXTENSION.search(text) is not None)
    )


def spaced(text: str) -> str:
    """`text`, as long as before, with spaces where underscores, dots, or all the dashes stand for spaces.

    The dots of an acronym (`S.H.I.E.L.D.`) and of half episodes (`07.5`) stay.
    """
    dotted = is_dotted(text)
    text = text.replace("_", " ")
    if dotted:
        text = _HALF_EPISODE_DOT.sub("\0", _ACRONYM_DOT.sub("\\1\0", text))
        return text.replace(".", " ").replace("\0", ".")
    if " " not in text and len(_JOINED.findall(text)) > 1:
        return _JOINED.sub(" ", text)
    return text


def is_dotted(text: str) -> bool:
    """Whether dots stand for spaces: there are more of them than spaces and underscores."""
    return text.count(".") > text.count(" ") + text.count("_")


def has_letters(text: str) -> bool:
    """Whether there is anything to call a show by: a letter or digit of any script."""
    return any(map(str.isalnum, text))
