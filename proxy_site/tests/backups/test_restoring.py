"""An archive put in place of the box's database, whole or not at all."""

import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as configured
from pytest_django import Settings

from proxy_site.backups import archive
from proxy_site.backups.box import Box
from proxy_site.backups.errors import BackupError
from proxy_site.backups.manifest import Manifest
from proxy_site.backups.programs import Programs
from proxy_site.backups.services import (
    back_up,
    drop_kept,
    listing,
    restore,
)
from proxy_site.backups.verifying import unpacked
from proxy_site.tests.backups.conftest import LATER, changed, databases_of, groups, quiet, restored, session

pytestmark = pytest.mark.django_db  # has pytest-django make the database that ours is copied from
# What the box's processes call themselves.
OURS = configured.DATABASES["default"]["OPTIONS"]["application_name"]


def test_a_restore_puts_the_archive_in_place_and_keeps_what_was_there(box: Box, saved: Path) -> None:
    done = restored()
    assert groups(box.database) == ["one", "three", "two"]
    assert groups(box.database.named(done.kept)) == ["three", "two"]
    assert done.kept.startswith(f"{box.database.name}_before_restore_2")
    assert databases_of(box.database) == [box.database.name, done.kept]


def test_what_was_put_aside_is_dropped_by_name_and_nothing_else_is(box: Box, saved: Path) -> None:
    kept = restored().kept
    assert [name for name, _ in listing().kept_databases] == [kept]
    with pytest.raises(BackupError, match=f"There are: {kept}"):
        drop_kept(box.database.name)
    drop_kept(kept)
    assert databases_of(box.database) == [box.database.name]


def test_an_archive_is_found_by_the_name_that_the_list_shows(box: Box, saved: Path) -> None:
    assert box.named(listing().archives[0].name).stored.name == saved.name


def test_a_database_that_is_gone_comes_back(box: Box, saved: Path) -> None:
    with box.database.beside() as server:
        server.execute(f'DROP DATABASE "{box.database.name}"')
    assert restored(str(saved)).kept == ""
    assert groups(box.database) == ["one", "three", "two"]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"postgresql_major": 99}, "is of PostgreSQL 99, and this server is"),
        ({"database_bytes": 10**17}, "not enough space for another database"),
        ({"dump_bytes": 10**17}, "not enough space for the archive"),
        ({"format": 99}, "has format 99, which this release does not know"),
    ],
)
def test_what_cannot_be_had_back_here_is_refused_before_anything_is_done(
    box: Box, saved: Path, tmp_path: Path, fields: dict[str, object], words: str
) -> None:
    with pytest.raises(BackupError, match=words):
        restored(str(changed(saved, box, tmp_path, **fields)))


@pytest.mark.usefixtures("unchanged")
def test_an_archive_of_a_newer_release_is_refused(box: Box, saved: Path, tmp_path: Path) -> None:
    contents = box.manifest(box.named(str(saved))).contents
    newer = replace(contents, migrations=(*contents.migrations, "torrents.9999_later"))
    with pytest.raises(BackupError, match=r"newer release .*torrents.9999_later"):
        restored(str(changed(saved, box, tmp_path, contents=newer)))


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("missing", [100, 100_000])
def test_an_archive_that_lost_its_end_is_refused(saved: Path, missing: int) -> None:
    saved.write_bytes(saved.read_bytes()[:-missing])
    with pytest.raises(BackupError, match="incomplete or damaged"):
        restored()


@pytest.mark.usefixtures("unchanged")
def test_an_archive_of_another_key_is_refused(saved: Path, settings: Settings) -> None:
    settings.BACKUP_KEY = "AGE-SECRET-KEY-184JMZMVQH3E6U0PSL869004Y3U2NYV7R30EU99CSEDNPH02YUVFSZW44VU"
    with pytest.raises(BackupError, match="another BACKUP_KEY"):
        restored()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("text", ["/nonexistent.age", "s3://bucket/box-20260101T000000Z.age"])
def test_an_archive_that_is_not_there_is_told(text: str) -> None:
    with pytest.raises(BackupError, match=r"There is no|No bucket is configured"):
        restored(text)


def test_a_restore_without_any_archive_says_how_to_make_one(box: Box) -> None:
    with pytest.raises(BackupError, match=r"manage\.py backup"):
        restored()


@pytest.mark.usefixtures("unchanged")
def test_what_the_operator_did_not_agree_to_is_not_done(box: Box, saved: Path) -> None:
    told = []

    def agreed(manifest: Manifest, name: str) -> bool:
        told.append((manifest.contents.tables["public.auth_group"], name))
        return False

    assert restore("newest", with_configuration=False, agreed=agreed, say=quiet) is None
    assert told == [(3, box.database.name)]


@pytest.mark.usefixtures("unchanged")
def test_a_box_that_runs_is_not_restored(box: Box, saved: Path) -> None:
    with (
        closing(session(box.database, application=OURS)),
        pytest.raises(BackupError, match="The box is running"),
    ):
        restored()


@pytest.mark.usefixtures("unchanged")
def test_a_part_that_starts_meanwhile_is_noticed_before_anything_changes_places(
    box: Box, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_program = Programs.restore
    started: list[psycopg.Connection[tuple[object, ...]]] = []

    def slow(self: Programs, dump: Path, **how: object) -> None:
        restore_program(self, dump, **how)  # type: ignore[arg-type]
        started.append(session(box.database, application=OURS))

    monkeypatch.setattr(Programs, "restore", slow)
    with pytest.raises(BackupError, match="The box is running"):
        restored()
    started[0].close()


def test_other_sessions_of_the_database_end_and_those_of_other_databases_stay(box: Box, saved: Path) -> None:
    with (
        closing(session(box.database, application="an exporter")) as ended,
        box.database.beside() as other,
    ):
        restored()
        assert other.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError):
            ended.execute("SELECT 1")


@pytest.mark.usefixtures("unchanged")
def test_somebody_whom_we_may_not_disconnect_is_named_and_nothing_changes(box: Box, saved: Path) -> None:
    name = f"{box.database.name}_role"
    with box.database.beside() as server:
        server.execute(f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'secret'")
        server.execute(f'ALTER DATABASE "{box.database.name}" OWNER TO {name}')
        poor = replace(
            box.database, parameters={**box.database.parameters, "user": name, "password": "secret"}
        )
        try:
            with (
                closing(session(box.database, application="an exporter")),
                pytest.raises(BackupError, match=r"may not disconnect: .*\(.*, process \d+\)"),
                poor.scratch("restoring") as new,
            ):
                poor.replace_by(new, at=LATER)
        finally:
            server.execute(f'ALTER DATABASE "{box.database.name}" OWNER TO CURRENT_USER')
            server.execute(f"DROP ROLE {name}")


def test_those_who_connect_while_places_are_changed_find_one_or_the_other(box: Box, saved: Path) -> None:
    """Never none, and never a mixture."""
    found: set[tuple[str, ...]] = set()
    done = threading.Event()
    problems: list[str] = []

    def look() -> None:
        while not done.is_set():
            try:
                found.add(tuple(groups(box.database)))
            except BackupError as error:
                if (
                    "terminating" not in str(error)
                    and "renamed" not in str(error)
                    and "closed" not in str(error)
                ):
                    problems.append(str(error))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        restored()
        found.add(tuple(groups(box.database)))
    finally:
        done.set()
        looker.join()
    assert problems == []
    assert found == {("three", "two"), ("one", "three", "two")}


@pytest.mark.usefixtures("unchanged")
def test_a_restore_that_fails_in_the_middle_leaves_everything(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Programs, dump: Path, **how: object) -> None:
        raise BackupError("the disk is full")

    monkeypatch.setattr(Programs, "restore", broken)
    with pytest.raises(BackupError, match="the disk is full"):
        restored()


def test_an_older_database_is_brought_up_to_date_before_it_is_put_in_place(box: Box) -> None:
    with box.database.connected() as connection:
        connection.execute(
            "DROP TABLE monitoring_interfacecounter, monitoring_hostsample, monitoring_egressday, monitoring_host"
        )
        connection.execute("DELETE FROM django_migrations WHERE app = 'monitoring'")
    back_up(say=quiet)
    restored()
    assert "public.monitoring_host" in box.database.contents().tables


def test_a_role_that_may_not_make_databases_is_told_what_it_needs(box: Box, saved: Path) -> None:
    name = f"{box.database.name}_role"
    with box.database.beside() as server:
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    try:
        poor = replace(
            box.database, parameters={**box.database.parameters, "user": name, "password": "secret"}
        )
        with pytest.raises(BackupError, match="CREATEDB"), poor.scratch("verify"):
            pass
        with box.database.beside() as server:
            server.execute(f"ALTER ROLE {name} CREATEDB")
        found = box.named(str(saved))
        with poor.scratch("verify") as scratch, box.working() as folder:
            files = unpacked(box, found, box.manifest(found), folder, quiet)
            scratch.fill_from(files / archive.DATABASE)
            assert scratch.contents() == box.manifest(found).contents
    finally:
        with box.database.beside() as server:
            server.execute(f"DROP ROLE {name}")


def test_another_secret_key_is_pointed_out(saved: Path, settings: Settings) -> None:
    settings.SECRET_KEY = "another" * 10
    assert any("another SECRET_KEY" in notice for notice in restored().notices)
