"""Speeds, times and ratios as people type them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_proxy_client import amounts
from torrent_proxy_client.amounts import BadAmount, parse_ratio, parse_speed, parse_time


@pytest.mark.parametrize(
    ("text", "speed"),
    [("500 kB/s", 500_000), ("2M", 2_000_000), (" 1,5 MiB ", 1_572_864), ("1 gb", 10**9), ("64KiB/s", 65_536),
     ("", None), ("  ", None)],
)  # fmt: skip
def test_speeds_are_read_as_people_write_them(text: str, speed: int | None) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 min", 5400), ("90m", 5400), ("12h", 43_200), ("3d 6h", 280_800), ("1 day, 2 hours", 93_600),
     ("1.5 d", 129_600), ("2 weeks", 1_209_600), ("0", 0), ("", None)],
)  # fmt: skip
def test_times_are_read_as_people_write_them(text: str, seconds: int | None) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(("text", "ratio"), [("1.5", 1.5), ("2,0", 2.0), ("0", 0.0), ("", None)])
def test_ratios_are_read_with_a_point_or_a_comma(text: str, ratio: float | None) -> None:
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize(
    ("parse", "text", "said"),
    [(parse_speed, "500", "unit"), (parse_speed, "fast", "unit"), (parse_speed, "1 kB", "between"),
     (parse_speed, "3 GB", "between"), (parse_speed, "1.2.3 MB", "not a number"), (parse_time, "3", "such as"),
     (parse_time, "soon", "such as"), (parse_time, "11000 d", "Ten years"), (parse_time, "-1 h", "such as"),
     (parse_ratio, "-1", "between"), (parse_ratio, "1001", "between"), (parse_ratio, "nan", "not a number"),
     (parse_ratio, "two", "not a number")],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words(
    parse: Callable[[str], object], text: str, said: str
) -> None:
    with pytest.raises(BadAmount, match=said):
        parse(text)


@given(st.integers(amounts.SLOWEST, amounts.FASTEST))
def test_a_speed_that_is_shown_is_read_as_the_same(speed: int) -> None:
    assert parse_speed(amounts.speed_text(speed)) == speed


@given(st.integers(0, amounts.LONGEST))
def test_a_time_that_is_shown_is_read_as_the_same(seconds: int) -> None:
    assert parse_time(amounts.time_text(seconds)) == seconds


@given(st.text())
def test_whatever_is_typed_is_an_amount_or_a_sentence(text: str) -> None:
    for parse in (parse_speed, parse_time, parse_ratio):
        assert _said_of(parse, text).endswith(".")


def _said_of(parse: Callable[[str], object], text: str) -> str:
    try:
        return f"It is {parse(text)}."
    except BadAmount as error:
        return str(error)
