"""Many rules at once. Which of them an item could be about is found by its words, so that a thousand rules cost little
more than those few."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import re2

from feeds.rules import Candidate
from feeds.rules.conditions import CompiledRule, Verdict
from feeds.rules.patterns import options
from feeds.rules.text import normalised

Key = TypeVar("Key")

_SET_MEMORY = 32 * 1024 * 1024  # bytes, for the patterns of all rules together


class RuleBook(Generic[Key]):
    """Rules in the order in which they are to be asked."""

    def __init__(self, rules: Mapping[Key, CompiledRule]) -> None:
        self._rules = list(rules.items())
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_pattern: list[int] = []
        self._always: list[int] = []
        wanted = Counter(word for rule in rules.values() for words in _anchors(rule) for word in words)
        patterns = re2.Set.SearchSet(_set_options())
        patterns.Add("")  # matches everything: where it did not, the set had run out of memory
        for position, (_key, rule) in enumerate(self._rules):
            if anchors := _anchors(rule):
                # What other rules look for, too, stands in many titles: "season", the name of a franchise.
                for word in min(anchors, key=lambda words: (sum(wanted[word] for word in words), len(words))):
                    self._by_word[word].append(position)
            elif rule.regex is not None:
                patterns.Add(rule.spec.regex)
                self._by_pattern.append(position)
            else:
                self._always.append(position)
        patterns.Compile()
        self._patterns = patterns

    def verdicts(self, candidate: Candidate) -> Iterator[tuple[Key, Verdict]]:
        """Of the rules that the item is about, in order; what all others would say is not worth telling."""
        title = normalised(candidate.title)
        asked = set(self._always)
        for word in title.split():
            if word in self._by_word:
                asked.update(self._by_word[word])
        if self._by_pattern:
            asked.update(self._with_matching_pattern(candidate.title))
        for position in sorted(asked):
            key, rule = self._rules[position]
            verdict = rule.verdict(candidate, title)
            if verdict.about_it:
                yield key, verdict

    def _with_matching_pattern(self, title: str) -> Iterator[int]:
        matched = self._patterns.Match(title)
        if matched is None:
            yield from self._by_pattern  # each will be asked by its own pattern
        else:
            yield from (self._by_pattern[index - 1] for index in matched if index)


def _anchors(rule: CompiledRule) -> tuple[frozenset[str], ...]:
    return rule.wanted_text.anchors if rule.wanted_text is not None else ()


def _set_options() -> re2.Options:
    chosen = options()
    chosen.max_mem = _SET_MEMORY
    return chosen
