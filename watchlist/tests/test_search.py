"""Looking for shows to follow."""

from typing import Any

import pytest

from accounts.models import User
from watchlist.linking import change_link, link_by_name
from watchlist.models import Search, Show
from watchlist.search import forget_searches, search_shows
from watchlist.tests import anilist_server as faults
from watchlist.tests.anilist_server import AniListServer
from watchlist.tests.clock import Clock


@pytest.fixture
def service(anilist: AniListServer, clock: Clock) -> AniListServer:
    anilist.world.add_show(1, "Lighthouse")
    anilist.world.add_show(2, "Lighthouse 2")
    anilist.world.add_show(18, "Night Lighthouse", isAdult=True)
    return anilist


def found(user: User, text: str) -> tuple[set[str], str]:
    shows, message = search_shows(user=user, text=text)
    return {show.external_id for show in shows}, message


def stored(number: int, title: str, **fields: Any) -> Show:
    return Show.objects.create(
        **{"provider": "anilist", "external_id": str(number), "romaji": title} | fields
    )


def test_what_the_provider_finds_is_stored_and_shown(alice: User, service: AniListServer) -> None:
    assert found(alice, "lighthouse") == ({"1", "2"}, "")
    assert Show.objects.exclude(fetched_at=None).filter(external_id="1").exists()


def test_ten_people_who_look_for_the_same_ask_once(alice: User, bob: User, service: AniListServer) -> None:
    for text in ("lighthouse", " Lighthouse ", "LIGHTHOUSE", "ｌｉｇｈｔｈｏｕｓｅ", "lighthouse\n") * 2:
        assert found(alice, text) == found(bob, text) == ({"1", "2"}, "")
    assert len(service.asked) == 1


def test_after_some_hours_it_is_asked_again(alice: User, service: AniListServer, clock: Clock) -> None:
    found(alice, "lighthouse")
    service.world.add_show(3, "Lighthouse 3")
    clock.move(hours=7)
    assert found(alice, "lighthouse") == ({"1", "2", "3"}, "")


def test_stored_shows_are_found_by_words_of_any_title(alice: User, service: AniListServer) -> None:
    stored(5, "Toudai", english="The Keeper", synonyms=["Beacon of the North"], native="灯台")
    for text in ("keeper the", "north beacon", "灯台", "toud"):
        assert found(alice, text)[0] == {"5"}


def test_what_others_typed_in_is_not_found(alice: User, bob: User, service: AniListServer) -> None:
    stored(6, "Lantern", provider="manual", owner=bob)
    assert found(alice, "lantern")[0] == set()
    assert found(bob, "lantern")[0] == {"6"}


def test_shows_for_adults_are_found_by_those_who_chose_so(alice: User, service: AniListServer) -> None:
    assert "18" not in found(alice, "lighthouse")[0]
    service.world.add_person("Keeper")
    change_link(link=link_by_name(user=alice, provider="anilist", name="Keeper"), include_adult=True)
    assert "18" in found(alice, "lighthouse")[0]


def test_while_the_provider_is_away_what_is_stored_is_found_and_why_no_more(
    alice: User, service: AniListServer
) -> None:
    stored(5, "Lighthouse of old")
    service.fail(faults.DISABLED)
    assert found(alice, "lighthouse") == (
        {"5"},
        "AniList has closed its service to programs for the time being. What is stored here is shown as it was."
        " Shown are shows that this box knows already.",
    )


def test_what_was_found_before_is_shown_with_its_age(
    alice: User, service: AniListServer, clock: Clock
) -> None:
    found(alice, "lighthouse")
    Search.objects.update(found_at=clock.now())
    clock.move(hours=7)
    service.fail(faults.DISABLED)
    shows, message = found(alice, "lighthouse")
    assert shows == {"1", "2"}
    assert "Shown is what was found 7\xa0hours ago" in message


def test_searching_leaves_slots_to_others_and_says_when_to_come_back(
    alice: User, service: AniListServer
) -> None:
    messages = [found(alice, f"lighthouse {number}")[1] for number in range(4)]
    assert messages[:3] == ["", "", ""]
    assert "Search again in a minute." in messages[3]


def test_while_somebody_asks_for_the_same_nobody_else_does(
    bob: User, service: AniListServer, clock: Clock
) -> None:
    Search.objects.create(provider="anilist", text="lighthouse", asking_until=clock.now().replace(hour=23))
    assert found(bob, "lighthouse") == (
        set(),
        "The same is being looked for just now. Search again in a moment.",
    )
    assert service.asked == []


@pytest.mark.parametrize("text", ["", " ", "a", "\x00", "\u200b"])
def test_too_little_is_asked_of_nobody(alice: User, service: AniListServer, text: str) -> None:
    assert found(alice, text) == (set(), "Type at least 2 characters of a title.")
    assert service.asked == []


def test_hostile_text_is_looked_for_like_any_other(alice: User, service: AniListServer) -> None:
    for text in ("%_\\'\";--", "\ud800\ud800", "a" * 10_000, '{"query": "x"}'):
        assert found(alice, text)[0] == set()


def test_old_searches_are_forgotten(alice: User, service: AniListServer, clock: Clock) -> None:
    found(alice, "lighthouse")
    forget_searches()
    assert Search.objects.exists()
    clock.move(days=3)
    forget_searches()
    assert not Search.objects.exists()
