"""Signed links: good for one thing, for some hours, and ended at once."""

import io
import logging
import shlex
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import disable_user, enable_user
from accounts.sessions import open_session
from accounts.tests.factories import PASSWORD
from proxy_site.logs import HideLinkTokens
from torrents import services
from torrents.models import Claim
from torrents.tests.factories import add, client_of, finished

CONTENT = bytes(range(256)) * 4
SENTENCE = (
    "This link does not work: it has expired or was ended, or its torrent was removed. Make a new one.\n"
)


@pytest.fixture
def claim(alice: User, downloads: Path) -> Claim:
    return finished(alice, {"show/a.mkv": CONTENT, "show/b": b"b"}, name="show")


@pytest.fixture
def bobs_link(bob: User, downloads: Path) -> str:
    """Of somebody whom it is not about."""
    return path_of(make(finished(bob, {"other": b"1"}), index=0))


def make(claim: Claim, **body: int) -> Any:
    return client_of(claim.user).post(f"/api/v1/torrents/{claim.pk}/links/", body)


def path_of(answer: Any) -> str:
    assert answer.status_code == 201
    return str(urlsplit(answer.json()["url"]).path)


def follow(path: str, **headers: str) -> Any:
    """As a stranger."""
    response: Any = APIClient().get(path, headers=headers)
    response.sent = b"".join(response.streaming_content) if response.streaming else response.content
    return response


def refused(path: str) -> bool:
    response = follow(path)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    return (response.status_code, response.sent.decode()) == (404, SENTENCE)


def test_a_link_fetches_its_file_without_login(claim: Claim) -> None:
    answer = make(claim, index=0).json()
    assert answer["url"].startswith("http://testserver/api/v1/links/")
    assert answer["url"].endswith("/a.mkv")
    expected = datetime.now(UTC) + timedelta(hours=6)
    assert abs(datetime.fromisoformat(answer["expires_at"]) - expected) < timedelta(minutes=1)
    response = follow(urlsplit(answer["url"]).path)
    assert (response.status_code, response.sent) == (200, CONTENT)
    assert Claim.objects.of(claim.user).get().handed_over == len(CONTENT)


def test_without_an_index_it_is_the_archive(claim: Claim) -> None:
    path = path_of(make(claim))
    assert path.endswith("/show.tar")
    with tarfile.open(fileobj=io.BytesIO(follow(path).sent), mode="r:") as tar:
        assert tar.getnames() == ["show/a.mkv", "show/b"]


def test_it_resumes_and_answers_head(claim: Claim) -> None:
    path = path_of(make(claim, index=0))
    head = APIClient().head(path)
    assert (head.status_code, head["Content-Length"]) == (200, str(len(CONTENT)))
    part = follow(path, **{"Range": "bytes=1000-", "If-Range": head["ETag"]})
    assert (part.status_code, part.sent) == (206, CONTENT[1000:])


@pytest.mark.parametrize(
    "name", ["-o evil", "$(reboot)'", "a/../x\n\x1b[2J", "日本 ?#%", "-", "\u202egpj.exe"]
)
def test_the_curl_command_is_safe_to_paste(alice: User, downloads: Path, name: str) -> None:
    claim = (
        finished(alice, {f"show/{name}": b"1"})
        if "/" not in name
        else finished(alice, {"x": b"1"}, name=name)
    )
    answer = make(claim, **({} if "/" in name else {"index": 0})).json()
    words = shlex.split(answer["curl"])
    assert words[:5] == ["curl", "--fail", "--continue-at", "-", "--output"]
    assert words[5].startswith("./")
    assert "/" not in words[5][2:]
    assert words[6:] == [answer["url"]]
    assert answer["curl"].isprintable()
    assert answer["url"].isascii()
    assert follow(urlsplit(answer["url"]).path).status_code == 200


def test_it_dies_when_its_time_is_over(claim: Claim, settings: Settings) -> None:
    path = path_of(make(claim, index=0))
    settings.LINK_HOURS = 0
    assert refused(path)


def test_it_dies_with_its_torrent(claim: Claim) -> None:
    path = path_of(make(claim, index=0))
    services.remove_torrent(claim=claim)
    assert refused(path)


def test_it_dies_when_its_user_is_disabled(claim: Claim) -> None:
    path = path_of(make(claim, index=0))
    User.objects.filter(pk=claim.user.pk).update(is_active=False)
    assert refused(path)


def test_ending_all_links_ends_ones_own_at_once_and_new_ones_work(claim: Claim, bob: User) -> None:
    path = path_of(make(claim, index=0))
    assert client_of(bob).delete("/api/v1/me/links/").status_code == 204
    assert not refused_quietly(path)
    assert client_of(claim.user).delete("/api/v1/me/links/").status_code == 204
    assert refused(path)
    assert not refused_quietly(path_of(make(claim, index=0)))


def test_a_changed_password_of_ones_own_ends_the_links(claim: Claim, bobs_link: str) -> None:
    claim.user.set_password(PASSWORD)
    claim.user.save()
    path = path_of(make(claim, index=0))
    passwords = {"old_password": PASSWORD, "new_password": "another long sentence"}
    assert client_of(claim.user).post("/api/v1/me/password/", passwords).status_code == 200
    assert refused(path)
    assert not refused_quietly(bobs_link)


def test_a_password_that_an_admin_resets_ends_the_links(
    claim: Claim, bobs_link: str, admin_client: Client
) -> None:
    path = path_of(make(claim, index=0))
    admin_client.post(
        f"/admin/accounts/user/{claim.user.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD}
    )
    assert refused(path)
    assert not refused_quietly(bobs_link)


def test_a_password_that_is_changed_by_command_ends_the_links(claim: Claim, bobs_link: str) -> None:
    path = path_of(make(claim, index=0))
    call_command(
        "changepassword", claim.user.username, "--generate", stdout=io.StringIO(), stderr=io.StringIO()
    )
    assert refused(path)
    assert not refused_quietly(bobs_link)


def test_ending_the_other_sessions_ends_the_links(claim: Claim, bobs_link: str) -> None:
    path = path_of(make(claim, index=0))
    assert client_of(claim.user).delete("/api/v1/me/sessions/").status_code == 200
    assert refused(path)
    assert not refused_quietly(bobs_link)


def test_a_user_who_is_enabled_again_has_no_link_from_before(claim: Claim) -> None:
    path = path_of(make(claim, index=0))
    disable_user(user=claim.user)
    enable_user(user=claim.user)
    assert refused(path)


def test_ending_one_other_session_leaves_the_links(claim: Claim) -> None:
    path = path_of(make(claim, index=0))
    other = open_session(user=claim.user)
    assert client_of(claim.user).delete(f"/api/v1/me/sessions/{other.pk}/").status_code == 204
    assert not refused_quietly(path)


def refused_quietly(path: str) -> bool:
    return bool(follow(path).status_code == 404)


def test_a_link_that_was_changed_does_not_work(claim: Claim) -> None:
    path = path_of(make(claim, index=0))
    token = path.split("/")[4]
    for changed in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[1:],
        "x",
        token.replace(":", "::", 1),
        "é",
    ):
        assert refused(f"/api/v1/links/{changed}/a.mkv")


def test_a_link_is_no_session(claim: Claim) -> None:
    token = path_of(make(claim, index=0)).split("/")[4]
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert api.get("/api/v1/me/").status_code == 401


def test_others_and_the_unfinished_get_no_link(claim: Claim, alice: User, bob: User) -> None:
    assert client_of(bob).post(f"/api/v1/torrents/{claim.pk}/links/", {"index": 0}).status_code == 404
    assert make(claim, index=7).status_code == 404
    assert make(claim, index=-1).status_code == 400
    assert make(add(alice)).status_code == 409


def test_a_file_that_is_gone_is_a_sentence(claim: Claim) -> None:
    path = path_of(make(claim, index=0))
    (claim.torrent.data_dir / "show/a.mkv").unlink()
    response = follow(path)
    assert (response.status_code, response.sent) == (410, b"It is not on the box's disk any more.\n")


def test_no_log_shows_a_token() -> None:
    record = logging.LogRecord(
        "x", logging.ERROR, "", 0, "Broken: %s", ("/api/v1/links/SECRET:x/a.mkv",), None
    )
    assert HideLinkTokens().filter(record)
    assert record.getMessage() == "Broken: /api/v1/links/REDACTED/a.mkv"
