"""Which names are the same name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchlist.matching.titles import exactly, key, read, variants


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Harbour Lights", "HARBOUR LIGHTS!"),
        ("Harbour Lights", "The Harbour: Lights"),
        ("Ｈarbour Lights", "harbour lights"),
        ("Salt & Lantern", "Salt and Lantern"),
        ("Salt×Lantern", "Salt x Lantern"),
        ("Kaze no Toukyou", "Kaze no Tōkyō"),
        ("Kaze no Tokyo", "Kaze no Toukyou"),
        ("Umi wo Miru", "Umi o Miru"),
        ("Kimi ha Umi", "Kimi wa Umi"),
        ("Nami no Oto: Shima-hen", "Nami no Oto Shima"),
        ("Harbour’s End", "Harbours End"),
        ("Re:Harbour kara", "ReHarbour kara"),
        ("Harbour!!x2 Dawn", "Harbour!! x2 Dawn"),
        ("Harbour (TV)", "Harbour"),
        ("Harbour (2019)", "Harbour"),
        ("Pêche Café", "Peche Cafe"),
    ],
)
def test_what_may_be_written_in_two_ways_is_one_name(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    "name",
    [
        "Harbour II",
        "Harbour 2",
        "Harbour 2nd Season",
        "Harbour Second Season",
        "Harbour Season 2",
        "Harbour S2",
        "Harbour S02",
        "Harbour 第2期",
        "Harbour 第二季",
        "Harbour Ⅱ",
    ],
)
def test_a_season_is_one_however_it_is_written(name: str) -> None:
    assert (read(name).stem, read(name).season, key(name)) == ("harbor", 2, key("Harbour 2nd Season"))


@pytest.mark.parametrize(
    "name", ["Harbour Part 2", "Harbour Part II", "Harbour Cour 2", "Harbour 2nd Cour", "Harbour 第2クール"]
)
def test_a_cour_is_one_however_it_is_written(name: str) -> None:
    assert (read(name).stem, read(name).season, read(name).part) == ("harbor", None, 2)


def test_a_name_states_season_and_cour() -> None:
    assert read("Harbour 3rd Season Part 2") == ("harbor", 3, 2, None)


@pytest.mark.parametrize(
    "name", ["Harbour 100", "Harbour Movie 2", "Harbour 2.0", "Harbour 0", "22/7", "2", "Season 2", "86"]
)
def test_a_number_that_belongs_to_the_name_is_no_season(name: str) -> None:
    assert read(name).season is None


def test_a_season_is_found_behind_a_number_of_the_name() -> None:
    assert read("Harbour 100 II") == ("harbor100", 2, None, None)
    assert read("Harbour 100 Season 2") == ("harbor100", 2, None, None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Harbour", "Harbour 2"),
        ("Harbour", "Harbour Part 2"),
        ("Harbour 2", "Harbour Part 2"),
        ("Harbour", "Harbours"),
        ("Harbour Movie", "Harbour"),
        ("Harbour 1 2", "Harbour 12"),
    ],
)
def test_other_names_are_other_names(one: str, other: str) -> None:
    assert key(one) != key(other)


def test_a_numeral_before_a_subtitle_may_be_a_season() -> None:
    _, other = variants("Harbour II: Under the Bridge")

    assert (other.stem, other.season) == (read("Harbour: Under the Bridge").stem, 2)


def test_a_year_in_brackets_is_stated_and_not_part_of_the_name() -> None:
    assert read("Harbour (2019)").year == 2019


def test_punctuation_tells_names_apart_where_that_is_asked_for() -> None:
    assert exactly("Harbour!!") != exactly("Harbour!")
    assert exactly("HARBOUR!") == exactly("harbour!")


@given(st.text(max_size=60))
def test_every_text_has_a_key_that_is_its_own_key(name: str) -> None:
    assert read(name).stem
    assert key(name) == key(name.upper().lower()) or not name.isascii()
