"""The commands, as an operator or a timer calls them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proxy_site.backups.box import Box
from proxy_site.backups.services import back_up
from proxy_site.tests import processes
from proxy_site.tests.backups.conftest import groups, quiet

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
    dropped = run(environment, "restore", "--drop", told(restored)["kept"])
    assert dropped.returncode == 0


def test_what_fails_has_exit_code_1_a_sentence_and_an_object(environment: dict[str, str]) -> None:
    result = run({**environment, "BACKUP_KEY": ""}, "backup", "--json")
    assert result.returncode == 1
    assert "BACKUP_KEY is not set" in told(result)["error"]
    assert "BACKUP_KEY is not set" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("restore",),
        ("restore", "newest"),
        ("restore", "newest", "--drop", "x", "--yes"),
        ("backup", "--unknown"),
    ],
)
def test_wrong_use_has_exit_code_2(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    result = run(environment, *arguments)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)


def test_an_archive_says_what_is_in_it(box: Box, environment: dict[str, str]) -> None:
    name = back_up(say=quiet).name
    manifest = told(run(environment, "backups", str(box.directory / name), "--json"))
    assert manifest["contents"]["tables"]["public.auth_group"] == 3
