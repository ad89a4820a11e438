"""The system checks: what production must not be, what PostgreSQL must be, and what looks like a mistake."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings

from proxy_site import checks


@pytest.fixture
def production(settings: Settings, tmp_path: Path) -> Settings:
    settings.PRODUCTION = True
    settings.SECRET_KEY_IS_SET = True
    settings.SECRET_KEY = "k" * 48
    settings.ALLOWED_HOSTS = ["torrents.example.org"]
    settings.ENGINE = "qbittorrent"
    settings.BEHIND_HTTPS_PROXY = True
    settings.DATABASE_IS_NAMED = True
    return settings


def refusals() -> list[str | None]:
    return [message.id for message in checks.production_is_safe(None)]


def test_a_safe_production_server_is_not_refused(production: Settings) -> None:
    assert refusals() == []


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("SECRET_KEY_IS_SET", False, "E001"),
        ("SECRET_KEY", "k" * 39, "E002"),
        ("DEBUG", True, "E003"),
        ("ALLOWED_HOSTS", ["*"], "E004"),
        ("ALLOWED_HOSTS", ["torrents.example.org", "*.example.org"], "E004"),
        ("ALLOWED_HOSTS", [], "E004"),
        ("OUTBOUND_ALLOW_PRIVATE", True, "E005"),
        ("TORRENT_LOOPBACK_PEERS", ["127.0.0.2"], "E006"),
        ("ENGINE", "fake", "E007"),
        ("BEHIND_HTTPS_PROXY", False, "E008"),
        ("DATABASE_IS_NAMED", False, "E009"),
    ],
)
def test_each_unsafe_setting_alone_is_refused(
    production: Settings, name: str, value: object, refusal: str
) -> None:
    setattr(production, name, value)
    assert refusals() == [f"proxy_site.{refusal}"]


def test_the_same_settings_are_fine_for_developing(production: Settings) -> None:
    production.PRODUCTION = False
    production.DEBUG = True
    production.ALLOWED_HOSTS = ["*"]
    assert refusals() == []


def test_every_refusal_says_what_to_do(production: Settings) -> None:
    production.SECRET_KEY_IS_SET = production.BEHIND_HTTPS_PROXY = production.DATABASE_IS_NAMED = False
    assert all(message.hint for message in checks.production_is_safe(None))


def test_an_interface_that_is_missing_is_a_warning_that_names_those_there_are(settings: Settings) -> None:
    settings.ENGINE, settings.TORRENT_INTERFACE = "qbittorrent", "wg-nowhere"
    (warning,) = checks.the_interface_exists(None)
    assert (warning.id, warning.is_serious()) == ("proxy_site.W001", False)
    assert "wg-nowhere" in warning.msg
    assert warning.hint is not None
    assert "lo" in warning.hint.partition("This machine has: ")[2].removesuffix(".").split(", ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TORRENT_INTERFACE", ""),
        ("TORRENT_INTERFACE", "lo"),
        ("ENGINE", "fake"),
        ("QBITTORRENT_MANAGED", False),
    ],
)
def test_there_is_no_warning_about_an_interface_that_exists_or_is_not_used(
    settings: Settings, name: str, value: object
) -> None:
    settings.ENGINE, settings.TORRENT_INTERFACE, settings.QBITTORRENT_MANAGED = (
        "qbittorrent",
        "wg-nowhere",
        True,
    )
    setattr(settings, name, value)
    assert checks.the_interface_exists(None) == []


@pytest.mark.django_db
def test_this_postgresql_is_new_enough() -> None:
    assert checks.postgresql_is_new_enough(None, databases=["default"]) == []


@pytest.mark.django_db
def test_migrate_refuses_a_postgresql_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 99)
    with pytest.raises(SystemCheckError, match=r"E010.* is too old"):
        call_command("migrate", verbosity=0, skip_checks=False)


def test_no_connection_is_made_where_no_database_is_named() -> None:
    assert checks.postgresql_is_new_enough(None) == []


def test_production_without_a_key_for_backups_is_warned_and_development_is_not(production: Settings) -> None:
    (warning,) = checks.backups_are_set_up(None)
    assert (warning.id, warning.is_serious()) == ("proxy_site.W002", False)
    production.PRODUCTION = False
    assert checks.backups_are_set_up(None) == []


def test_half_a_bucket_is_refused_with_what_is_missing(settings: Settings) -> None:
    settings.BACKUP_BUCKET = "archives"
    settings.BACKUP_REGION = "eu-frankfurt-1"
    (error,) = checks.backups_are_set_up(None)
    assert error.msg == "BACKUP_BUCKET is set without BACKUP_ENDPOINT, BACKUP_ACCESS_KEY, BACKUP_SECRET_KEY."
    assert error.is_serious()
