"""`session/` and `me/` as a client meets them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts import services, sessions
from accounts.api import authentication
from accounts.models import Role, User
from accounts.tests.conftest import Clock
from accounts.tests.factories import PASSWORD, access_token

LOGIN, REFRESH, LOGOUT, ME = (
    f"/api/v1/{path}" for path in ("session/", "session/refresh/", "session/logout/", "me/")
)


def the_error(response: Any) -> dict[str, Any]:
    body = response.json()
    assert body["type"] == ("validation_error" if response.status_code == 400 else "client_error")
    (error,) = body["errors"]
    assert isinstance(error, dict)
    return error


def bearer(token: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def log_in(api: APIClient, **changed: str) -> Any:
    return api.post(LOGIN, {"username": "alice", "password": PASSWORD, **changed})


def test_logging_in_answers_with_tokens_and_the_person(api: APIClient, alice: User) -> None:
    alice.disk_quota = 5 * 1024**3
    alice.save()
    response = log_in(api)
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access", "refresh", "access_expires_at", "user"}
    assert body["user"] == {
        "id": alice.pk,
        "username": "Alice",
        "role": "user",
        "disk_quota": 5 * 1024**3,
        "active_torrent_limit": None,
        "monthly_traffic_limit": None,
    }
    assert datetime.fromisoformat(body["access_expires_at"]) > timezone.now() + timedelta(minutes=9)


def test_the_access_token_opens_me(api: APIClient, alice: User) -> None:
    session = log_in(api).json()
    response = api.get(ME, headers=bearer(session["access"]))
    assert response.status_code == 200
    assert response.json() == session["user"]


def test_refreshing_answers_with_a_new_pair_that_works(api: APIClient, alice: User) -> None:
    first = log_in(api).json()
    response = api.post(REFRESH, {"refresh": first["refresh"]})
    assert response.status_code == 200
    second = response.json()
    assert set(second) == {"access", "refresh", "access_expires_at"}
    assert api.get(ME, headers=bearer(second["access"])).status_code == 200
    assert api.post(REFRESH, {"refresh": second["refresh"]}).status_code == 200


def test_a_token_used_again_too_late_is_refused_with_a_sentence(
    api: APIClient, alice: User, clock: Clock
) -> None:
    first = log_in(api).json()
    api.post(REFRESH, {"refresh": first["refresh"]})
    clock.go_on(seconds=31)
    response = api.post(REFRESH, {"refresh": first["refresh"]})
    assert response.status_code == 401
    assert the_error(response) == {
        "code": "token_not_valid",
        "detail": "This session has ended or was renewed elsewhere. Log in again.",
        "attr": None,
    }


def test_logging_out_ends_the_session(api: APIClient, alice: User) -> None:
    session = log_in(api).json()
    response = api.post(LOGOUT, {"refresh": session["refresh"]})
    assert response.status_code == 204
    assert not response.content
    assert api.post(REFRESH, {"refresh": session["refresh"]}).status_code == 401
    assert api.get(ME, headers=bearer(session["access"])).status_code == 401, (
        "its access token is dead at once"
    )


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("changed", [{"username": "nobody"}, {"password": "wrong"}, {}])
def test_all_failed_logins_are_one_answer(
    api: APIClient, alice: User, changed: dict[str, str], is_active: bool
) -> None:
    if is_active and not changed:
        changed = {"password": PASSWORD.upper()}
    User.objects.update(is_active=is_active)
    response = log_in(api, **changed)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert the_error(response) == {
        "code": "no_active_account",
        "detail": "The username or the password is wrong. Try again, or ask your admin for a new password.",
        "attr": None,
    }


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        (LOGIN, {}, {"username", "password"}),
        (LOGIN, {"username": "a\0b", "password": "x"}, {"username"}),
        (LOGIN, {"username": "x" * 65, "password": "x"}, {"username"}),
        (LOGIN, {"username": "alice", "password": "x" * 1025}, {"password"}),
        (REFRESH, {}, {"refresh"}),
        (REFRESH, {"refresh": ["a"]}, {"refresh"}),
        (LOGOUT, {"refresh": ""}, {"refresh"}),
    ],
)
def test_what_is_missing_or_malformed_is_named(
    api: APIClient, alice: User, path: str, body: dict[str, Any], fields: set[str]
) -> None:
    response = api.post(path, body)
    assert response.status_code == 400
    assert {error["attr"] for error in response.json()["errors"]} == fields


def expired_access(user: User) -> str:
    token = sessions.access_token(sessions.open_session(user=user))
    token.set_exp(lifetime=timedelta(seconds=-1))
    return str(token)


def of_a_disabled_user(user: User) -> str:
    token = access_token(user)
    services.disable_user(user=user)
    return token


def after_a_new_password(user: User) -> str:
    token = access_token(user)
    services.set_password(user=user)
    return token


def of_a_deleted_user(user: User) -> str:
    token = access_token(user)
    user.delete()
    return token


def of_another_persons_session(user: User) -> str:
    token = sessions.access_token(sessions.open_session(user=user))
    token["sub"] = str(user.pk + 1)
    return str(token)


def of_an_ended_session(user: User) -> str:
    session = sessions.open_session(user=user)
    sessions.end_session(refresh=sessions.refresh_token(session.pk, 0))
    return str(sessions.access_token(session))


def of_nobody(user: User) -> str:
    return str(AccessToken())


@pytest.mark.parametrize(
    ("make", "code", "sentence"),
    [
        (expired_access, "token_not_valid", "Your session has expired. Log in again."),
        (lambda user: "garbage", "token_not_valid", "Your session is not valid. Log in again."),
        (
            lambda user: sessions.refresh_token(sessions.open_session(user=user).pk, 0),
            "token_not_valid",
            "Your session is not valid. Log in again.",
        ),
        (of_nobody, "token_not_valid", "Your session is not valid. Log in again."),
        (
            lambda user: str(AccessToken.for_user(user)),
            "token_not_valid",
            "Your session is not valid. Log in again.",
        ),
        (of_another_persons_session, "token_not_valid", "Your session is not valid. Log in again."),
        (
            of_an_ended_session,
            "token_not_valid",
            "This session has ended or was renewed elsewhere. Log in again.",
        ),
        (of_a_deleted_user, "token_not_valid", "Your session is not valid. Log in again."),
        (of_a_disabled_user, "user_inactive", "Your account is disabled. Ask your admin."),
        (after_a_new_password, "password_changed", "Your password was changed. Log in with the new one."),
    ],
)
def test_an_unusable_access_token_is_refused_in_plain_words(
    api: APIClient, alice: User, make: Any, code: str, sentence: str
) -> None:
    response = api.get(ME, headers=bearer(make(alice)))
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert the_error(response) == {"code": code, "detail": sentence, "attr": None}


def test_without_a_token_me_is_closed(api: APIClient, db: None) -> None:
    response = api.get(ME)
    assert response.status_code == 401
    assert the_error(response)["code"] == "not_authenticated"


def test_each_token_shows_its_own_person(api: APIClient, alice: User, bob: User, admin_user: User) -> None:
    shown = [api.get(ME, headers=bearer(access_token(user))).json() for user in (alice, bob, admin_user)]
    assert [(me["username"], me["role"]) for me in shown] == [
        ("Alice", Role.USER),
        ("bob", Role.USER),
        ("charlie", Role.ADMIN),
    ]


def test_me_cannot_be_changed(api: APIClient, alice: User) -> None:
    headers = bearer(access_token(alice))
    assert api.patch(ME, {"role": "admin"}, headers=headers).status_code == 405


def test_a_stale_token_does_not_keep_anybody_from_logging_in(api: APIClient, alice: User) -> None:
    headers = bearer(expired_access(alice))
    assert api.post(LOGIN, {"username": "alice", "password": PASSWORD}, headers=headers).status_code == 200


def test_a_token_that_was_good_a_moment_ago_is_refused_once_it_has_expired(
    api: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(access_token(alice))
    assert api.get(ME, headers=headers).status_code == 200
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr(authentication, "aware_utcnow", lambda: later)
    response = api.get(ME, headers=headers)
    assert response.status_code == 401
    assert the_error(response)["detail"] == "Your session has expired. Log in again."


def test_who_an_access_token_is_costs_one_query(
    api: APIClient, alice: User, django_assert_num_queries: Any
) -> None:
    headers = bearer(access_token(alice))
    with django_assert_num_queries(1):
        assert api.get(ME, headers=headers).status_code == 200
