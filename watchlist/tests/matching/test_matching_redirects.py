"""Rules that send an episode elsewhere."""

import pytest

from watchlist.matching.redirects import NotRules, Redirects, ShowIds, parse
from watchlist.tests.matching.shows import found, match, show

HEAD = "# Rules\n\n::meta\n- version: 1.3.0\n\n::rules\n\n"


def rules(*lines: str) -> Redirects:
    return parse(HEAD + "\n".join(lines))


def ids(anilist: int | None = None, mal: int | None = None) -> ShowIds:
    return ShowIds(anilist, mal)


def test_a_range_is_sent_to_a_range() -> None:
    redirects = rules("- 10|20|30:14-26 -> 11|21|31:1-13")

    assert redirects.find(ids(30), 14, to_itself=False) == (ids(31, 11), 1)
    assert redirects.find(ids(30), 26, to_itself=False) == (ids(31, 11), 13)
    assert redirects.find(ids(30), 13, to_itself=False) is None
    assert redirects.find(ids(30), 27, to_itself=False) is None


def test_an_exclamation_mark_is_a_rule_of_the_destination_itself() -> None:
    redirects = rules("- 10|20|30:14-26 -> 11|21|31:1-13!")

    assert redirects.find(ids(31), 14, to_itself=True) == (ids(31, 11), 1)
    assert redirects.find(ids(31), 14, to_itself=False) is None


def test_a_tilde_is_the_source() -> None:
    assert rules("- 10|20|30:13-24 -> ~|~|~:1-12").find(ids(30), 13, to_itself=True) == (ids(30, 10), 1)


def test_an_open_end_is_all_that_follow() -> None:
    redirects = rules("- ?|?|30:19-? -> ?|?|31:1-?")

    assert redirects.find(ids(30), 500, to_itself=False) == (ids(31), 482)


def test_several_may_be_one() -> None:
    assert rules("- 1|2|3:4-5 -> 6|7|8:1").find(ids(3), 5, to_itself=False) == (ids(8, 6), 1)


def test_where_the_id_at_anilist_is_not_known_that_of_myanimelist_counts() -> None:
    redirects = rules("- 10|20|?:14-26 -> 11|21|?:1-13")

    assert redirects.find(ids(None, 10), 14, to_itself=False) == (ids(None, 11), 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><body>Not found</body></html>",
        HEAD,
        HEAD + "- 10|20|30:14-26 => 11|21|31:1-13",
        HEAD + "- 10|20|30:26-14 -> 11|21|31:1-13",
        HEAD + "- 10|20:14 -> 11|21:1",
    ],
)
def test_what_is_no_rules_is_refused_in_words(text: str) -> None:
    with pytest.raises(NotRules, match=r"\w+ .*\w"):
        parse(text)


SHOWS = [
    show(1, "Minato no Hi", anilist_id=30, mal_id=10),
    show(2, "Umi no Uta", anilist_id=31, mal_id=11, episodes=13),
    show(3, "Umi no Uta 2", anilist_id=32, episodes=12),
]


def test_a_rule_goes_before_counting() -> None:
    redirects = rules("- 10|20|30:12-24 -> 11|21|31:1-13!")

    assert found(match(SHOWS, "[Grp] Minato no Hi - 12", redirects=redirects)) == (2, (1,))
    assert found(match(SHOWS, "[Grp] Umi no Uta - 20", redirects=redirects)) == (2, (9,))
    assert found(match(SHOWS, "[Grp] Minato no Hi - 11", redirects=redirects)) == (1, (11,))


def test_a_season_that_is_stated_goes_before_a_rule() -> None:
    redirects = rules("- 10|20|30:12-24 -> 11|21|31:1-13")

    assert found(match(SHOWS, "[Grp] Minato no Hi - S01E12", redirects=redirects)) == (1, (12,))
    assert found(match(SHOWS, "[Grp] Minato no Hi - S01E13", redirects=redirects)) == (2, (2,))


def test_a_show_that_is_renumbered_keeps_the_numbers_that_it_has() -> None:
    redirects = rules("- ?|?|32:12-23 -> ~|~|~:1-12")

    assert found(match(SHOWS, "[Grp] Umi no Uta 2 - 12", redirects=redirects)) == (3, (12,))
    assert found(match(SHOWS, "[Grp] Umi no Uta 2 - 13", redirects=redirects)) == (3, (2,))


def test_a_rule_to_a_show_that_is_not_known_asks_a_person() -> None:
    redirects = rules("- 10|20|30:12-24 -> ?|?|99:1-13")

    result = match(SHOWS, "[Grp] Minato no Hi - 12", redirects=redirects)

    assert (found(result), result.candidates) == ("unsure", (1,))


def test_a_rule_may_be_of_episode_zero() -> None:
    redirects = rules("- 10|20|30:0 -> 11|21|31:1")

    assert found(match(SHOWS, "[Grp] Minato no Hi - 00", redirects=redirects)) == (2, (1,))
    assert found(match(SHOWS, "[Grp] Minato no Hi - 00")) == "unsure"
