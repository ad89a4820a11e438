"""The list of torrents over HTTP: its pages, its order and its filter."""

import base64
import itertools
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import UserFactory
from torrents import engine_records
from torrents.models import Claim, LiveState, Torrent
from torrents.services import default_engine
from torrents.states import state_of
from torrents.tests.api_requests import TORRENTS, errors
from torrents.tests.factories import add, client_of, fresh_magnet, live

pytestmark = pytest.mark.usefixtures("downloads")


def pages(api: APIClient, first: Any) -> list[list[str]]:
    """The ids on this page and all that follow."""
    found = [first]
    while found[-1]["next"]:
        found.append(api.get(found[-1]["next"]).json())
    return [[torrent["id"] for torrent in page["results"]] for page in found]


def test_what_is_added_while_somebody_turns_pages_shifts_nothing(api: APIClient, alice: User) -> None:
    ids = [str(add(alice).pk) for _ in range(7)]
    first = api.get(TORRENTS, {"limit": 3}).json()
    add(alice)
    assert pages(api, first) == [ids[:3:-1], ids[3:0:-1], ids[:1]]


def test_claims_of_one_moment_are_each_on_one_page(api: APIClient, alice: User) -> None:
    ids = [str(add(alice).pk) for _ in range(7)]
    Claim.objects.update(added_at=timezone.now())
    listed = pages(api, api.get(TORRENTS, {"limit": 3}).json())
    assert [len(page) for page in listed] == [3, 3, 1]
    assert sorted(itertools.chain(*listed)) == sorted(ids)


def test_added_later_is_listed_earlier(api: APIClient, alice: User) -> None:
    ids = [str(add(alice).pk) for _ in range(3)]
    for minutes, claim_id in enumerate(ids):
        Claim.objects.filter(pk=claim_id).update(added_at=f"2026-01-01T00:0{minutes}:00Z")
    assert [torrent["id"] for torrent in api.get(TORRENTS).json()["results"]] == ids[::-1]


def test_a_page_has_at_most_200(api: APIClient, alice: User) -> None:
    engine = default_engine()
    torrents = Torrent.objects.bulk_create(
        Torrent(engine=engine, infohash_v1=f"{number:040x}", name="x") for number in range(1, 206)
    )
    LiveState.objects.bulk_create(LiveState(torrent=torrent) for torrent in torrents)
    Claim.objects.bulk_create(Claim(user=alice, torrent=torrent, change=1) for torrent in torrents)
    with CaptureQueriesContext(connection) as queries:
        page = api.get(TORRENTS, {"limit": 100_000}).json()
    assert len(page["results"]) == 200
    assert len(queries) <= 2


def test_a_cursor_that_is_none_is_explained(api: APIClient) -> None:
    response = api.get(TORRENTS, {"cursor": "nonsense!"})
    assert response.status_code == 404
    assert (
        errors(response)[0]["detail"]
        == "This cursor leads nowhere. Start again with the first page, without one."
    )


STATES = [state.value for state in LiveState.State]


def test_filtering_by_state_finds_what_is_shown_in_that_state(api: APIClient, alice: User) -> None:
    for state, wanted, completed in itertools.product(STATES, Claim.Wanted.values, (None, timezone.now())):
        claim = add(alice)
        engine_records.record_live_states([live(claim.torrent, state)])
        Claim.objects.filter(pk=claim.pk).update(wanted=wanted, completed_at=completed)
    claims = list(Claim.objects.of(alice))
    assert len(claims) == 36
    for some in [*itertools.combinations(STATES, 1), *itertools.combinations(STATES, 2), tuple(STATES)]:
        found = api.get(TORRENTS, {"state": list(some), "limit": "200"}).json()["results"]
        assert {torrent["id"] for torrent in found} == {
            str(claim.pk) for claim in claims if state_of(claim) in some
        }
        assert {torrent["state"] for torrent in found} <= set(some)


def test_an_unknown_state_is_refused(api: APIClient) -> None:
    response = api.get(TORRENTS, {"state": ["paused", "sleeping"]})
    assert (response.status_code, errors(response)[0]["attr"]) == (400, "state")


def test_a_listing_costs_the_same_few_queries_however_long(api: APIClient, alice: User) -> None:
    counts = []
    for _ in range(2):
        add(alice, fresh_magnet())
        with CaptureQueriesContext(connection) as queries:
            api.get(TORRENTS)
        counts.append(len(queries))
    assert counts == [2, 2]


@pytest.mark.django_db
@pytest.mark.parametrize("position", ["abc", "1", "\0", "now", "infinity", "2026-13-45", "99999-01-01"])
def test_a_cursor_that_nobody_made_is_refused(position: str) -> None:
    client = client_of(UserFactory.create())
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()

    assert client.get("/api/v1/torrents/", {"cursor": cursor}).status_code == 404
