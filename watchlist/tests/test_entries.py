"""Following shows, and what is wanted of them."""

from typing import Any

import pytest
from django_q.models import OrmQ
from pytest_django import Settings

from accounts.models import User
from watchlist import entries
from watchlist.entries import (
    REMOVED_KEPT,
    EntryRefused,
    change_entry,
    follow,
    follow_by_hand,
    remove_entry,
    restore_entry,
)
from watchlist.models import Entry, Show
from watchlist.preferences import change_preferences
from watchlist.tests.factories import EntryFactory, ShowFactory
from watchlist.wishes import WISHES, WishRefused

pytestmark = pytest.mark.django_db
State = Entry.State


class TestFollowing:
    def test_a_show_is_followed_from_its_first_episode_with_no_wishes_of_its_own(self, alice: User) -> None:
        entry = follow(user=alice, show=ShowFactory.create())
        entry.refresh_from_db()
        assert (entry.state, entry.origin, entry.from_episode) == (State.FOLLOWED, "search", 1)
        assert {getattr(entry, name) for name in WISHES} == {None}

    def test_what_feeds_brought_before_is_looked_through_soon(self, alice: User) -> None:
        assert follow(user=alice, show=ShowFactory.create()).look_back
        assert OrmQ.objects.count() == 1

    def test_a_show_is_followed_once(self, alice: User) -> None:
        show = ShowFactory.create()
        follow(user=alice, show=show)
        with pytest.raises(EntryRefused, match="already") as refused:
            follow(user=alice, show=show)
        assert (refused.value.code, refused.value.field) == ("duplicate", "show_id")

    def test_two_people_may_follow_the_same_show(self, alice: User, bob: User) -> None:
        show = ShowFactory.create()
        assert follow(user=alice, show=show).pk != follow(user=bob, show=show).pk

    def test_what_somebody_else_typed_in_does_not_exist(self, alice: User, bob: User) -> None:
        show = follow_by_hand(user=bob, title="Harbour").show
        with pytest.raises(EntryRefused, match="no such show"):
            follow(user=alice, show=show)

    def test_a_removed_show_comes_back_as_it_was_where_nothing_else_is_said(self, alice: User) -> None:
        show = ShowFactory.create()
        entry = follow(user=alice, show=show, from_episode=5, wishes={"groups": ["A"], "label": "shows"})
        remove_entry(entry=entry)
        again = follow(user=alice, show=show, wishes={"label": "mine"})
        assert (again.pk, again.state, again.from_episode) == (entry.pk, State.FOLLOWED, 5)
        assert (again.groups, again.label) == (["A"], "mine")

    def test_what_left_with_a_list_is_ones_own_wish_when_it_comes_back(self, alice: User) -> None:
        left = EntryFactory.create(user=alice, origin="list", state=State.LEFT, from_episode=8)
        entry = follow(user=alice, show=left.show)
        assert (entry.origin, entry.state, entry.from_episode, entry.look_back) == (
            "search",
            State.FOLLOWED,
            8,
            True,
        )

    def test_nobody_follows_more_than_the_box_allows(self, alice: User, settings: Settings) -> None:
        settings.WATCHLIST_PER_USER = 1
        first = follow(user=alice, show=ShowFactory.create())
        with pytest.raises(EntryRefused, match="as many as this box allows"):
            follow(user=alice, show=ShowFactory.create())
        with pytest.raises(EntryRefused, match="as many as this box allows") as refused:
            follow_by_hand(user=alice, title="Harbour")
        assert refused.value.code == "too_many"
        assert not Show.objects.filter(provider="manual").exists()
        remove_entry(entry=first)
        follow(user=alice, show=ShowFactory.create())
        with pytest.raises(EntryRefused, match="as many as"):
            restore_entry(entry=first)

    def test_what_has_ended_does_not_count_until_it_is_followed_again(
        self, alice: User, settings: Settings
    ) -> None:
        settings.WATCHLIST_PER_USER = 1
        ended = EntryFactory.create(user=alice, state=State.ENDED)
        follow(user=alice, show=ShowFactory.create())
        with pytest.raises(EntryRefused, match="as many as"):
            change_entry(entry=ended, state=State.FOLLOWED)


class TestByHand:
    def test_a_show_that_no_provider_knows_is_its_owners_alone(self, alice: User) -> None:
        entry = follow_by_hand(user=alice, title=" The  Harbour ", titles=["Minato", "Minato"], episodes=6)
        show = entry.show
        assert (show.provider, show.owner, show.title, show.synonyms, show.episodes) == (
            "manual",
            alice,
            "The Harbour",
            ["Minato"],
            6,
        )
        assert entry.origin == "hand"

    def test_the_same_title_comes_back_with_its_other_names_as_given_now(self, alice: User) -> None:
        entry = follow_by_hand(user=alice, title="Harbour", titles=["Minato"])
        remove_entry(entry=entry)
        again = follow_by_hand(user=alice, title="HARBOUR", titles=["Hafen"])
        assert again.pk == entry.pk
        assert Show.objects.get().synonyms == ["Hafen"]

    def test_the_same_title_is_not_followed_twice_and_stays_as_it_is(self, alice: User) -> None:
        follow_by_hand(user=alice, title="Harbour", titles=["Minato"])
        with pytest.raises(EntryRefused, match="already") as refused:
            follow_by_hand(user=alice, title="harbour", titles=["Hafen"])
        assert refused.value.field == "title"
        assert Show.objects.get().synonyms == ["Minato"]

    def test_a_box_may_do_without(self, alice: User, settings: Settings) -> None:
        settings.WATCHLIST_PROVIDERS = ["anilist"]
        with pytest.raises(EntryRefused, match="Search for it"):
            follow_by_hand(user=alice, title="Harbour")

    @pytest.mark.parametrize("title", ["!!!", "\u202e", " \u200b\t", "♥"])
    def test_a_title_by_which_nothing_can_be_recognised_is_refused(self, alice: User, title: str) -> None:
        for wishes in ({"title": title}, {"title": "Harbour", "titles": [title]}):
            with pytest.raises(EntryRefused, match="letters or digits"):
                follow_by_hand(user=alice, **wishes)
        assert not Show.objects.exists()

    def test_a_title_is_one_line_without_what_turns_or_hides_it(self, alice: User) -> None:
        entry = follow_by_hand(user=alice, title="Har\u202ebour\r\n\x1b[31m <b>灯台</b>")
        assert entry.show.title == "Har bour [31m <b>灯台</b>"


class TestChanging:
    @pytest.fixture
    def entry(self, alice: User) -> Entry:
        return EntryFactory.create(user=alice, from_episode=5)

    @pytest.mark.parametrize(
        "changes",
        [
            {"from_episode": 4},
            {"offset": -12},
            {"wishes": {"groups": ["A"]}},
            {"wishes": {"resolutions": ["720p"]}},
            {"wishes": {"must_not_contain": "dub"}},
            {"wishes": {"batches": "only"}},
            {"wishes": {"specials": True}},
        ],
        ids=str,
    )
    def test_stored_items_are_looked_through_again_where_that_may_matter(
        self, entry: Entry, changes: dict[str, Any]
    ) -> None:
        assert change_entry(entry=entry, **changes).look_back
        assert OrmQ.objects.count() == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"from_episode": 6},
            {"offset": 0},
            {"end_with_show": False},
            {"state": State.PAUSED},
            {"state": State.FOLLOWED},
            {"wishes": {"delay_seconds": 60, "stalled_hours": 3, "start_paused": True, "label": "shows"}},
        ],
        ids=str,
    )
    def test_nothing_is_looked_through_for_nothing(self, entry: Entry, changes: dict[str, Any]) -> None:
        assert not change_entry(entry=entry, **changes).look_back
        assert not OrmQ.objects.exists()

    @pytest.mark.parametrize("state", [State.PAUSED, State.ENDED])
    def test_resuming_looks_through_what_came_meanwhile(self, entry: Entry, state: str) -> None:
        Entry.objects.update(state=state)
        entry = change_entry(entry=entry, state=State.FOLLOWED)
        assert (entry.state, entry.look_back) == (State.FOLLOWED, True)

    def test_what_left_with_a_list_can_be_resumed_for_oneself(self, entry: Entry) -> None:
        Entry.objects.update(state=State.LEFT, origin="list")
        entry = change_entry(entry=entry, state=State.FOLLOWED)
        assert (entry.state, entry.origin) == (State.FOLLOWED, "search")

    def test_wishes_that_are_not_named_stay_and_null_takes_one_back(self, entry: Entry) -> None:
        change_entry(entry=entry, wishes={"groups": ["A"], "label": "shows"})
        entry = change_entry(entry=entry, wishes={"groups": None})
        assert (entry.groups, entry.label) == (None, "shows")

    def test_what_was_written_meanwhile_is_not_undone(self, entry: Entry) -> None:
        Entry.objects.update(list_progress=7)
        change_entry(entry=entry, offset=1)
        assert Entry.objects.get().list_progress == 7

    @pytest.mark.parametrize(
        ("wishes", "field", "words"),
        [
            ({"must_not_contain": "(a"}, "must_not_contain", "without its )"),
            ({"only_groups": True}, "groups", "Name the groups"),
            ({"only_groups": True, "groups": []}, "groups", "Name the groups"),
        ],
    )
    def test_a_wish_that_cannot_be_followed_changes_nothing(
        self, entry: Entry, wishes: dict[str, Any], field: str, words: str
    ) -> None:
        with pytest.raises(WishRefused) as refused:
            change_entry(entry=entry, offset=3, wishes=wishes)
        assert refused.value.field == field
        assert words in str(refused.value)
        assert Entry.objects.get().offset == 0

    def test_only_preferred_groups_may_be_wanted_where_the_preferences_name_them(
        self, entry: Entry, alice: User
    ) -> None:
        change_preferences(user=alice, groups=["A"])
        assert change_entry(entry=entry, wishes={"only_groups": True}).only_groups

    def test_what_is_removed_is_not_changed(self, entry: Entry) -> None:
        remove_entry(entry=entry)
        with pytest.raises(EntryRefused, match="Take that back first"):
            change_entry(entry=entry, state=State.FOLLOWED)


class TestRemoving:
    @pytest.mark.parametrize("state", [State.FOLLOWED, State.PAUSED, State.ENDED, State.LEFT])
    def test_a_show_that_was_removed_by_mistake_is_again_what_it_was(self, alice: User, state: str) -> None:
        entry = EntryFactory.create(user=alice, state=state)
        remove_entry(entry=entry)
        remove_entry(entry=entry)
        assert Entry.objects.get().state == State.REMOVED
        restore_entry(entry=entry)
        entry.refresh_from_db()
        assert (entry.state, entry.look_back) == (state, state == State.FOLLOWED)

    def test_taking_back_twice_is_once(self, alice: User) -> None:
        entry = EntryFactory.create(user=alice, state=State.PAUSED)
        assert restore_entry(entry=entry).state == State.PAUSED

    def test_what_was_removed_long_ago_is_forgotten_so_that_nobody_fills_the_database(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(entries, "REMOVED_KEPT", 2)
        for title in "ABC":
            remove_entry(entry=follow_by_hand(user=alice, title=title))
        assert set(Show.objects.values_list("romaji", flat=True)) == {"B", "C"}
        assert REMOVED_KEPT > 10

    def test_what_a_list_still_has_is_never_forgotten(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(entries, "REMOVED_KEPT", 0)
        entry = EntryFactory.create(user=alice, origin="list", list_status="CURRENT")
        remove_entry(entry=entry)
        assert Entry.objects.get().state == State.REMOVED


class TestPreferences:
    def test_a_change_has_stored_items_looked_through_for_what_is_followed(
        self, alice: User, bob: User
    ) -> None:
        followed = EntryFactory.create(user=alice)
        EntryFactory.create(user=alice, state=State.PAUSED)
        EntryFactory.create(user=bob)
        change_preferences(user=alice, resolutions=["1080p"])
        assert list(Entry.objects.filter(look_back=True)) == [followed]

    def test_how_long_to_wait_is_no_reason_to_look_again(self, alice: User) -> None:
        EntryFactory.create(user=alice)
        change_preferences(user=alice, delay_seconds=7200)
        assert not Entry.objects.filter(look_back=True).exists()

    def test_the_groups_that_a_show_counts_on_are_not_taken_from_it(self, alice: User) -> None:
        change_preferences(user=alice, groups=["A"])
        EntryFactory.create(user=alice, only_groups=True)
        with pytest.raises(WishRefused, match="change these shows first"):
            change_preferences(user=alice, groups=[])
