"""The command that gives a person a new password: an admin who is locked out has no other way."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from accounts import sessions
from accounts.models import AuditEvent, DeviceSession, User
from accounts.tests.factories import PASSWORD


def changepassword(*arguments: str) -> str:
    """What it writes to standard output."""
    output = io.StringIO()
    call_command("changepassword", *arguments, stdout=output, stderr=io.StringIO())
    return output.getvalue()


def test_it_makes_a_password_and_prints_it_alone(alice: User) -> None:
    password = changepassword("alice", "--generate").removesuffix("\n")
    alice.refresh_from_db()
    assert alice.check_password(password)


def test_it_takes_the_password_from_standard_input(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("another long sentence\n"))
    changepassword("alice", "--password-stdin")
    alice.refresh_from_db()
    assert alice.check_password("another long sentence")


def test_it_ends_every_session_and_is_noted(alice: User) -> None:
    sessions.open_session(user=alice)
    changepassword("alice", "--generate")
    assert not DeviceSession.objects.alive().exists()
    events = AuditEvent.objects.filter(action=AuditEvent.Action.PASSWORD_RESET)
    assert [(event.user, event.actor) for event in events] == [(alice, None)]


def test_a_weak_password_changes_nothing(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match=r"The password was not changed\. This password is too short"):
        changepassword("alice", "--password-stdin")
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.django_db
def test_a_name_that_nobody_has_is_a_sentence() -> None:
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        changepassword("nobody", "--generate")
