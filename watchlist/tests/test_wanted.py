"""Whose wish holds, and how languages are compared."""

from typing import Any

import pytest
from django.utils import timezone

from feeds.releases import parse
from feeds.releases.objects import to_object
from feeds.rules import Candidate
from feeds.rules.text import normalised
from watchlist.languages import languages
from watchlist.models import Entry, Preferences, Show, Wishes
from watchlist.wanted import Judge, Wanted, wanted_of


def entry(status: str = "FINISHED", **wishes: Any) -> Entry:
    return Entry(show=Show(status=status), **wishes)


def reasons(
    title: str, *, numbers: tuple[float, ...] = (1.0,), special: str = "", **wishes: Any
) -> list[str]:
    candidate = Candidate(title=title, release=to_object(parse(title)), seen_at=timezone.now())
    found = Judge(Wanted(**wishes)).reasons(
        candidate, normalised(title), special=special, numbers=numbers, from_episode=1
    )
    return [reason.what for reason in found]


class TestWhoseWishHolds:
    def test_the_entrys_then_the_preferences_then_the_boxs(self) -> None:
        preferences = Preferences(groups=["Theirs"], delay_seconds=60)
        wanted = wanted_of(entry(groups=["Its own"]), preferences)
        assert (wanted.groups, wanted.delay_seconds, wanted.stalled_hours) == (("Its own",), 60, 24)

    def test_an_empty_list_is_a_wish(self) -> None:
        assert wanted_of(entry(groups=[]), Preferences(groups=["Theirs"])).groups == ()

    def test_no_is_a_wish(self) -> None:
        assert not wanted_of(entry(newer_versions=False), Preferences(newer_versions=True)).newer_versions

    def test_without_an_entry_it_is_what_holds_for_any(self) -> None:
        assert wanted_of(None, Preferences(label="shows")) == Wanted(label="shows")

    @pytest.mark.parametrize(
        ("status", "batches"),
        [("FINISHED", "any"), ("CANCELLED", "any"), ("", "any"), ("RELEASING", "none"), ("HIATUS", "none")],
    )
    def test_batches_are_for_shows_that_air_no_more(self, status: str, batches: str) -> None:
        assert wanted_of(entry(status), None).batches == batches
        assert wanted_of(entry(status, batches=Wishes.Batches.ONLY), None).batches == "only"
        assert wanted_of(entry(status), Preferences(batches="any")).batches == "any"


class TestWhatIsJudged:
    def test_only_groups_that_are_named(self) -> None:
        assert reasons("[Other] Lighthouse - 01", groups=("Best",), only_groups=True) == ["groups"]

    def test_only_groups_where_none_is_named_is_no_condition(self) -> None:
        assert reasons("[Other] Lighthouse - 01", only_groups=True) == []

    def test_words_that_must_not_be_there(self) -> None:
        assert reasons("Lighthouse - 01 [dub]", must_not_contain="dub OR raw") == ["must_not_contain"]

    def test_words_that_nobody_can_follow_take_nothing(self) -> None:
        assert reasons("Lighthouse - 01", must_not_contain="(dub") == ["must_not_contain"]

    def test_no_number_at_all(self) -> None:
        assert reasons("Lighthouse", numbers=()) == ["episodes"]

    def test_a_batch_with_a_recap_in_it_is_still_one_of_episodes(self) -> None:
        assert reasons("Lighthouse", numbers=(12.0, 12.5)) == []
        assert reasons("Lighthouse", numbers=(12.5,)) == ["specials"]


class TestLanguages:
    @pytest.mark.parametrize(
        ("written", "known"),
        [
            (["VOSTFR"], {"fr"}),
            (["ENG", "Jpn"], {"en", "ja"}),
            (["PT-BR"], {"pt"}),
            (["简繁日"], {"zh-hans", "zh-hant", "ja"}),
            (["繁体"], {"zh-hant"}),
            (["Chinese"], {"zh-hans", "zh-hant"}),
            (["GB"], {"zh-hans"}),
            (["Klingon", " "], {"klingon"}),
        ],
    )
    def test_are_known_however_they_are_written(self, written: list[str], known: set[str]) -> None:
        assert languages(written) == known

    def test_one_of_several_is_enough(self) -> None:
        assert reasons("Lighthouse - 01 [简繁]", languages=("chinese",)) == []
        assert reasons("Lighthouse - 01 [简繁]", languages=("English",)) == ["languages"]

    def test_of_which_a_release_says_nothing_are_no_obstacle(self) -> None:
        assert reasons("Lighthouse - 01", languages=("English",)) == []
