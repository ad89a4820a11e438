"""Adding, listing and steering torrents over HTTP."""

import base64
import io
import itertools
import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import UserFactory
from torrents import engine_records
from torrents.metainfo import MAX_TORRENT_BYTES
from torrents.models import Claim, LiveState, Torrent
from torrents.services import default_engine
from torrents.states import state_of
from torrents.tests.factories import State, add, client_of, fresh_magnet, live, v1_torrent
from torrents.tests.metainfo_samples import single_file

TORRENTS = "/api/v1/torrents/"
MAGNET = "magnet:?xt=urn:btih:" + "ab" * 20

pytestmark = pytest.mark.usefixtures("downloads")


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


def upload(data: bytes, name: str = "x.torrent") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="application/x-bittorrent")


def errors(response: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["errors"]
    return found


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


TOO_LARGE = b"d4:infod" + b"x" * MAX_TORRENT_BYTES


@pytest.mark.parametrize(
    "source",
    [
        "",
        "   ",
        "not a link",
        "magnet:?dn=name+only",
        "magnet:?xt=urn:btih:abc",
        f"{MAGNET}\nmagnet:?xt=urn:btih:{'cd' * 20}",
        f"{MAGNET}\0",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://example.org/x.torrent",
        "http://127.0.0.1:8000/x.torrent",
        "http://127.1/x.torrent",
        "http://[::1]/x.torrent",
        "https://169.254.169.254/opc/v2/instance/",
        "http://192.0.0.192/",
        "http://0x7f000001/",
        "http://",
        "https://user:secret@127.0.0.1/?passkey=secret",
        f"{MAGNET}&dn={'x' * 30_000}",
        None,
        {"a": "dictionary"},
        ["a", "list"],
        True,
    ],
)
def test_a_source_that_is_none_is_refused_with_a_sentence(api: APIClient, source: object) -> None:
    response = api.post(TORRENTS, {"source": source})
    assert response.status_code == 400
    (error,) = errors(response)
    assert error["attr"] == "source"
    assert error["detail"].endswith((".", "…)", ":"))
    assert "secret" not in error["detail"]
    assert (Torrent.objects.count(), Claim.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><title>Log in</title>",
        b"garbage",
        single_file()[:-10],
        single_file() + b"extra",
        b"d4:infod4:name1:ae4:infod4:name1:bee",
        b"d" * 5_000_000,
        b"d8:announce999999999999:xe",
        TOO_LARGE,
    ],
    ids=["empty", "page", "garbage", "cut", "longer", "two infos", "deep", "huge string", "too large"],
)
def test_a_file_that_is_no_torrent_is_refused_with_a_sentence(api: APIClient, data: bytes) -> None:
    response = api.post(TORRENTS, {"metainfo": upload(data)}, format="multipart")
    assert response.status_code == 400
    (error,) = errors(response)
    assert error["attr"] == "metainfo"
    assert error["detail"].endswith(".")
    assert (Torrent.objects.count(), Claim.objects.count()) == (0, 0)


def test_a_torrent_file_of_exactly_the_limit_is_read(api: APIClient) -> None:
    response = api.post(TORRENTS, {"metainfo": upload(TOO_LARGE[:MAX_TORRENT_BYTES])}, format="multipart")
    assert (response.status_code, errors(response)[0]["code"]) == (400, "damaged")


def test_either_a_source_or_a_file_not_both_and_not_none(api: APIClient) -> None:
    both = api.post(TORRENTS, {"source": MAGNET, "metainfo": upload(single_file())}, format="multipart")
    for response in (both, api.post(TORRENTS, {}), api.post(TORRENTS, {"paused": True})):
        assert response.status_code == 400
        assert errors(response)[0]["attr"] == "source"
    assert not Torrent.objects.exists()


def test_a_file_cannot_come_as_json(api: APIClient) -> None:
    response = api.post(TORRENTS, {"metainfo": "d4:infode"})
    assert (response.status_code, errors(response)[0]["attr"]) == (400, "metainfo")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_other_content_types_are_415(api: APIClient, content_type: str) -> None:
    response = api.post(TORRENTS, data=b"source=x", content_type=content_type)
    assert response.status_code == 415
    assert not Torrent.objects.exists()


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 50_000, b'{"source": NaN}']
)
def test_json_that_is_not_an_object_is_refused(api: APIClient, data: bytes) -> None:
    response = api.post(TORRENTS, data=data, content_type="application/json")
    assert response.status_code == 400
    assert errors(response)[0]["detail"]
    assert not Torrent.objects.exists()


def test_json_larger_than_any_source_is_not_even_read(api: APIClient) -> None:
    data = json.dumps({"source": MAGNET, "padding": "x" * 2_000_000}).encode()
    response = api.post(TORRENTS, data=data, content_type="application/json")
    assert response.status_code == 413
    assert errors(response)[0]["code"] == "too_large"
    assert not Torrent.objects.exists()


def test_an_upload_larger_than_any_torrent_file_is_not_even_read(api: APIClient) -> None:
    response = api.post(TORRENTS, {"metainfo": upload(bytes(12 * 2**20))}, format="multipart")
    assert response.status_code == 413
    assert errors(response)[0]["code"] == "too_large"


def test_a_form_field_of_megabytes_is_refused(api: APIClient) -> None:
    response = api.post(TORRENTS, {"source": "x" * 2_000_000}, format="multipart")
    assert (response.status_code, errors(response)[0]["code"]) == (413, "too_large")


def test_a_form_of_thousands_of_fields_is_refused(api: APIClient) -> None:
    response = api.post(TORRENTS, {f"field{number}": "x" for number in range(2000)}, format="multipart")
    assert (response.status_code, errors(response)[0]["code"]) == (413, "too_large")


def test_a_broken_form_is_refused(api: APIClient) -> None:
    for data in (b"", b"garbage", b"--b\r\nContent-Disposition: form-data; name=source\r\n\r\nx"):
        response = api.post(TORRENTS, data=data, content_type="multipart/form-data; boundary=b")
        assert response.status_code == 400
    assert not Torrent.objects.exists()


@pytest.mark.parametrize("name", ["x", str(uuid.uuid4())[:-1], "../me", "00000000"])
def test_what_is_not_a_uuid_is_not_found(api: APIClient, name: str) -> None:
    for path in ("", "files/", "archive/", "files/0/content/"):
        assert api.get(f"{TORRENTS}{name}/{path}").status_code == 404


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
    assert (response.status_code, errors(response)[0]["detail"]) == (404, "Invalid cursor")


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


def test_a_listing_costs_the_same_few_queries_however_long(api: APIClient, alice: User) -> None:
    counts = []
    for _ in range(2):
        add(alice, fresh_magnet())
        with CaptureQueriesContext(connection) as queries:
            api.get(TORRENTS)
        counts.append(len(queries))
    assert counts == [2, 2]


def test_a_finished_torrent_says_when(api: APIClient, alice: User) -> None:
    claim = add(alice)
    engine_records.record_live_states([live(claim.torrent, State.FINISHED, progress=1)])
    shown = api.get(f"{TORRENTS}{claim.pk}/").json()
    assert (shown["state"], shown["message"], shown["progress"]) == ("finished", "", 1.0)
    assert shown["completed_at"] is not None


@pytest.mark.django_db
@pytest.mark.parametrize("position", ["abc", "1", "\0", "now", "infinity", "2026-13-45", "99999-01-01"])
def test_a_cursor_that_nobody_made_is_refused(position: str) -> None:
    client = client_of(UserFactory.create())
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()

    assert client.get("/api/v1/torrents/", {"cursor": cursor}).status_code == 404


@pytest.mark.django_db
def test_a_post_without_the_closing_slash_does_not_look_like_success() -> None:
    client = client_of(UserFactory.create())

    response = client.post("/api/v1/torrents", {"source": "magnet:?xt=urn:btih:" + "a" * 40}, follow=True)
    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "not_found"
