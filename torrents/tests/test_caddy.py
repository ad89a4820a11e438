"""Finished files through a real Caddy: whole, in parts, by any name, counted, and nothing besides."""

import http.client
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker, Settings

from accounts.models import User
from accounts.tests.factories import access_token
from proxy_site.tests import processes
from torrents.links import make_link
from torrents.models import Claim, Traffic
from torrents.tests.caddy_box import CADDYFILE, WEB_TIMEOUT, CaddyBox, started
from torrents.tests.factories import add, finished

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = secrets.token_bytes(300_000)
ODD_NAMES = [
    "with space", "100%", "a%41b", "q?x=1", "a#b", "{http.request.method}", "{env.HOME}", "日本語 é.mkv", "new\nline",
    "cr\r", "..two", "two..", "...", "back\\slash", "semi;colon", "a&b=c", "+plus", "'q\"", "index.html", "Caddyfile",
    ".hidden", "a:b", "*", "[x]", "content", "\u202etxt", "\x7f", "end ", " start", "nbsp\xa0", "a%2f..%2fb", "x.gz",
]  # fmt: skip


@pytest.fixture(scope="module")
def running_box(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[CaddyBox]:
    with started(tmp_path_factory.mktemp("caddy")) as box:
        yield box


@pytest.fixture
def box(running_box: CaddyBox, settings: Settings, transactional_db: None) -> CaddyBox:
    settings.DOWNLOADS_DIR = running_box.downloads
    return running_box


@pytest.fixture
def claim(box: CaddyBox, alice: User) -> Claim:
    return finished(alice, {"show/a.mkv": CONTENT, "show/b": b"b" * 10}, name="show")


def bearer(user: User) -> str:
    return f"Bearer {access_token(user)}"


def content_url(claim: Claim, index: int = 0) -> str:
    return f"/api/v1/torrents/{claim.pk}/files/{index}/content/"


def sent_to(user: User) -> int:
    return sum(Traffic.objects.filter(user=user).values_list("sent", flat=True))


def test_the_committed_caddyfile_is_valid_and_formatted(tmp_path: Path) -> None:
    environment = processes.environment(
        XDG_DATA_HOME=str(tmp_path), DOWNLOADS_DIR=str(tmp_path), CADDY_LOG=str(tmp_path / "log")
    )
    for command in (["validate", "--adapter", "caddyfile", "--config"], ["fmt"]):
        result = subprocess.run(
            ["caddy", *command, str(CADDYFILE)], env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
    assert result.stdout == CADDYFILE.read_text()


def test_a_file_comes_from_caddy_with_the_headers_that_django_sends(
    box: CaddyBox, alice: User, claim: Claim
) -> None:
    by_caddy = box.fetch(content_url(claim), Authorization=bearer(alice))
    by_django = box.fetch(content_url(claim), port=box.direct, Authorization=bearer(alice))
    assert (by_caddy.status, by_caddy.body) == (by_django.status, by_django.body) == (200, CONTENT)
    ours = {name.lower(): value for name, value in by_django.headers.items()}
    theirs = {name.lower(): value for name, value in by_caddy.headers.items()}
    for name in (
        "etag", "content-length", "content-type", "content-disposition", "cache-control", "accept-ranges",
        "x-content-type-options",
    ):  # fmt: skip
        assert theirs[name] == ours[name]
    assert "last-modified" not in theirs
    assert not [name for name in theirs if name.startswith(("x-accel", "x-handover"))]
    assert "max-age=" in theirs["strict-transport-security"]
    leave_to_caddy = box.fetch(content_url(claim), port=box.behind, Authorization=bearer(alice))
    assert leave_to_caddy.body == b""  # it was Caddy indeed


@pytest.mark.parametrize("first", ["caddy", "direct"])
def test_a_download_goes_on_by_the_other_way(box: CaddyBox, alice: User, claim: Claim, first: str) -> None:
    ports = {"caddy": box.caddy, "direct": box.direct}
    begun = box.fetch(content_url(claim), port=ports.pop(first), Authorization=bearer(alice))
    (other,) = ports.values()
    asked = {"Range": "bytes=1000-", "Authorization": bearer(alice)}
    same = box.fetch(
        content_url(claim), port=other, If_Range=begun.headers.get("Etag") or begun.headers["ETag"], **asked
    )
    assert (same.status, same.body) == (206, CONTENT[1000:])
    assert same.headers["Content-Range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"
    changed = box.fetch(content_url(claim), port=other, If_Range='"another"', **asked)
    assert (changed.status, changed.body) == (200, CONTENT)


def test_a_part_and_nothing_new_and_a_head_are_as_without_caddy(
    box: CaddyBox, alice: User, claim: Claim
) -> None:
    url, who = content_url(claim), bearer(alice)
    part = box.fetch(url, Authorization=who, Range="bytes=-7")
    assert (part.status, part.body) == (206, CONTENT[-7:])
    several = box.fetch(url, Authorization=who, Range="bytes=0-1,5-6")
    assert (several.status, several.body) == (200, CONTENT)
    assert box.fetch(url, Authorization=who, Range="bytes=999999-").status == 416
    etag = part.headers["Etag"]
    assert box.fetch(url, Authorization=who, If_None_Match=etag).status == 304
    assert box.fetch(url, Authorization=who, If_Match='"another"').status == 200
    head = box.fetch(url, method="HEAD", Authorization=who, Range="bytes=5-")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(CONTENT)))


@pytest.mark.parametrize("way", ["caddy", "direct"])
def test_a_file_of_any_name_comes_byte_for_byte(box: CaddyBox, alice: User, way: str) -> None:
    files = {f"show/{name}": f"the bytes of {name}".encode() for name in ODD_NAMES}
    files |= {f"{name}/inner": name.encode() for name in ODD_NAMES}
    claim = finished(alice, files)
    for index, content in enumerate(files.values()):
        found = box.fetch(content_url(claim, index), port=getattr(box, way), Authorization=bearer(alice))
        assert (found.status, found.body) == (200, content)


def test_refusals_come_through(box: CaddyBox, alice: User, bob: User, claim: Claim) -> None:
    assert box.fetch(content_url(claim)).status == 401
    assert box.fetch(content_url(claim), Authorization=bearer(bob)).status == 404
    assert box.fetch(content_url(claim, 7), Authorization=bearer(alice)).status == 404
    assert box.fetch(content_url(add(alice)), Authorization=bearer(alice)).status == 409


def test_a_link_put_in_a_files_place_is_not_followed(
    box: CaddyBox, alice: User, claim: Claim, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    file = claim.torrent.data_dir / "show/a.mkv"
    file.unlink()
    file.symlink_to(secret)
    assert box.fetch(content_url(claim), Authorization=bearer(alice)).status == 410
    folder = file.parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert box.fetch(content_url(claim, 1), Authorization=bearer(alice)).status == 410


@pytest.mark.parametrize(
    "prefix", ["/", "/t/", "/api/", "/api/v1/../../t/", "/api/%2e%2e/t/", "/static/../", "/static/%2e%2e/"]
)
def test_no_path_leads_to_the_downloads(box: CaddyBox, claim: Claim, prefix: str) -> None:
    path = f"{prefix}{claim.torrent.pk}/show/a.mkv"
    for header in ("", f"/{claim.torrent.pk}/show/a.mkv"):
        found = box.fetch(path, X_Accel_Redirect=header)
        assert (found.status, CONTENT[:100] in found.body) == (404, False)


def test_only_what_is_for_people_is_let_through(box: CaddyBox) -> None:
    assert box.fetch("/metrics").body == b"There is nothing here."
    assert box.fetch("/api/v1/docs/").status == 200
    assert box.fetch("/admin/login/").status == 200


def test_a_larger_body_than_anything_needs_is_refused(box: CaddyBox, alice: User) -> None:
    client = http.client.HTTPConnection("127.0.0.1", box.caddy, timeout=30)
    try:
        client.request(
            "POST", "/api/v1/torrents/", body=bytes(13 * 2**20), headers={"Authorization": bearer(alice)}
        )
        status = client.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413
    finally:
        client.close()
    assert status == 413


def test_ten_at_once_all_come_whole_and_are_counted(box: CaddyBox, alice: User, claim: Claim) -> None:
    before = len(box.lines())
    who = bearer(alice)
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: box.fetch(content_url(claim), Authorization=who).body, range(10)))
    assert found == [CONTENT] * 10
    box.count(before + 10)
    assert sent_to(alice) == 10 * len(CONTENT)
    assert Claim.objects.of(alice).get().handed_over == 10 * len(CONTENT)


@pytest.mark.parametrize("way", ["caddy", "direct"])
def test_of_a_download_that_is_broken_off_only_what_went_out_counts(
    box: CaddyBox, alice: User, way: str
) -> None:
    size = 64 * 2**20
    claim = finished(alice, {"big": bytes(size)})
    before = len(box.lines())
    response = box.connect(content_url(claim), port=getattr(box, way), Authorization=bearer(alice))
    received = len(response.read(3_000_000))
    response.close()
    if way == "caddy":
        box.count(before + 1)
    processes.wait_until(lambda: sent_to(alice), "the bytes are counted")
    assert received <= sent_to(alice) < 32 * 2**20  # the kernel's buffers on both sides hold some megabytes


@pytest.mark.parametrize("way", ["caddy", "direct"])
def test_a_part_counts_as_a_part(box: CaddyBox, alice: User, claim: Claim, way: str) -> None:
    before = len(box.lines())
    box.fetch(content_url(claim), port=getattr(box, way), Authorization=bearer(alice), Range="bytes=100-1099")
    if way == "caddy":
        box.count(before + 1)
    processes.wait_until(lambda: sent_to(alice), "the bytes are counted")
    assert sent_to(alice) == 1000


@pytest.mark.parametrize("what", ["file", "archive"])
def test_a_download_may_take_longer_than_every_timeout(box: CaddyBox, alice: User, what: str) -> None:
    size = 48 * 2**20
    claim = finished(alice, {"big": bytes(size)})
    url = content_url(claim) if what == "file" else f"/api/v1/torrents/{claim.pk}/archive/"
    begun = time.monotonic()
    received = 0
    with box.connect(url, Authorization=bearer(alice)) as response:
        total = int(response.headers["Content-Length"])
        while block := response.read(4 * 2**20):
            received += len(block)
            time.sleep(0.4)
    assert time.monotonic() - begun > 2 * WEB_TIMEOUT
    assert received == total >= size


def test_a_signed_link_works_without_login_and_is_in_no_log(box: CaddyBox, claim: Claim) -> None:
    before = len(box.lines())
    token = make_link(claim=claim, index=0).token
    found = box.fetch(f"/api/v1/links/{token}/a.mkv", Range="bytes=5-9")
    assert (found.status, found.body) == (206, CONTENT[5:10])
    box.count(before + 1)
    assert sent_to(claim.user) == 5
    written = "".join(file.read_text(errors="replace") for file in box.log.parent.glob("*.log"))
    assert token not in written
    assert re.search(r"/links/REDACTED/a\.mkv", written)
