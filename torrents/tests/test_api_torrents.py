"""Adding and steering torrents over HTTP."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.models import User
from torrents import engine_records
from torrents.models import Claim, Torrent
from torrents.tests.api_requests import MAGNET, TORRENTS, errors, upload
from torrents.tests.factories import State, add, client_of, live, v1_torrent

pytestmark = pytest.mark.usefixtures("downloads")


def test_a_magnet_is_taken_without_waiting_for_the_engine(api: APIClient) -> None:
    response = api.post(TORRENTS, {"source": f"{MAGNET}&dn=Some%20Show"})
    assert response.status_code == 201
    body = response.json()
    claim = Claim.objects.get()
    assert body == {
        "id": str(claim.pk),
        "name": "Some Show",
        "state": "waiting",
        "message": "The download engine is away. It goes on by itself when the engine is back.",
        "progress": 0.0,
        "size": None,
        "downloaded": 0,
        "uploaded": 0,
        "download_speed": 0,
        "upload_speed": 0,
        "eta": None,
        "seeds": 0,
        "peers": 0,
        "infohash_v1": "ab" * 20,
        "infohash_v2": None,
        "private": None,
        "origin": "user",
        "label": "",
        "waits_for": "",
        "sequential": False,
        "download_limit": None,
        "upload_limit": None,
        "seed_ratio": None,
        "seed_seconds": None,
        "handed_over": 0,
        "added_at": body["added_at"],
        "completed_at": None,
        "change": claim.change,
    }
    assert body["added_at"].endswith("Z")


def test_adding_the_same_again_is_200_with_the_same_torrent(api: APIClient) -> None:
    first = api.post(TORRENTS, {"source": MAGNET})
    second = api.post(
        TORRENTS, {"source": MAGNET.upper().replace("MAGNET:?XT=URN:BTIH", "magnet:?xt=urn:btih")}
    )
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


def test_a_torrent_file_is_taken(api: APIClient, tmp_path: Path) -> None:
    response = api.post(TORRENTS, {"metainfo": upload(v1_torrent(tmp_path))}, format="multipart")
    assert response.status_code == 201
    assert (response.json()["name"], response.json()["size"]) == ("show", 100_005)
    assert response.json()["private"] is False


def test_a_magnet_may_come_as_a_form_too(api: APIClient) -> None:
    assert api.post(TORRENTS, {"source": MAGNET, "paused": "true"}, format="multipart").status_code == 201
    assert Claim.objects.get().wanted == Claim.Wanted.PAUSED


def test_a_torrent_may_be_added_paused(api: APIClient) -> None:
    assert api.post(TORRENTS, {"source": MAGNET, "paused": True}).json()["state"] == "paused"


def test_pausing_and_resuming_answer_with_the_torrent(api: APIClient) -> None:
    url = f"{TORRENTS}{api.post(TORRENTS, {'source': MAGNET}).json()['id']}/"
    paused = api.post(f"{url}pause/")
    assert (paused.status_code, paused.json()["state"]) == (200, "paused")
    assert api.post(f"{url}pause/").json()["state"] == "paused"
    resumed = api.post(f"{url}resume/")
    assert (resumed.status_code, resumed.json()["state"]) == (200, "waiting")
    assert resumed.json()["change"] > paused.json()["change"]
    assert api.get(url).json() == resumed.json()


def test_a_removed_torrent_is_not_found_any_more(api: APIClient) -> None:
    url = f"{TORRENTS}{api.post(TORRENTS, {'source': MAGNET}).json()['id']}/"
    assert api.delete(url).status_code == 204
    for response in (api.get(url), api.delete(url), api.post(f"{url}pause/"), api.get(f"{url}files/")):
        assert response.status_code == 404
    assert api.get(TORRENTS).json()["results"] == []


@pytest.mark.parametrize(
    "query", ["since=-1", "since=x", "since=9223372036854775808", "limit=0", "limit=2001", "limit=x"]
)
def test_a_change_number_that_is_none_is_refused(api: APIClient, query: str) -> None:
    assert api.get(f"{TORRENTS}changes/?{query}").status_code == 400


def test_changes_come_over_http(api: APIClient, alice: User) -> None:
    claim = add(alice)
    first = api.get(f"{TORRENTS}changes/").json()
    assert [torrent["id"] for torrent in first["torrents"]] == [str(claim.pk)]
    assert api.delete(f"{TORRENTS}{claim.pk}/").status_code == 204
    second = api.get(f"{TORRENTS}changes/?since={first['change']}").json()
    assert second == {
        "change": first["change"] + 1,
        "more": False,
        "reset": False,
        "torrents": [],
        "removed": [str(claim.pk)],
    }


def test_trackers_and_paths_of_the_engine_are_never_shown(api: APIClient, downloads: Path) -> None:
    source = f"{MAGNET}&tr=https%3A%2F%2Ftracker.example.org%2Fpasskey%2Fannounce"
    shown = api.post(TORRENTS, {"source": source}).content
    shown += api.get(TORRENTS).content + api.get(f"{TORRENTS}changes/").content
    assert Torrent.objects.get().trackers == ["https://tracker.example.org/passkey/announce"]
    assert b"passkey" not in shown
    assert str(downloads).encode() not in shown


def test_a_private_torrent_of_somebody_else_is_refused_without_saying_so(
    api: APIClient, bob: User, tmp_path: Path
) -> None:
    data = v1_torrent(tmp_path, private=True)
    assert client_of(bob).post(TORRENTS, {"metainfo": upload(data)}, format="multipart").status_code == 201
    response = api.post(TORRENTS, {"metainfo": upload(data)}, format="multipart")
    assert response.status_code == 400
    assert errors(response)[0]["code"] == "private"
    assert Claim.objects.count() == 1


def test_a_torrent_cannot_be_replaced(api: APIClient, alice: User) -> None:
    assert api.put(f"{TORRENTS}{add(alice).pk}/", {}).status_code == 405


def test_the_schema_is_valid_and_generated_without_a_warning() -> None:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "/api/v1/torrents/{claim_id}/files/{index}/content/" in out.getvalue()


def test_a_finished_torrent_says_when(api: APIClient, alice: User) -> None:
    claim = add(alice)
    engine_records.record_live_states([live(claim.torrent, State.FINISHED, progress=1)])
    shown = api.get(f"{TORRENTS}{claim.pk}/").json()
    assert (shown["state"], shown["message"], shown["progress"]) == ("finished", "", 1.0)
    assert shown["completed_at"] is not None
