"""The commands, as an operator or a timer calls them."""

import io
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from proxy_site.backups.box import Box
from proxy_site.tests import processes
from proxy_site.tests.backups.conftest import groups

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(box: Box, tmp_path: Path, key: str) -> dict[str, str]:
    return {
        "DATABASE_URL": box.database.url(),
        "DATA_DIR": str(tmp_path / "data"),
        "BACKUP_DIR": str(box.directory),
        "BACKUP_KEY": key,
        "BACKUP_CONFIGURATION": str(tmp_path / "etc"),
    }


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return processes.run(processes.manage(*arguments), **environment)


def told(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one line of JSON."""
    (line,) = result.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_backup_is_made_listed_verified_and_restored(box: Box, environment: dict[str, str]) -> None:
    made = told(run(environment, "backup", "--json"))
    assert made["ok"]
    assert made["stored"] == ["directory"]
    verified = told(run(environment, "verify_backup", "--json"))
    assert (verified["ok"], verified["name"]) == (True, made["name"])
    listed = run(environment, "backups")
    assert made["name"] in listed.stdout
    assert "never" not in listed.stdout
    restored = run(environment, "restore", "newest", "--yes", "--json")
    assert (restored.returncode, told(restored)["ok"]) == (0, True)
    assert f"restore --drop {told(restored)['kept']}" in restored.stderr
    assert groups(box.database) == ["one", "three", "two"]


def test_what_fails_has_exit_code_1_a_sentence_and_an_object(environment: dict[str, str]) -> None:
    result = run({**environment, "BACKUP_KEY": ""}, "backup", "--json")
    assert result.returncode == 1
    assert "BACKUP_KEY is not set" in told(result)["error"]
    assert "BACKUP_KEY is not set" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_backup_that_is_told_to_stop_leaves_nothing_unencrypted(
    box: Box, environment: dict[str, str]
) -> None:
    with box.database.connected() as other, other.transaction():
        other.execute("LOCK TABLE auth_group")  # so it waits where its rows are counted
        backup = processes.start(processes.manage("backup"), **environment)  # type: ignore[arg-type]
        try:
            processes.wait_until(lambda: list(box.directory.glob("work-*")), "it works", seconds=60)
            backup.send_signal(signal.SIGTERM)
            backup.communicate(timeout=60)
        finally:
            backup.kill()
            backup.communicate()
    assert backup.returncode == 128 + signal.SIGTERM
    assert list(box.directory.glob("work-*")) == []


@pytest.mark.parametrize(
    "arguments", [[], ["newest"], ["newest", "--drop", "x", "--yes"]], ids=["nothing", "unasked", "both"]
)
def test_wrong_use_has_exit_code_2(box: Box, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError) as refusal:
        call_command("restore", *arguments)
    assert refusal.value.returncode == 2


@pytest.mark.parametrize("option", [["--drop", ""], [""]])
def test_an_empty_name_is_told_as_one_that_is_not_there(box: Box, option: list[str]) -> None:
    with pytest.raises(CommandError, match=r"was put aside|no file"):
        call_command("restore", *option)


def test_who_ends_the_question_gets_nothing_restored(
    box: Box, made_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(CommandError, match="Nothing was restored"):
        call_command("restore", str(made_once))


def test_an_archive_says_what_is_in_it(made_once: Path, box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("backups", str(made_once), "--json")
    assert json.loads(capsys.readouterr().out)["contents"]["tables"]["public.auth_group"] == 3


def test_who_is_asked_and_declines_gets_nothing_restored(
    box: Box, made_once: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    with pytest.raises(CommandError, match="Nothing was restored"):
        call_command("restore", str(made_once))
    assert f"the database {box.database.name}" in capsys.readouterr().err
