"""Fetching finished files over HTTP: whole, in parts, again, and never what is not meant."""

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from torrents import engine_records, services
from torrents.api.handover import requested_range
from torrents.models import Claim, Torrent
from torrents.tests.factories import State, add, client_of, finished, live

CONTENT = bytes(range(256)) * 4
SIZE = len(CONTENT)


@pytest.fixture
def claim(alice: User, downloads: Path) -> Claim:
    return finished(alice, {"show/a.mkv": CONTENT, "show/empty": b""}, name="show")


@pytest.fixture
def api(alice: User) -> APIClient:
    return client_of(alice)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def content_url(claim: Claim, index: int = 0) -> str:
    return f"/api/v1/torrents/{claim.pk}/files/{index}/content/"


def archive_url(claim: Claim) -> str:
    return f"/api/v1/torrents/{claim.pk}/archive/"


def fetch(api: APIClient, url: str, headers: dict[str, str] | None = None, *, method: str = "get") -> Any:
    """The response, read to its end: what was sent is `.sent`."""
    response: Any = getattr(api, method)(url, headers=headers or {})
    response.sent = b"".join(response.streaming_content) if response.streaming else response.content
    return response


def hang_up(response: Any) -> None:
    """What a server does when the client goes away in the middle."""
    next(iter(response.streaming_content))
    response._iterator.close()  # response.close() would end the test's own database connection too


def error(response: Any) -> tuple[str, str]:
    (found,) = response.json()["errors"]
    return found["code"], found["detail"]


def test_a_file_comes_whole(api: APIClient, claim: Claim) -> None:
    response = fetch(api, content_url(claim))
    assert (response.status_code, response.sent) == (200, CONTENT)
    assert response["Content-Length"] == str(SIZE)
    assert response["Accept-Ranges"] == "bytes"
    assert "private" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=1000-", 1000, None),
        ("bytes=-5", -5, None),
        ("bytes=-99999", 0, None),
        ("bytes=1000-99999", 1000, None),
        ("bytes=0-9223372036854775807", 0, None),
        (" bytes=10-19 ", 10, 20),
        ("Bytes=10-19", 10, 20),
    ],
)
@pytest.mark.parametrize("what", ["file", "archive"])
def test_a_part_comes_as_asked(
    api: APIClient, claim: Claim, what: str, header: str, start: int, stop: int | None
) -> None:
    url = content_url(claim) if what == "file" else archive_url(claim)
    whole = fetch(api, url).sent
    start, stop, _ = slice(start, stop).indices(len(whole))
    response = fetch(api, url, headers={"Range": header})
    assert (response.status_code, response.sent) == (206, whole[start:stop])
    assert response["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    assert response["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "header",
    ["bytes=5-3", "bytes=0-1,5-6", "bytes=", "bytes=-", "bytes", "lines=0-5", "bytes=a-b", "bytes=0-5x",
     "bytes=٣-٥", "bytes=0x0-5", "bytes=--5", "bytes=0-" + "9" * 5000, "bytes=" + "9" * 5000 + "-", ""],
)  # fmt: skip
def test_what_is_not_one_range_brings_everything(api: APIClient, claim: Claim, header: str) -> None:
    response = fetch(api, content_url(claim), headers={"Range": header})
    assert (response.status_code, response.sent) == (200, CONTENT)
    assert "Content-Range" not in response


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=99999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416_and_says_the_size(api: APIClient, claim: Claim, header: str) -> None:
    response = fetch(api, content_url(claim), headers={"Range": header})
    assert (response.status_code, response["Content-Range"], response.content) == (
        416,
        f"bytes */{SIZE}",
        b"",
    )


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_an_empty_file_has_no_ranges(api: APIClient, claim: Claim, header: str) -> None:
    assert fetch(api, content_url(claim, 1), headers={"Range": header}).status_code == 416


def test_an_empty_file_comes_empty(api: APIClient, claim: Claim) -> None:
    response = fetch(api, content_url(claim, 1))
    assert (response.status_code, response.sent, response["Content-Length"]) == (200, b"", "0")


@given(header=st.from_regex(r"bytes=\d{0,4}-\d{0,4}", fullmatch=True), size=st.integers(0, 3000))
def test_a_range_is_always_within_the_file(header: str, size: int) -> None:
    found = requested_range(header, size)
    assert found is None or 0 <= found[0] <= found[1] <= size


@pytest.mark.parametrize("what", ["file", "archive"])
def test_a_download_goes_on_only_with_the_same_file(api: APIClient, claim: Claim, what: str) -> None:
    url = content_url(claim) if what == "file" else archive_url(claim)
    etag = fetch(api, url)["ETag"]
    assert (etag[0], etag[-1]) == ('"', '"')
    same = fetch(api, url, headers={"Range": "bytes=10-", "If-Range": etag})
    assert same.status_code == 206
    for other in ('"another"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        response = fetch(api, url, headers={"Range": "bytes=10-", "If-Range": other})
        assert response.status_code == 200


def test_a_file_that_was_written_to_since_is_another_file(api: APIClient, claim: Claim) -> None:
    etag = fetch(api, content_url(claim))["ETag"]
    path = claim.torrent.data_dir / "show/a.mkv"
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(1, 1))
    response = fetch(api, content_url(claim), headers={"Range": "bytes=10-", "If-Range": etag})
    assert (response.status_code, response.sent) == (200, CONTENT[::-1])


@pytest.mark.parametrize("what", ["file", "archive"])
def test_what_the_client_has_already_is_not_sent_again(api: APIClient, claim: Claim, what: str) -> None:
    url = content_url(claim) if what == "file" else archive_url(claim)
    etag = fetch(api, url)["ETag"]
    for header in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        response = fetch(api, url, headers={"If-None-Match": header})
        assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
    assert fetch(api, url, headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("what", ["file", "archive"])
def test_head_tells_what_get_would_send(api: APIClient, claim: Claim, what: str) -> None:
    url = content_url(claim) if what == "file" else archive_url(claim)
    got, head = fetch(api, url), fetch(api, url, method="head")
    assert (head.status_code, head.sent) == (200, b"")
    assert dict(head.headers) == dict(got.headers)


def test_head_knows_no_ranges(api: APIClient, claim: Claim) -> None:
    head = fetch(
        api, content_url(claim), {"Range": "bytes=5-"}, method="head"
    )  # RFC 9110 defines Range for GET alone
    assert (head.status_code, head["Content-Length"]) == (200, str(SIZE))


@pytest.mark.parametrize(
    "name", ["index.html", "x.svg", "x.js", "x.pdf", "x.mkv", "noextension", "x.html\n", "x.htm.gz", "x.swf"]
)
def test_no_contents_are_ever_shown_by_a_browser(alice: User, downloads: Path, name: str) -> None:
    claim = finished(alice, {name: b"<script>alert(1)</script>"})
    response = fetch(client_of(alice), content_url(claim))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment;")
    assert "Content-Encoding" not in response


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("plain.mkv", 'attachment; filename="plain.mkv"'),
        ("日本語 1.mkv", "attachment; filename*=utf-8''%E6%97%A5%E6%9C%AC%E8%AA%9E%201.mkv"),
        ('quo"te\\.mkv', r'attachment; filename="quo\"te\\.mkv"'),
        ("a\r\nSet-Cookie: x=y\n", 'attachment; filename="a__Set-Cookie: x=y_"'),
        ("semi; filename=evil.exe", 'attachment; filename="semi; filename=evil.exe"'),
    ],
)
def test_the_files_name_arrives_whatever_is_in_it(
    alice: User, downloads: Path, name: str, disposition: str
) -> None:
    claim = finished(alice, {f"show/{name}": b"1"})
    response = fetch(client_of(alice), content_url(claim))
    assert response["Content-Disposition"] == disposition
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "garbage"])
def test_bytes_come_and_errors_are_json_whatever_is_accepted(
    api: APIClient, claim: Claim, accept: str
) -> None:
    assert fetch(api, content_url(claim), headers={"Accept": accept}).status_code == 200
    missing = fetch(api, content_url(claim, 7), headers={"Accept": accept})
    assert (missing.status_code, missing["Content-Type"]) == (404, "application/json")


def test_the_archive_holds_all_files(api: APIClient, claim: Claim) -> None:
    response = fetch(api, archive_url(claim))
    assert response["Content-Disposition"] == 'attachment; filename="show.tar"'
    assert response["Content-Type"] == "application/octet-stream"
    with tarfile.open(fileobj=io.BytesIO(response.sent), mode="r:") as tar:
        assert tar.getnames() == ["show/a.mkv", "show/empty"]


@pytest.mark.parametrize("what", ["file", "archive"])
def test_nothing_is_handed_over_before_it_is_finished(alice: User, downloads: Path, what: str) -> None:
    claim = add(alice)
    url = content_url(claim) if what == "file" else archive_url(claim)
    engine_records.record_live_states([live(claim.torrent, State.DOWNLOADING, progress=0.427)])
    response = fetch(client_of(alice), url)
    assert response.status_code == 409
    code, detail = error(response)
    assert code == "not_finished"
    assert "42 %" in detail


def test_the_percentage_never_says_100_before_the_end(alice: User, downloads: Path) -> None:
    claim = add(alice)
    engine_records.record_live_states([live(claim.torrent, State.DOWNLOADING, progress=0.9999)])
    assert "99 %" in error(fetch(client_of(alice), archive_url(claim)))[1]


def test_whoever_paused_it_is_told_to_resume(alice: User, downloads: Path) -> None:
    claim = add(alice, paused=True)
    assert "Resume it" in error(fetch(client_of(alice), archive_url(claim)))[1]


def vanish(path: Path) -> None:
    path.unlink()


def shrink(path: Path) -> None:
    path.write_bytes(b"short")


def become_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def become_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.timeout(10)
@pytest.mark.parametrize("change", [vanish, shrink, become_a_link, become_a_fifo, become_a_folder])
@pytest.mark.parametrize("what", ["file", "archive"])
def test_a_file_that_is_not_as_downloaded_is_gone(
    api: APIClient, claim: Claim, what: str, change: Any
) -> None:
    change(claim.torrent.data_dir / "show/a.mkv")
    response = fetch(api, content_url(claim) if what == "file" else archive_url(claim))
    assert (response.status_code, error(response)[0]) == (410, "gone")


def test_a_path_in_the_rows_that_leads_out_is_not_followed(api: APIClient, claim: Claim) -> None:
    secret = claim.torrent.data_dir.parent / "secret"
    secret.write_bytes(CONTENT)
    claim.torrent.files.filter(index=0).update(path="../secret")
    assert fetch(api, content_url(claim)).status_code == 410
    assert fetch(api, archive_url(claim)).status_code == 410


@pytest.mark.parametrize("why", ["it is not meant to", "the disk is not mounted"])
def test_a_host_that_does_not_have_the_files_says_so(
    api: APIClient, claim: Claim, downloads: Path, settings: Settings, why: str
) -> None:
    if why == "it is not meant to":
        settings.SERVES_FILES = False
    else:
        downloads.rename(downloads.with_name("elsewhere"))
    for url in (content_url(claim), archive_url(claim)):
        response = fetch(api, url)
        assert (response.status_code, error(response)[0]) == (421, "files_elsewhere")
    assert fetch(api, f"/api/v1/torrents/{claim.pk}/").status_code == 200


@pytest.mark.parametrize("index", ["2", "99999999999", "9" * 50])
def test_a_file_that_is_not_in_the_torrent_is_not_found(api: APIClient, claim: Claim, index: str) -> None:
    assert fetch(api, f"/api/v1/torrents/{claim.pk}/files/{index}/content/").status_code == 404


def test_no_response_leaves_a_file_open(api: APIClient, claim: Claim) -> None:
    etag = fetch(api, content_url(claim))["ETag"]
    before = open_descriptors()
    requests: list[dict[str, str]] = [
        {}, {"Range": "bytes=1-"}, {"Range": "bytes=9999-"}, {"If-None-Match": etag}, {"Range": "bytes=0-1,3-4"},
    ]  # fmt: skip
    for headers in requests:
        for url in (content_url(claim), archive_url(claim)):
            fetch(api, url, headers)
            fetch(api, url, headers, method="head")
            response: Any = api.get(url, headers=headers)
            if response.streaming:
                hang_up(response)
    assert open_descriptors() == before


def test_handing_over_does_not_read_the_metainfo(api: APIClient, claim: Claim) -> None:
    Torrent.objects.update(metainfo=b"x" * 100_000)
    with CaptureQueriesContext(connection) as queries:
        fetch(api, content_url(claim))
        fetch(api, archive_url(claim))
        fetch(api, f"/api/v1/torrents/{claim.pk}/files/")
    assert not any("metainfo" in query["sql"] for query in queries)
    assert len(queries) < 14


def test_the_file_list_links_to_the_contents_once_it_is_finished(
    api: APIClient, claim: Claim, alice: User
) -> None:
    claim.torrent.files.filter(index=0).update(sha256="ab" * 32)
    listed = fetch(api, f"/api/v1/torrents/{claim.pk}/files/").json()
    assert listed == [
        {
            "index": 0,
            "path": "show/a.mkv",
            "size": SIZE,
            "wanted": True,
            "progress": 1.0,
            "sha256": "ab" * 32,
            "content_url": content_url(claim),
        },
        {
            "index": 1,
            "path": "show/empty",
            "size": 0,
            "wanted": True,
            "progress": 1.0,
            "sha256": None,
            "content_url": content_url(claim, 1),
        },
    ]
    assert fetch(api, listed[0]["content_url"]).sent == CONTENT
    services.remove_torrent(claim=claim)
    assert fetch(api, listed[0]["content_url"]).status_code == 404


def test_the_file_list_has_no_links_before(api: APIClient, claim: Claim) -> None:
    engine_records.record_live_states([live(claim.torrent, State.DOWNLOADING)])
    listed = fetch(api, f"/api/v1/torrents/{claim.pk}/files/").json()
    assert [file["content_url"] for file in listed] == [None, None]
