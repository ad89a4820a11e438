"""Terminals that know fewer letters than we use, such as those with the locale C: what to print there instead."""

import codecs
import io

_SPELLING = {
    **dict.fromkeys("█▉▊▋▌", "#"),
    **dict.fromkeys("▍▎▏", "-"),
    "░": ".",
    "–": "-",
    "…": "...",
    "·": "-",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "↓": "down",
    "↑": "up",
}
_HANDLER = "torrent-proxy-spelling"


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_SPELLING.get(char, "?") for char in lacking), error.end


def print_anywhere(*streams: object) -> None:
    """Nothing printed to these ends a command only because the encoding lacks a letter of it."""
    codecs.register_error(_HANDLER, _spell)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)
