"""Logging in, staying logged in and logging out, on the level of services."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connections
from django.utils import timezone
from pytest_django import Settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts import services
from accounts.models import User
from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.hashing import QuickArgon2PasswordHasher


class CountingHasher(QuickArgon2PasswordHasher):
    hashes = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashes += 1
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        CountingHasher.hashes += 1
        return super().verify(password, encoded)


def login() -> services.Session:
    return services.start_session(username="alice", password=PASSWORD)


def test_logging_in_gives_tokens_and_notes_the_time(alice: User) -> None:
    session = login()
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
    with pytest.raises(services.WrongCredentials) as refusal:
        services.start_session(username=username, password=password)
    assert CountingHasher.hashes == before + 1
    assert str(refusal.value) == str(services.WrongCredentials())


@pytest.mark.parametrize("change", [services.disable_user, services.set_password])
def test_who_is_changed_while_the_hash_is_computed_does_not_get_in(
    alice: User, monkeypatch: pytest.MonkeyPatch, change: Callable[..., object]
) -> None:
    def slowly(**credentials: Any) -> Any:
        found = authenticate(**credentials)
        change(user=User.objects.get(pk=alice.pk))
        return found

    monkeypatch.setattr(services, "authenticate", slowly)
    with pytest.raises(services.WrongCredentials):
        login()


def test_a_refresh_token_works_once(alice: User) -> None:
    first = login()
    second = services.refresh_session(refresh=first.refresh)
    assert second.refresh != first.refresh
    with pytest.raises(services.SessionEnded):
        services.refresh_session(refresh=first.refresh)
    assert services.refresh_session(refresh=second.refresh).user == alice


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_simultaneous_refreshes_of_one_token_exactly_one_succeeds() -> None:
    UserFactory.create(username="alice")
    token = login().refresh
    start = Barrier(16)

    def refresh(_: int) -> str:
        start.wait(timeout=30)
        try:
            return services.refresh_session(refresh=token).refresh
        except services.SessionEnded:
            return "ended"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(refresh, range(16)))
    assert outcomes.count("ended") == 15
    (successor,) = set(outcomes) - {"ended"}
    assert services.refresh_session(refresh=successor)


@pytest.mark.django_db(transaction=True)
def test_disabling_a_person_who_refreshes_at_that_moment_leaves_no_living_session() -> None:
    user = UserFactory.create(username="alice")
    tokens = [login().refresh for _ in range(7)]
    start = Barrier(8)

    def refresh(token: str) -> str | None:
        start.wait(timeout=30)
        try:
            return services.refresh_session(refresh=token).refresh
        except services.AccountDisabled:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(7) as pool:
        successors = pool.map(refresh, tokens)
        start.wait(timeout=30)
        services.disable_user(user=user)
    services.enable_user(user=user)
    for token in [*tokens, *filter(None, successors)]:
        with pytest.raises(services.SessionEnded):
            services.refresh_session(refresh=token)


def expired(user: User) -> str:
    token = RefreshToken.for_user(user)
    token.set_exp(lifetime=timedelta(seconds=-1))
    return str(token)


def unknown(user: User) -> str:
    """Signed with our key, never handed out: somebody restored an old database."""
    token = RefreshToken()
    token["sub"] = str(user.pk)
    token["pw"] = RefreshToken.for_user(user)["pw"]
    return str(token)


def of_somebody_else_under_this_name(user: User) -> str:
    token = RefreshToken.for_user(UserFactory.create())
    token["sub"] = str(user.pk)
    token["pw"] = RefreshToken.for_user(user)["pw"]
    return str(token)


def of_a_deleted_user(user: User) -> str:
    token = str(RefreshToken.for_user(user))
    user.delete()
    return token


def of_a_disabled_user(user: User) -> str:
    token = str(RefreshToken.for_user(user))
    services.disable_user(user=user)
    return token


def after_a_new_password(user: User) -> str:
    token = str(RefreshToken.for_user(user))
    services.set_password(user=user)
    return token


def forged(user: User) -> str:
    head, body, _ = str(RefreshToken.for_user(user)).split(".")
    return f"{head}.{body}.{'A' * 43}"


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (expired, services.SessionExpired),
        (lambda user: "garbage", services.TokenNotValid),
        (lambda user: "", services.TokenNotValid),
        (forged, services.TokenNotValid),
        (lambda user: str(AccessToken.for_user(user)), services.TokenNotValid),
        (unknown, services.TokenNotValid),
        (of_somebody_else_under_this_name, services.TokenNotValid),
        (of_a_deleted_user, services.TokenNotValid),
        (of_a_disabled_user, services.AccountDisabled),
        (after_a_new_password, services.PasswordChanged),
    ],
)
def test_a_refresh_token_is_refused_for_its_own_reason(
    alice: User, make: Any, error: type[services.SessionRefused]
) -> None:
    with pytest.raises(services.SessionRefused) as refusal:
        services.refresh_session(refresh=make(alice))
    assert type(refusal.value) is error


def test_enabling_does_not_revive_old_sessions(alice: User) -> None:
    token = login().refresh
    services.disable_user(user=alice)
    services.enable_user(user=alice)
    with pytest.raises(services.SessionEnded):
        services.refresh_session(refresh=token)
    assert login()


def test_disabling_one_person_leaves_anothers_session_alone(alice: User, bob: User) -> None:
    token = login().refresh
    services.disable_user(user=bob)
    assert services.refresh_session(refresh=token).user == alice


def test_logging_out_ends_this_session_and_no_other(alice: User) -> None:
    here, there = login(), login()
    services.end_session(refresh=here.refresh)
    with pytest.raises(services.SessionEnded):
        services.refresh_session(refresh=here.refresh)
    assert services.refresh_session(refresh=there.refresh)


def test_logging_out_of_what_has_ended_already_is_no_error(alice: User) -> None:
    session = login()
    services.end_session(refresh=session.refresh)
    services.end_session(refresh=session.refresh)
    services.end_session(refresh=expired(alice))


def test_logging_out_with_what_never_was_a_session_is_refused(alice: User) -> None:
    with pytest.raises(services.TokenNotValid):
        services.end_session(refresh=str(AccessToken.for_user(alice)))
