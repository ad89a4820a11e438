"""Numbers and names as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from torrent_proxy_client import words


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (99_960, "100 kB"), (999_999, "1.0 MB"),
     (12_345_678_901, "12.3 GB"), (3_000_000_000_000, "3.0 TB")],
)  # fmt: skip
def test_sizes(count: int | None, text: str) -> None:
    assert words.size(count) == text


@given(st.integers(0, 10**15))
def test_sizes_and_speeds_fit_their_columns(count: int) -> None:
    assert len(words.size(count)) <= 7
    assert len(words.speed(count)) <= 9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (45, "45s"), (130, "2m 10s"), (11_100, "3h 05m"), (353_000, "4d 2h"), (10**9, "")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@given(st.floats(0, 1), st.integers(7, 40))
def test_a_progress_bar_always_has_its_width(fraction: float, width: int) -> None:
    assert cell_len(words.progress(fraction, width)) == width


def test_only_what_is_complete_is_a_hundred_per_cent() -> None:
    assert words.percent(0.99999) == "99 %"
    assert words.percent(0.29) == "29 %"
    assert words.progress(0.56, 14) == "████▍░░░  56 %"


@given(st.text(st.characters(codec=None)))
def test_cleaned_text_cannot_steer_a_terminal(text: str) -> None:
    assert not set(words.clean(text)) & set("\x1b\x9b\x07\r\n\u202e\u200b\ud800")


def test_escape_sequences_disappear_whole() -> None:
    assert words.clean("\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07") == "red link"
