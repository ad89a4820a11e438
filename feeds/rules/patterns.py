"""Regular expressions of people: RE2, which takes linear time whatever they write, and says what it cannot do."""

import re2

from feeds.rules import RuleError

MAX_MEMORY = 1024 * 1024  # bytes a pattern; a thousand people's rules share a small box
MAX_PROGRAM = (
    2500  # of RE2's instructions, each of which may be followed at each character; `\pL` takes 1,200
)
_ADVICE = {
    "invalid perl operator: (?=": "Look-ahead is not supported. Put what must follow into “must contain”.",
    "invalid perl operator: (?!": "Look-ahead is not supported. Put what must not occur into “must not contain”, or "
    "into the negative regular expression.",
    "invalid perl operator: (?<": "Look-behind is not supported. Put what must come before into “must contain”, or "
    "what must not into “must not contain”.",
    "invalid escape sequence: \\": "Back-references are not supported, nor are unknown escapes.",
    "missing )": "A ( is never closed.",
    "unexpected )": "A ) has no (.",
    "missing ]": "A [ is never closed.",
    "no argument for repetition": "There is nothing before it to repeat. To look for the character itself, write \\ "
    "before it.",
    "invalid repetition size": "That is more repetitions than are allowed (1,000 in all).",
    "bad repetition": "It repeats a repetition.",
    "pattern too large": "The pattern is too large.",
}


def compiled(pattern: str, *, field: str) -> "re2._Regexp | None":
    """None for an empty pattern; raises RuleError, which names the place and the way round."""
    if not pattern:
        return None
    try:
        found = re2.compile(pattern, options())
    except re2.error as error:
        raise RuleError(_explained(pattern, error), field=field) from error
    re2.purge()  # it would keep the last 128 of everybody's, each with up to MAX_MEMORY once it was used
    if found.programsize > MAX_PROGRAM:
        raise RuleError("The pattern is too large. Repeat less, or less of it.", field=field)
    return found


def options() -> re2.Options:
    chosen = re2.Options()
    chosen.case_sensitive = False
    chosen.log_errors = False
    chosen.max_mem = MAX_MEMORY
    return chosen


def _explained(pattern: str, error: Exception) -> str:
    said = error.args[0]
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    culprit = text.partition(": ")[2]
    position = pattern.find(culprit) if culprit and culprit != pattern else -1
    where = f"At character {position + 1}, {culprit}: " if position >= 0 else ""
    advice = next((words for beginning, words in _ADVICE.items() if text.startswith(beginning)), f"{text}.")
    return f"{where}{advice}"
