"""Feeds and rules over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import access_token
from feeds import checker, consumer
from feeds.models import FeedSource, Grab, Rule
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(alice)}")
    return client


def follow(api: APIClient, url: str, **fields: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/feeds/", {"url": url} | fields)
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def check() -> None:
    FeedSource.objects.update(next_check_at=timezone.now())
    checker.check_due()
    consumer.catch_up()


def items(api: APIClient, feed: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    answer = api.get(f"/api/v1/feeds/{feed['id']}/items/", query)
    assert answer.status_code == 200, answer.json()
    return list(answer.json()["results"])


def test_a_feed_says_how_it_is(api: APIClient, feed_server: FeedServer) -> None:
    feed = follow(api, feed_server.serve("/a", rss(item())) + "?passkey=abc123")
    assert (feed["name"], feed["health"]) == (feed_server.url("").removeprefix("http://"), "unchecked")
    check()
    feed = api.get(f"/api/v1/feeds/{feed['id']}/").json()
    assert (feed["title"], feed["health"], feed["message"]) == ("Lighthouse feed", "healthy", "")
    assert "abc123" not in str(feed)


def test_a_feed_that_fails_says_why(api: APIClient, feed_server: FeedServer) -> None:
    follow(api, feed_server.fail("/a", 404) + "?passkey=abc123", name="Broken")
    check()
    (feed,) = api.get("/api/v1/feeds/").json()
    assert (feed["name"], feed["health"]) == ("Broken", "failing")
    assert "404" in feed["message"]
    assert feed["failing_since"]
    assert "abc123" not in str(feed)


@pytest.mark.parametrize(
    ("url", "words"), [("ftp://feeds.example/", "http"), ("", "blank"), ("x" * 9000, "8000")]
)
def test_an_address_that_cannot_be_followed_is_explained(api: APIClient, url: str, words: str) -> None:
    answer = api.post("/api/v1/feeds/", {"url": url})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["attr"]) == (400, "url")
    assert words in error["detail"]


def test_a_feed_can_be_renamed_switched_off_and_removed(api: APIClient) -> None:
    feed = follow(api, "https://feeds.example/rss")
    path = f"/api/v1/feeds/{feed['id']}/"
    changed = api.patch(path, {"name": "Mine", "enabled": False}).json()
    assert (changed["name"], changed["enabled"]) == ("Mine", False)
    assert api.delete(path).status_code == 204
    assert api.get("/api/v1/feeds/").json() == []


def test_items_say_what_rules_made_of_them(api: APIClient, feed_server: FeedServer) -> None:
    feed = follow(api, feed_server.serve("/a", rss()))
    check()
    api.post("/api/v1/rules/", {"name": "Lighthouse", "must_contain": "lighthouse", "resolutions": ["1080p"]})
    feed_server.serve(
        "/a",
        rss(item("Harbour - 01", 3), item("Lighthouse - 01 [720p]", 2), item("Lighthouse - 01 [1080p]", 1)),
    )
    check()
    taken, nearly, other = reversed(items(api, feed))
    assert [decision["outcome"] for decision in taken["decisions"]] == ["taken"]
    assert taken["grab"]["state"] == "due"
    assert nearly["decisions"][0]["reasons"] == [{"what": "resolutions", "got": "720p", "wanted": "1080p"}]
    assert (nearly["grab"], other["decisions"]) == (None, [])


def test_items_can_be_searched_and_narrowed(api: APIClient, feed_server: FeedServer) -> None:
    feed = follow(api, feed_server.serve("/a", rss(item("Harbour - 02", 2), item("Lighthouse - 01", 1))))
    check()
    assert [one["title"] for one in items(api, feed, search="HARBOUR 02")] == ["Harbour - 02"]
    assert len(items(api, feed, outcome="none")) == 2
    assert items(api, feed, outcome="taken") == []


def test_one_item_is_explained_by_every_rule(api: APIClient, feed_server: FeedServer) -> None:
    feed = follow(api, feed_server.serve("/a", rss(item("Lighthouse - 01", 1))))
    check()
    api.post("/api/v1/rules/", {"name": "Harbour", "must_contain": "harbour"})
    explained = api.get(f"/api/v1/feeds/{feed['id']}/items/1/").json()
    (verdict,) = explained["verdicts"]
    assert (verdict["rule_name"], verdict["taken"]) == ("Harbour", False)
    assert verdict["reasons"] == [{"what": "must_contain", "got": "Lighthouse - 01", "wanted": "harbour"}]


def test_an_item_can_be_taken_anyway(api: APIClient, feed_server: FeedServer) -> None:
    feed = follow(api, feed_server.serve("/a", rss(item("Lighthouse - 01", 1))))
    check()
    assert api.post(f"/api/v1/feeds/{feed['id']}/items/1/grab/").status_code == 202
    assert Grab.objects.get().title == "Lighthouse - 01"
    assert api.post(f"/api/v1/feeds/{feed['id']}/items/99/grab/").status_code == 404
    assert api.post(f"/api/v1/feeds/{feed['id']}/items/{10**30}/grab/").status_code == 404


def test_decisions_can_be_looked_up(api: APIClient, feed_server: FeedServer) -> None:
    follow(api, feed_server.serve("/a", rss()))
    check()
    rule = api.post("/api/v1/rules/", {"name": "Lighthouse", "must_contain": "lighthouse"}).json()
    feed_server.serve("/a", rss(item("Lighthouse - 02", 2), item("Lighthouse - 01", 1)))
    check()
    found = api.get("/api/v1/me/decisions/", {"search": "01", "rule": rule["id"], "outcome": "taken"}).json()
    assert [decision["title"] for decision in found["results"]] == ["Lighthouse - 01"]


def test_a_rule_keeps_what_it_was_given(api: APIClient) -> None:
    feed = follow(api, "https://feeds.example/rss")
    wishes = {
        "name": "Lighthouse",
        "feeds": [feed["id"]],
        "must_contain": "lighthouse",
        "must_not_contain": '"dual audio"',
        "regex": r"S\d+",
        "max_size": 2**31,
        "season": 2,
        "first_episode": 3.0,
        "resolutions": ["1080p", "720p"],
        "groups": ["A"],
        "batches": "none",
        "once_per_episode": True,
        "delay_seconds": 7200,
        "label": "shows",
    }
    rule = api.post("/api/v1/rules/", wishes).json()
    assert wishes.items() <= rule.items()
    changed = api.patch(f"/api/v1/rules/{rule['id']}/", {"enabled": False, "max_size": None}).json()
    assert changed["feeds"] == [feed["id"]]
    assert (changed["enabled"], changed["max_size"], changed["season"]) == (False, None, 2)
    assert api.delete(f"/api/v1/rules/{rule['id']}/").status_code == 204
    assert api.get("/api/v1/rules/").json() == []


@pytest.mark.parametrize(
    ("wishes", "field", "words"),
    [
        ({"must_contain": "(a"}, "must_contain", "without its )"),
        ({"must_contain": 'a "b'}, "must_contain", "without its second"),
        ({"must_contain": "a AND"}, "must_contain", "missing at the end"),
        ({"regex": "a(?=b)"}, "regex", "At character 2"),
        ({"regex": "a(?=b)"}, "regex", "must contain"),
        ({"negative_regex": "a("}, "negative_regex", "never closed"),
        ({"min_size": 2, "max_size": 1, "must_contain": "a"}, "max_size", "larger"),
        ({"first_episode": 2, "last_episode": 1, "must_contain": "a"}, "last_episode", "after"),
        ({"only_groups": True, "must_contain": "a"}, "groups", "Name the groups"),
        ({}, "must_contain", "everything from all feeds"),
        ({"must_contain": "a", "feeds": [str(uuid4())]}, "feeds", "not yours"),
        ({"must_contain": "a", "priority": 10**9}, "priority", "1000"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_explained_and_not_saved(
    api: APIClient, wishes: dict[str, Any], field: str, words: str
) -> None:
    for path in ("/api/v1/rules/", "/api/v1/rules/preview/"):
        answer = api.post(path, {"name": "x"} | wishes)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["attr"]) == (400, field)
        assert words in error["detail"]
    assert not Rule.objects.exists()


def test_two_rules_of_one_name_are_refused(api: APIClient) -> None:
    wishes = {"name": "x", "must_contain": "a"}
    api.post("/api/v1/rules/", wishes)
    assert api.post("/api/v1/rules/", wishes).json()["errors"][0]["attr"] == "name"


def test_a_change_that_is_refused_changes_nothing(api: APIClient) -> None:
    rule = api.post("/api/v1/rules/", {"name": "x", "must_contain": "a"}).json()
    assert api.patch(f"/api/v1/rules/{rule['id']}/", {"name": "y", "regex": "("}).status_code == 400
    assert api.get(f"/api/v1/rules/{rule['id']}/").json() == rule


class TestPreview:
    def test_a_rule_is_tried_on_what_is_in_the_feeds(self, api: APIClient, feed_server: FeedServer) -> None:
        follow(
            api,
            feed_server.serve(
                "/a", rss(item("Lighthouse - 02 [720p]", 2), item("Lighthouse - 01 [1080p]", 1))
            ),
        )
        check()
        seen = api.post(
            "/api/v1/rules/preview/", {"must_contain": "lighthouse", "resolutions": ["1080p"]}
        ).json()
        assert (seen["taken"], seen["of"]) == (1, 2)
        assert [(one["title"], one["taken"]) for one in seen["items"]] == [
            ("Lighthouse - 02 [720p]", False),
            ("Lighthouse - 01 [1080p]", True),
        ]
        assert seen["items"][0]["reasons"] == [{"what": "resolutions", "got": "720p", "wanted": "1080p"}]
        assert not Rule.objects.exists()

    def test_a_rule_is_tried_on_pasted_titles(self, api: APIClient) -> None:
        titles = ["Lighthouse.S01E01.1080p.WEB.x264-GRP", " ", "Harbour.S01E01.720p.WEB.x264-GRP"]
        seen = api.post("/api/v1/rules/preview/", {"must_contain": "lighthouse", "titles": titles}).json()
        assert [one["taken"] for one in seen["items"]] == [True, False]
        assert seen["items"][0]["release"]["resolution"] == "1080p"
