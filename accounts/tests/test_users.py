"""Creating, disabling and giving passwords."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from pytest_django import Settings

from accounts import services
from accounts.models import Role, User
from accounts.tests.factories import PASSWORD
from proxy_site import settings as configured


@pytest.mark.django_db
def test_a_chosen_password_is_kept_and_not_handed_back() -> None:
    user, generated = services.create_user(username="alice", role=Role.USER, password="a long sentence")
    assert generated is None
    assert User.objects.get(username="alice").check_password("a long sentence")
    assert user.role == "user"


@pytest.mark.django_db
def test_without_a_password_a_readable_strong_one_is_made() -> None:
    user, generated = services.create_user(username="alice", role=Role.ADMIN, password=None)
    assert generated is not None
    assert re.fullmatch(r"([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}", generated)
    assert user.check_password(generated)


def test_made_passwords_differ() -> None:
    assert len({services.generate_password() for _ in range(100)}) == 100


@pytest.mark.django_db
def test_passwords_are_stored_as_argon2id_of_full_strength(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = configured.PASSWORD_HASHERS
    user, _ = services.create_user(username="alice", role=Role.USER, password=PASSWORD)
    assert user.password.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("username", "role", "password", "field", "words"),
    [
        ("ALICE", "user", PASSWORD, "__all__", "already a user"),
        ("Alice", "user", PASSWORD, "username", "already a user"),
        ("two words", "user", PASSWORD, "username", "letters"),
        ("", "user", PASSWORD, "username", "blank"),
        ("x" * 65, "user", PASSWORD, "username", "64"),
        ("bob", "owner", PASSWORD, "role", "not a valid choice"),
        ("bob", "user", "short", "password", "too short"),
        ("bob", "user", "", "password", "too short"),
        ("barnabasson", "user", "barnabasson1", "password", "too similar"),
        ("bob", "user", "password123", "password", "too common"),
    ],
)
def test_a_refused_user_is_not_stored_and_the_reason_is_a_sentence(
    alice: User, username: str, role: str, password: str, field: str, words: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        services.create_user(username=username, role=role, password=password)
    assert words in " ".join(refusal.value.message_dict[field])
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_one_name_at_once_one_gets_it_and_the_rest_a_sentence() -> None:
    names = ["alice", "Alice", "ALICE", "aLICE"] * 2
    start = Barrier(len(names))

    def create(name: str) -> str:
        start.wait(timeout=30)
        try:
            services.create_user(username=name, role=Role.USER, password=PASSWORD)
        except ValidationError as error:
            return " ".join(error.messages)
        finally:
            connections.close_all()
        return "created"

    with ThreadPoolExecutor(len(names)) as pool:
        outcomes = list(pool.map(create, names))
    assert sorted(outcomes) == ["There is already a user of this name."] * 7 + ["created"]


def test_a_new_password_replaces_the_old(alice: User) -> None:
    assert services.set_password(user=alice, password="another sentence") is None
    alice.refresh_from_db()
    assert alice.check_password("another sentence")


def test_a_made_password_is_handed_back_once(alice: User) -> None:
    made = services.set_password(user=alice, password=None)
    alice.refresh_from_db()
    assert made is not None
    assert alice.check_password(made)


def test_a_weak_new_password_is_refused_and_the_old_stays(alice: User) -> None:
    with pytest.raises(ValidationError, match="too short"):
        services.set_password(user=alice, password="short")
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_disabling_and_enabling_twice_is_no_error(alice: User) -> None:
    services.disable_user(user=alice)
    services.disable_user(user=alice)
    alice.refresh_from_db()
    assert not alice.is_active
    services.enable_user(user=alice)
    services.enable_user(user=alice)
    alice.refresh_from_db()
    assert alice.is_active
