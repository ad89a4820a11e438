"""How often names are read rightly: the figures."""

import json
from typing import Any

import pytest

from feeds.releases import Release
from feeds.releases.evaluation import comparable, judge, numbers, summary, usable_rows


def row(**fields: Any) -> dict[str, Any]:
    return {"title": "t", "series": "Show", "season": None, "episode": None, "absolute": None} | fields


@pytest.mark.parametrize(
    ("one", "other"),
    [("Fate & Stay", "fate_and_stay!"), ("Pokémon", "POKEMON"), ("Ｓｈｏｗ", "show"), ("Show: A", "show a")],
)
def test_titles_are_compared_by_letters_and_digits(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    "written", ["Show 2014", "Show (2014)", "Show S2", "Show Season 2", "Show 2nd Season", "Show S2 (2014)"]
)
def test_leniently_a_year_or_season_at_the_end_does_not_count(written: str) -> None:
    assert comparable(written, lenient=True) == "show"
    assert comparable(written) != "show"


@pytest.mark.parametrize("name", ["2014", "S2"])
def test_leniently_something_remains(name: str) -> None:
    assert comparable(name, lenient=True) == name.casefold()


def test_numbers_are_compared_as_sets_with_ranges_expanded() -> None:
    assert numbers([1, "3-5", 12.5, "4a", 7.0]) == numbers(["1", 3, 4, 5, "12.5", "04A", 7])


@pytest.mark.parametrize(
    ("expected", "found", "right"),
    [
        (row(episode=5), Release(series="Show", episodes=(5,)), True),
        (row(episode=5), Release(series="Show", episodes=(5,), absolute=(17,)), True),
        (row(episode=5, absolute=17), Release(series="Show", episodes=(17,)), True),
        (row(episode=5, absolute=17), Release(series="Show", episodes=(5, 17)), True),
        (row(episode=[5, 6]), Release(series="Show", episodes=(5,)), False),
        (row(), Release(series="Show"), True),
        (row(), Release(series="Show", episodes=(5,)), False),
    ],
)
def test_an_episode_is_right_when_the_whole_set_is(
    expected: dict[str, Any], found: Release, right: bool
) -> None:
    assert judge(expected, lambda title: found).episode is right


@pytest.mark.parametrize("field", [{"series_alternatives": ["Minato"]}, {"formatted_title": "Minato"}])
def test_any_of_the_names_of_a_row_counts(field: dict[str, Any]) -> None:
    assert judge(row(**field), lambda title: Release(series="Minato")).series


def test_an_exception_is_counted_and_is_no_right_answer() -> None:
    def fails(title: str) -> Release:
        raise RuntimeError(title)

    figures = summary([judge(row(), fails)])

    assert (figures["exceptions"], figures["both_lenient_pct"]) == (1, 0.0)


def test_rows_without_a_series_or_with_options_and_titles_seen_before_are_skipped() -> None:
    rows = [row(title="A"), row(title="a"), row(title="B", series=None), row(title="C", options="-t")]

    assert [used["title"] for used in usable_rows(map(json.dumps, rows))] == ["A"]


def test_an_empty_file_has_figures_of_nothing() -> None:
    assert summary([])["n"] == 0 == summary([])["both_pct"]
