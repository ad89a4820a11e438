"""Which show bears a name: exactly, nearly, several, and as its reader or its folder says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.releases import parse
from watchlist.matching import AliasKey, Outcome
from watchlist.matching.catalogue import Catalogue
from watchlist.matching.titles import key
from watchlist.tests.matching.shows import found, match, show

HARBOUR = show(1, "Minato no Hi", "Harbour Lights", "港の灯", synonyms=["HarLi"], starts="2016-04-05")
REMAKES = [
    show(1, "Kaze no Niwa", starts="2001-07-05", episodes=26),
    show(2, "Kaze no Niwa (2019)", "Kaze no Niwa", starts="2019-04-06", episodes=25),
]


@pytest.mark.parametrize(
    "name",
    [
        "[Grp] Minato no Hi - 05 [1080p]",
        "Harbour.Lights.S01E05.1080p.WEB.x264-GRP",
        "[Grp] 港の灯 - 05 [1080p]",
        "[Grp] 港の灯 / Minato no Hi - 05 [1080p]",
        "[Grp] Minato no Hi (Harbour Lights) - 05 [1080p]",
        "HarLi.S01E05.1080p.WEB.x264-GRP",
        "[Grp] Minato no Hi (2016) - 05 [1080p]",
        "Minato.no.Hi.2016.E05.1080p.WEB.x264-GRP",
    ],
)
def test_any_of_its_titles_leads_to_a_show(name: str) -> None:
    assert found(match([HARBOUR], name)) == (1, (5,))


@pytest.mark.parametrize(
    "name", ["[Grp] Umi no Hi - 05", "[Grp] Minato - 05", "[Grp] Minato no Hi Mini - 05"]
)
def test_another_name_is_not_known(name: str) -> None:
    result = match([HARBOUR], name)

    assert result.outcome is Outcome.UNKNOWN
    assert [reason.what for reason in result.reasons] == ["title"]


def test_a_misspelt_letter_is_forgiven_and_told() -> None:
    shows = [show(1, "Akebono Minato no Sailor")]

    result = match(shows, "[Grp] Akebono Minato no Sialor - 05 [1080p]")
    other = match(shows, "[Grp] Akebono Minatto no Sailor - 05 [1080p]")

    assert found(result) == "unsure"
    assert found(other) == (1, (5,))
    assert other.reasons[0].wanted == "nearly “Akebono Minato no Sailor”"


def test_what_goes_on_behind_another_name_is_another_show() -> None:
    shows = [show(1, "Minato Monogatari Z", episodes=291)]

    assert found(match(shows, "[Grp] Minato Monogatari - 05 [1080p]")) == "unsure"


def test_a_name_between_two_names_asks_a_person() -> None:
    shows = [show(1, "Akebono Minato no Sailor"), show(2, "Akebono Minamo no Sailor")]

    result = match(shows, "[Grp] Akebono Minaho no Sailor - 05 [1080p]")

    assert (found(result), set(result.candidates)) == ("unsure", {1, 2})


def test_what_a_show_is_called_before_its_subtitle_asks_a_person() -> None:
    shows = [show(1, "Frieda: The Road Beyond")]

    result = match(shows, "[Grp] Frieda - 05 [1080p]")

    assert (found(result), result.candidates) == ("unsure", (1,))


def test_numbers_of_a_name_are_never_forgiven() -> None:
    shows = [show(1, "Akebono Minato 3: Tekketsu"), show(2, "Akebono Minato 1: Tekketsu")]

    assert found(match(shows, "[Grp] Akebono Minato Part 1 Tekketsu - 05 [1080p]")) == (2, (5,))
    assert found(match(shows, "[Grp] Akebono Minato Part 3 Tekketsu - 05 [1080p]")) == (1, (5,))
    assert found(match(shows, "[Grp] Akebono Minato 2: Tekketsu - 05 [1080p]")) == "unsure"


def test_a_title_of_its_own_goes_before_anothers_synonym() -> None:
    shows = [show(1, "Umi no Uta", synonyms=["Minato no Hi"]), show(2, "Minato no Hi")]

    assert found(match(shows, "[Grp] Minato no Hi - 05 [1080p]")) == (2, (5,))


def test_a_part_of_an_anthology_may_be_a_show_itself() -> None:
    parts = ["Minato no Hi", *(f"The Tale of Island {number} and the Sea" for number in range(30))]
    shows = [show(1, "Umi no Mihonichi", synonyms=parts, episodes=31)]

    result = match(shows, "[Grp] Minato no Hi - 01 [1080p]")

    assert (found(result), result.candidates) == ("unsure", (1,))
    assert found(match(shows, "[Grp] Umi no Mihonichi - 01 [1080p]")) == (1, (1,))


def test_a_year_tells_remakes_apart_and_nothing_else_does() -> None:
    assert found(match(REMAKES, "[Grp] Kaze no Niwa (2019) - 05 [1080p]")) == (2, (5,))
    assert found(match(REMAKES, "[Grp] Kaze no Niwa (2001) - 05 [1080p]")) == (1, (5,))
    tied = match(REMAKES, "[Grp] Kaze no Niwa - 05 [1080p]")
    assert (found(tied), set(tied.candidates)) == ("unsure", {1, 2})


def test_a_remake_that_is_called_so_with_its_year_is_often_called_so_without_it() -> None:
    first = show(1, "Kaze no Niwa", starts="2001-07-05", episodes=26, relations=[("ALTERNATIVE", 2)])
    remake = show(2, "Kaze no Niwa (2019)", starts="2019-04-06", episodes=25)

    for name in ("[Grp] Kaze no Niwa - 05 [1080p]", "Kaze.no.Niwa.S01E05.1080p.WEB.x264-GRP"):
        assert found(match([first, remake], name, published="2019-05-05")) == "unsure"


def test_an_episode_that_a_remake_will_have_may_be_the_remakes_by_now() -> None:
    remake = show(2, "Kaze no Niwa", starts="2019-04-06", episodes=12, status="RELEASING", aired=3)
    shows = [REMAKES[0], remake]

    assert found(match(shows, "[Grp] Kaze no Niwa - 09 [1080p]", published="2019-06-05")) == "unsure"
    assert found(match(shows, "[Grp] Kaze no Niwa - 13 [1080p]", published="2019-06-05")) == (1, (13,))


def test_a_number_that_only_one_of_them_has_tells_remakes_apart() -> None:
    assert found(match(REMAKES, "[Grp] Kaze no Niwa - 26 [1080p]")) == (1, (26,))


def test_a_remake_that_did_not_exist_yet_is_not_meant() -> None:
    assert found(match(REMAKES, "[Grp] Kaze no Niwa - 05 [1080p]", published="2012-01-01")) == (1, (5,))


def test_the_year_of_another_show_is_not_ignored() -> None:
    assert found(match([REMAKES[0]], "[Grp] Kaze no Niwa (2019) - 05 [1080p]")) == "unsure"


@pytest.mark.parametrize("name", ["(2014) - 03", "(2014) S01E03", "(2011) S03E03"])
def test_the_year_of_a_season_is_not_ignored_where_another_is_named(name: str) -> None:
    shows = [
        show(1, "Minato no Hi", starts="2008-04-05", ends="2008-06-25", sequel=2),
        show(2, "Minato no Hi 2nd Season", starts="2011-04-05", ends="2011-06-25", sequel=3),
        show(3, "Minato no Hi 3rd Season", starts="2014-04-05", ends="2014-06-25"),
    ]

    assert found(match(shows, f"[Grp] Minato no Hi {name} [1080p]", published="2014-05-01")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi (2014) S03E03", published="2014-05-01")) == (3, (3,))


def test_the_year_of_the_first_season_stands_in_names_of_the_third() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2011-04-05", ends="2011-06-25", sequel=2),
        show(2, "Minato no Hi 2", starts="2013-04-05", ends="2013-06-25", sequel=3),
        show(3, "Minato no Hi 3", starts="2016-04-05", ends="2016-06-25"),
    ]

    assert found(match(shows, "Minato.no.Hi.2011.S03E05.1080p.WEB.x264-GRP")) == (3, (5,))


def test_seasons_told_apart_by_punctuation_are_told_apart() -> None:
    shows = [
        show(1, "Umi-On!", starts="2009-04-03", ends="2009-06-26", sequel=2),
        show(2, "Umi-On!!", starts="2010-04-07", ends="2010-09-28", episodes=24),
    ]

    assert found(match(shows, "[Grp] Umi-On! - 05 [1080p]")) == (1, (5,))
    assert found(match(shows, "[Grp] Umi-On!! - 05 [1080p]")) == (2, (5,))
    assert found(match(shows, "Umi-On.S02E05.1080p.WEB.x264-GRP")) == (2, (5,))
    assert found(match(shows, "[Grp] Umi On - 05 [1080p]")) == "unsure"


def test_a_synonym_that_all_seasons_have_means_the_first() -> None:
    shows = [
        show(1, "Minato no Hi", synonyms=["MnH"], starts="2018-04-05", ends="2018-06-21", sequel=2),
        show(2, "Minato no Hi 2", synonyms=["MnH"], starts="2020-04-05", ends="2020-06-21"),
    ]

    assert found(match(shows, "[Grp] MnH - 05 [1080p]")) == (1, (5,))
    assert found(match(shows, "[Grp] MnH S2 - 05 [1080p]")) == (2, (5,))


@pytest.mark.parametrize("format", ["MUSIC", "MANGA", "NOVEL", "ONE_SHOT"])
def test_what_has_no_episodes_is_never_found(format: str) -> None:
    assert (
        match([show(1, "Minato no Hi", format=format)], "[Grp] Minato no Hi - 01").outcome is Outcome.UNKNOWN
    )


def test_two_names_of_two_shows_ask_a_person() -> None:
    shows = [show(1, "Minato no Hi"), show(2, "港の灯")]

    assert found(match(shows, "[Grp] 港の灯 / Minato no Hi - 05 [1080p]")) == "unsure"


def test_a_plain_synonym_of_a_later_season_does_not_make_it_the_first() -> None:
    shows = [show(2, "Minato no Hi 2nd Season", synonyms=["Minato no Hi"])]

    assert found(match(shows, "[Grp] Minato no Hi - 05 [1080p]")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi S2 - 05 [1080p]")) == (2, (5,))


def test_a_show_may_be_called_by_a_number() -> None:
    shows = [
        show(1, "Minato 5", starts="2018-04-05", ends="2018-06-21", sequel=2),
        show(2, "Minato 5 2nd Season", starts="2020-04-05", ends="2020-06-21"),
    ]

    assert found(match(shows, "[Grp] Minato 5 - 03 [1080p]")) == (1, (3,))
    assert found(match(shows, "[Grp] Minato 5 - S01E03 [1080p]")) == (1, (3,))
    assert found(match(shows, "[Grp] Minato 5 - S02E03 [1080p]")) == (2, (3,))
    assert found(match(shows, "[Grp] Minato 5 2nd Season - 03 [1080p]")) == (2, (3,))
    assert found(match(shows[:1], "[Grp] Minato 5 - S02E03 [1080p]")) == "unsure"


def test_a_series_goes_before_its_extras_of_the_same_name() -> None:
    shows = [
        show(1, "Minato no Hi", relations=[("SIDE_STORY", 2), ("SIDE_STORY", 3)]),
        show(2, "Minato no Hi", format="ONA", episodes=3),
        show(3, "Minato no Hi", format="OVA", episodes=1),
    ]

    assert found(match(shows, "[Grp] Minato no Hi - 01 [1080p]")) == (1, (1,))


def test_an_unrelated_ova_of_the_same_name_asks_a_person() -> None:
    shows = [show(1, "Minato no Hi"), show(2, "Minato no Hi", format="OVA", episodes=2)]

    assert found(match(shows, "[Grp] Minato no Hi - 01 [1080p]")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi - 03 [1080p]")) == (1, (3,))


# --- folders


@pytest.mark.parametrize(
    ("name", "folders", "right"),
    [
        ("S02E05-Farewell [4AB8AF98].mkv", ["Minato no Hi 2nd Season (Batch + OVAs)", "Anime"], (2, (5,))),
        ("S01E05-Farewell [4AB8AF98].mkv", ["Minato no Hi S01 1080p WEBRip x265-GRP"], (1, (5,))),
        ("Minato no Hi - 05.mkv", ["Season 02", "Minato no Hi"], (2, (5,))),
        ("Minato no Hi - 05.mkv", ["Minato no Hi Season 2"], (2, (5,))),
        ("MHL - S02E05v2.mkv", ["[Grp] Minato no Hi (Harbour Lights) (Season 02) [1080p]"], (2, (5,))),
        ("MHL - 05.mkv", ["Harbour Lights", "Anime", "E:"], (1, (5,))),
    ],
)
def test_a_file_takes_its_show_or_season_from_its_folders(
    name: str, folders: list[str], right: tuple[int, tuple[int, ...]]
) -> None:
    shows = [
        show(1, "Minato no Hi", "Harbour Lights", starts="2018-04-05", ends="2018-06-21", sequel=2),
        show(2, "Minato no Hi 2nd Season", "Harbour Lights Season 2", starts="2020-04-05"),
    ]

    assert found(match(shows, name, folders=folders)) == right


@pytest.mark.parametrize("name", ["NCOP (BD 1080p).mkv", "Ending 01.mkv", "Creditless Opening 2.mkv"])
def test_an_opening_takes_its_show_from_the_folders(name: str) -> None:
    result = match([HARBOUR], name, folders=["Extras", "Minato no Hi BD", "Minato no Hi"])

    assert (result.show, result.special in ("NCOP", "ED")) == (1, True)


def test_a_folder_of_another_show_asks_a_person() -> None:
    shows = [HARBOUR, show(2, "Umi no Uta")]

    result = match(shows, "Minato no Hi - 05.mkv", folders=["Umi no Uta"])

    assert (found(result), set(result.candidates)) == ("unsure", {1, 2})


# --- aliases


def test_an_alias_goes_before_all_titles() -> None:
    shows = [HARBOUR, show(2, "Umi no Uta")]
    aliases = {AliasKey(key("minato NO hi"), None): 2}

    assert found(match(shows, "[Grp] Minato no Hi - 05", aliases=aliases)) == (2, (5,))
    assert found(match(shows, "[Grp] Minato no Hi S1 - 05", aliases=aliases)) == (1, (5,))


def test_an_alias_may_be_of_one_season_only() -> None:
    shows = [HARBOUR, show(2, "Umi no Uta")]
    aliases = {AliasKey(key("Lights"), 2): 2}

    assert found(match(shows, "[Grp] Lights S2 - 05", aliases=aliases)) == (2, (5,))
    assert match(shows, "[Grp] Lights - 05", aliases=aliases).outcome is Outcome.UNKNOWN


def test_an_alias_may_state_the_season_itself() -> None:
    aliases = {AliasKey(key("Lights 2nd Season"), None): 1}

    assert found(match([HARBOUR], "[Grp] Lights S2 - 05", aliases=aliases)) == (1, (5,))


def test_an_alias_of_none_is_never_found() -> None:
    result = match([HARBOUR], "[Grp] Minato no Hi - 05", aliases={AliasKey(key("Minato no Hi"), None): None})

    assert (result.outcome, result.reasons[0].what) == (Outcome.UNKNOWN, "alias")


def test_an_alias_leads_to_seasons_that_no_title_states() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2018-04-05", ends="2018-06-21", sequel=2),
        show(2, "Minato no Hi 2", starts="2020-04-05", ends="2020-06-21"),
    ]
    aliases = {AliasKey(key("MHL"), None): 1}

    assert found(match(shows, "[Grp] MHL - 17", aliases=aliases)) == (2, (5,))


# --- anything


@settings(max_examples=300)
@given(st.text(max_size=80) | st.from_regex(r"\[Grp\] Minato no Hi [ -~]{0,30}", fullmatch=True))
def test_no_name_raises_anything(name: str) -> None:
    shows = [
        HARBOUR,
        show(2, "Minato no Hi 2", relations=[("PREQUEL", 1)]),
        show(3, "Minato no Hi OVA", format="OVA"),
    ]

    result = Catalogue(shows).match(parse(name), folders=[parse(name)])

    assert (result.show is not None) == (result.outcome is Outcome.FOUND)
    assert bool(result.reasons) or result.outcome is Outcome.FOUND
