"""A box to save: a database of our schema of its own, and folders of its own."""

import io
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pyrage
import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from proxy_site.backups import archive
from proxy_site.backups.box import Box
from proxy_site.backups.database import Database
from proxy_site.backups.manifest import Manifest
from proxy_site.backups.places import archive_name
from proxy_site.backups.restoring import Restored
from proxy_site.backups.services import back_up, restore
from proxy_site.tests.backups import object_storage
from proxy_site.tests.backups.object_storage import ObjectStorage

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def quiet(line: str) -> None:
    """Nobody waits for it."""


@pytest.fixture(scope="session")
def template(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Database]:
    """A copy of the test database as it is before any test, and three groups: others are made of it in a moment."""
    with django_db_blocker.unblock():
        connection.close()
        original = Database.of_box()
        copy = original.named(f"backups_{secrets.token_hex(4)}")
        with original.beside() as server:
            server.execute(f'CREATE DATABASE "{copy.name}" TEMPLATE "{original.name}"')
        execute(copy, "INSERT INTO auth_group (name) VALUES ('one'), ('two'), ('three')")
    yield copy
    with copy.beside() as server:
        server.execute(f'DROP DATABASE "{copy.name}"')


@pytest.fixture
def database(template: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The box's, with three groups in it; what is put aside or left beside it goes, too."""
    name = f"box_{secrets.token_hex(4)}"
    with template.beside() as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template.name}"')
    made = template.named(name)
    monkeypatch.setitem(configured.DATABASES["default"], "NAME", name)
    yield made
    for one in databases_of(made):
        with template.beside() as server:
            server.execute(f'DROP DATABASE "{one}" WITH (FORCE)')


@pytest.fixture(scope="session")
def key() -> str:
    return str(pyrage.x25519.Identity.generate())


@pytest.fixture(scope="session")
def made_once(template: Database, key: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the template, for tests that do not care how it was made."""
    folder = tmp_path_factory.mktemp("made")
    with (
        pytest.MonkeyPatch.context() as patch,
        override_settings(BACKUP_DIR=folder, BACKUP_KEY=key, BACKUP_CONFIGURATION=[str(folder / "etc")]),
    ):
        patch.setitem(configured.DATABASES["default"], "NAME", template.name)
        (folder / "etc").mkdir()
        (folder / "etc" / "box.env").write_text("SECRET=1\n")
        return folder / back_up(say=quiet).name


@pytest.fixture
def box(database: Database, settings: Settings, tmp_path: Path, key: str) -> Box:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "box.env").write_text("SECRET=1\n")
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.BACKUP_KEY = key
    settings.BACKUP_CONFIGURATION = [str(tmp_path / "etc")]
    return Box.of_settings()


@pytest.fixture
def saved(box: Box, made_once: Path) -> Path:
    """An archive of three groups; the database has gone on since."""
    execute(box.database, "DELETE FROM auth_group WHERE name = 'one'")
    box.directory.mkdir(mode=0o700)
    shutil.copy(made_once, box.directory)
    return box.directory / made_once.name


@pytest.fixture
def unchanged(box: Box, saved: Path) -> Iterator[None]:
    """Whatever the test does, the box's database is as it was, and there is no other."""
    yield
    assert groups(box.database) == ["three", "two"]
    assert databases_of(box.database) == [box.database.name]


@pytest.fixture
def storage(
    tmp_path: Path, certificate: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ObjectStorage]:
    """The bucket that the settings name."""
    with object_storage.running(tmp_path / "objects", certificate) as server:
        for name, value in server.environment(certificate).items():
            monkeypatch.setenv(name, value)  # boto3 reads the authority from there
            setattr(settings, name, value)
        yield server


def execute(database: Database, statement: str) -> None:
    with database.connected() as connection:
        connection.execute(statement)


def groups(database: Database) -> list[str]:
    with database.connected() as connection:
        return [
            name for (name,) in connection.execute("SELECT name FROM auth_group ORDER BY name").fetchall()
        ]


def databases_of(database: Database) -> list[str]:
    """It and those that were made of it."""
    with database.beside() as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1"
        return [name for (name,) in connection.execute(query, [database.name]).fetchall()]


def session(database: Database, *, application: str) -> psycopg.Connection[tuple[object, ...]]:
    """Somebody who is connected."""
    return psycopg.connect(**{**database.parameters, "application_name": application}, dbname=database.name)  # type: ignore[arg-type]


def restored(text: str = "newest", *, with_configuration: bool = False) -> Restored:
    done = restore(text, with_configuration=with_configuration, agreed=lambda *_: True, say=quiet)
    assert done is not None
    return done


def changed(saved: Path, box: Box, tmp_path: Path, **fields: object) -> Path:
    """That archive with another manifest."""
    folder = tmp_path / "changed"
    folder.mkdir()
    archive.unpack(io.BytesIO(saved.read_bytes()), folder, key=box.key)
    manifest: Manifest = box.manifest(box.named(str(saved)))
    target = folder / archive_name(LATER)
    with target.open("wb") as file:
        archive.write(
            file,
            key=box.key,
            manifest=replace(manifest, **fields).to_json(),  # type: ignore[arg-type]
            configuration=folder / archive.CONFIGURATION,
            database=folder / archive.DATABASE,
        )
    return target
