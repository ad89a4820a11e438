"""What people manage of their own account, as a client meets it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncssh
import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import sessions, tasks
from accounts.audit import By
from accounts.models import AuditEvent, DeviceSession, User
from accounts.tests.conftest import Clock
from accounts.tests.factories import PASSWORD, access_token
from accounts.transfer_credentials import credential_of, make_credential

ME = "/api/v1/me/"
NEW = "another long sentence"


def client_of(user: User) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(user)}")
    return api


def logged_in(device_name: str) -> tuple[APIClient, str]:
    """A client that logged in as alice on that device, and its refresh token."""
    api = APIClient(REMOTE_ADDR="192.0.2.1")
    body = {"username": "alice", "password": PASSWORD, "device_name": device_name}
    session = api.post("/api/v1/session/", body).json()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {session['access']}")
    return api, session["refresh"]


def works(api: APIClient) -> bool:
    return bool(api.get(ME).status_code == 200)


def refused(response: Any) -> tuple[int, str, str | None]:
    (error,) = response.json()["errors"]
    return response.status_code, error["code"], error["attr"]


def test_sessions_are_listed_by_name_and_the_current_one_is_marked(alice: User, bob: User) -> None:
    laptop, _ = logged_in("laptop")
    logged_in("phone")
    client_of(bob)
    listed = laptop.get(f"{ME}sessions/").json()
    assert {(row["name"], row["current"], row["last_address"]) for row in listed} == {
        ("laptop", True, "192.0.2.1"),
        ("phone", False, "192.0.2.1"),
    }
    assert set(listed[0]) == {
        "id", "name", "created_at", "last_used_at", "last_address", "expires_at", "current",
    }  # fmt: skip


def test_without_a_name_a_session_is_called_what_the_client_calls_itself(alice: User) -> None:
    body = {"username": "alice", "password": PASSWORD}
    APIClient().post("/api/v1/session/", body, headers={"User-Agent": "torrent-proxy/1.0"})
    assert DeviceSession.objects.get().name == "torrent-proxy/1.0"


def test_one_session_is_ended_at_once(alice: User) -> None:
    laptop, _ = logged_in("laptop")
    phone, refresh = logged_in("phone")
    (there,) = [row["id"] for row in laptop.get(f"{ME}sessions/").json() if not row["current"]]
    assert laptop.delete(f"{ME}sessions/{there}/").status_code == 204
    assert not works(phone)
    with pytest.raises(sessions.SessionEnded):
        sessions.refresh_session(refresh=refresh)
    assert works(laptop)
    assert laptop.delete(f"{ME}sessions/{there}/").status_code == 404


def test_all_other_sessions_are_ended_at_once(alice: User, bob: User) -> None:
    laptop, refresh = logged_in("laptop")
    others = [logged_in("phone")[0], logged_in("tablet")[0]]
    stranger = client_of(bob)
    assert laptop.delete(f"{ME}sessions/").json() == {"ended": 2}
    assert [works(api) for api in (laptop, stranger, *others)] == [True, True, False, False]
    assert sessions.refresh_session(refresh=refresh)


def test_another_persons_session_does_not_exist(alice: User, bob: User) -> None:
    session = sessions.open_session(user=alice)
    theirs = client_of(bob).delete(f"{ME}sessions/{session.pk}/")
    none = client_of(bob).delete(f"{ME}sessions/{uuid4()}/")
    assert (theirs.status_code, theirs.content) == (404, none.content)
    assert DeviceSession.objects.alive().filter(pk=session.pk).exists()


def test_a_new_password_ends_the_other_sessions_and_transfer_passwords(alice: User) -> None:
    laptop, refresh = logged_in("laptop")
    phone, lost = logged_in("phone")
    _, secret = make_credential(user=alice, by=By(alice))
    response = laptop.post(f"{ME}password/", {"old_password": PASSWORD, "new_password": NEW})
    assert (response.status_code, response.json()) == (200, {"ended": 1})
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert (works(laptop), works(phone)) == (True, False)
    assert sessions.refresh_session(refresh=refresh)
    with pytest.raises(sessions.PasswordChanged):
        sessions.refresh_session(refresh=lost)
    assert credential_of(username="alice", secret=secret, address="192.0.2.1") is None


def test_without_the_old_password_there_is_no_new_one_and_guessing_locks_out(alice: User) -> None:
    laptop, _ = logged_in("laptop")
    wrong = {"old_password": "wrong", "new_password": NEW}
    answers = [refused(laptop.post(f"{ME}password/", wrong)) for _ in range(5)]
    assert answers == [(400, "wrong_password", None)] * 5
    right = {"old_password": PASSWORD, "new_password": NEW}
    assert refused(laptop.post(f"{ME}password/", right)) == (429, "locked_out", None)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_weak_new_password_is_refused_beside_its_field(alice: User) -> None:
    laptop, _ = logged_in("laptop")
    response = laptop.post(f"{ME}password/", {"old_password": PASSWORD, "new_password": "short"})
    assert refused(response) == (400, "password_too_short", "new_password")


def test_a_key_is_added_listed_and_removed(alice: User) -> None:
    api = client_of(alice)
    line = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    added = api.post(f"{ME}ssh-keys/", {"public_key": line, "name": "laptop"})
    assert added.status_code == 201
    assert api.get(f"{ME}ssh-keys/").json() == [added.json()]
    assert added.json()["fingerprint"].startswith("SHA256:")
    assert added.json()["last_used_at"] is None
    assert api.delete(f"{ME}ssh-keys/{added.json()['id']}/").status_code == 204
    assert api.get(f"{ME}ssh-keys/").json() == []


def test_another_persons_key_does_not_exist(alice: User, bob: User) -> None:
    line = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    key = client_of(alice).post(f"{ME}ssh-keys/", {"public_key": line}).json()["id"]
    for missing in (key, key + 1, 10**30):
        assert client_of(bob).delete(f"{ME}ssh-keys/{missing}/").status_code == 404
    assert client_of(bob).get(f"{ME}ssh-keys/").json() == []
    assert len(client_of(alice).get(f"{ME}ssh-keys/").json()) == 1


def test_a_transfer_password_is_made_shown_once_listed_and_revoked(alice: User, bob: User) -> None:
    api = client_of(alice)
    made = api.post(f"{ME}transfer-credentials/")
    assert made.status_code == 201
    body = made.json()
    assert set(body) == {"id", "username", "secret", "expires_at", "sftp"}
    assert body["username"] == "Alice"
    assert body["secret"] not in api.get(f"{ME}transfer-credentials/").content.decode()
    assert [row["id"] for row in api.get(f"{ME}transfer-credentials/").json()] == [body["id"]]
    one = f"{ME}transfer-credentials/{body['id']}/"
    assert client_of(bob).delete(one).status_code == 404
    assert api.delete(one).status_code == 204
    assert api.get(f"{ME}transfer-credentials/").json() == []


def test_it_comes_with_the_address_of_sftp_where_there_is_one(alice: User, settings: Settings) -> None:
    settings.SFTP_ADDRESS, settings.SFTP_PUBLIC_HOST = "127.0.0.1:8022", "torrents.example.org:2022"
    made = client_of(alice).post(f"{ME}transfer-credentials/").json()
    assert made["sftp"]["host"] == "torrents.example.org"
    assert made["sftp"]["port"] == 2022
    assert made["sftp"]["host_key_fingerprint"].startswith("SHA256:")


def test_logins_and_ends_of_sessions_are_noted_with_device_and_address(alice: User, clock: Clock) -> None:
    laptop, _ = logged_in("laptop")
    logged_in("phone")
    laptop.delete(f"{ME}sessions/")
    clock.go_on(seconds=1)
    events = [
        (event.action, event.user, event.actor, event.address, event.detail)
        for event in AuditEvent.objects.order_by("pk")
    ]
    assert events == [
        ("logged_in", alice, alice, "192.0.2.1", "On laptop."),
        ("logged_in", alice, alice, "192.0.2.1", "On phone."),
        ("session_ended", alice, alice, "192.0.2.1", "phone."),
    ]


def test_no_secret_gets_into_the_audit_log(alice: User) -> None:
    api, refresh = logged_in("laptop")
    secret = api.post(f"{ME}transfer-credentials/").json()["secret"]
    api.post(f"{ME}password/", {"old_password": PASSWORD, "new_password": NEW})
    sessions.end_session(refresh=refresh)
    log = str(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.count() == 4
    assert not [word for word in (PASSWORD, NEW, secret, refresh.rpartition(".")[2]) if word in log]


def test_the_log_is_kept_for_180_days(alice: User, clock: Clock) -> None:
    logged_in("laptop")
    clock.go_on(days=179)
    tasks.prune()
    assert AuditEvent.objects.exists()
    clock.now += timedelta(days=2)
    tasks.prune()
    assert not AuditEvent.objects.exists()
