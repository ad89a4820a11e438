"""Followed shows and what is wanted of them, over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from torrents.tests.factories import client_of
from watchlist.models import Entry, Show
from watchlist.tests.factories import AliasFactory, EntryFactory, ShowFactory, candidate
from watchlist.wishes import WISHES

pytestmark = pytest.mark.django_db
LIST = "/api/v1/watchlist/"
PREFERENCES = f"{LIST}preferences/"
HOSTILE = "[red]<b>\u202e灯台 \x1b[2J' OR 1=1 --"


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


def got(api: APIClient, path: str, **query: str | int) -> Any:
    answer = api.get(path, query)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def error_of(answer: Any) -> tuple[int, str | None, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["attr"], error["detail"]


class TestFollowing:
    def test_a_show_is_followed_by_its_id_and_tells_everything_of_itself(self, api: APIClient) -> None:
        show = ShowFactory.create(
            romaji="Toudai", english="The Lighthouse", native="灯台", synonyms=["Lamp"], season_year=2026
        )
        entry = api.post(LIST, {"show_id": show.pk, "from_episode": 3, "wishes": {"groups": ["A"]}})
        assert entry.status_code == 201, entry.json()
        told = entry.json()
        assert told == got(api, f"{LIST}{told['id']}/") == got(api, LIST)[0]
        assert (told["state"], told["origin"], told["from_episode"]) == ("followed", "search", 3)
        assert told["show"] == {
            "id": show.pk,
            "provider": "anilist",
            "title": "The Lighthouse",
            "romaji": "Toudai",
            "english": "The Lighthouse",
            "native": "灯台",
            "synonyms": ["Lamp"],
            "format": "TV",
            "status": "RELEASING",
            "episodes": 12,
            "year": 2026,
            "starts_on": None,
            "is_adult": False,
            "site_url": show.site_url,
            "fetched_at": told["show"]["fetched_at"],
        }
        assert set(told["wishes"]) == set(told["effective_wishes"]) == set(WISHES)
        assert told["wishes"] == dict.fromkeys(WISHES) | {"groups": ["A"]}
        assert told["effective_wishes"]["groups"] == ["A"]
        assert None not in told["effective_wishes"].values()
        assert set(told["summary"]) == {
            "aired",
            "have",
            "downloading",
            "found",
            "missing",
            "missing_since",
            "next_episode",
            "next_airs_at",
        }

    def test_a_show_that_nobody_knows_is_followed_by_hand(self, api: APIClient) -> None:
        told = api.post(LIST, {"title": "Harbour", "titles": ["Minato"], "episodes": 6}).json()
        assert (told["origin"], told["show"]["provider"]) == ("hand", "manual")
        assert (told["show"]["title"], told["show"]["synonyms"], told["show"]["episodes"]) == (
            "Harbour",
            ["Minato"],
            6,
        )

    def test_a_hostile_title_is_kept_as_text_on_one_line(self, api: APIClient) -> None:
        answer = api.post(LIST, {"title": HOSTILE, "titles": ["\u200bx" * 9]})
        assert answer.status_code == 201, answer.json()
        title = answer.json()["show"]["title"]
        assert title == "[red]<b> 灯台 [2J' OR 1=1 --"
        assert [one["show"]["title"] for one in got(api, LIST, search="' or 1=1")] == [title]

    @pytest.mark.parametrize(
        ("body", "field", "words"),
        [
            ({}, "show_id", "or give the title"),
            ({"show_id": 1, "title": "x"}, "show_id", "or give the title"),
            ({"show_id": 1, "episodes": 3}, "show_id", "not yours to state"),
            ({"show_id": 2**62}, "show_id", "no such show"),
            ({"show_id": 2**63}, "show_id", "less than or equal"),
            ({"show_id": "x"}, "show_id", "integer"),
            ({"title": "!!"}, "title", "letters or digits"),
            ({"title": "x" * 301}, "title", "300"),
            ({"title": "x", "titles": ["y"] * 21}, "titles", "20"),
            ({"title": "x", "episodes": 0}, "episodes", "1"),
            ({"title": "x", "from_episode": -1}, "from_episode", "0"),
            ({"title": "x", "offset": 10**9}, "offset", "100000"),
            ({"title": "x", "wishes": {"batches": "some"}}, "wishes.batches", "valid choice"),
            ({"title": "x", "wishes": {"groups": ["g"] * 101}}, "wishes.groups", "100"),
            ({"title": "x", "wishes": {"groups": ["g" * 101]}}, "wishes.groups.0", "100"),
            ({"title": "x", "wishes": {"delay_seconds": 10**7}}, "wishes.delay_seconds", "1209600"),
            (
                {"title": "x", "wishes": {"must_not_contain": "(a"}},
                "wishes.must_not_contain",
                "without its )",
            ),
            ({"title": "x", "wishes": {"only_groups": True}}, "wishes.groups", "Name the groups"),
            ({"title": "x\x00"}, "title", "Null characters"),
        ],
        ids=str,
    )
    def test_what_cannot_be_followed_is_explained_and_not_stored(
        self, api: APIClient, body: dict[str, Any], field: str, words: str
    ) -> None:
        status, attr, detail = error_of(api.post(LIST, body))
        assert (status, attr) == (400, field)
        assert words in detail
        assert not Entry.objects.exists()
        assert not Show.objects.exists()

    def test_a_show_that_somebody_else_typed_in_does_not_exist(self, api: APIClient, bob: User) -> None:
        secret = client_of(bob).post(LIST, {"title": "Bob's harbour"}).json()["show"]["id"]
        status, attr, detail = error_of(api.post(LIST, {"show_id": secret}))
        assert (status, attr) == (400, "show_id")
        assert "no such show" in detail


class TestTheList:
    def test_it_is_by_title_and_without_what_was_removed(
        self, api: APIClient, alice: User, bob: User
    ) -> None:
        for title, state in (("b", "paused"), ("A", "ended"), ("c", "removed"), ("d", "left")):
            EntryFactory.create(user=alice, state=state, show__english=title)
        EntryFactory.create(user=alice, show__english="", show__romaji="aa")
        EntryFactory.create(user=bob)
        assert [one["show"]["title"] for one in got(api, LIST)] == ["A", "aa", "b", "d"]
        assert [one["show"]["title"] for one in got(api, LIST, state="removed")] == ["c"]

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("LIGHT house", True),
            ("toudai", True),
            ("灯台", True),
            ("lamp", True),
            ("harbour", False),
            ("%", False),
        ],
    )
    def test_it_is_searched_by_words_of_any_name(
        self, api: APIClient, alice: User, search: str, found: bool
    ) -> None:
        names = {"english": "Lighthouse", "romaji": "Toudai", "native": "灯台", "synonyms": ["The Lamp"]}
        EntryFactory.create(user=alice, show=ShowFactory.create(**names))
        assert len(got(api, LIST, search=search)) == found

    def test_a_state_that_does_not_exist_is_refused(self, api: APIClient) -> None:
        assert error_of(api.get(LIST, {"state": "lost"}))[:2] == (400, "state")

    def test_it_costs_no_more_questions_to_the_database_the_longer_it_is(
        self, api: APIClient, alice: User, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(8):
            entry = EntryFactory.create(user=alice)
            AliasFactory.create(user=alice, show=entry.show)
            candidate(entry)
        with django_assert_max_num_queries(16):
            assert len(got(api, LIST)) == 8


class TestChanging:
    @pytest.fixture
    def path(self, alice: User) -> str:
        return f"{LIST}{EntryFactory.create(user=alice).pk}/"

    def test_what_is_not_named_stays(self, api: APIClient, path: str) -> None:
        api.patch(path, {"wishes": {"groups": ["A"], "label": "shows"}, "offset": -12})
        told = api.patch(path, {"state": "paused", "wishes": {"label": None}, "end_with_show": False}).json()
        assert (told["state"], told["offset"], told["end_with_show"]) == ("paused", -12, False)
        assert (told["wishes"]["groups"], told["wishes"]["label"]) == (["A"], None)
        assert told == got(api, path)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"state": "removed"}, "state"),
            ({"state": "ended"}, "state"),
            ({"wishes": {"languages": ["x" * 33]}}, "wishes.languages.0"),
            ({"wishes": {"must_not_contain": "a AND"}}, "wishes.must_not_contain"),
            ({"wishes": {"stalled_hours": -1}}, "wishes.stalled_hours"),
            ({"wishes": []}, "wishes.non_field_errors"),
            ({"from_episode": None}, "from_episode"),
        ],
        ids=str,
    )
    def test_a_change_that_is_refused_says_why_and_changes_nothing(
        self, api: APIClient, path: str, body: dict[str, Any], field: str
    ) -> None:
        before = got(api, path)
        status, attr, detail = error_of(api.patch(path, body))
        assert (status, attr) == (400, field)
        assert detail
        assert got(api, path) == before

    def test_a_show_is_removed_and_that_is_taken_back(self, api: APIClient, path: str) -> None:
        api.patch(path, {"state": "paused"})
        assert api.delete(path).status_code == 204
        assert got(api, LIST) == []
        assert got(api, path)["state"] == "removed"
        assert error_of(api.patch(path, {"state": "followed"}))[:2] == (400, "state")
        assert api.delete(path).status_code == 204
        answer = api.post(f"{path}restore/")
        assert (answer.status_code, answer.json()["state"]) == (200, "paused")


class TestNames:
    @pytest.fixture
    def entry(self, alice: User) -> Entry:
        return EntryFactory.create(user=alice)

    def test_a_name_that_means_a_show_is_added_told_and_removed(self, api: APIClient, entry: Entry) -> None:
        path = f"{LIST}{entry.pk}/"
        answer = api.post(f"{path}aliases/", {"name": "The Lamp", "season": 2})
        assert answer.status_code == 201, answer.json()
        alias = answer.json()
        assert alias == {"id": alias["id"], "name": "The Lamp", "season": 2}
        assert got(api, path)["aliases"] == [alias]
        assert api.delete(f"{path}aliases/{alias['id']}/").status_code == 204
        assert got(api, path)["aliases"] == []

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": " "}, "name"),
            ({"name": "x" * 301}, "name"),
            ({"name": "x", "season": -1}, "season"),
            ({"name": "x", "season": 10**30}, "season"),
        ],
        ids=str,
    )
    def test_a_name_that_is_none_is_refused(
        self, api: APIClient, entry: Entry, body: dict[str, Any], field: str
    ) -> None:
        assert error_of(api.post(f"{LIST}{entry.pk}/aliases/", body))[:2] == (400, field)

    def test_a_name_means_one_show(self, api: APIClient, entry: Entry, alice: User) -> None:
        other = EntryFactory.create(user=alice)
        api.post(f"{LIST}{other.pk}/aliases/", {"name": "The Lamp"})
        status, attr, detail = error_of(api.post(f"{LIST}{entry.pk}/aliases/", {"name": "the lamp"}))
        assert (status, attr) == (400, "name")
        assert other.show.title in detail

    def test_a_name_of_another_show_is_not_removed_by_this_one(
        self, api: APIClient, entry: Entry, alice: User
    ) -> None:
        alias = AliasFactory.create(user=alice)
        for alias_id in (alias.pk, 10**30):
            assert api.delete(f"{LIST}{entry.pk}/aliases/{alias_id}/").status_code == 404


class TestReleases:
    def test_episodes_and_releases_of_a_show_are_told(self, api: APIClient, alice: User) -> None:
        entry = EntryFactory.create(user=alice)
        one = candidate(entry, 2)
        (told,) = got(api, f"{LIST}{entry.pk}/candidates/")
        assert (told["id"], told["title"], told["group"]) == (one.pk, one.title, "Keepers")
        assert (told["numbers"], told["state"], told["claim_id"]) == ([2], "found", None)
        episodes = {episode["number"]: episode for episode in got(api, f"{LIST}{entry.pk}/episodes/")}
        assert (episodes[2]["state"], episodes[2]["candidate_id"]) == ("found", one.pk)
        assert (episodes[2]["title"], episodes[2]["group"]) == (one.title, "Keepers")

    def test_a_release_is_taken_by_hand(self, api: APIClient, alice: User) -> None:
        entry = EntryFactory.create(user=alice)
        one = candidate(entry)
        answer = api.post(f"{LIST}{entry.pk}/candidates/{one.pk}/take/")
        assert (answer.status_code, answer.json()["state"]) == (202, "taken"), answer.json()

    def test_a_release_that_its_feed_does_not_hold_any_more_cannot_be_taken(
        self, api: APIClient, alice: User
    ) -> None:
        entry = EntryFactory.create(user=alice)
        one = candidate(entry)
        assert one.item is not None
        one.item.delete()
        status, _attr, detail = error_of(api.post(f"{LIST}{entry.pk}/candidates/{one.pk}/take/"))
        assert status == 400
        assert detail

    def test_a_release_of_another_show_is_not_taken_for_this_one(self, api: APIClient, alice: User) -> None:
        entry = EntryFactory.create(user=alice)
        other = candidate(EntryFactory.create(user=alice))
        for candidate_id in (other.pk, 10**30):
            path = f"{LIST}{entry.pk}/candidates/{candidate_id}/take/"
            assert api.post(path).status_code == 404


class TestPreferences:
    def test_nothing_is_wished_by_itself_and_something_always_holds(self, api: APIClient) -> None:
        told = got(api, PREFERENCES)
        effective = told.pop("effective")
        assert told == dict.fromkeys(WISHES)
        assert None not in effective.values()

    def test_they_hold_for_shows_that_say_nothing_else(self, api: APIClient, alice: User) -> None:
        EntryFactory.create(user=alice, label="mine")
        told = api.patch(PREFERENCES, {"resolutions": ["1080p"], "label": "shows"}).json()
        assert (told["resolutions"], told["effective"]["resolutions"]) == (["1080p"], ["1080p"])
        (entry,) = got(api, LIST)
        assert (entry["wishes"]["resolutions"], entry["effective_wishes"]["resolutions"]) == (None, ["1080p"])
        assert entry["effective_wishes"]["label"] == "mine"
        assert api.patch(PREFERENCES, {"resolutions": None}).json()["effective"]["resolutions"] == []

    @pytest.mark.parametrize(
        ("wishes", "field"),
        [
            ({"must_not_contain": 'a "b'}, "must_not_contain"),
            ({"only_groups": True}, "groups"),
            ({"resolutions": ["1080p"] * 21}, "resolutions"),
            ({"batches": 7}, "batches"),
            ({"label": "x" * 65}, "label"),
        ],
        ids=str,
    )
    def test_what_cannot_be_wished_is_explained(
        self, api: APIClient, wishes: dict[str, Any], field: str
    ) -> None:
        assert error_of(api.patch(PREFERENCES, wishes))[:2] == (400, field)
        assert got(api, PREFERENCES)[field] is None


class TestStrangers:
    @pytest.mark.parametrize(
        ("method", "rest"),
        [
            ("get", ""),
            ("patch", ""),
            ("delete", ""),
            ("post", "restore/"),
            ("get", "episodes/"),
            ("get", "candidates/"),
            ("post", "candidates/{candidate}/take/"),
            ("post", "aliases/"),
            ("delete", "aliases/{alias}/"),
        ],
    )
    def test_what_somebody_else_follows_does_not_exist(
        self, api: APIClient, bob: User, method: str, rest: str
    ) -> None:
        entry = EntryFactory.create(user=bob)
        one, alias = candidate(entry), AliasFactory.create(user=bob, show=entry.show)
        before = Entry.objects.values().get()
        path = rest.format(candidate=one.pk, alias=alias.pk)
        for entry_id in (entry.pk, uuid4()):
            answer = getattr(api, method)(f"{LIST}{entry_id}/{path}")
            assert error_of(answer)[0] == 404
        assert Entry.objects.values().get() == before

    def test_another_follower_of_the_same_show_is_not_seen(
        self, api: APIClient, alice: User, bob: User
    ) -> None:
        theirs = EntryFactory.create(user=bob, label="secret")
        candidate(theirs, group="Secret")
        alias = AliasFactory.create(user=bob, show=theirs.show, name="Secret name")
        mine = EntryFactory.create(user=alice, show=theirs.show)
        seen = [got(api, f"{LIST}{mine.pk}/{part}") for part in ("", "episodes/", "candidates/")]
        assert "secret" not in str([got(api, LIST), *seen]).lower()
        assert api.delete(f"{LIST}{mine.pk}/aliases/{alias.pk}/").status_code == 404
