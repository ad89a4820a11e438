"""Linking an account, while its owner waits."""

import pytest
from pytest_django import Settings

from accounts.models import User
from watchlist.linking import LinkRefused, change_link, link_by_name, link_by_token
from watchlist.models import Entry, Link
from watchlist.sync import sync_due_lists
from watchlist.tests import anilist_server as faults
from watchlist.tests.anilist_server import AniListServer
from watchlist.tests.anilist_world import Listed
from watchlist.tests.clock import Clock

TOKEN = "aaaa.eyJleHAiOiAxODAwMDAwMDAwfQ.cccc"


@pytest.fixture
def service(anilist: AniListServer, clock: Clock) -> AniListServer:
    anilist.world.add_show(1, "Lighthouse")
    anilist.world.add_person("Keeper", Listed(1))
    anilist.world.add_person("Hermit", Listed(1), private=True, token=TOKEN)
    return anilist


def refusal(user: User, **account: str) -> LinkRefused:
    link = link_by_token if "token" in account else link_by_name
    with pytest.raises(LinkRefused) as refused:
        link(user=user, **{"provider": "anilist"} | account)
    return refused.value


def test_a_public_name_is_linked_as_its_owner_writes_it(alice: User, service: AniListServer) -> None:
    link = link_by_name(user=alice, provider="anilist", name=" keeper ")
    assert (link.name, link.external_id, link.message) == ("Keeper", "5000", "")
    assert link.statuses == ["CURRENT", "REPEATING"]


def test_a_token_is_linked_and_says_when_it_ends(alice: User, service: AniListServer) -> None:
    link = link_by_token(user=alice, provider="anilist", token=f" {TOKEN[:20]}\n{TOKEN[20:]} ")
    assert link.name == "Hermit"
    assert link.token_ends_at is not None
    assert link.token_ends_at.year == 2027


@pytest.mark.parametrize(
    ("account", "code", "field"),
    [
        ({"name": "Nobody"}, "not_found", "name"),
        ({"name": "Hermit"}, "private", "name"),
        ({"name": "  "}, "bad_name", "name"),
        ({"name": "x" * 101}, "bad_name", "name"),
        ({"name": "a\x00b"}, "bad_name", "name"),
        ({"token": "wrong.token.here"}, "bad_token", "token"),
        ({"token": "no token"}, "bad_token", "token"),
        ({"token": ""}, "bad_token", "token"),
        ({"token": "é.é.é"}, "bad_token", "token"),
        ({"provider": "kitsu", "name": "Keeper"}, "unknown_provider", "provider"),
        ({"provider": "manual", "name": "Keeper"}, "not_by_name", "provider"),
        ({"provider": "manual", "token": TOKEN}, "not_by_token", "provider"),
    ],
)
def test_what_cannot_be_linked_is_said_at_once(
    alice: User, service: AniListServer, account: dict[str, str], code: str, field: str
) -> None:
    refused = refusal(alice, **account)
    assert (refused.code, refused.field) == (code, field)
    assert str(refused).endswith(".")
    assert not Link.objects.exists()


def test_a_refusal_does_not_repeat_the_token(alice: User, service: AniListServer) -> None:
    assert "secret" not in str(refusal(alice, token="secret.token.here"))


def test_without_a_registered_client_tokens_are_refused_with_what_to_do(
    alice: User, service: AniListServer, settings: Settings
) -> None:
    settings.ANILIST_CLIENT_ID = ""
    refused = refusal(alice, token=TOKEN)
    assert refused.code == "not_by_token"
    assert "Link by name" in str(refused)


@pytest.mark.parametrize("account", [{"name": "keeper"}, {"token": TOKEN}])
def test_while_the_service_is_away_the_link_is_kept_and_verified_later(
    alice: User, service: AniListServer, clock: Clock, account: dict[str, str]
) -> None:
    service.fail(faults.DISABLED)
    link = (link_by_token if "token" in account else link_by_name)(user=alice, provider="anilist", **account)
    assert link.external_id == ""
    assert link.message.endswith("Your list is read as soon as AniList answers: nothing more to do.")
    clock.move(minutes=11)
    sync_due_lists()
    link.refresh_from_db()
    assert (link.name, link.message) == ("Hermit" if "token" in account else "Keeper", "")
    assert Entry.objects.filter(user=alice).count() == 1


def test_a_name_that_turns_out_wrong_later_is_said_so(
    alice: User, service: AniListServer, clock: Clock
) -> None:
    service.fail(faults.DISABLED)
    link = link_by_name(user=alice, provider="anilist", name="Nobody")
    clock.move(minutes=11)
    sync_due_lists()
    link.refresh_from_db()
    assert link.message.startswith("AniList knows no such account.")


def test_linking_again_takes_the_place_of_what_was_linked(
    alice: User, service: AniListServer, clock: Clock
) -> None:
    link_by_token(user=alice, provider="anilist", token=TOKEN)
    sync_due_lists()
    link = link_by_name(user=alice, provider="anilist", name="Keeper")
    assert Link.objects.get() == link
    assert (link.token, link.token_ends_at, link.name) == ("", None, "Keeper")


@pytest.mark.parametrize(("name", "read"), [("keeper", True), ("Other", False)])
def test_when_a_list_was_read_holds_for_that_list_alone(
    alice: User, service: AniListServer, name: str, read: bool
) -> None:
    service.world.add_person("Other", Listed(1))
    link_by_name(user=alice, provider="anilist", name="Keeper")
    sync_due_lists()
    assert (link_by_name(user=alice, provider="anilist", name=name).synced_at is not None) is read


def test_two_people_may_follow_the_same_public_list(alice: User, bob: User, service: AniListServer) -> None:
    for user in (alice, bob):
        link_by_name(user=user, provider="anilist", name="Keeper")
    assert Link.objects.count() == 2


def test_a_part_that_no_list_has_is_refused(alice: User, service: AniListServer) -> None:
    link = link_by_name(user=alice, provider="anilist", name="Keeper")
    with pytest.raises(LinkRefused, match="CURRENT, PLANNING") as refused:
        change_link(link=link, statuses=["WATCHING"])
    assert refused.value.field == "statuses"
