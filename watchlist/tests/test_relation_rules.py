"""The rules that redirect episodes, fetched from a server on loopback."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from feeds.tests.feed_server import FeedServer, run_feed_server
from watchlist import relation_rules
from watchlist.matching.redirects import ShowIds
from watchlist.models import RelationRules

GOOD = b"::rules\n\n- 10|20|30:13-24 -> 11|21|31:1-12!\n"
OTHER = b"::rules\n\n- 10|20|30:14-24 -> 11|21|31:1-11\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings: Settings) -> Iterator[FeedServer]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    for server in run_feed_server():
        settings.ANIME_RELATIONS_URL = server.url("/rules.txt")
        yield server


def episode_13() -> int | None:
    """What it is, by the rules that are in force."""
    rules = relation_rules.current()
    found = rules and rules.find(ShowIds(30, None), 13, to_itself=False)
    return found[1] if found else None


def test_rules_are_in_force_once_they_are_fetched(server: FeedServer) -> None:
    server.serve("/rules.txt", GOOD)

    assert relation_rules.current() is None
    assert relation_rules.fetch()
    assert episode_13() == 1


def test_what_did_not_change_is_not_sent_again(server: FeedServer) -> None:
    server.serve("/rules.txt", GOOD, ETag='"one"', Last_Modified="Mon, 03 Aug 2026 10:00:00 GMT")
    relation_rules.fetch()
    rules = relation_rules.current()

    assert not relation_rules.fetch()
    (_, headers) = server.asked[-1]
    assert (headers["if-none-match"], headers["if-modified-since"]) == (
        '"one"',
        "Mon, 03 Aug 2026 10:00:00 GMT",
    )
    assert relation_rules.current() is rules


def test_new_rules_take_the_place_of_old_ones(server: FeedServer) -> None:
    server.serve("/rules.txt", GOOD)
    relation_rules.fetch()
    server.serve("/rules.txt", OTHER)

    assert relation_rules.fetch()
    assert episode_13() is None


@pytest.mark.parametrize("body", [b"", b"<html>Sign in</html>", b"::rules\n- 1|2 -> 3\n", b"\xff\xfe\x00"])
def test_nonsense_leaves_the_last_good_copy_in_force(server: FeedServer, body: bytes) -> None:
    server.serve("/rules.txt", GOOD, ETag='"one"')
    relation_rules.fetch()
    server.serve("/rules.txt", body, ETag='"two"')

    assert not relation_rules.fetch()
    assert episode_13() == 1
    row = RelationRules.objects.get()
    assert row.message.endswith((".", "?", ">", "3"))
    assert row.etag == '"one"'


def test_a_server_that_fails_leaves_them_too_until_it_works_again(server: FeedServer) -> None:
    server.serve("/rules.txt", GOOD)
    relation_rules.fetch()
    server.fail("/rules.txt", 503)
    assert not relation_rules.fetch()

    assert episode_13() == 1
    assert "503" in RelationRules.objects.get().message

    server.serve("/rules.txt", GOOD)
    relation_rules.fetch()
    assert RelationRules.objects.get().message == ""


def test_an_endless_file_is_not_read_to_its_end(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relation_rules, "MAX_BYTES", 1000)
    server.serve("/rules.txt", GOOD + b"#" * 2000)

    assert not relation_rules.fetch()
    assert "1000 bytes" in RelationRules.objects.get().message


def test_without_an_address_nothing_is_fetched_and_nothing_is_in_force(
    server: FeedServer, settings: Settings
) -> None:
    server.serve("/rules.txt", GOOD)
    relation_rules.fetch()
    settings.ANIME_RELATIONS_URL = ""

    assert not relation_rules.fetch()
    assert relation_rules.current() is None
    assert server.times_asked("/rules.txt") == 1


def test_the_rules_of_another_address_are_not_those_of_this_one(
    server: FeedServer, settings: Settings
) -> None:
    server.serve("/rules.txt", GOOD)
    relation_rules.fetch()
    settings.ANIME_RELATIONS_URL = server.url("/other.txt")

    assert relation_rules.current() is None
