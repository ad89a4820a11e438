"""What holds for every name, however hostile."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.releases import parse
from feeds.releases.explicit import SUREST_FIRST
from feeds.releases.numbers import LONGEST_RANGE
from feeds.releases.tidy import LONGEST, spaced, tidy

FRAGMENTS = (
    "01 ", "S01E01", "[", "]", "(", ")", "[01]", "- ", "1080p ", "第", "话", "一", "a", "E01", ".5", "&", "0-", "1x02",
    "x", "~", " / ", "|", "/", "\\", "Season 1 ", "S1-", "2014.05.06", "(2014)", "Part 1 ", "Vol.1", "v2", "OVA1",
    "Movie 1", "{a}", "★", "\0", "_", ".", "A.", "Ep ", "#", "1 of ", "Special 1 ", "END", "全", "🙂", "İ", "\ud800",
    "S1 - E02", "Season 1 Episode 2", "Épisode 3", "Folge 4", "Cap. 5", "Capítulo 6", "3 OF 12", "S2-05", "OAD", "NCED",
    "- Trailer", "- Creditless Ending ", "SP - 05", "Menu", "[Cap.101_102]", "14.05.06 ", "05화", "2기", "시즌 2",
    "\u202e", "٣", "²", "中 a ", "劇場版", "Complete ", "[Cap.101]", " US", "\u0301",
)  # fmt: skip
names = st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=120).map("".join)


@given(names)
@settings(max_examples=400, deadline=None)
def test_any_name_is_read_without_an_error_and_always_alike(name: str) -> None:
    assert parse(name) == parse(name)


@given(names)
@settings(max_examples=400, deadline=None)
def test_where_something_is_found_there_is_its_hint(name: str) -> None:
    for hint, find in SUREST_FIRST:
        if find(name):
            assert hint.search(name)


@given(names)
@settings(max_examples=200, deadline=None)
def test_what_is_tidy_stays_as_it_is(name: str) -> None:
    text = tidy(name).text

    assert len(text) <= LONGEST
    assert len(spaced(text)) == len(text)


@given(names)
@settings(max_examples=200, deadline=None)
def test_numbers_are_whole_halved_or_lettered_and_no_range_is_endless(name: str) -> None:
    release = parse(name)

    assert len(release.episodes) <= LONGEST_RANGE + 100
    assert all(number >= 0 for number in release.episodes if not isinstance(number, str))
    assert not any(isinstance(number, float) and number.is_integer() for number in release.episodes)


@pytest.mark.parametrize("fragment", FRAGMENTS)
@pytest.mark.parametrize("opening", ["", "[Grp] Show ", "Show.S01E01"])
def test_no_repetition_takes_long(fragment: str, opening: str) -> None:
    """A quarter of a second of CPU each: a hundred times what the slowest takes. Backtracking would take minutes."""
    started = time.thread_time()
    parse(opening + fragment * 300)
    parse(opening + fragment * 100_000)

    assert time.thread_time() - started < 0.5
