"""Finding, sorting and paging a person's torrents over HTTP."""

import base64
import itertools
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from torrents import engine_records, services
from torrents.listing import SORTS
from torrents.models import Claim, LiveState, Torrent
from torrents.states import state_of
from torrents.tests.factories import State, add, client_of, fresh_magnet, live

TORRENTS = "/api/v1/torrents/"
pytestmark = pytest.mark.usefixtures("downloads")


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


def ids(api: APIClient, **query: Any) -> list[str]:
    answer: Any = api.get(TORRENTS, {"limit": 200, **query})
    assert answer.status_code == 200, answer.content
    return [torrent["id"] for torrent in answer.json()["results"]]


def names(api: APIClient, **query: Any) -> list[str]:
    return [torrent["name"] for torrent in api.get(TORRENTS, {"limit": 200, **query}).json()["results"]]


def assorted(user: User, count: int = 12) -> list[Claim]:
    """Claims with many ties in everything that can be sorted by."""
    claims = []
    for number in range(count):
        claim = add(user, fresh_magnet(name=f"Show {number // 4}"), paused=number % 5 == 0)
        state = list(State)[number % 4 + 3]
        engine_records.record_live_states([live(claim.torrent, state, progress=number % 3 / 4)])
        Torrent.objects.filter(pk=claim.torrent_id).update(size=None if number % 3 == 0 else number % 2)
        done = timezone.now() - timedelta(days=number % 2) if number % 4 == 1 else None
        Claim.objects.filter(pk=claim.pk).update(completed_at=done)
        claims.append(claim)
    Claim.objects.filter(pk__in=[claim.pk for claim in claims[:5]]).update(added_at=timezone.now())
    return claims


def key_of(claim: Claim, sort: str) -> Any:
    match sort.removeprefix("-"):
        case "added":
            return claim.added_at
        case "name":
            return claim.torrent.name.lower()
        case "size":
            return -1 if claim.torrent.size is None else claim.torrent.size
        case "progress":
            return claim.torrent.live.progress
        case "completed":
            return claim.completed_at.timestamp() if claim.completed_at else 0.0
        case _:
            return list(State).index(state_of(claim))


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_is_kept_from_page_to_page_and_back(api: APIClient, alice: User, sort: str) -> None:
    assorted(alice)
    down = sort.startswith("-")
    expected = sorted(
        Claim.objects.of(alice), key=lambda claim: (key_of(claim, sort), claim.pk.int), reverse=down
    )
    query: dict[str, Any] = {"sort": sort, "limit": 5}
    page = api.get(TORRENTS, query).json()
    assert page["previous"] is None
    pages = [page]
    while page["next"]:
        page = api.get(page["next"]).json()
        pages.append(page)
    found = [torrent["id"] for each in pages for torrent in each["results"]]
    assert found == [str(claim.pk) for claim in expected]
    back = [page]
    while page["previous"]:
        page = api.get(page["previous"]).json()
        back.append(page)
    assert [each["results"] for each in reversed(back)] == [each["results"] for each in pages]


@pytest.mark.parametrize("sort", SORTS)
def test_rows_that_come_go_and_move_meanwhile_neither_hide_nor_repeat_the_others(
    api: APIClient, alice: User, sort: str
) -> None:
    claims = assorted(alice, 16)
    steady = {str(claim.pk) for claim in claims[::2]}
    query: dict[str, Any] = {"sort": sort, "limit": 3}
    page = api.get(TORRENTS, query).json()
    found = [torrent["id"] for torrent in page["results"]]
    moving = iter(claims[1::2])
    for turn in itertools.count():
        if not page["next"]:
            break
        if (claim := next(moving, None)) is not None:
            if turn % 2:
                services.remove_torrent(claim=claim)
            else:
                engine_records.record_live_states([live(claim.torrent, State.CHECKING, progress=0.9)])
                Torrent.objects.filter(pk=claim.torrent_id).update(name="Another", size=7)
        add(alice)
        page = api.get(page["next"]).json()
        found += [torrent["id"] for torrent in page["results"]]
    assert sorted(each for each in found if each in steady) == sorted(steady)


def test_a_page_may_begin_behind_a_row_that_is_gone(api: APIClient, alice: User) -> None:
    claims = [add(alice) for _ in range(4)]
    page = api.get(TORRENTS, {"limit": 2}).json()
    services.remove_torrent(claim=claims[2])  # the last one shown
    assert [torrent["id"] for torrent in api.get(page["next"]).json()["results"]] == [
        str(claims[1].pk),
        str(claims[0].pk),
    ]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("pokemon", ["Pokémon.S01E02.1080p"]),
        ("POKÉMON s01", ["Pokémon.S01E02.1080p"]),
        ("s01", ["Pokémon.S01E02.1080p", "Ёлки S01"]),
        ("елки", ["Ёлки S01"]),
        ("100%", ["100% sure_thing"]),
        ("e_t", ["100% sure_thing"]),
        ("%", ["100% sure_thing"]),
        ("kinder", ["Plain"]),
        ("kinder plain", ["Plain"]),
        ("kinder pokemon", []),
        ("  ", ["100% sure_thing", "Plain", "Pokémon.S01E02.1080p", "Ёлки S01"]),
        ("\\", []),
    ],
)
def test_searching_finds_names_and_labels_whatever_their_case_and_accents(
    api: APIClient, alice: User, bob: User, search: str, found: list[str]
) -> None:
    for name in ("Pokémon.S01E02.1080p", "Ёлки S01", "100% sure_thing", "Plain"):
        claim = add(alice, fresh_magnet(name=name))
        add(bob, fresh_magnet(name=name))
        if name == "Plain":
            Claim.objects.filter(pk=claim.pk).update(label="Für Kinder")
    assert names(api, search=search, sort="name") == sorted(found, key=str.lower)


def test_a_label_is_found_exactly(api: APIClient, alice: User) -> None:
    for label in ("Kino", "kino", "", "Kinos"):
        Claim.objects.filter(pk=add(alice).pk).update(label=label)
    for label in ("Kino", ""):
        (found,) = api.get(TORRENTS, {"label": label}).json()["results"]
        assert found["label"] == label


def test_filters_hold_together_and_on_the_next_page(api: APIClient, alice: User) -> None:
    wanted = []
    for number in range(12):
        claim = add(alice, fresh_magnet(name="Show" if number % 2 else "Film"), paused=number % 3 == 0)
        Claim.objects.filter(pk=claim.pk).update(label="x")
        if number % 2 and number % 3 == 0:
            wanted.append(str(claim.pk))
    query: dict[str, Any] = {"state": "paused", "label": "x", "search": "show", "sort": "added", "limit": 1}
    first = api.get(TORRENTS, query).json()
    second = api.get(first["next"]).json()
    assert [each["id"] for page in (first, second) for each in page["results"]] == wanted
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ({"sort": "age"}, "sort"),
        ({"sort": "--name"}, "sort"),
        ({"state": "sleeping"}, "state"),
        ({"limit": "x"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"limit": "-5"}, "limit"),
        ({"search": "x" * 201}, "search"),
        ({"search": "a\0b"}, "search"),
        ({"label": "x" * 65}, "label"),
        ({"label": "a\0b"}, "label"),
    ],
)
def test_a_bad_value_is_refused_with_a_sentence(api: APIClient, query: dict[str, str], attr: str) -> None:
    answer = api.get(TORRENTS, query)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["attr"] == attr
    assert error["detail"].endswith(".")


def test_an_unknown_order_is_told_which_there_are(api: APIClient) -> None:
    (error,) = api.get(TORRENTS, {"sort": "age"}).json()["errors"]
    assert all(sort in error["detail"] for sort in SORTS)


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


ID = uuid.UUID(int=1).hex
BAD_KEYS = [
    ("added", "yesterday"),
    ("added", "2026-01-01"),
    ("added", 5),
    ("added", None),
    ("name", "a\0b"),
    ("name", "\ud800"),
    ("name", 5),
    ("size", "5"),
    ("size", 2**63),
    ("size", True),
    ("size", 1.5),
    ("progress", "x"),
    ("progress", float("nan")),
    ("progress", float("inf")),
    ("completed", {}),
    ("state", []),
]


@pytest.mark.parametrize(("sort", "key"), BAD_KEYS)
def test_a_cursor_with_a_key_of_another_kind_leads_nowhere(api: APIClient, sort: str, key: Any) -> None:
    for direction in ("", "-"):
        answer = api.get(TORRENTS, {"sort": direction + sort, "cursor": cursor(key, ID, False)})
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "text", ["x", "nonsense!", "ää", cursor(), cursor(1), cursor(1, 2, 3), cursor(1, "x", False), "A" * 5000]
)
def test_a_cursor_of_another_form_leads_nowhere(api: APIClient, text: str) -> None:
    answer = api.get(TORRENTS, {"sort": "size", "cursor": text})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


def test_a_cursor_shows_nobody_elses_torrents(api: APIClient, alice: User, bob: User) -> None:
    mine = [add(alice) for _ in range(3)]
    for _ in range(3):
        add(bob)
    following = client_of(bob).get(TORRENTS, {"limit": 1}).json()["next"]
    assert set(ids(api)) == {str(claim.pk) for claim in mine}
    assert {torrent["id"] for torrent in api.get(following).json()["results"]} <= {
        str(claim.pk) for claim in mine
    }


def test_live_states_of_every_kind_have_a_place_in_the_order(api: APIClient, alice: User) -> None:
    for state in LiveState.State.values:
        engine_records.record_live_states([live(add(alice).torrent, state)])
    listed = api.get(TORRENTS, {"sort": "state"}).json()["results"]
    ranks = [list(State).index(State(torrent["state"])) for torrent in listed]
    assert ranks == sorted(ranks)
    assert len(ranks) == len(State)
