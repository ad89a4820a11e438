"""What a rule says of an item, condition by condition; and many rules at once say the same as each alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.releases import parse
from feeds.releases.objects import to_object
from feeds.rules import Candidate, RuleError, RuleSpec
from feeds.rules.book import RuleBook
from feeds.rules.conditions import CompiledRule, selective_rule
from feeds.rules.text import normalised
from feeds.specs import episode_identity

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TITLE = "[Group] Lighthouse - 05v2 [1080p]"


def candidate(title: str = TITLE, **fields: Any) -> Candidate:
    return Candidate(title=title, release=to_object(parse(title)), **{"seen_at": NOW} | fields)


def failed(one: Candidate, **conditions: Any) -> list[str]:
    rule = CompiledRule(RuleSpec(**{"must_contain": "lighthouse"} | conditions))
    return [reason.what for reason in rule.verdict(one, normalised(one.title)).reasons]


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"must_not_contain": "720p"},
        {"regex": r"- \d\d"},
        {"negative_regex": "720p"},
        {"min_size": 2**30, "max_size": 2**30},
        {"first_episode": 5, "last_episode": 5},
        {"resolutions": ["720p", "1080P"]},
        {"groups": ["group"], "only_groups": True},
        {"refused_groups": ["Other"]},
        {"batches": "none"},
        {"published_after": NOW - timedelta(hours=2)},
        {"max_age": timedelta(hours=1)},
        {"sources": frozenset({1, 2})},
    ],
)
def test_an_item_that_meets_the_condition_is_taken(conditions: dict[str, Any]) -> None:
    one = candidate(source=1, size=2**30, published_at=NOW - timedelta(hours=1))
    assert failed(one, **conditions) == []


@pytest.mark.parametrize(
    ("conditions", "what"),
    [
        ({"must_contain": "harbour"}, "must_contain"),
        ({"must_not_contain": "1080p"}, "must_not_contain"),
        ({"regex": "720p"}, "regex"),
        ({"negative_regex": "1080"}, "negative_regex"),
        ({"min_size": 2**30 + 1}, "min_size"),
        ({"max_size": 2**30 - 1}, "max_size"),
        ({"season": 1}, "season"),
        ({"first_episode": 6}, "episodes"),
        ({"last_episode": 4}, "episodes"),
        ({"resolutions": ["720p"]}, "resolutions"),
        ({"groups": ["Other"], "only_groups": True}, "groups"),
        ({"refused_groups": ["GROUP"]}, "refused_groups"),
        ({"batches": "only"}, "batches"),
        ({"published_after": NOW}, "published_after"),
        ({"max_age": timedelta(minutes=59)}, "max_age"),
        ({"sources": frozenset({2})}, "feed"),
    ],
)
def test_an_item_that_does_not_is_not_and_the_reason_says_which(
    conditions: dict[str, Any], what: str
) -> None:
    one = candidate(source=1, size=2**30, published_at=NOW - timedelta(hours=1))
    assert failed(one, **conditions) == [what]


def test_a_size_that_the_feed_does_not_say_stands_against_nothing() -> None:
    assert failed(candidate(size=None), max_size=1) == []


def test_an_item_without_a_date_counts_from_when_it_was_seen() -> None:
    assert failed(candidate(), max_age=timedelta(minutes=1), published_after=NOW - timedelta(1)) == []


def test_a_batch_is_told_from_an_episode() -> None:
    batch = candidate("[Group] Lighthouse (01-12) [1080p] [Batch]")
    assert failed(batch, batches="none") == ["batches"]
    assert failed(batch, batches="only") == []
    assert failed(batch, first_episode=1, last_episode=12) == []
    assert failed(batch, first_episode=2) == ["episodes"]


def test_the_better_release_is_of_the_better_group_then_of_the_better_resolution_then_newer() -> None:
    rule = CompiledRule(RuleSpec(must_contain="lighthouse", groups=["A", "B"], resolutions=["1080p", "720p"]))
    best_first = [
        "[A] Lighthouse - 05v2 [1080p]",
        "[A] Lighthouse - 05 [1080p]",
        "[A] Lighthouse - 05 [720p]",
        "[B] Lighthouse - 05 [1080p]",
        "[C] Lighthouse - 05 [1080p]",
    ]
    assert sorted(best_first, key=lambda title: rule.preference(candidate(title))) == best_first


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("[A] Lighthouse - 05 [720p]", "[B] lighthouse - 05v2 [1080p]", True),
        ("[A] Lighthouse - 05", "[A] Lighthouse - 06", False),
        ("Lighthouse.S01E05.720p.WEB.x264-A", "Lighthouse S01E05 1080p WEB h265-B", True),
        ("Lighthouse.S01E05.720p.WEB.x264-A", "Lighthouse.S02E05.720p.WEB.x264-A", False),
    ],
)
def test_episodes_are_recognised_across_releases(one: str, other: str, same: bool) -> None:
    first, second = (episode_identity(to_object(parse(title))) for title in (one, other))
    assert first
    assert (first == second) == same


def test_a_name_without_an_episode_has_no_identity() -> None:
    assert episode_identity(to_object(parse("Lighthouse [1080p]"))) == ""


WORDS = st.sampled_from(["lighthouse", "harbour", "keeper", "1080p", "720p", "red", "圣女"])
EXPRESSIONS = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} {pair[1]})"),
        inner.map(lambda one: f"NOT ({one})"),
    ),
    max_leaves=6,
)
SPECS = st.builds(
    RuleSpec,
    must_contain=st.one_of(st.just(""), EXPRESSIONS),
    must_not_contain=st.one_of(st.just(""), EXPRESSIONS),
    regex=st.sampled_from(["", "light", "[0-9]+p", "r.d"]),
    sources=st.just(frozenset({1})),
    resolutions=st.sampled_from([(), ("1080p",)]),
)


@given(st.lists(SPECS, max_size=8), st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=5))
@settings(max_examples=200, deadline=None)
def test_many_rules_at_once_say_what_each_says_alone(specs: list[RuleSpec], titles: list[str]) -> None:
    rules = {number: CompiledRule(spec) for number, spec in enumerate(specs)}
    book = RuleBook(rules)
    for title in titles:
        one = replace(candidate("x"), title=title, source=1)
        alone = [(number, rule.verdict(one, normalised(title))) for number, rule in rules.items()]
        assert list(book.verdicts(one)) == [
            (number, verdict) for number, verdict in alone if verdict.about_it
        ]


def test_a_rule_that_would_take_everything_is_refused() -> None:
    with pytest.raises(RuleError, match="everything"):
        selective_rule(RuleSpec(max_size=5))
    selective_rule(RuleSpec(sources=frozenset({1})))
