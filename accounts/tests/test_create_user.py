import io
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.management import passwords
from accounts.models import Role, User
from accounts.tests.factories import PASSWORD, UserFactory

PROJECT = Path(passwords.__file__).resolve().parents[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.django_db
def test_on_a_terminal_the_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return PASSWORD

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(passwords, "getpass", answer)
    call_command("create_user", "alice", stderr=io.StringIO())
    assert asked == ["Password: ", "Password again: "]
    assert User.objects.get(username="alice", role=Role.USER).check_password(PASSWORD)


@pytest.mark.django_db
def test_two_different_answers_create_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(passwords, "getpass", lambda prompt: PASSWORD + prompt)
    with pytest.raises(CommandError, match="The two passwords differ"):
        call_command("create_user", "alice")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_without_a_terminal_it_says_which_options_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD))
    with pytest.raises(CommandError, match=r"no terminal.*--generate.*--password-stdin"):
        call_command("create_user", "alice")


@pytest.mark.django_db
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\nmore lines\n"])
def test_the_first_line_of_standard_input_is_the_password(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f" {PASSWORD} {ending}"))
    call_command("create_user", "alice", "--role", "admin", "--password-stdin", stderr=io.StringIO())
    assert User.objects.get(username="alice", role=Role.ADMIN).check_password(f" {PASSWORD} ")


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["", "short", "12345678901"])
def test_a_weak_password_is_refused(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    with pytest.raises(CommandError, match=r"No user was created\. This password is"):
        call_command("create_user", "alice", "--password-stdin")
    assert not User.objects.exists()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a script starts it, on the database of this test."""
    database = connection.settings_dict
    url = (
        f"postgresql://{quote(database['USER'])}:{quote(database['PASSWORD'])}@/{quote(database['NAME'])}"
        f"?host={quote(database['HOST'], safe='')}&port={database['PORT'] or 5432}"
    )
    return subprocess.run(
        [sys.executable, "manage.py", "create_user", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.django_db(transaction=True)
def test_a_script_reads_the_made_password_from_standard_output_and_nothing_else() -> None:
    done = run("alice", "--generate")
    assert done.returncode == 0
    assert done.stdout.endswith("\n")
    assert User.objects.get(username="alice").check_password(done.stdout.removesuffix("\n"))
    assert "Created user alice." in done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_taken_name_ends_with_exit_code_1_and_a_sentence() -> None:
    UserFactory.create(username="Alice")
    done = run("alice", "--generate")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: No user was created. There is already a user of this name.\n"
