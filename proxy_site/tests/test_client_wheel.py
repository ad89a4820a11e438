"""People install the client from their own server."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from proxy_site import client_wheel


@pytest.fixture
def offered(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return client_wheel.build_wheel()


def test_the_wheel_holds_the_client_and_nothing_of_the_server(offered: Path) -> None:
    names = zipfile.ZipFile(offered).namelist()

    assert "torrent_proxy_client/cli.py" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"torrent_proxy_client"}


def test_it_is_built_once(offered: Path) -> None:
    before = offered.stat().st_mtime_ns

    assert client_wheel.build_wheel() == offered
    assert offered.stat().st_mtime_ns == before


def test_the_page_names_the_line_that_installs_it(offered: Path) -> None:
    page = Client().get("/client/").content.decode()

    assert f"pip install --user http://testserver/client/{offered.name}" in page


def test_pip_installs_what_the_server_sends(offered: Path, tmp_path: Path) -> None:
    response = Client().get(f"/client/{offered.name}")
    copy = tmp_path / "fetched" / offered.name
    copy.parent.mkdir()
    copy.write_bytes(b"".join(response))
    target = tmp_path / "target"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    subprocess.run([*command, str(copy)], check=True)

    assert (target / "torrent_proxy_client" / "cli.py").exists()


def test_nothing_else_is_served_there(offered: Path) -> None:
    assert Client().get("/client/..%2Fsecrets%2Fsecret_key").status_code == 404
    assert Client().get("/client/other.whl").status_code == 404


def test_without_a_wheel_the_page_says_so(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "empty"

    assert "no client to offer" in Client().get("/client/").content.decode()
