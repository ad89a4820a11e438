"""Searching for shows and accounts at providers, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from torrents.tests.factories import client_of
from watchlist.models import Entry, Link, Provider
from watchlist.tests.factories import EntryFactory, LinkFactory, ShowFactory

pytestmark = pytest.mark.django_db
LINKS = "/api/v1/watchlist/links/"
LINK = f"{LINKS}anilist/"
SHOWS = "/api/v1/watchlist/shows/"
PROVIDERS = "/api/v1/watchlist/providers/"
TOKEN = "eyJhbGciOi.c2VjcmV0.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def nobody_has_linked_anything_yet() -> None:
    cache.clear()


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


@pytest.fixture
def blocked(db: None) -> None:
    """AniList is left alone for a while, so nothing is sent."""
    Provider.objects.create(
        name="anilist", blocked_until=timezone.now() + timedelta(minutes=9), message="AniList is closed."
    )


def got(api: APIClient, path: str, **query: str) -> Any:
    answer = api.get(path, query)
    assert answer.status_code == 200, answer.json()
    return answer.json()


@pytest.mark.usefixtures("blocked")
class TestSearching:
    def test_what_the_box_knows_is_found_while_a_provider_is_away_and_that_is_said(
        self, api: APIClient, bob: User
    ) -> None:
        show = ShowFactory.create(english="The Keeper of the Lighthouse")
        ShowFactory.create(provider="manual", owner=bob, english="Bob's lighthouse")
        found = got(api, SHOWS, search="keeper lighthouse")
        assert [one["id"] for one in found["results"]] == [show.pk]
        assert found["message"]
        assert "Bob" not in str(got(api, SHOWS, search="lighthouse"))

    @pytest.mark.parametrize(
        "query", [{}, {"search": " "}, {"search": "x" * 201}, {"search": "x\x00"}], ids=str
    )
    def test_a_search_for_nothing_is_refused(self, api: APIClient, query: dict[str, str]) -> None:
        answer = api.get(SHOWS, query)
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "search")


class TestProviders:
    def test_they_say_how_they_are_and_how_accounts_are_linked(
        self, api: APIClient, settings: Settings, blocked: None
    ) -> None:
        settings.ANILIST_CLIENT_ID = "4711"
        (told,) = [one for one in got(api, PROVIDERS) if one["name"] == "anilist"]
        assert (told["title"], told["by_name"], told["by_code"]) == ("AniList", True, True)
        assert "4711" in told["code_url"]
        assert "closed" in told["message"]
        assert told["blocked_until"]

    def test_without_registration_there_is_no_code_to_link_by(self, api: APIClient) -> None:
        (told,) = [one for one in got(api, PROVIDERS) if one["name"] == "anilist"]
        assert (told["by_code"], told["code_url"]) == (False, "")


class TestLinking:
    @pytest.mark.usefixtures("blocked")
    def test_an_account_is_linked_by_its_name_even_while_nobody_can_look_at_it(self, api: APIClient) -> None:
        answer = api.post(LINKS, {"provider": "anilist", "name": "Keeper"})
        assert answer.status_code == 201, answer.json()
        told = answer.json()
        assert (told["provider"], told["name"], told["private"]) == ("anilist", "Keeper", False)
        assert told["message"]
        assert got(api, LINKS) == [told]

    @pytest.mark.usefixtures("blocked")
    def test_a_code_is_stored_and_never_told(self, api: APIClient, settings: Settings) -> None:
        settings.ANILIST_CLIENT_ID = "4711"
        answer = api.post(LINKS, {"provider": "anilist", "token": TOKEN})
        assert answer.status_code == 201, answer.json()
        assert answer.json()["private"]
        assert Link.objects.get().token == TOKEN
        told = str([answer.json(), got(api, LINKS), api.patch(LINK, {"include_adult": True}).json()])
        assert TOKEN not in told

    def test_an_account_whose_code_cannot_be_read_any_more_is_told_changed_and_unlinked(
        self, api: APIClient, alice: User, settings: Settings
    ) -> None:
        settings.SECRET_KEY, kept = "another", settings.SECRET_KEY
        LinkFactory.create(user=alice, token=TOKEN)
        settings.SECRET_KEY = kept
        assert got(api, LINKS)[0]["private"]
        assert api.patch(LINK, {"include_adult": True}).status_code == 200
        assert api.delete(LINK).status_code == 204

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "provider"),
            ({"provider": "anilist"}, "name"),
            ({"provider": "anilist", "name": "x", "token": "y"}, "name"),
            ({"provider": "anilist", "name": "x" * 101}, "name"),
            ({"provider": "anilist", "token": "x" * 16_001}, "token"),
            ({"provider": "anilist", "token": TOKEN}, "provider"),  # the box is not registered
            ({"provider": "nowhere", "name": "x"}, "provider"),
            ({"provider": "manual", "name": "x"}, "provider"),
            ({"provider": "anilist", "name": "\u202ekeeper"}, "name"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_what_cannot_be_linked_is_explained(
        self, api: APIClient, body: dict[str, str], field: str
    ) -> None:
        answer = api.post(LINKS, body)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["attr"]) == (400, field)
        assert error["detail"]
        assert not Link.objects.exists()

    def test_nobody_uses_up_what_everybody_may_ask(self, api: APIClient, bob: User) -> None:
        answers = [api.post(LINKS, {"provider": "nowhere", "name": "x"}) for _ in range(11)]
        assert [answer.status_code for answer in answers[-2:]] == [400, 429]
        assert "Try again in" in answers[-1].json()["errors"][0]["detail"]
        assert int(answers[-1]["Retry-After"]) > 0
        assert api.get(LINKS).status_code == 200
        assert client_of(bob).post(LINKS, {"provider": "nowhere", "name": "x"}).status_code == 400

    def test_what_of_a_list_is_followed_can_be_chosen(self, api: APIClient, alice: User) -> None:
        LinkFactory.create(user=alice)
        told = api.patch(LINK, {"statuses": ["PLANNING", "CURRENT"], "include_adult": True}).json()
        assert (set(told["statuses"]), told["include_adult"]) == ({"CURRENT", "PLANNING"}, True)
        assert api.patch(LINK, {"statuses": ["LATER"]}).status_code == 400
        assert api.patch(LINK, {"statuses": []}).json()["statuses"] == []

    def test_a_list_is_read_before_it_is_due_once(self, api: APIClient, alice: User) -> None:
        LinkFactory.create(user=alice, synced_at=timezone.now() - timedelta(minutes=10))
        answers = [api.post(f"{LINK}sync/") for _ in range(2)]
        assert [(answer.status_code, answer.json()) for answer in answers] == [
            (202, {"asked": True}),
            (202, {"asked": False}),
        ]

    @pytest.mark.parametrize(
        ("query", "state"), [("", "followed"), ("?keep=true", "followed"), ("?keep=false", "left")]
    )
    def test_a_list_that_is_followed_no_more_leaves_its_shows_or_takes_them_along(
        self, api: APIClient, alice: User, query: str, state: str
    ) -> None:
        LinkFactory.create(user=alice, token=TOKEN)
        EntryFactory.create(user=alice, origin="list", list_status="CURRENT")
        assert api.delete(f"{LINK}{query}").status_code == 204
        assert Entry.objects.get().state == state
        assert not Link.objects.exists()

    def test_whether_shows_stay_is_true_or_false(self, api: APIClient, alice: User) -> None:
        LinkFactory.create(user=alice)
        assert api.delete(f"{LINK}?keep=perhaps").status_code == 400
        assert Link.objects.exists()


@pytest.mark.parametrize(("method", "rest"), [("patch", ""), ("delete", ""), ("post", "sync/")])
def test_somebody_elses_account_does_not_exist(api: APIClient, bob: User, method: str, rest: str) -> None:
    LinkFactory.create(user=bob)
    before = Link.objects.values().get()
    assert getattr(api, method)(f"{LINK}{rest}").status_code == 404
    assert got(api, LINKS) == []
    assert Link.objects.values().get() == before
