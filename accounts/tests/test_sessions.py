"""Logging in, staying logged in and logging out, on the level of services."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone
from pytest_django import Settings

from accounts import login, services, sessions
from accounts.models import AuditEvent, DeviceSession, User
from accounts.tests.conftest import Clock
from accounts.tests.factories import PASSWORD, access_token
from accounts.tests.hashing import QuickArgon2PasswordHasher


class CountingHasher(QuickArgon2PasswordHasher):
    hashes = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashes += 1
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        CountingHasher.hashes += 1
        return super().verify(password, encoded)


def log_in(device_name: str = "") -> sessions.Session:
    return sessions.start_session(username="alice", password=PASSWORD, device_name=device_name)


def refresh(token: str) -> sessions.Session:
    return sessions.refresh_session(refresh=token)


def test_logging_in_gives_tokens_and_notes_the_time(alice: User) -> None:
    session = log_in()
    alice.refresh_from_db()
    assert session.user == alice
    assert alice.last_login is not None
    assert timedelta(minutes=9) < session.access_expires_at - timezone.now() <= timedelta(minutes=10)


@pytest.mark.parametrize(
    ("username", "password", "is_active"),
    [
        ("nobody", PASSWORD, True),
        ("alice", "wrong", True),
        ("alice", PASSWORD, False),
        ("alice", "wrong", False),
    ],
    ids=["unknown name", "wrong password", "disabled", "disabled and wrong"],
)
def test_every_failed_login_looks_the_same_and_costs_one_hash(
    settings: Settings, alice: User, username: str, password: str, is_active: bool
) -> None:
    User.objects.update(is_active=is_active)
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    before = CountingHasher.hashes
    with pytest.raises(sessions.WrongCredentials) as refusal:
        sessions.start_session(username=username, password=password)
    assert CountingHasher.hashes == before + 1
    assert str(refusal.value) == str(sessions.WrongCredentials())


@pytest.mark.parametrize("change", [services.disable_user, services.set_password])
def test_who_is_changed_while_the_hash_is_computed_does_not_get_in(
    alice: User, monkeypatch: pytest.MonkeyPatch, change: Callable[..., object]
) -> None:
    def slowly(**credentials: Any) -> Any:
        found = authenticate(**credentials)
        change(user=User.objects.get(pk=alice.pk))
        return found

    monkeypatch.setattr(login, "authenticate", slowly)
    with pytest.raises(sessions.WrongCredentials):
        log_in()


def test_within_the_grace_an_old_token_gets_the_same_successor_again(alice: User, clock: Clock) -> None:
    first = log_in()
    second = refresh(first.refresh)
    assert second.refresh != first.refresh
    clock.go_on(seconds=30)
    assert refresh(first.refresh).refresh == second.refresh
    assert refresh(second.refresh).user == alice


def test_each_token_has_a_grace_of_its_own(alice: User, clock: Clock) -> None:
    first = log_in().refresh
    second = refresh(first).refresh
    clock.go_on(seconds=20)
    third = refresh(second).refresh
    assert refresh(first).refresh == second
    clock.go_on(seconds=20)
    assert refresh(second).refresh == third
    with pytest.raises(sessions.SessionEnded):
        refresh(first)


def test_reuse_after_the_grace_ends_the_session_and_is_noted(alice: User, clock: Clock) -> None:
    first = log_in("laptop")
    second = refresh(first.refresh)
    clock.go_on(seconds=31)
    with pytest.raises(sessions.SessionEnded):
        refresh(first.refresh)
    with pytest.raises(sessions.SessionEnded):
        refresh(second.refresh)
    event = AuditEvent.objects.get(action=AuditEvent.Action.TOKEN_REUSED)
    assert (event.user, event.detail) == (alice, "laptop.")


def test_reuse_ends_its_own_session_only(alice: User, clock: Clock) -> None:
    stolen, other = log_in().refresh, log_in().refresh
    refresh(stolen)
    clock.go_on(minutes=1)
    with pytest.raises(sessions.SessionEnded):
        refresh(stolen)
    assert refresh(other)


def test_the_grace_reaches_as_many_rotations_back_as_are_remembered(alice: User, clock: Clock) -> None:
    tokens = [log_in().refresh]
    for _ in range(sessions.MOST_ROTATIONS + 1):
        tokens.append(refresh(tokens[-1]).refresh)
    assert refresh(tokens[1]).refresh == tokens[2]
    assert len(DeviceSession.objects.get().rotations) == sessions.MOST_ROTATIONS


def test_a_session_lives_as_long_as_it_is_used(alice: User, clock: Clock) -> None:
    token = log_in().refresh
    for _ in range(3):
        clock.go_on(days=29)
        token = refresh(token).refresh
    clock.go_on(days=30)
    with pytest.raises(sessions.SessionExpired):
        refresh(token)


def test_nothing_that_opens_anything_is_stored(alice: User) -> None:
    session = log_in()
    stored = str(list(DeviceSession.objects.values())) + str(list(AuditEvent.objects.values()))
    assert session.refresh.rpartition(".")[2] not in stored
    assert session.access not in stored
    assert PASSWORD not in stored


def test_a_refresh_notes_when_and_where(alice: User, clock: Clock) -> None:
    token = sessions.start_session(username="alice", password=PASSWORD, address="192.0.2.1").refresh
    clock.go_on(hours=1)
    sessions.refresh_session(refresh=token, address="2001:db8::1")
    row = DeviceSession.objects.get()
    assert (row.last_used_at, row.last_address) == (clock.now, "2001:db8::1")


def unknown(user: User) -> str:
    """Signed with our key, never handed out: somebody restored an old database."""
    return sessions.refresh_token(uuid4(), 0)


def yet_to_come(user: User) -> str:
    return sessions.refresh_token(sessions.open_session(user=user).pk, 1)


def fresh(user: User) -> str:
    return sessions.refresh_token(sessions.open_session(user=user).pk, 0)


def of_a_deleted_user(user: User) -> str:
    token = fresh(user)
    user.delete()
    return token


def of_a_disabled_user(user: User) -> str:
    token = fresh(user)
    services.disable_user(user=user)
    return token


def after_a_new_password(user: User) -> str:
    token = fresh(user)
    services.set_password(user=user)
    return token


def after_djangos_own_changepassword(user: User) -> str:
    token = fresh(user)
    user.set_password("another sentence")
    user.save()
    return token


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda user: "garbage", sessions.TokenNotValid),
        (lambda user: "", sessions.TokenNotValid),
        (lambda user: fresh(user)[:-1] + "x", sessions.TokenNotValid),
        (lambda user: fresh(user)[:-64] + "0" * 64, sessions.TokenNotValid),
        (lambda user: fresh(user) + "\n", sessions.TokenNotValid),
        (access_token, sessions.TokenNotValid),
        (unknown, sessions.TokenNotValid),
        (yet_to_come, sessions.TokenNotValid),
        (of_a_deleted_user, sessions.TokenNotValid),
        (of_a_disabled_user, sessions.AccountDisabled),
        (after_a_new_password, sessions.PasswordChanged),
        (after_djangos_own_changepassword, sessions.PasswordChanged),
    ],
)
def test_a_refresh_token_is_refused_for_its_own_reason(
    alice: User, make: Any, error: type[sessions.SessionRefused]
) -> None:
    with pytest.raises(sessions.SessionRefused) as refusal:
        refresh(make(alice))
    assert type(refusal.value) is error


def test_another_generations_signature_does_not_fit(alice: User) -> None:
    session_id, _, signature = log_in().refresh.split(".")
    with pytest.raises(sessions.TokenNotValid):
        refresh(f"{session_id}.1.{signature}")


def test_enabling_does_not_revive_old_sessions(alice: User) -> None:
    token = log_in().refresh
    services.disable_user(user=alice)
    services.enable_user(user=alice)
    with pytest.raises(sessions.SessionEnded):
        refresh(token)
    assert log_in()


def test_disabling_one_person_leaves_anothers_session_alone(alice: User, bob: User) -> None:
    token = log_in().refresh
    services.disable_user(user=bob)
    assert refresh(token).user == alice


def test_logging_out_ends_this_session_and_no_other(alice: User) -> None:
    here, there = log_in(), log_in()
    sessions.end_session(refresh=here.refresh)
    with pytest.raises(sessions.SessionEnded):
        refresh(here.refresh)
    assert refresh(there.refresh)


def test_logging_out_of_what_has_ended_already_is_no_error(alice: User, clock: Clock) -> None:
    session, expired = log_in(), log_in()
    sessions.end_session(refresh=session.refresh)
    sessions.end_session(refresh=session.refresh)
    clock.go_on(days=31)
    sessions.end_session(refresh=expired.refresh)


def test_logging_out_with_what_never_was_a_session_is_refused(alice: User) -> None:
    with pytest.raises(sessions.TokenNotValid):
        sessions.end_session(refresh=access_token(alice))


def test_one_login_too_many_ends_the_session_unused_for_longest(alice: User, clock: Clock) -> None:
    made = []
    for _ in range(sessions.MOST_SESSIONS):
        made.append(sessions.open_session(user=alice))
        clock.go_on(seconds=1)
    log_in()
    assert DeviceSession.objects.alive().count() == sessions.MOST_SESSIONS
    assert not DeviceSession.objects.alive().filter(pk=made[0].pk).exists()


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("My laptop", "My laptop"),
        ("", "Unknown device"),
        ("\x1b[31mred\r\n", "[31mred"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_devices_name_is_plain_text(alice: User, told: str, shown: str) -> None:
    log_in(told)
    assert DeviceSession.objects.get().name == shown


def test_what_cannot_be_renewed_any_more_is_deleted_after_a_day(alice: User, clock: Clock) -> None:
    sessions.end_session(refresh=log_in().refresh)
    log_in()
    clock.go_on(hours=23)
    assert sessions.prune() == 0
    clock.go_on(hours=2)
    assert sessions.prune() == 1
    clock.go_on(days=31)
    assert sessions.prune() == 1
