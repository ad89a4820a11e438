"""What became of releases, what people are asked about them, and the calendar, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from torrents.tests.factories import client_of
from watchlist.models import Alias, Decision
from watchlist.tests.factories import EntryFactory, EpisodeFactory, ShowFactory, decision, feed

pytestmark = pytest.mark.django_db
REVIEW = "/api/v1/watchlist/review/"
DECISIONS = "/api/v1/watchlist/decisions/"
PREVIEW = "/api/v1/watchlist/preview/"
CALENDAR = "/api/v1/watchlist/calendar/"
UNCLEAR = [{"what": "title", "got": "Lamp", "wanted": "one show of that name"}]


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


def got(api: APIClient, path: str, **query: str | int) -> Any:
    answer = api.get(path, query)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def asked(user: User, title: str = "[Keepers] Lamp - 01 [1080p].mkv", **fields: Any) -> Decision:
    return decision(user, title, outcome="review", **{"reasons": UNCLEAR, **fields})


class TestReview:
    def test_what_is_not_clear_is_asked_with_the_likeliest_first(self, api: APIClient, alice: User) -> None:
        first, second = EntryFactory.create(user=alice).show, EntryFactory.create(user=alice).show
        question = asked(alice, shows=[second.pk, first.pk, 2**40])
        (told,) = got(api, REVIEW)
        assert (told["id"], told["title"]) == (question.pk, "[Keepers] Lamp - 01 [1080p].mkv")
        assert (told["feed"], told["reasons"]) == (feed(alice).name, UNCLEAR)
        assert [show["id"] for show in told["shows"]] == [second.pk, first.pk]

    def test_an_answer_settles_it_and_is_remembered(self, api: APIClient, alice: User) -> None:
        show = EntryFactory.create(user=alice).show
        question = asked(alice, shows=[show.pk])
        answer = api.post(f"{REVIEW}{question.pk}/", {"show_id": show.pk})
        assert answer.status_code == 200, answer.json()
        assert answer.json()["id"] == question.pk
        assert answer.json()["outcome"] != "review"
        assert got(api, REVIEW) == []
        assert Alias.objects.get(user=alice).show == show

    def test_what_was_answered_is_not_answered_again(self, api: APIClient, alice: User) -> None:
        question = asked(alice, shows=[EntryFactory.create(user=alice).show_id])
        path = f"{REVIEW}{question.pk}/"
        api.post(path, {"show_id": None})
        answer = api.post(path, {"show_id": None})
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["attr"]) == (400, None)
        assert "answered" in error["detail"]

    def test_none_of_mine_is_an_answer_too(self, api: APIClient, alice: User) -> None:
        question = asked(alice, shows=[EntryFactory.create(user=alice).show_id])
        answer = api.post(f"{REVIEW}{question.pk}/", {"show_id": None, "remember": False})
        assert (answer.status_code, answer.json()["outcome"]) == (200, "settled")
        assert not Alias.objects.exists()

    @pytest.mark.parametrize(
        "body", [{}, {"show_id": "x"}, {"show_id": 0}, {"show_id": 2**62}, {"show_id": 2**70}], ids=str
    )
    def test_a_show_that_is_none_is_no_answer(
        self, api: APIClient, alice: User, body: dict[str, Any]
    ) -> None:
        question = asked(alice)
        answer = api.post(f"{REVIEW}{question.pk}/", body)
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "show_id")
        assert Decision.objects.get().outcome == "review"

    def test_questions_to_others_do_not_exist_nor_do_their_own_shows(
        self, api: APIClient, alice: User, bob: User
    ) -> None:
        show = EntryFactory.create(user=alice).show
        theirs = asked(bob, "Secret - 01")
        for decision_id in (theirs.pk, 10**30):
            assert api.post(f"{REVIEW}{decision_id}/", {"show_id": show.pk}).status_code == 404
        assert got(api, REVIEW) == []
        own = ShowFactory.create(provider="manual", owner=bob, english="Secret")
        mine = asked(alice, shows=[own.pk, show.pk])
        assert [one["id"] for one in got(api, REVIEW)[0]["shows"]] == [show.pk]
        assert api.post(f"{REVIEW}{mine.pk}/", {"show_id": own.pk}).status_code == 400


class TestDecisions:
    def test_they_are_told_newest_first_in_pages(self, api: APIClient, alice: User) -> None:
        entry = EntryFactory.create(user=alice, show__english="Lighthouse")
        for number in range(3):
            decision(alice, f"Lighthouse - {number}", entry=entry, outcome="taken")
        page = got(api, DECISIONS, limit=2)
        assert [one["title"] for one in page["results"]] == ["Lighthouse - 2", "Lighthouse - 1"]
        told = page["results"][0]
        assert (told["entry_id"], told["show_title"], told["outcome"]) == (
            str(entry.pk),
            "Lighthouse",
            "taken",
        )
        assert told["feed"] == feed(alice).name
        assert [one["title"] for one in got(api, page["next"])["results"]] == ["Lighthouse - 0"]

    def test_they_are_narrowed(self, api: APIClient, alice: User) -> None:
        entry = EntryFactory.create(user=alice)
        decision(alice, "Lighthouse - 01 [720p]", entry=entry, outcome="nearly")
        decision(alice, "Lighthouse - 01 [1080p]", entry=entry, outcome="taken")
        decision(alice, "Harbour - 01 [1080p]", outcome="review")
        for query, count in (
            ({"search": "lighthouse 1080P"}, 1),
            ({"outcome": "review"}, 1),
            ({"entry": str(entry.pk)}, 2),
        ):
            assert len(got(api, DECISIONS, **query)["results"]) == count
        for query in ({"outcome": "x"}, {"entry": "x"}, {"search": "x" * 201}):
            assert api.get(DECISIONS, query).status_code == 400

    def test_of_a_feed_that_is_followed_no_more_the_feed_is_not_named(
        self, api: APIClient, alice: User, bob: User
    ) -> None:
        decision(alice, "Lighthouse - 01", outcome="taken")
        feed(bob)
        feed(alice).delete()
        (told,) = got(api, DECISIONS)["results"]
        assert (told["feed"], told["entry_id"], told["show_title"]) == (None, None, None)

    def test_those_about_others_are_not_seen(self, api: APIClient, bob: User) -> None:
        theirs = decision(bob, "Secret - 01", entry=EntryFactory.create(user=bob), outcome="taken")
        assert got(api, DECISIONS)["results"] == []
        assert got(api, DECISIONS, entry=str(theirs.entry_id))["results"] == []


class TestPreview:
    def test_pasted_names_say_what_they_are_taken_for(self, api: APIClient, alice: User) -> None:
        show = EntryFactory.create(user=alice, show__english="The Keeper of the Lighthouse").show
        answer = api.post(
            PREVIEW, {"titles": ["[Keepers] The Keeper of the Lighthouse - 03 [1080p].mkv", "Harbour - 01"]}
        )
        assert answer.status_code == 200, answer.json()
        found, unknown = answer.json()
        assert (found["outcome"], found["show"]["id"], found["followed"]) == ("found", show.pk, True)
        assert (found["episodes"], found["special"], found["wanted"]) == ([3], "", True)
        assert (unknown["outcome"], unknown["show"], unknown["wanted"]) == ("unknown", None, False)
        assert not Decision.objects.exists()

    def test_what_is_not_wanted_says_why(self, api: APIClient, alice: User) -> None:
        EntryFactory.create(user=alice, show__english="The Keeper of the Lighthouse", resolutions=["1080p"])
        (told,) = api.post(
            PREVIEW, {"titles": ["[Keepers] The Keeper of the Lighthouse - 03 [720p].mkv"]}
        ).json()
        assert not told["wanted"]
        assert told["wish_reasons"] == [{"what": "resolutions", "got": "720p", "wanted": "1080p"}]

    @pytest.mark.parametrize(
        "titles", ["Lighthouse", ["x" * 2001], ["x"] * 201, [None], None], ids=lambda value: str(value)[:20]
    )
    def test_what_are_no_names_is_refused(self, api: APIClient, titles: Any) -> None:
        assert api.post(PREVIEW, {"titles": titles}).status_code == 400

    def test_hostile_names_are_names(self, api: APIClient, alice: User) -> None:
        EntryFactory.create(user=alice)
        hostile = [
            "(" * 2000,
            "\u202e\x1b[2J",
            "[" + "a" * 1990 + "]",
            "S" * 999 + "E" * 999,
            "9" * 1999,
            "💥" * 900,
        ]
        answer = api.post(PREVIEW, {"titles": hostile})
        assert answer.status_code == 200, answer.json()


class TestCalendar:
    def test_what_airs_around_now_is_told(self, api: APIClient, alice: User, bob: User) -> None:
        entry = EntryFactory.create(user=alice, show__english="Lighthouse")
        now = timezone.now()
        for number, days in enumerate((-2, 3, 8), 1):
            EpisodeFactory.create(show=entry.show, number=number, airs_at=now + timedelta(days=days))
        EpisodeFactory.create(show=EntryFactory.create(user=bob).show, airs_at=now)
        (told,) = got(api, CALENDAR)
        assert (told["entry_id"], told["number"], told["title"], told["state"]) == (
            str(entry.pk),
            2,
            "Lighthouse",
            "not_aired",
        )
        since, until = now - timedelta(days=20), now + timedelta(days=10)
        listed = got(api, CALENDAR, since=since.isoformat(), until=until.isoformat())
        assert [one["number"] for one in listed] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"since": "yesterday"}, "since"),
            ({"since": "2026-01-01T00:00:00Z", "until": "2026-02-02T00:00:00Z"}, "until"),
            ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
            ({"since": "9999-12-31T00:00:00Z"}, "since"),
            ({"until": "0001-01-02T00:00:00Z"}, "since"),
        ],
        ids=str,
    )
    def test_a_time_that_is_none_or_too_long_is_refused(
        self, api: APIClient, query: dict[str, str], field: str
    ) -> None:
        answer = api.get(CALENDAR, query)
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, field)
