"""What the project says about itself is true."""

import re
import tomllib
from pathlib import Path

import pytest
from django.core.management import call_command

PROJECT = Path(__file__).resolve().parent.parent


def test_the_committed_schema_is_the_one_the_code_generates(tmp_path: Path) -> None:
    generated = tmp_path / "openapi.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(generated))

    assert generated.read_text() == (PROJECT / "docs" / "openapi.yaml").read_text(), (
        "run: python manage.py spectacular --file docs/openapi.yaml"
    )


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_place_on_the_map_exists() -> None:
    rows = re.findall(
        r"^\| (`.+?`[^|]*) \|", (PROJECT / "docs" / "ARCHITECTURE.md").read_text(), re.MULTILINE
    )
    missing = []
    for row in rows:
        first, *others = re.findall(r"`([^`]+)`", row)
        folder = (PROJECT / first).parent
        missing += [name for name in [first] if not (PROJECT / name).exists()]
        missing += [name for name in others if not (folder / name).exists() and not (PROJECT / name).exists()]

    assert missing == []


@pytest.mark.parametrize("pinned", ["requirements.txt", "deploy/requirements-test.txt"])
def test_every_dependency_is_pinned(pinned: str) -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[=<>]", dependency)[0] for dependency in declared}
    pins = dict(line.split("==", 1) for line in (PROJECT / pinned).read_text().splitlines())

    assert names <= set(pins)
