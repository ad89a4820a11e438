"""Local names for files that a torrent names. Whoever made the torrent chose those names: they are hostile.

A safe name is one component that Linux, macOS and Windows all take, hides nothing and leads nowhere else.
Rules: https://learn.microsoft.com/windows/win32/fileio/naming-a-file, and 255 bytes a component on Linux, of
which we leave room for the suffixes of an unfinished download.
"""

import re
import unicodedata
from collections.abc import Sequence

PART_SUFFIX = ".part"
SIDECAR_SUFFIX = ".part.json"

LONGEST_NAME = 240  # UTF-8 bytes
# UTF-8 bytes of a whole path below the target directory; macOS takes 1,024 from the root on.
LONGEST_PATH = 600

_FORBIDDEN = frozenset('<>:"/\\|?*')
_DROPPED = frozenset({"Cf"})  # bidi controls, zero-width characters, soft hyphens
_REPLACED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)


def safe_name(name: str) -> str:
    """One path component made from `name`; never empty, never hidden, at most 240 bytes, extension kept."""
    kept = []
    for char in unicodedata.normalize("NFC", name):
        category = unicodedata.category(char)
        if category in _DROPPED:
            continue
        kept.append("_" if char in _FORBIDDEN or category in _REPLACED else char)
    text = "".join(kept).strip()
    if text.startswith("."):
        text = f"_{text[1:]}"
    if _DEVICE.match(text):
        text = f"_{text}"
    return _fit(*_split(text))


def numbered(name: str, number: int) -> str:
    """`film.mkv`, 2 → `film (2).mkv`; `name` is a safe name, and so is the result."""
    stem, extension = _split(name)
    return _fit(stem, f" ({number}){extension}") if number > 1 else name


def local_paths(paths: Sequence[str]) -> list[tuple[str, ...]]:
    """For each path of one torrent ("Show/ep 1.mkv") the safe components of its own, distinct local path.

    Distinct also where case does not count, and from the `.part` and `.part.json` of the others. Directories
    that become the same are one directory.
    """
    split = [_components(path) for path in paths]
    spelling: dict[str, tuple[str, ...]] = {}
    folders = []
    for parts in split:
        folder: tuple[str, ...] = ()
        for part in parts[:-1]:
            folder = (*folder, part)
            folder = spelling.setdefault(_key(folder), folder)
        folders.append(folder)
    taken = set(spelling)
    last_number: dict[str, int] = {}  # of each name, so that thousands of equal names stay cheap
    result = []
    for folder, parts in zip(folders, split, strict=True):
        wanted = _key((*folder, parts[-1]))
        number = last_number.get(wanted, 0) + 1
        while taken & (keys := _reserved((*folder, numbered(parts[-1], number)))):
            number += 1
        last_number[wanted] = number
        taken |= keys
        result.append((*folder, numbered(parts[-1], number)))
    return result


def _components(path: str) -> tuple[str, ...]:
    raw = [part for part in path.split("/") if part not in ("", ".")] or [""]
    parts = [safe_name(part) for part in raw]
    while len(parts) > 1 and sum(len(part.encode()) + 1 for part in parts) > LONGEST_PATH:
        del parts[-2]
    return tuple(parts)


def _reserved(path: tuple[str, ...]) -> set[str]:
    return {_key((*path[:-1], path[-1] + suffix)) for suffix in ("", PART_SUFFIX, SIDECAR_SUFFIX)}


def _key(path: tuple[str, ...]) -> str:
    """Equal for paths that a file system may take for the same: by case or by Unicode form."""
    folded = unicodedata.normalize("NFKC", "/".join(path)).casefold()
    return unicodedata.normalize("NFKC", folded)


def _split(name: str) -> tuple[str, str]:
    """Stem and extension with its dot; what is too long or contains a space is no extension."""
    stem, dot, extension = name.rpartition(".")
    if not stem or not extension or len(extension.encode()) > 16 or " " in extension:
        return name, ""
    return stem, dot + extension


def _fit(stem: str, end: str) -> str:
    """Cut the stem, whole characters only, so that stem and end fit."""
    room = LONGEST_NAME - len(end.encode())
    # Windows drops dots and spaces at the end.
    return (stem.encode()[:room].decode(errors="ignore") + end).rstrip(". ") or "_"
