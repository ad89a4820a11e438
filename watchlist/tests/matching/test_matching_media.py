"""Shows out of whatever AniList answers."""

import datetime
from typing import Any

import pytest

from watchlist.matching.media import shows_in


def media(number: int, romaji: str | None, **fields: Any) -> dict[str, Any]:
    return {"id": number, "title": {"romaji": romaji}, **fields}


def test_every_media_is_a_show_wherever_it_stands() -> None:
    document = {
        "data": {"lists": [{"entries": [{"id": 5, "media": media(1, "Umi")}]}], "Media": media(2, "Yama")}
    }

    assert {(show.id, show.titles) for show in shows_in([document])} == {(1, ("Umi",)), (2, ("Yama",))}


def test_all_that_is_said_of_one_show_is_put_together() -> None:
    one = media(1, "Umi", episodes=12, synonyms=["Sea"], format="TV")
    other = {"id": 1, "title": {"english": "The Sea"}, "episodes": None, "synonyms": ["Mer"], "idMal": 10}

    (show,) = shows_in([one, [other]])

    assert (show.titles, set(show.synonyms)) == (("Umi", "The Sea"), {"Sea", "Mer"})
    assert (show.episodes, show.format, show.mal_id) == (12, "TV", 10)


def test_relations_are_read_and_their_shows_too() -> None:
    edges = [
        {"relationType": "SEQUEL", "node": media(2, "Umi 2", type="ANIME")},
        {"relationType": "PREQUEL", "node": media(3, "Umi", type="MANGA")},
    ]

    first, *others = sorted(shows_in([media(1, "Umi", relations={"edges": edges})]), key=lambda show: show.id)

    assert (first.relations, [show.id for show in others]) == ((("SEQUEL", 2),), [2])


@pytest.mark.parametrize("fields", [{"type": "MANGA"}, {"format": "NOVEL"}, {"format": "ONE_SHOT"}])
def test_what_is_no_anime_is_no_show(fields: dict[str, Any]) -> None:
    assert shows_in([media(1, "Umi", **fields)]) == []


def test_dates_that_are_known_in_part_are_the_first_of_these() -> None:
    (show,) = shows_in(
        [media(1, "Umi", startDate={"year": 2020, "month": 4, "day": None}, endDate={"year": None})]
    )

    assert (show.starts_on, show.ends_on, show.year) == (datetime.date(2020, 4, 1), None, 2020)


@pytest.mark.parametrize(
    "document", [None, 1, "text", {"id": 1, "title": "text"}, {"title": {"romaji": "Umi"}}, [{}]]
)
def test_what_is_no_media_is_passed_over(document: Any) -> None:
    assert shows_in([document]) == []
