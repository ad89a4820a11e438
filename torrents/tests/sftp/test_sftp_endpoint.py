"""How people find the SFTP server, and know it."""

import tomllib
from pathlib import Path

import asyncssh
import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from proxy_site import VERSION, sftp_endpoint
from proxy_site.environment import PROJECT_DIR
from torrents.tests.factories import client_of


@pytest.fixture(autouse=True)
def new_host_key(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    sftp_endpoint.fingerprint.cache_clear()


def test_the_host_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = sftp_endpoint.host_key()
    assert sftp_endpoint.host_key() == first
    assert asyncssh.import_private_key(first).get_algorithm() == "ssh-ed25519"
    assert (tmp_path / "secrets" / "sftp_host_key").stat().st_mode & 0o777 == 0o600


def test_the_fingerprint_is_the_one_that_ssh_shows() -> None:
    key = asyncssh.import_private_key(sftp_endpoint.host_key())
    assert sftp_endpoint.fingerprint() == key.get_fingerprint()


def test_a_client_is_told_where_to_connect_and_what_key_to_expect(alice: User, settings: Settings) -> None:
    settings.SFTP_ADDRESS = "0.0.0.0:8022"
    answer = client_of(alice).get("/api/v1/server/", headers={"host": "localhost:8000"})
    assert answer.json() == {
        "version": VERSION,
        "sftp": {"host": "localhost", "port": 8022, "host_key_fingerprint": sftp_endpoint.fingerprint()},
    }


@pytest.mark.parametrize(
    ("public_host", "told"),
    [
        ("box.example.org", ("box.example.org", 8022)),
        ("box.example.org:2222", ("box.example.org", 2222)),
        ("[2001:db8::1]:2222", ("2001:db8::1", 2222)),
        ("[2001:db8::1]", ("2001:db8::1", 8022)),
    ],
)
def test_a_public_host_of_the_settings_is_told_instead(
    alice: User, settings: Settings, public_host: str, told: tuple[str, int]
) -> None:
    settings.SFTP_PUBLIC_HOST = public_host
    sftp = client_of(alice).get("/api/v1/server/").json()["sftp"]
    assert (sftp["host"], sftp["port"]) == told


def test_without_an_address_there_is_no_sftp(alice: User, settings: Settings) -> None:
    settings.SFTP_ADDRESS = ""
    assert client_of(alice).get("/api/v1/server/").json()["sftp"] is None


def test_strangers_are_told_nothing(db: None) -> None:
    assert APIClient().get("/api/v1/server/").status_code == 401


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
