"""What is not one's own does not exist: every endpoint, for everybody who might ask."""

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Role, User
from torrents.models import Claim, Tombstone, Torrent
from torrents.tests.factories import add, client_of, finished, fresh_magnet, person

pytestmark = pytest.mark.usefixtures("downloads")

OF_ONE_TORRENT = [
    ("get", ""),
    ("delete", ""),
    ("post", "pause/"),
    ("post", "resume/"),
    ("get", "files/"),
    ("get", "files/0/content/"),
    ("head", "files/0/content/"),
    ("get", "archive/"),
    ("head", "archive/"),
]
OF_THE_CALLER = [
    ("get", "/api/v1/torrents/"),
    ("post", "/api/v1/torrents/"),
    ("get", "/api/v1/torrents/changes/"),
]


@pytest.fixture
def claim(alice: User) -> Claim:
    return finished(alice, {"show/a": b"1"}, name="show")


@pytest.fixture(params=["another person", "another who holds the same torrent", "an admin"])
def stranger(request: pytest.FixtureRequest, claim: Claim, bob: User) -> APIClient:
    if request.param == "an admin":
        bob.role = Role.ADMIN
        bob.save()
    elif request.param == "another who holds the same torrent":
        Claim.objects.create(user=bob, torrent=claim.torrent, change=0, completed_at=claim.completed_at)
    return client_of(bob)


def ask(api: APIClient, method: str, url: str) -> Any:
    return getattr(api, method)(url)


@pytest.mark.parametrize(("method", "path"), OF_ONE_TORRENT)
def test_somebody_elses_torrent_is_exactly_like_none(
    claim: Claim, stranger: APIClient, method: str, path: str
) -> None:
    before = Claim.objects.values().get(pk=claim.pk)
    theirs = ask(stranger, method, f"/api/v1/torrents/{claim.pk}/{path}")
    none = ask(stranger, method, f"/api/v1/torrents/{uuid.uuid4()}/{path}")
    assert theirs.status_code == none.status_code == 404
    assert theirs.content == none.content
    assert dict(theirs.headers) == dict(none.headers)
    assert Claim.objects.values().get(pk=claim.pk) == before
    assert not Tombstone.objects.exists()


@pytest.mark.parametrize(("method", "path"), OF_ONE_TORRENT)
def test_the_owner_is_served(alice: User, claim: Claim, method: str, path: str) -> None:
    response = ask(client_of(alice), method, f"/api/v1/torrents/{claim.pk}/{path}")
    assert response.status_code in (200, 204)
    if response.streaming:
        assert b"".join(response.streaming_content)


def test_lists_hold_ones_own_only(claim: Claim, stranger: APIClient, bob: User) -> None:
    own = {str(found.pk) for found in Claim.objects.filter(user=bob)}
    assert {torrent["id"] for torrent in stranger.get("/api/v1/torrents/").json()["results"]} == own
    changes = stranger.get("/api/v1/torrents/changes/").json()
    assert {torrent["id"] for torrent in changes["torrents"]} <= own
    assert str(claim.pk) not in str(changes)


def answers(api: APIClient, claim: Claim) -> list[Any]:
    urls = [(method, f"/api/v1/torrents/{claim.pk}/{path}") for method, path in OF_ONE_TORRENT]
    return [ask(api, method, url) for method, url in [*urls, *OF_THE_CALLER]]


def test_nobody_unknown_gets_anything(claim: Claim) -> None:
    for response in answers(APIClient(), claim):
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
    assert Claim.objects.filter(pk=claim.pk, wanted=Claim.Wanted.RUNNING).exists()


def test_nobody_with_a_made_up_token_gets_anything(claim: Claim) -> None:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION="Bearer eyJhbGciOiJub25lIn0.e30.")
    assert {response.status_code for response in answers(api, claim)} == {401}


def test_a_disabled_person_gets_nothing_with_a_token_from_before(alice: User, claim: Claim) -> None:
    api = client_of(alice)
    assert api.get(f"/api/v1/torrents/{claim.pk}/").status_code == 200
    accounts.disable_user(user=alice)
    assert {response.status_code for response in answers(api, claim)} == {401}
    assert Claim.objects.filter(pk=claim.pk).exists()


def test_a_session_of_the_admin_site_does_not_open_the_api(claim: Claim) -> None:
    admin = person("charlie")
    admin.role = Role.ADMIN
    admin.save()
    api = APIClient()
    api.force_login(admin)
    assert {response.status_code for response in answers(api, claim)} == {401}


def test_an_admin_does_not_see_others_torrents_but_has_torrents_as_anybody(alice: User, bob: User) -> None:
    bob.role = Role.ADMIN
    bob.save()
    add(alice)
    api = client_of(bob)
    added = api.post("/api/v1/torrents/", {"source": fresh_magnet().magnet})
    assert added.status_code == 201
    assert [torrent["id"] for torrent in api.get("/api/v1/torrents/").json()["results"]] == [
        added.json()["id"]
    ]


def test_one_persons_removal_takes_it_from_that_person_only(alice: User, bob: User, claim: Claim) -> None:
    theirs = Claim.objects.create(user=bob, torrent=claim.torrent, change=0, completed_at=claim.completed_at)
    assert client_of(alice).delete(f"/api/v1/torrents/{claim.pk}/").status_code == 204
    for method, path in OF_ONE_TORRENT:
        gone = ask(client_of(alice), method, f"/api/v1/torrents/{claim.pk}/{path}")
        assert gone.status_code == 404
    response: Any = client_of(bob).get(f"/api/v1/torrents/{theirs.pk}/files/0/content/")
    assert b"".join(response.streaming_content) == b"1"
    assert Torrent.objects.get().unclaimed_at is None
