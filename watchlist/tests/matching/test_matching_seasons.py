"""Which season, and which of its episodes: by titles, relations, counts and air dates."""

import pytest

from watchlist.matching import CatalogueShow, Match
from watchlist.tests.matching.shows import found, match, show

TWO_SEASONS = [
    show(1, "Minato no Hi", "Harbour Lights", starts="2018-04-05", ends="2018-06-21", sequel=2),
    show(2, "Minato no Hi 2nd Season", "Harbour Lights Season 2", starts="2020-04-05", ends="2020-06-21"),
]
# 11 and 12 episodes of one season with a break of three months, then, years later, another season.
SPLIT_COURS = [
    show(1, "Minato no Hi", episodes=11, starts="2021-04-11", ends="2021-06-20", sequel=2),
    show(2, "Minato no Hi Part 2", starts="2021-10-03", ends="2022-01-15"),
]
COURS_AND_SEASON = [
    show(1, "Minato no Hi", starts="2022-04-09", ends="2022-06-25", sequel=2),
    show(2, "Minato no Hi Part 2", episodes=13, starts="2022-10-01", ends="2022-12-24", sequel=3),
    show(3, "Minato no Hi Season 2", starts="2023-10-07", ends="2023-12-23"),
]
# Seasons whose titles state none, a film between the first two.
ARCS = [
    show(1, "Minato no Hi", "Harbour Lights", episodes=26, starts="2019-04-06", ends="2019-09-28", sequel=9),
    show(9, "Minato no Hi: Ressha-hen", format="MOVIE", episodes=1, starts="2020-10-16", sequel=2),
    show(2, "Minato no Hi: Machi-hen", episodes=11, starts="2021-12-05", ends="2022-02-13", sequel=3),
    show(3, "Minato no Hi: Mura-hen", episodes=11, starts="2023-04-09", ends="2023-06-18", sequel=4),
    show(4, "Minato no Hi: Yama-hen", episodes=8, starts="2024-05-12", ends="2024-06-30"),
]


@pytest.mark.parametrize(
    ("shows", "name", "right"),
    [
        (TWO_SEASONS, "[Grp] Minato no Hi - 05 [1080p]", (1, (5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi 2nd Season - 05v2 [1080p]", (2, (5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi S2 - 05 [1080p]", (2, (5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi II - 05 [1080p]", (2, (5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi 2 - 05 [1080p]", (2, (5,))),
        (TWO_SEASONS, "Harbour.Lights.S02E05.1080p.WEB.x264-GRP", (2, (5,))),
        (TWO_SEASONS, "Harbour.Lights.S01E05.1080p.WEB.x264-GRP", (1, (5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi - 17 [1080p]", (2, (5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi 2nd Season - 17 [1080p]", (2, (5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi - 12.5 [1080p]", (1, (12.5,))),
        (TWO_SEASONS, "[Grp] Minato no Hi (13-24) [Batch]", (2, tuple(range(1, 13)))),
        (SPLIT_COURS, "[Grp] Minato no Hi - 20 [1080p]", (2, (9,))),
        (SPLIT_COURS, "[Grp] Minato no Hi Part 2 - 09 [1080p]", (2, (9,))),
        (SPLIT_COURS, "[Grp] Minato no Hi Part 2 - 20 [1080p]", (2, (9,))),
        (SPLIT_COURS, "Minato.no.Hi.S01E20.1080p.WEB.x264-GRP", (2, (9,))),
        (SPLIT_COURS, "Minato.no.Hi.S02E09.1080p.WEB.x264-GRP", (2, (9,))),
        (COURS_AND_SEASON, "[Grp] Minato no Hi - 30 [1080p]", (3, (5,))),
        (COURS_AND_SEASON, "Minato.no.Hi.S01E13.1080p.WEB.x264-GRP", (2, (1,))),
        (COURS_AND_SEASON, "Minato.no.Hi.S02E05.1080p.WEB.x264-GRP", (3, (5,))),
        (ARCS, "Minato.no.Hi.S02E05.1080p.WEB.x264-GRP", (2, (5,))),
        (ARCS, "Minato.no.Hi.S04E05.1080p.WEB.x264-GRP", (4, (5,))),
        (ARCS, "[Grp] Minato no Hi - 40 [1080p]", (3, (3,))),
        (ARCS, "[Grp] Minato no Hi: Mura-hen - 03 [1080p]", (3, (3,))),
        (ARCS, "[Grp] Minato no Hi - Mura-hen - S03E03 [1080p]", (3, (3,))),
    ],
)
def test_a_number_leads_to_an_episode(
    shows: list[CatalogueShow], name: str, right: tuple[int, tuple[int, ...]]
) -> None:
    assert found(match(shows, name)) == right


@pytest.mark.parametrize(
    ("shows", "name", "candidates"),
    [
        (TWO_SEASONS, "[Grp] Minato no Hi - 25 [1080p]", {1, 2}),
        (TWO_SEASONS, "[Grp] Minato no Hi 3rd Season - 01 [1080p]", {1, 2}),
        (TWO_SEASONS, "[Grp] Minato no Hi (01-24) [Batch]", {1, 2}),
        (TWO_SEASONS, "[Grp] Minato no Hi (Seasons 1-2) [BD 1080p]", {1, 2}),
        (SPLIT_COURS, "[Grp] Minato no Hi S01 [BD 1080p]", {1, 2}),
    ],
)
def test_what_fits_nowhere_or_is_of_several_asks_a_person(
    shows: list[CatalogueShow], name: str, candidates: set[int]
) -> None:
    result = match(shows, name)

    assert (found(result), set(result.candidates)) == ("unsure", candidates)
    assert result.reasons


def test_a_season_that_cours_may_be_counted_to_in_two_ways_asks_a_person() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2019-01-05", ends="2019-03-23", sequel=2),
        show(2, "Minato no Hi: Machi-hen", starts="2019-07-05", ends="2019-09-23", sequel=3),
        show(3, "Minato no Hi: Mura-hen", starts="2021-07-05", ends="2021-09-23"),
    ]

    result = match(shows, "Minato.no.Hi.S02E05.1080p.WEB.x264-GRP")

    assert (found(result), set(result.candidates)) == ("unsure", {1, 2, 3})


def test_numbers_of_both_kinds_decide_together() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2019-01-05", ends="2019-03-23", sequel=2),
        show(2, "Minato no Hi: Machi-hen", starts="2019-07-05", ends="2019-09-23", sequel=3),
        show(3, "Minato no Hi: Mura-hen", starts="2021-07-05", ends="2021-09-23"),
    ]

    assert found(match(shows, "Minato.no.Hi.S02E05.(17).1080p.WEB.x264-GRP")) == (2, (5,))


def test_the_last_season_of_a_chain_is_found_when_only_seasons_before_it_are_numbered() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2016-04-03", ends="2016-06-26", sequel=2),
        *(
            show(n, f"Minato no Hi {n}", starts=f"{2015 + n}-04-03", ends=f"{2015 + n}-06-26", sequel=n + 1)
            for n in range(2, 8)
        ),
        show(8, "Minato no Hi: FINAL SEASON", episodes=11, starts="2025-10-04"),
    ]

    assert found(match(shows, "Minato.no.Hi.S08E07.Farewell.1080p.WEB.x264-GRP")) == (8, (7,))


def test_the_first_season_is_not_replaced_by_the_second_where_it_is_missing() -> None:
    result = match(TWO_SEASONS[1:], "[Grp] Minato no Hi - 01 [1080p]")

    assert (found(result), result.candidates) == ("unsure", (2,))


def test_a_season_is_not_counted_to_over_a_sequel_that_is_missing() -> None:
    shows = [
        TWO_SEASONS[0],
        show(3, "Minato no Hi: Mura-hen", relations=[("PREQUEL", 2)], starts="2022-04-05"),
    ]

    assert found(match(shows, "Minato.no.Hi.S02E01.1080p.WEB.x264-GRP")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi - 13 [1080p]")) == "unsure"


def test_a_show_of_which_only_the_last_season_is_known_may_be_any_season() -> None:
    shows = [show(8, "Minato no Hi: FINAL SEASON", relations=[("PREQUEL", 7)], episodes=11)]
    folders = ["Minato no Hi FINAL SEASON"]

    assert found(match(shows, "Harbour.Lights.S08E07.1080p.WEB.x264-GRP", folders=folders)) == (8, (7,))
    assert found(match(shows, "Harbour.Lights.S08E12.1080p.WEB.x264-GRP", folders=folders)) == "unsure"


def test_a_show_that_others_cut_into_seasons_is_not_counted_by_its_sequels() -> None:
    shows = [
        show(1, "Minato no Hi", episodes=220, starts="2002-10-03", ends="2007-02-08", sequel=2),
        show(2, "Minato no Hi Shippuu", episodes=500, starts="2007-02-15", ends="2017-03-23"),
    ]

    assert found(match(shows, "Minato.no.Hi.S02E05.1080p.WEB.x264-GRP")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi - 151 [1080p]")) == (1, (151,))
    assert found(match(shows, "[Grp] Minato no Hi Shippuu - 151 [1080p]")) == (2, (151,))


def test_recaps_and_short_extras_are_no_seasons() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2018-04-05", ends="2018-06-21", sequel=3),
        show(3, "Minato no Hi Recap", starts="2019-04-05", sequel=2),
        show(2, "Minato no Hi: Machi-hen", starts="2020-04-05", ends="2020-06-21"),
    ]

    assert found(match(shows, "Minato.no.Hi.S02E05.1080p.WEB.x264-GRP")) == (2, (5,))
    assert found(match(shows, "[Grp] Minato no Hi - 17 [1080p]")) == (2, (5,))


def test_a_short_between_seasons_leaves_it_open_which_is_the_second() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2018-04-05", ends="2018-06-21", sequel=3),
        show(
            3,
            "Minato no Hi: Mini",
            format="ONA",
            episodes=4,
            starts="2019-04-05",
            ends="2019-05-01",
            sequel=2,
        ),
        show(2, "Minato no Hi: Machi-hen", starts="2020-04-05", ends="2020-06-21"),
    ]

    assert found(match(shows, "Minato.no.Hi.S02E03.1080p.WEB.x264-GRP")) == "unsure"


def test_where_the_story_branches_numbers_are_not_counted_on() -> None:
    shows = [
        show(1, "Minato no Hi", relations=[("SEQUEL", 2), ("SEQUEL", 3)], starts="2018-04-05"),
        show(2, "Minato no Hi: Machi-hen", starts="2020-04-05"),
        show(3, "Minato no Hi: Mura-hen", starts="2020-04-05"),
    ]

    assert found(match(shows, "[Grp] Minato no Hi - 13 [1080p]")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi - 12 [1080p]")) == (1, (12,))


def airing(aired: int) -> list[CatalogueShow]:
    return [show(1, "Minato no Hi", status="RELEASING", episodes=None, aired=aired, starts="2024-04-05")]


def test_a_show_that_runs_has_the_episodes_that_have_aired() -> None:
    assert found(match(airing(1071), "[Grp] Minato no Hi - 1071 [1080p]")) == (1, (1071,))
    assert found(match(airing(5), "[Grp] Minato no Hi - 06 [1080p]")) == (1, (6,))
    assert found(match(airing(5), "[Grp] Minato no Hi - 60 [1080p]")) == "unsure"


def test_numbers_do_not_run_on_into_a_sequel_while_the_season_is_on_the_air() -> None:
    shows = [
        show(1, "Minato no Hi", status="RELEASING", episodes=12, aired=3, starts="2024-04-05", sequel=2),
        show(2, "Minato no Hi 2", status="NOT_YET_RELEASED", episodes=None),
    ]

    assert found(match(shows, "[Grp] Minato no Hi - 15 [1080p]")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi - 04 [1080p]")) == (1, (4,))


def test_a_stated_season_does_not_run_on_into_one_of_another_year() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2018-04-05", ends="2018-06-21", sequel=2),
        show(2, "Minato no Hi: Machi-hen", starts="2020-04-05", ends="2020-06-21"),
    ]

    assert found(match(shows, "Minato.no.Hi.S01E13.1080p.WEB.x264-GRP")) == "unsure"
    assert found(match(shows, "[Grp] Minato no Hi - 13 [1080p]")) == (2, (1,))


def test_what_was_released_before_a_show_began_is_not_of_it() -> None:
    name = "[Grp] Minato no Hi - 13 [1080p]"

    assert found(match(TWO_SEASONS, name, published="2018-06-28")) == "unsure"
    assert found(match(TWO_SEASONS, name, published="2020-04-06")) == (2, (1,))


def test_numbers_do_not_run_on_where_it_is_not_known_how_many_there_are() -> None:
    shows = [
        show(1, "Minato no Hi", episodes=None, sequel=2),
        show(2, "Minato no Hi 2nd Season"),
    ]

    assert found(match(shows, "[Grp] Minato no Hi - 05 [1080p]")) == (1, (5,))
    assert found(match(shows, "[Grp] Minato no Hi - 15 [1080p]")) == "unsure"


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("[Grp] Minato no Hi [BD 1080p]", 1),
        ("[Grp] Minato no Hi S01 [BD 1080p]", 1),
        ("[Grp] Minato no Hi Season 2 [Batch]", 2),
        ("Harbour.Lights.S02.1080p.BluRay.x264-GRP", 2),
    ],
)
def test_a_batch_without_numbers_is_all_of_its_season(name: str, right: int) -> None:
    result = match(TWO_SEASONS, name)

    assert (result.show, result.whole, result.episodes) == (right, True, ())


def test_a_daily_date_is_no_number() -> None:
    result: Match = match(TWO_SEASONS, "Harbour.Lights.2020.05.04.1080p.WEB.x264-GRP")

    assert found(result) == "unsure"


@pytest.mark.parametrize("count", [0, None])
def test_a_show_of_no_episodes_does_not_hand_its_numbers_to_its_sequel(count: int | None) -> None:
    shows = [
        show(1, "Minato no Hi", episodes=count, starts="2018-04-05", ends="2018-06-21", sequel=2),
        show(2, "Minato no Hi 2nd Season", starts="2019-04-05"),
    ]

    assert found(match(shows, "[Grp] Minato no Hi - 03 [1080p]")) == (1, (3,))


def test_a_range_from_one_season_into_the_next_asks_a_person() -> None:
    assert found(match(TWO_SEASONS, "[Grp] Minato no Hi S01E12-S02E01 [1080p]")) == "unsure"
