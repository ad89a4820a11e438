"""What documents and drawings name exists, and drawings show their source."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from torrent_proxy_client import cli

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    PROJECT / "README.md",
    PROJECT / "CONTRIBUTING.md",
    *sorted((PROJECT / "docs").rglob("*.md")),
]
DRAWINGS = sorted((PROJECT / "docs" / "c4").glob("*.puml"))
ROOMS = ["proxy_site", "accounts", "torrents", "feeds", "watchlist", "monitoring", "tui_client"]
FOLDERS = [*ROOMS, "deploy", "docs", "tests", "benchmarks"]

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT).with_suffix(""))
)
each_drawing = pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: path.stem)


def is_there(path: Path) -> bool:
    return path.exists()


def anchors(document: Path) -> set[str]:
    """Of its headings, as web pages of repositories make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    wrong = []
    for link, anchor in re.findall(
        r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text()
    ):
        target = document.parent / link if link else document
        if not is_there(target) or (anchor and target.exists() and anchor not in anchors(target)):
            wrong.append(f"{link}#{anchor}")

    assert wrong == []


@each_document
def test_every_command_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text()))

    assert named <= {"help", *get_commands()}


@each_document
def test_every_command_of_the_client_that_is_named_exists(document: Path) -> None:
    text = document.read_text()
    code = "\n".join(
        re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL) + re.findall(r"`[^`\n]+`", text)
    )
    named = set(re.findall(r"\btorrent-proxy ([a-z]+)", code))
    offered = set(re.findall(r"^ {4}([a-z]+)\b", cli.build_parser().format_help(), re.MULTILINE))

    assert len(offered) > 10
    assert named - offered == set()


@each_document
def test_every_file_that_is_named_by_its_path_exists(document: Path) -> None:
    folders = "|".join(FOLDERS)
    named = re.findall(
        rf"`((?:{folders})/[\w./-]+)`|\bbash ((?:deploy|docs)/[\w./-]+\.sh)", document.read_text()
    )

    wrong = [path for pair in named for path in pair if path and not is_there(PROJECT / path)]
    assert [path for path in wrong if "/NAME" not in path] == []  # that is left to the reader


@pytest.fixture(scope="module")
def code() -> str:
    """Every file of the project that is no document, in one."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    ).stdout.split()
    kinds = (".py", ".sh", ".toml", ".tf", ".nft", ".example", "Caddyfile")
    files = [PROJECT / name for name in listed] or [
        path for folder in FOLDERS for path in (PROJECT / folder).rglob("*")
    ]
    return "\n".join(path.read_text() for path in files if path.is_file() and path.name.endswith(kinds))


@each_document
def test_every_setting_that_is_named_is_one_of_ours(document: Path, code: str) -> None:
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`", document.read_text()))

    assert {name for name in named if not re.search(rf"(?<![A-Z0-9_]){name}\b", code)} == set()


@each_drawing
def test_a_drawing_shows_its_source(drawing: Path) -> None:
    source = (drawing.parent / "style.iuml").read_bytes() + drawing.read_bytes()
    drawn = drawing.with_suffix(".svg").read_text()

    assert drawn.rstrip().endswith(f"<!-- {hashlib.sha256(source).hexdigest()} -->"), (
        "run: bash docs/c4/render.sh"
    )
    assert "Syntax Error" not in drawn


@each_drawing
def test_what_a_drawing_names_exists(drawing: Path) -> None:
    text = drawing.read_text()
    commands = set(re.findall(r"\b((?:run|count)_[a-z]+)\b", text))
    rooms = set(re.findall(r"\*\*([a-z_]+)\*\*", text)) if drawing.stem == "component" else set()
    units = set(re.findall(r"\*\*(torrentproxy-[a-z-]+)\*\*", text))
    systemd = PROJECT / "deploy" / "systemd"

    assert commands <= set(get_commands())
    inside = {path.stem for path in (PROJECT / "torrents").iterdir()}
    assert rooms <= {*ROOMS, *inside}
    if systemd.exists():
        assert {name for name in units if not (systemd / f"{name}.service").exists()} == set()


def test_there_is_a_drawing_of_each_level() -> None:
    assert {drawing.stem for drawing in DRAWINGS} == {"context", "container", "component", "deployment"}
