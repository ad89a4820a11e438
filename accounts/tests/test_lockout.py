"""Who fails too often waits: at the API, in the admin pages and for SFTP alike."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, BoundedSemaphore
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import lockout, login, transfer_credentials
from accounts.audit import By, Channel
from accounts.models import AuditEvent, FailedLogins, User
from accounts.tests.conftest import Clock
from accounts.tests.factories import PASSWORD

LOGIN, ADMIN_LOGIN = "/api/v1/session/", "/admin/login/"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def log_in(password: str = PASSWORD, address: str = HERE, username: str = "alice", **headers: str) -> Any:
    body = {"username": username, "password": password}
    return APIClient(REMOTE_ADDR=address).post(LOGIN, body, headers=headers)


def fail(times: int = 5, username: str = "alice", address: str = HERE) -> None:
    for _ in range(times):
        lockout.note_failure(username=username, address=address, channel=Channel.APP)


def locked(username: str = "alice", address: str = HERE) -> bool:
    return lockout.is_locked_out(username=username, address=address)


def test_after_five_failures_even_the_right_password_has_to_wait(alice: User) -> None:
    assert [log_in("wrong").status_code for _ in range(5)] == [401] * 5
    response = log_in()
    assert response.status_code == 429
    assert 890 < int(response["Retry-After"]) <= 900
    assert response.json()["errors"] == [
        {
            "code": "locked_out",
            "detail": "Too many failed attempts to log in. Try again in 15 minutes.",
            "attr": None,
        }
    ]


def test_the_owner_gets_in_from_elsewhere_meanwhile(alice: User) -> None:
    fail()
    assert log_in(address=ELSEWHERE).status_code == 200


def test_other_people_at_the_same_address_get_in_meanwhile(alice: User, bob: User) -> None:
    fail()
    assert log_in(username="bob").status_code == 200


def test_a_name_that_nobody_has_is_locked_in_the_same_words(alice: User) -> None:
    fail(username="nobody")
    fail()
    unknown, known = log_in(username="nobody"), log_in()
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content)


def test_another_case_of_the_name_buys_no_attempts(alice: User) -> None:
    for name in ("alice", "Alice", "ALICE", "aLICE", "alicE"):
        log_in("wrong", username=name)
    assert log_in().status_code == 429


def test_the_wait_is_over_in_time_and_doubles_with_each_further_failure(db: None, clock: Clock) -> None:
    fail()
    waits = []
    for _ in range(9):
        until = lockout.locked_until(username="alice", address=HERE)
        assert until is not None
        waits.append((until - clock.now) / timedelta(minutes=15))
        clock.now = until
        assert not locked()
        fail(1)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 96, 96]


def test_getting_in_forgets_ones_own_failures(alice: User) -> None:
    fail(4)
    assert log_in().status_code == 200
    fail(4)
    assert not locked()


def test_failures_are_forgotten_after_a_day(db: None, clock: Clock) -> None:
    fail(4)
    clock.go_on(hours=25)
    fail(1)
    assert not locked()


def test_one_password_for_many_names_locks_the_address(db: None) -> None:
    for number in range(30):
        assert not locked("somebody")
        fail(1, username=f"user{number}")
    assert locked("somebody")
    assert not locked("somebody", ELSEWHERE)


def test_getting_in_with_an_account_of_ones_own_does_not_free_the_address(alice: User) -> None:
    for number in range(29):
        fail(1, username=f"user{number}")
    assert log_in().status_code == 200
    fail(1, username="user29")
    assert log_in().status_code == 429


def test_all_addresses_of_one_ipv6_network_are_one(db: None) -> None:
    for number in range(5):
        fail(1, address=f"2001:db8::{number}")
    assert locked(address="2001:db8::ffff")
    assert not locked(address="2001:db8:0:1::1")


def test_an_empty_name_is_counted_for_its_address_only(db: None) -> None:
    fail(29, username="")
    assert not locked()
    fail(1, username="")
    assert locked()


def test_a_made_up_forwarded_address_buys_no_attempts(alice: User) -> None:
    for number in range(5):
        log_in("wrong", **{"X-Forwarded-For": f"203.0.113.{number}"})
    assert log_in(**{"X-Forwarded-For": "203.0.113.9"}).status_code == 429


def test_behind_our_proxy_only_what_it_appended_counts(alice: User, settings: Settings) -> None:
    settings.BEHIND_HTTPS_PROXY = True
    for number in range(5):
        log_in("wrong", "127.0.0.1", **{"X-Forwarded-For": f"203.0.113.{number}, {HERE}"})
    assert log_in(address="127.0.0.1", **{"X-Forwarded-For": HERE}).status_code == 429
    assert log_in(address="127.0.0.1", **{"X-Forwarded-For": f"{HERE}, {ELSEWHERE}"}).status_code == 200


def test_the_admin_pages_share_it_and_say_so(client: Client, admin_user: User) -> None:
    for password in ("wrong", "wrong", "wrong", "wrong"):
        client.post(ADMIN_LOGIN, {"username": "charlie", "password": password}, REMOTE_ADDR=HERE)
    assert log_in("wrong", username="charlie").status_code == 401
    page = client.post(ADMIN_LOGIN, {"username": "charlie", "password": PASSWORD}, REMOTE_ADDR=HERE)
    assert page.status_code == 200
    assert "Try again in 15 minutes." in page.content.decode()
    assert log_in(username="charlie").status_code == 429


def test_sftp_shares_it(alice: User) -> None:
    _, secret = transfer_credentials.make_credential(user=alice, by=By(alice))
    for _ in range(5):
        found = transfer_credentials.credential_of(username="alice", secret="wrong", address=HERE)
        assert found is None
    assert transfer_credentials.credential_of(username="alice", secret=secret, address=HERE) is None
    assert transfer_credentials.credential_of(username="alice", secret=secret, address=ELSEWHERE) is not None
    assert log_in().status_code == 429


def test_it_is_noted_without_what_was_typed(alice: User) -> None:
    fail(username="my-secret-password-in-the-wrong-field")
    fail()
    events = AuditEvent.objects.filter(action=AuditEvent.Action.LOCKED_OUT)
    assert {(event.user, event.address) for event in events} == {(None, HERE), (alice, HERE)}
    assert "my-secret" not in str(list(AuditEvent.objects.values()))


def test_what_no_rule_remembers_is_deleted(db: None, clock: Clock) -> None:
    fail()
    clock.go_on(hours=47)
    assert lockout.prune() == 0
    clock.go_on(hours=2)
    assert lockout.prune() == 2


@pytest.mark.django_db(transaction=True)
def test_simultaneous_failures_are_all_counted() -> None:
    start = Barrier(8)

    def fail_at_once(_: int) -> None:
        start.wait(timeout=30)
        try:
            fail(5)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fail_at_once, range(8)))
    assert set(FailedLogins.objects.values_list("username", "failures")) == {("alice", 40), ("", 40)}


@pytest.mark.django_db(transaction=True)
def test_sixteen_guesses_at_once_are_not_sixteen_guesses(settings: Settings) -> None:
    start = Barrier(16)

    def guess(number: int) -> int:
        start.wait(timeout=30)
        try:
            return int(log_in(f"guess {number}").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(guess, range(16)))
    looked_at = answers.count(401)
    assert 5 <= looked_at < 5 + settings.PASSWORD_HASHES_AT_ONCE
    assert answers.count(429) == 16 - looked_at


def test_while_all_hashes_are_taken_a_login_is_asked_to_come_back(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(login, "_slots", BoundedSemaphore(1))
    with login.one_of_few_hashes():
        response = log_in()
        page = Client().post(ADMIN_LOGIN, {"username": "alice", "password": PASSWORD})
    assert response.status_code == 429
    assert response["Retry-After"] == "5"
    assert response.json()["errors"][0]["code"] == "too_busy"
    assert "Try again in a few seconds." in page.content.decode()
    assert log_in().status_code == 200
    assert not FailedLogins.objects.exists()


def test_no_more_hashes_than_configured_are_computed_at_once(settings: Settings) -> None:
    taken = [login._slots.acquire(blocking=False) for _ in range(settings.PASSWORD_HASHES_AT_ONCE + 1)]
    for got in taken:
        if got:
            login._slots.release()
    assert taken == [True] * settings.PASSWORD_HASHES_AT_ONCE + [False]
