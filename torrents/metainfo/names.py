"""Names and paths that strangers chose."""

import unicodedata
from collections.abc import Iterable

from torrents.metainfo.errors import MetainfoError

MAX_NAME_LENGTH = 255  # characters
MAX_PATH_BYTES = 4096  # PATH_MAX of Linux

# Control, format (bidi overrides and zero-width characters are among them), lone surrogates.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
# Letters and symbols by category, yet drawn as nothing: a name of these would look empty.
_BLANK = str.maketrans("", "", "\u034f\u115f\u1160\u2800\u3164\uffa0")


def display_name(text: str, fallback: str = "Unnamed torrent") -> str:
    """One visible line of at most 255 characters in NFC. Markup stays: who renders it escapes it."""
    # Normalising takes quadratic time on a run of combining marks, so the text is cut first.
    cut = text[: 4 * MAX_NAME_LENGTH].translate(_BLANK)
    visible = "".join(
        " " if character.isspace() else character
        for character in cut
        if character.isspace() or unicodedata.category(character) not in _INVISIBLE
    )
    return unicodedata.normalize("NFC", " ".join(visible.split()))[:MAX_NAME_LENGTH].strip() or fallback


def clean_relative_path(path: str) -> str:
    """The path unchanged, if it stays below the folder it is joined to; MetainfoError otherwise.

    It names a file on disk, so it cannot be repaired here, only refused.
    """
    parts = path.split("/")
    try:
        size = len(path.encode())
    except UnicodeEncodeError:  # a lone surrogate
        size = 0
    if not 0 < size <= MAX_PATH_BYTES or "\0" in path or not {"", ".", ".."}.isdisjoint(parts):
        raise MetainfoError("A file in that torrent has a name that cannot be stored safely.", "unsafe_path")
    return path


def check_paths_fit_together(paths: Iterable[str]) -> None:
    """Raise MetainfoError where two files of one torrent would be the same file, or one would be the other's folder."""
    files: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        if path in files:
            raise _do_not_fit()
        files.add(path)
        while (cut := path.rfind("/")) > 0 and path[:cut] not in folders:
            path = path[:cut]
            folders.add(path)
    if not files.isdisjoint(folders):
        raise _do_not_fit()


def _do_not_fit() -> MetainfoError:
    return MetainfoError(
        "Two files of that torrent have the same path, so they cannot be stored side by side.", "unsafe_path"
    )
