"""What people and programs send that is no torrent, or too much, is refused with a sentence."""

import json
import uuid

import pytest
from rest_framework.test import APIClient

from accounts.tests.factories import UserFactory
from torrents.metainfo import MAX_TORRENT_BYTES
from torrents.models import Claim, Torrent
from torrents.tests.api_requests import MAGNET, TORRENTS, errors, upload
from torrents.tests.factories import client_of
from torrents.tests.metainfo_samples import single_file

pytestmark = pytest.mark.usefixtures("downloads")


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


@pytest.mark.django_db
def test_a_post_without_the_closing_slash_does_not_look_like_success() -> None:
    client = client_of(UserFactory.create())

    response = client.post("/api/v1/torrents", {"source": "magnet:?xt=urn:btih:" + "a" * 40}, follow=True)
    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "not_found"
