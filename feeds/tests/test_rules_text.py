"""Words in titles, and regular expressions: what finds what, and what is said of what cannot be understood."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.rules import RuleError
from feeds.rules.patterns import compiled
from feeds.rules.text import expression, normalised

TITLE = "[Group] The.Lighthouse's Keeper - S02E05v2 (1080p) [Dual-Audio] Pokémon 圣女大人 第二季"


def finds(text: str, title: str = TITLE) -> bool:
    found = expression(text, field="must_contain")
    assert found is not None
    words = normalised(title)
    if found.matches(words):
        for anchors in found.anchors:
            assert anchors & set(words.split()), "a title that matches holds an anchor of each set"
    return found.matches(words)


@pytest.mark.parametrize(
    "text",
    [
        "lighthouse",
        "LIGHTHOUSE keeper",
        "keeper lighthouse",
        '"the lighthouse"',
        "lighthouses",  # as it is spoken, without the apostrophe
        '"lighthouses keeper"',
        "lighthouse's",
        '"lighthouse’s keeper"',
        "pokemon",
        "Pokémon",
        "dual-audio",
        "1080p AND NOT 720p",
        "harbour OR keeper",
        "(harbour OR keeper) AND 1080p",
        "s02*",
        "*05v2",
        "*ight*",
        "圣女",
        "第二季",
        '"AND" OR lighthouse*',
    ],
)
def test_these_words_find_the_title(text: str) -> None:
    assert finds(text)


@pytest.mark.parametrize(
    "text",
    [
        "light",
        "house",
        '"lighthouse the"',
        "lighthouse 720p",
        "NOT lighthouse",
        "lighthouse NOT 1080p",
        "(harbour OR keeper) AND 720p",
        "S02",
        "and",
    ],
)
def test_these_words_do_not(text: str) -> None:
    assert not finds(text)


def test_or_binds_less_than_and() -> None:
    assert finds("harbour 1080p OR keeper 1080p")
    assert not finds("harbour 1080p OR keeper 720p")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(a", "( without its )"),
        ("a)", ") without its ("),
        ('"a', "without its second one"),
        ("a OR", "missing at the end"),
        ("OR a", "missing before OR"),
        ("a AND OR b", "missing before OR"),
        ("()", "missing before )"),
        ("- !", "holds no letter"),
        ("a*b", "in the middle"),
        ("(" * 20 + "a" + ")" * 20, "deeper"),
        (" ".join("abcdefghij" for _ in range(101)), "more than 100"),
    ],
)
def test_what_cannot_be_understood_is_explained(text: str, words: str) -> None:
    with pytest.raises(RuleError) as refusal:
        expression(text, field="must_contain")
    assert words in str(refusal.value)
    assert refusal.value.field == "must_contain"


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_expression_or_explained(text: str) -> None:
    try:
        found = expression(text, field="must_contain")
    except RuleError:
        return
    assert (found is None) == (not text.strip())
    if found is not None:
        found.matches(normalised(TITLE))


def test_a_word_with_an_apostrophe_finds_names_without_one() -> None:
    assert finds("keeper's", "The.Keepers.S01E01")
    assert not finds("keeper's", "The.Keeper.S01E01")


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_normalising_twice_is_once(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once


class TestRegularExpressions:
    @pytest.mark.parametrize(
        ("pattern", "words"),
        [
            ("abc(?=d)", "At character 4, (?=: Look-ahead is not supported."),
            ("(?<!x)y", "At character 1, (?<!: Look-behind"),
            (r"(a)\1", r"At character 4, \1: Back-references"),
            ("a(", "never closed"),
            ("[z-a]", "z-a"),
            ("a**", "repeats"),
            ("*a", "nothing before it"),
            ("a{1001}", "more repetitions"),
            ("((((a{100}){100}){100}){100})", "repetition"),
        ],
    )
    def test_what_re2_cannot_do_is_explained_with_its_place(self, pattern: str, words: str) -> None:
        with pytest.raises(RuleError) as refusal:
            compiled(pattern, field="regex")
        assert words in str(refusal.value)

    def test_case_does_not_matter(self) -> None:
        pattern = compiled(r"LIGHTHOUSE.*\d+p", field="regex")
        assert pattern is not None
        assert pattern.search(TITLE.replace("'s", "")) is not None

    @pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(x+x+)+y"])
    def test_no_pattern_takes_long(self, pattern: str) -> None:
        found = compiled(pattern, field="regex")
        assert found is not None
        begun = time.process_time()
        for _ in range(100):
            found.search("a" * 499 + "!")
        assert time.process_time() - begun < 1

    @given(st.text(max_size=100))
    @settings(max_examples=300, deadline=None)
    def test_any_text_is_a_pattern_or_explained(self, text: str) -> None:
        with contextlib.suppress(RuleError):
            compiled(text, field="regex")
