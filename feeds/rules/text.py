"""Words in titles: `lighthouse AND (1080p OR 720p) NOT "dual audio"`.

Titles are compared without case, accents and punctuation, so `the lighthouse` finds `The.Lighthouse`. A word is a whole
word, so `ova` does not find `Casanova`; `light*` finds what begins with it. `keeper's` is found as `keeper`, `keepers`
and `keeper's`. Scripts that write without spaces have no whole words: there any part is found.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feeds.rules import RuleError

MAX_TERMS = 100
MAX_DEPTH = 10
_LEXEME = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<bracket>[()])|(?P<word>[^\s()"]+))')
_DROPPED = str.maketrans("", "", "'’‘ʼ`´")
_SEPARATORS = re.compile(r"[\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")


def normalised(text: str) -> str:
    """Words between single spaces, with a space at either end; a space alone where there is none. What has apostrophes
    stands there twice: with words ending at them, and as if they were not there."""
    spellings = _spellings(text)
    return " ".join(["", *spellings, ""]) if spellings[0] else " "


def _spellings(text: str) -> list[str]:
    apart = _words(text)
    if (closed := text.translate(_DROPPED)) == text:
        return [apart]
    together = _words(closed)
    return [apart] if apart == together else [apart, together]


def _words(text: str) -> str:
    text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    text = unicodedata.normalize("NFKC", text).casefold()
    return _SEPARATORS.sub(" ", text).strip()


@dataclass(frozen=True, slots=True)
class Expression:
    """What was typed, ready to be asked of normalised titles."""

    matches: Callable[[str], bool]
    anchors: tuple[frozenset[str], ...]
    """Of each of these sets, one word stands in every title that it finds; empty where no such words are known."""


def expression(text: str, *, field: str) -> Expression | None:
    """None for an empty text; raises RuleError for one that cannot be understood."""
    if not text.strip():
        return None
    return _Parser(text, field).parsed()


class _Parser:
    """or := and (OR and)*;  and := not ([AND] not)*;  not := [NOT] (word | "words" | ( or ))"""

    def __init__(self, text: str, field: str) -> None:
        self._field = field
        self._lexemes = list(self._split(text))
        self._at = 0
        self._terms = 0

    def parsed(self) -> Expression:
        found = self._or(0)
        if self._at < len(self._lexemes):
            raise self._error("There is a ) without its (.")
        return found

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        position = 0
        while position < len(text.rstrip()):
            match = _LEXEME.match(text, position)
            if match is None:
                raise self._error('There is a " without its second one.')
            kind = str(match.lastgroup)
            yield (match["word"], "") if match["word"] in ("AND", "OR", "NOT") else (kind, match[kind])
            position = match.end()

    def _next(self) -> tuple[str, str]:
        return self._lexemes[self._at] if self._at < len(self._lexemes) else ("end", "")

    def _or(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise self._error("The brackets go deeper than anybody could follow.")
        parts = [self._and(depth)]
        while self._next()[0] == "OR":
            self._at += 1
            parts.append(self._and(depth))
        return parts[0] if len(parts) == 1 else _any_of(parts)

    def _and(self, depth: int) -> Expression:
        parts = [self._not(depth)]
        while (kind := self._next())[0] not in ("OR", "end") and kind != ("bracket", ")"):
            if kind[0] == "AND":
                self._at += 1
            parts.append(self._not(depth))
        return parts[0] if len(parts) == 1 else _all_of(parts)

    def _not(self, depth: int) -> Expression:
        if self._next()[0] == "NOT":
            self._at += 1
            inner = self._not_term(depth).matches
            return Expression(lambda title: not inner(title), ())
        return self._not_term(depth)

    def _not_term(self, depth: int) -> Expression:
        kind, text = self._next()
        self._at += 1
        if (kind, text) == ("bracket", "("):
            inner = self._or(depth + 1)
            if self._next() != ("bracket", ")"):
                raise self._error("There is a ( without its ).")
            self._at += 1
            return inner
        if kind not in ("word", "quoted"):
            after = "at the end" if kind == "end" else f"before {text or kind}"
            raise self._error(f"A word is missing {after}. To look for the word itself, write it in quotes.")
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise self._error(f"There are more than {MAX_TERMS} words.")
        return self._term(text)

    def _term(self, text: str) -> Expression:
        if "*" in text.strip("*"):
            raise self._error(f"{text} has a * in the middle. Use a regular expression for that.")
        if not _words(text):
            raise self._error(f"{text} holds no letter and no digit, so no title could be compared with it.")
        begins, ends = text.startswith("*"), text.endswith("*")
        spelt = [_needle(words, begins, ends) for words in _spellings(text)]
        return spelt[0] if len(spelt) == 1 else _any_of(spelt)

    def _error(self, message: str) -> RuleError:
        return RuleError(message, field=self._field)


def _needle(words: str, begins: bool, ends: bool) -> Expression:
    """`begins`, `ends`: there a word may run on."""
    before = "" if begins or _runs_on(words[0]) else " "
    after = "" if ends or _runs_on(words[-1]) else " "
    needle = f"{before}{words}{after}"
    every = words.split(" ")
    whole = every[not before : len(every) - (not after)]
    return Expression(lambda title: needle in title, tuple(frozenset({word}) for word in whole))


def _any_of(parts: list[Expression]) -> Expression:
    asked = [part.matches for part in parts]
    anchors: tuple[frozenset[str], ...] = ()
    if all(part.anchors for part in parts):
        anchors = (frozenset[str]().union(*(_fewest_and_longest(part.anchors) for part in parts)),)
    return Expression(lambda title: any(matches(title) for matches in asked), anchors)


def _all_of(parts: list[Expression]) -> Expression:
    asked = [part.matches for part in parts]
    anchors = tuple(words for part in parts for words in part.anchors)
    return Expression(lambda title: all(matches(title) for matches in asked), anchors)


def _fewest_and_longest(anchors: tuple[frozenset[str], ...]) -> frozenset[str]:
    """Words that stand in the fewest titles, as far as one can tell by themselves."""
    return min(anchors, key=lambda words: (len(words), -min(map(len, words))))


def _runs_on(character: str) -> bool:
    """Whether its script writes without spaces: Chinese, Japanese, Korean, Thai."""
    code = ord(character)
    return 0x0E00 <= code <= 0x0E7F or 0x2E80 <= code <= 0xD7FF or 0xF900 <= code <= 0xFAFF or code >= 0x20000
