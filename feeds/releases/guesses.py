"""guessit, for the few names that need it: in the style of the scene, with no number that says or shows what it is.

It knows more words than we do, and takes a hundred times as long: milliseconds for usual names, seconds for one that
repeats itself. Such a name is not shown to it.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from guessit import guessit

from feeds.releases.release import EpisodeNumber

_LONGEST = 160  # characters
_MOST_NUMBERS = 12
_MOST_OFTEN = 3  # times one word may stand in a name

_WORD = re.compile(r"[0-9]+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Guess:
    """`series` is empty where guessit sees none."""

    series: str
    episodes: tuple[EpisodeNumber, ...]


def guess(text: str) -> Guess | None:
    """What guessit makes of `text`; None where it would take long, or fails."""
    if not _is_harmless(text):
        return None
    try:
        found: dict[str, Any] = guessit(text)
    except Exception:  # any of a hundred rules may fail on a name nobody thought of
        return None
    title, episodes = found.get("title", ""), found.get("episode", ())
    return Guess(
        series=title if isinstance(title, str) else "",
        episodes=tuple(episodes)
        if isinstance(episodes, list)
        else (episodes,)
        if isinstance(episodes, int)
        else (),
    )


def _is_harmless(text: str) -> bool:
    if len(text) > _LONGEST:
        return False
    words = _WORD.findall(text.casefold())
    return (
        sum(word.isdigit() for word in words) <= _MOST_NUMBERS
        and max(Counter(words).values(), default=0) <= _MOST_OFTEN
    )
