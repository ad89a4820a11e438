"""The figures of `manage.py evaluate_matching`."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from feeds.management.commands.evaluate_matching import Command
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


def test_the_command_prints_one_object_with_the_figures(tmp_path: Path) -> None:
    names = tmp_path / "names.jsonl"
    rows = [
        row(title="[Grp] Show - 05 [1080p]", episode=5),
        row(title="Show.2014.S01E02.720p", series="Show 2014", episode=2),
        row(title="[Grp] Show - 07 [1080p]", episode=8),
    ]
    names.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    printed = StringIO()

    call_command(Command(), str(names), stdout=printed)

    figures = json.loads(printed.getvalue())
    assert {"n": 3, "series_pct": 66.7, "episode_pct": 66.7, "both_pct": 33.3}.items() <= figures.items()
    assert {"series_lenient_pct": 100.0, "both_lenient_pct": 66.7, "exceptions": 0}.items() <= figures.items()
    assert 0 < figures["median_us"] <= figures["p99_us"] <= figures["max_us"]


def test_the_command_shows_what_was_read_wrongly(tmp_path: Path) -> None:
    names = tmp_path / "names.jsonl"
    names.write_text(json.dumps(row(title="[Grp] Show - 07 [1080p]", episode=8)), encoding="utf-8")
    printed = StringIO()

    call_command(Command(), str(names), "--failures", stdout=printed)

    failure, _ = map(json.loads, printed.getvalue().splitlines())
    assert (failure["episode"], failure["found_episodes"]) == (8, [7])


@pytest.mark.parametrize("content", ["no JSON", "{}"])
def test_a_file_of_another_kind_is_named_in_the_error(tmp_path: Path, content: str) -> None:
    names = tmp_path / "names.jsonl"
    names.write_text(content, encoding="utf-8")

    with pytest.raises(CommandError, match=r"names\.jsonl"):
        call_command(Command(), str(names))


def test_an_empty_file_has_figures_of_nothing() -> None:
    assert summary([])["n"] == 0 == summary([])["both_pct"]
