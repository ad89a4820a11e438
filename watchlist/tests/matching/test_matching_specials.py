"""OVAs, specials, films and openings, named under a series."""

import pytest

from watchlist.matching import Match
from watchlist.tests.matching.shows import found, match, show

SERIES = show(1, "Minato no Hi", starts="2018-04-05", ends="2018-06-21")
OVA = show(2, "Minato no Hi: Umi e", format="OVA", episodes=2, relations=[("PARENT", 1)])
OTHER_OVA = show(3, "Minato no Hi: Yama e", format="OVA", episodes=2, relations=[("PARENT", 1)])
OVA_BY_NAME = show(4, "Minato no Hi OVA", format="OVA", episodes=3, relations=[("PARENT", 1)])
FILM = show(
    5,
    "Minato no Hi Movie: Shima e",
    format="MOVIE",
    episodes=1,
    starts="2019-09-05",
    relations=[("PREQUEL", 1)],
)


def special(result: Match) -> tuple[int | None, str, tuple[int | float | str, ...]]:
    return result.show, result.special, result.episodes


@pytest.mark.parametrize("name", ["[Grp] Minato no Hi - OVA 02", "[Grp] Minato no Hi - S01OVA02.mkv"])
def test_the_only_ova_of_a_series_is_meant(name: str) -> None:
    assert special(match([SERIES, OVA], name)) == (2, "", (2,))


def test_an_ova_that_is_called_so_goes_before_others() -> None:
    assert special(match([SERIES, OVA, OVA_BY_NAME], "[Grp] Minato no Hi - OVA 02")) == (4, "", (2,))
    assert special(match([SERIES, OVA, OVA_BY_NAME], "[Grp] Minato no Hi OVA - 02")) == (4, "", (2,))


def test_which_of_several_ovas_is_meant_a_person_must_say() -> None:
    result = match([SERIES, OVA, OTHER_OVA], "[Grp] Minato no Hi - OVA 02")

    assert (found(result), result.candidates) == ("unsure", (2, 3, 1))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("[Grp] Minato no Hi - OVA 02", (1, "OVA", (2,))),
        ("[Grp] Minato no Hi - SP1 [1080p]", (1, "SP", (1,))),
        ("Minato.no.Hi.S00E05.1080p.WEB.x264-GRP", (1, "SP", (5,))),
        ("[Grp] Minato no Hi - NCOP1 [BD]", (1, "NCOP", (1,))),
        ("[Grp] Minato no Hi - Creditless Ending 2 [BD]", (1, "NCED", (2,))),
    ],
)
def test_a_special_without_a_show_of_its_own_is_one_of_the_series(
    name: str, right: tuple[int, str, tuple[int, ...]]
) -> None:
    assert special(match([SERIES], name)) == right


def test_a_special_with_another_number_than_the_only_one_has_is_one_of_the_series() -> None:
    assert special(match([SERIES, OVA], "[Grp] Minato no Hi - OVA 03")) == (1, "OVA", (3,))


def test_others_order_of_season_zero_is_not_guessed() -> None:
    assert found(match([SERIES, OVA, FILM], "Minato.no.Hi.S00E02.1080p.WEB.x264-GRP")) == "unsure"
    assert found(match([SERIES, OVA], "Minato.no.Hi.S00E05.1080p.WEB.x264-GRP")) == "unsure"


def test_the_numbers_of_an_ova_that_is_a_show_itself_are_its_own() -> None:
    ova = show(2, "Umi no Uta", format="OVA", episodes=4)

    assert special(match([ova], "[Grp] Umi no Uta OVA - 03")) == (2, "", (3,))
    assert special(match([ova], "[Grp] Umi no Uta - 03")) == (2, "", (3,))


def test_an_opening_is_of_the_season_that_is_stated() -> None:
    shows = [
        show(1, "Minato no Hi", starts="2018-04-05", ends="2018-06-21", sequel=2),
        show(2, "Minato no Hi 2nd Season", starts="2020-04-05"),
    ]

    assert special(match(shows, "[Grp] Minato no Hi 2nd Season - NCED [BD]")) == (2, "NCED", ())


@pytest.mark.parametrize(
    "name",
    [
        "[Grp] Minato no Hi Movie - Shima e [BD 1080p]",
        "Minato.no.Hi.Movie.Shima.e.2019.1080p.BluRay.x264-GRP",
        "Minato.no.Hi.Movie.2019.1080p.BluRay.x264-GRP",
    ],
)
def test_a_film_without_number_is_all_of_its_show(name: str) -> None:
    result = match([SERIES, FILM], name)

    assert (result.show, result.whole) == (5, True)


def test_a_film_without_its_subtitle_and_year_asks_a_person() -> None:
    assert found(match([SERIES, FILM], "[Grp] Minato no Hi Movie [1080p]")) == "unsure"


def test_another_edition_of_a_film_is_found_by_its_year() -> None:
    films = [
        show(1, "Minato Movie: Ha", "Harbour: 2.0 You Shall (Not) Pass", format="MOVIE", starts="2009-06-27"),
        show(
            2, "Minato Movie: Kyuu", "Harbour: 3.0 You Shall (Not) Stay", format="MOVIE", starts="2012-11-17"
        ),
    ]

    assert match(films, "Harbour.2.22.You.Shall.Not.Pass.2009.1080p.BluRay.x264-GRP").show == 1
    assert found(match(films, "Harbour.2.22.You.Shall.Not.Pass.1080p.BluRay.x264-GRP")) == "unsure"


def test_a_film_that_is_counted_is_found_by_its_number() -> None:
    films = [
        show(
            number,
            f"Minato no Hi Movie {number}: Shima e",
            format="MOVIE",
            episodes=1,
            relations=[("PARENT", 9)],
        )
        for number in (1, 2, 3)
    ]
    shows = [show(9, "Minato no Hi"), *films]

    result = match(shows, "[Grp] Minato no Hi Movie 3 [BD 1080p]")

    assert (result.show, result.episodes, result.whole) == (3, (), True)
    assert found(match([shows[0], *films[:2]], "[Grp] Minato no Hi Movie 3 [BD 1080p]")) == "unsure"


SECOND_SEASON = show(6, "Minato no Hi 2nd Season", starts="2019-04-05", relations=[("PREQUEL", 1)])


@pytest.mark.parametrize(
    "name",
    [
        "S2 Mini - 01",
        "S2 Picture Drama - 01",
        "S2 Recap - 01",
        "S2 Trailer",
        "(Live-Action) - 01",
        "(Director's Cut) - 01",
    ],
)
def test_what_is_beside_a_show_is_no_episode_of_it(name: str) -> None:
    assert found(match([SERIES, SECOND_SEASON], f"[Grp] Minato no Hi {name} [1080p]")) == "unknown"


@pytest.mark.parametrize("name", ["S2 Special - 01", "Season 2 Specials - 01", "S2 SP - 01"])
def test_specials_behind_a_season_are_no_episodes_of_it(name: str) -> None:
    result = match([SERIES, SECOND_SEASON], f"[Grp] Minato no Hi {name} [1080p]")

    assert (found(result), result.special) == ((6, (1,)), "SP")


def test_a_season_with_a_name_of_its_own_is_that_season() -> None:
    shows = [SERIES, SECOND_SEASON]

    assert found(match(shows, "[Grp] Minato no Hi S2 Hidden Path Arc - 01 [1080p]")) == (6, (1,))


def test_the_year_of_a_film_under_the_name_of_its_series_asks_a_person() -> None:
    film = show(5, "Minato no Hi: Shima e", format="MOVIE", starts="2019-01-05", relations=[("PARENT", 1)])

    asked = match([SERIES, film], "Minato.no.Hi.2019.1080p.BluRay.x264-GRP")
    assert (found(asked), asked.candidates) == ("unsure", (5, 1))
    assert match([SERIES, film], "Minato.no.Hi.2018.1080p.BluRay.x264-GRP").show == 1


def test_a_second_film_is_not_the_only_one_that_is_known() -> None:
    assert found(match([SERIES, FILM], "[Grp] Minato no Hi - Movie 2 [BD 1080p]")) == "unsure"
    assert match([SERIES, FILM], "[Grp] Minato no Hi - Movie 1 [BD 1080p]").show == 5


def test_an_episode_is_not_the_film_of_the_same_name() -> None:
    shows = [SERIES, show(5, "Minato no Hi", format="MOVIE", episodes=1, relations=[("PREQUEL", 1)])]

    assert found(match(shows, "[Grp] Minato no Hi - 01 [1080p]")) == (1, (1,))


def test_episode_zero_asks_a_person() -> None:
    assert found(match([SERIES], "[Grp] Minato no Hi - 00 [1080p]")) == "unsure"
