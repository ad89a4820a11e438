"""What operators do to people's accounts from the command line, as scripts see it."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import sessions
from accounts.models import AuditEvent, DeviceSession, User
from accounts.tests.factories import PASSWORD, AdminFactory

Action = AuditEvent.Action
GIB = 1024**3


def command(*arguments: str) -> tuple[str, str]:
    """What it writes to standard output and to standard error."""
    output, errors = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=output, stderr=errors, no_color=True)
    return output.getvalue(), errors.getvalue()


def answer(*arguments: str) -> Any:
    return json.loads(command(*arguments, "--json")[0])


def noted(*actions: str) -> int:
    return AuditEvent.objects.filter(action__in=actions).count()


def test_a_disabled_person_is_logged_out_and_can_be_let_in_again(alice: User) -> None:
    sessions.open_session(user=alice)
    assert answer("disable_user", "ALICE") == {"username": "Alice", "active": False, "changed": True}
    alice.refresh_from_db()
    assert not alice.is_active
    assert not DeviceSession.objects.alive().exists()

    assert answer("disable_user", "alice", "--enable") == {
        "username": "Alice",
        "active": True,
        "changed": True,
    }
    alice.refresh_from_db()
    assert alice.is_active


@pytest.mark.parametrize("option", [(), ("--enable",)])
def test_disabling_or_enabling_twice_changes_and_notes_nothing(alice: User, option: tuple[str, ...]) -> None:
    command("disable_user", "alice")
    command("disable_user", "alice", *option)
    before = noted(Action.USER_DISABLED, Action.USER_ENABLED)

    assert "already. Nothing was changed." in command("disable_user", "alice", *option)[1]
    assert answer("disable_user", "alice", *option)["changed"] is False
    assert noted(Action.USER_DISABLED, Action.USER_ENABLED) == before


def test_a_made_password_stands_in_the_json_object_and_nowhere_else(alice: User) -> None:
    output, errors = command("reset_password", "alice", "--generate", "--json")
    facts = json.loads(output)
    alice.refresh_from_db()
    assert facts["username"] == "Alice"
    assert alice.check_password(facts["password"])
    assert facts["password"] not in errors
    assert noted(Action.PASSWORD_RESET) == 1


@pytest.mark.django_db
def test_somebody_is_created_once_however_often_a_script_asks() -> None:
    made = answer("create_user", "alice", "--role", "admin", "--generate", "--if-missing")
    again = answer("create_user", "Alice", "--generate", "--if-missing")
    assert (made["created"], made["role"]) == (True, "admin")
    assert again == {"username": "alice", "role": "admin", "created": False}
    assert User.objects.get().check_password(made["password"])


def test_limits_are_typed_as_in_the_settings_and_shown_before_and_after(alice: User) -> None:
    output, errors = command(
        *("set_quota", "alice", "--disk", "200 GiB", "--active", "40", "--traffic", "2 TB"),
        *("--download", "5 MiB/s", "--upload", "1 MiB"),
    )
    alice.refresh_from_db()
    limits = (alice.disk_quota, alice.active_torrent_limit, alice.monthly_traffic_limit)
    assert limits == (200 * GIB, 40, 2 * 10**12)
    assert (alice.download_limit, alice.upload_limit) == (5 * 1024**2, 1024**2)
    assert [" ".join(line.split()) for line in output.splitlines()] == [
        "disk space default (50 GiB) -> 200 GiB",
        "downloads at a time default (20) -> 40",
        "traffic a month default (1 TB) -> 2 TB",
        "download speed no limit -> 5 MiB/s",
        "upload speed no limit -> 1 MiB/s",
    ]
    assert errors == "Changed 5 limits of Alice.\n"
    assert noted(Action.USER_CHANGED) == 1


def test_a_limit_that_is_set_already_changes_and_notes_nothing(alice: User) -> None:
    command("set_quota", "alice", "--disk", "200 GiB")
    assert answer("set_quota", "alice", "--disk", "204800 MiB")["changed"] == []
    assert noted(Action.USER_CHANGED) == 1


def test_without_an_option_limits_are_shown_and_kept(alice: User) -> None:
    output, errors = command("set_quota", "alice")
    assert "->" not in output
    assert errors == "Nothing was changed.\n"


def test_one_limit_or_all_go_back_to_the_default(alice: User) -> None:
    command("set_quota", "alice", "--disk", "1 GiB", "--active", "3", "--upload", "1 MB")
    one = answer("set_quota", "alice", "--disk", "default")
    assert (one["changed"], one["before"]["disk_quota"], one["after"]["disk_quota"]) == (
        ["disk_quota"],
        GIB,
        None,
    )
    everything = answer("set_quota", "alice", "--default")
    assert everything["changed"] == ["active_torrent_limit", "upload_limit"]
    assert set(everything["after"].values()) == {None}


@pytest.mark.parametrize(
    "wrong", [("--disk", "much"), ("--disk", "0"), ("--active", "0"), ("--active", "1.5"), ("--upload", "-1")]
)
def test_a_limit_that_is_none_changes_nothing(alice: User, wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=r"Must be|expected one argument"):
        command("set_quota", "alice", "--traffic", "1 TB", *wrong)
    alice.refresh_from_db()
    assert alice.monthly_traffic_limit is None


def test_all_defaults_and_one_limit_at_once_is_wrong_use(alice: User) -> None:
    with pytest.raises(CommandError) as caught:
        command("set_quota", "alice", "--default", "--disk", "1 GiB")
    assert caught.value.returncode == 2


@pytest.mark.django_db
def test_nobody_there_to_ask_for_a_password_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    with pytest.raises(CommandError) as caught:
        command("create_user", "alice")
    assert caught.value.returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["disable_user", "reset_password", "set_quota"])
def test_a_name_that_nobody_has_is_a_sentence_and_exit_code_1(name: str) -> None:
    generate = ("--generate",) if name == "reset_password" else ()
    with pytest.raises(CommandError, match="There is no user 'nobody'") as caught:
        command(name, "nobody", *generate)
    assert caught.value.returncode == 1


def test_everybody_is_listed_with_what_they_may_have(alice: User) -> None:
    AdminFactory.create(username="Carol", disk_quota=3 * GIB // 2)
    command("disable_user", "alice")
    _, first, second = command("users")[0].splitlines()
    assert first.split()[:4] == ["Alice", "user", "disabled", "never"]
    assert second.split()[:4] == ["Carol", "admin", "active", "never"]
    assert "1.5 GiB" in second

    (admin,) = answer("users", "--role", "admin")["users"]
    assert (admin["username"], admin["disk_quota"], admin["upload_limit"]) == ("Carol", 3 * GIB // 2, None)


@pytest.mark.parametrize("name", ["al\udcff", "al\0ice", "", "-x", "a b", "Ä"])
@pytest.mark.parametrize("words", [("reset_password", "--generate"), ("disable_user",), ("set_quota",)])
def test_what_can_be_nobodys_name_is_a_sentence_too(words: tuple[str, ...], name: str, db: None) -> None:
    with pytest.raises(CommandError, match="There is no user"):
        command(*words, "--", name)


@pytest.mark.parametrize("typed", [b"\xff\xfeabc12345678\n", b"abc\0def12345678\n"])
def test_a_password_that_nobody_could_type_is_refused_in_words(
    typed: bytes, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = alice.password
    for errors in ("strict", "surrogateescape"):  # as Python reads in UTF-8, and in the locale of cron
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed), "utf-8", errors))
        with pytest.raises(CommandError, match=r"^The password .* Nothing was done; use another\."):
            command("reset_password", "alice", "--password-stdin")
    alice.refresh_from_db()
    assert alice.password == before


def test_a_password_is_the_same_in_every_locale(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    password = "pässwörtchen-lang"
    typed = io.BytesIO(f"{password}\n".encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(typed, "ascii", "surrogateescape"))
    command("reset_password", "alice", "--password-stdin")
    alice.refresh_from_db()
    assert alice.check_password(password)


def test_disabling_the_last_admin_says_that_nobody_can_administer_the_box(alice: User) -> None:
    first, last = AdminFactory.create(), AdminFactory.create()
    warning = "Nobody can administer the box"
    assert warning not in command("disable_user", first.username)[1]
    assert warning not in command("disable_user", alice.username)[1]
    assert warning in command("disable_user", last.username)[1]


@pytest.mark.parametrize("count", ["9" * 5000, "５", "1_0", "+1"])
def test_a_count_is_told_what_it_may_be(alice: User, count: str) -> None:
    with pytest.raises(CommandError, match="Must be a number from 1 to 10000"):
        command("set_quota", "alice", f"--active={count}")
