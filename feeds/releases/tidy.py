"""A title as the rest reads it: bounded, one line, half-width, without path and extension."""

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 300  # characters; guessit's time grows with the square of the length and more

_WIDE = {
    **{code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)},  # ０-９
    **{code: code - 0xFEE0 for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))},  # Ａ-Ｚ, ａ-ｚ
    **str.maketrans("【】［］〔〕（）｛｝＃＆＋－＿／｜～〜　", "[][][](){}#&+-_/|~~ "),
    **str.maketrans("–—‐‑−", "-----"),
}
_INVISIBLE = re.compile(r"[\ud800-\udfff\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BLANKS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_EXTENSION = re.compile(
    r"\.(?:mkv|mp4|m4v|avi|ogm|wmv|flv|mov|webm|rmvb|mpe?g|m2ts|ts|iso|rar|zip|7z|nfo|nzb|srt|ass|torrent)$", re.I
)
_FOLDER_OF_A_SEASON = re.compile(r"(?:season|series|saison|staffel|temporada)[ ._]?[0-9]+|s[0-9]{1,2}|extras|specials", re.I)
_BROADCAST = re.compile(r"[★☆]?(?:[0-9]{4}年)?[0-9]{1,2}月(?:新番)?[★☆]|[\[][★☆]?(?:[0-9]{4}年)?[0-9]{1,2}月(?:新番)?[★☆]?[\]]|[★☆]?[0-9]{1,2}月新番[★☆]?")
_ACRONYM_DOT = re.compile(r"(?<![^\s._()\[\]-])([A-Za-z])\.(?=[A-Za-z](?:[._\s]|$))")
_HALF = re.compile(r"(?<=[0-9])\.(?=5(?![0-9]))")


@dataclass(frozen=True, slots=True)
class Tidied:
    """`text` is the title or, of a path, the last part; `folder` then the last one that is no season's."""

    text: str
    folder: str = ""


def tidy(title: str) -> Tidied:
    """At most LONGEST characters of `title`, without what is invisible and without a file's extension."""
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", title[: 2 * LONGEST]))
    text = _BROADCAST.sub(" ", _BLANKS.sub(" ", text.translate(_WIDE))).strip()
    if text.count("★") > 2 and text[0] != "[":
        text = "".join(f"[{part}]" for part in text.split("★") if part.strip())
    *folders, last = [part.strip() for part in re.split(r"[/\\]", text) if part.strip()] or [""]
    if not folders or not _is_path(text, folders):
        return Tidied(_EXTENSION.sub("", text[:LONGEST].strip()))
    named = [folder for folder in folders if not _FOLDER_OF_A_SEASON.fullmatch(folder)]
    return Tidied(_EXTENSION.sub("", last[:LONGEST]), named[-1][:LONGEST] if named else "")


def _is_path(text: str, folders: list[str]) -> bool:
    """It starts at a root, has backslashes or a season's folder, or is a file's name: `Fate/Zero - 01` is none."""
    return (
        text[0] in "/\\"
        or text[1:3] in (":/", ":\\")
        or "\\" in text
        or any(_FOLDER_OF_A_SEASON.fullmatch(folder) for folder in folders)
        or (text[0] != "[" and "/[" in text)
        or (text[0] != "[" and " / " not in text and _EXTENSION.search(text) is not None)
    )


def spaced(text: str) -> str:
    """`text`, as long as before, with spaces where underscores or dots stand for spaces.

    Dots do where there are more of them than spaces. Those of an acronym (`S.H.I.E.L.D.`) and of half episodes (`07.5`)
    stay.
    """
    text = text.replace("_", " ")
    if " " not in text and "." not in text:
        return re.sub(r"(?<=[0-9A-Za-z])[-+](?=[0-9A-Za-z])", " ", text) if len(re.findall(r"[-+]", text)) > 1 else text
    if text.count(".") <= text.count(" "):
        return text
    text = _HALF.sub("\0", _ACRONYM_DOT.sub("\\1\0", text))
    return text.replace(".", " ").replace("\0", ".")
