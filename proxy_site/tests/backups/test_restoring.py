"""Having an archive back: tried on a database that nobody uses, or put in place of the box's."""

import io
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as configured
from pytest_django import Settings

from proxy_site.backups import archive, configuration
from proxy_site.backups.box import Box
from proxy_site.backups.errors import BackupError
from proxy_site.backups.manifest import Manifest
from proxy_site.backups.places import archive_name
from proxy_site.backups.programs import Programs
from proxy_site.backups.restoring import Restored
from proxy_site.backups.services import (
    back_up,
    drop_kept,
    listing,
    restore,
    unpack_configuration,
    verify_newest,
)
from proxy_site.backups.status import Status
from proxy_site.backups.verifying import unpacked
from proxy_site.tests.backups.conftest import databases_of, execute, groups, quiet, session

pytestmark = pytest.mark.django_db  # has pytest-django make the database that ours is copied from
OURS = configured.DATABASES["default"]["OPTIONS"][
    "application_name"
]  # what the box's processes call themselves
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def restored(text: str = "newest", *, with_configuration: bool = False) -> Restored:
    done = restore(text, with_configuration=with_configuration, agreed=lambda *_: True, say=quiet)
    assert done is not None
    return done


@pytest.fixture
def saved(box: Box, made_once: Path) -> Path:
    """An archive of three groups; the database has gone on since."""
    execute(box.database, "DELETE FROM auth_group WHERE name = 'one'")
    box.directory.mkdir(mode=0o700)
    shutil.copy(made_once, box.directory)
    return box.directory / made_once.name


@pytest.fixture
def saved_configuration(box: Box) -> Path:
    """As `saved`, with this box's own configuration."""
    name = back_up(say=quiet).name
    execute(box.database, "DELETE FROM auth_group WHERE name = 'one'")
    return box.directory / name


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


@pytest.fixture
def unchanged(box: Box, saved: Path) -> Iterator[None]:
    """Whatever the test does, the box's database is as it was, and there is no other."""
    yield
    assert groups(box.database) == ["three", "two"]
    assert databases_of(box.database) == [box.database.name]


# --- on trial


@pytest.mark.usefixtures("unchanged")
def test_a_good_archive_is_verified_and_nothing_is_left_of_it(box: Box, saved: Path) -> None:
    verified = verify_newest(say=quiet)
    assert (verified.name, verified.place) == (saved.name, "directory")
    assert verified.tables > 30
    assert verified.rows > 100
    assert listing().archives[0].verified_at is not None
    assert sorted(path.name for path in box.directory.iterdir()) == [".lock", saved.name, "status.json"]


@pytest.mark.usefixtures("unchanged")
def test_an_archive_that_lost_its_end_is_not_verified(box: Box, saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-20_000])
    with pytest.raises(BackupError, match="incomplete or damaged"):
        verify_newest(say=quiet)
    status = Status.read(box.directory)
    assert (status.failures["verify"], status.last_verified) == (1, None)


@pytest.mark.usefixtures("unchanged")
def test_rows_that_are_not_as_many_as_were_saved_are_told(box: Box, saved: Path, tmp_path: Path) -> None:
    contents = box.manifest(box.named(str(saved))).contents
    more = replace(contents, tables={**contents.tables, "public.auth_group": 5, "public.gone": 1})
    changed(saved, box, tmp_path, contents=more).rename(box.directory / archive_name(LATER))
    with pytest.raises(BackupError, match=r"public.gone.* public.auth_group has 3 rows instead of 5"):
        verify_newest(say=quiet)


@pytest.mark.usefixtures("unchanged")
def test_a_database_in_which_nothing_happened_for_days_is_told(box: Box, saved: Path, tmp_path: Path) -> None:
    made_at = datetime.now(UTC) + timedelta(days=3)
    changed(saved, box, tmp_path, made_at=made_at).rename(box.directory / archive_name(LATER))
    with pytest.raises(BackupError, match="days old when it was made"):
        verify_newest(say=quiet)


@pytest.mark.usefixtures("unchanged")
def test_a_dump_that_does_not_restore_is_no_backup(
    box: Box, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_program = Programs.restore

    def damaged(self: Programs, dump: Path, **how: object) -> None:
        dump.write_bytes(dump.read_bytes()[:-5000])
        restore_program(self, dump, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Programs, "restore", damaged)
    with pytest.raises(BackupError, match="PostgreSQL's program failed"):
        verify_newest(say=quiet)


@pytest.mark.usefixtures("unchanged")
def test_what_a_killed_trial_left_in_the_server_is_dropped(box: Box) -> None:
    with box.database.beside() as server:
        server.execute(f'CREATE DATABASE "{box.database.name}_verify_0123456789ab"')
    verify_newest(say=quiet)


# --- in place of the box's


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


# --- the configuration


def test_configuration_is_put_back_with_a_copy_of_what_was_there(
    saved_configuration: Path, tmp_path: Path
) -> None:
    file = tmp_path / "etc" / "box.env"
    file.chmod(0o640)
    file.write_text("SECRET=2\n")
    (done,) = restored(with_configuration=True).configuration
    (copy,) = (tmp_path / "etc").glob("box.env.before_restore_*")
    assert (file.read_text(), copy.read_text()) == ("SECRET=1\n", "SECRET=2\n")
    assert copy.stat().st_mode & 0o777 == 0o640
    assert done == f"{file} (what was there: {copy.name})"


def test_configuration_that_is_the_same_already_is_left_alone(
    saved_configuration: Path, tmp_path: Path
) -> None:
    assert restored(with_configuration=True).configuration == []
    assert [path.name for path in (tmp_path / "etc").iterdir()] == ["box.env"]


@pytest.mark.usefixtures("unchanged")
def test_configuration_of_another_place_is_refused_before_anything_is_done(
    saved: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.BACKUP_CONFIGURATION = [str(tmp_path / "elsewhere")]
    with pytest.raises(BackupError, match="not below BACKUP_CONFIGURATION"):
        restored(with_configuration=True)


@pytest.mark.usefixtures("unchanged")
def test_configuration_alone_is_unpacked_elsewhere(made_once: Path, tmp_path: Path) -> None:
    (path,) = unpack_configuration("newest", tmp_path / "new", say=quiet)
    assert path == tmp_path / "new" / str(made_once.parent / "etc" / "box.env").lstrip("/")
    assert path.read_text() == "SECRET=1\n"
    with pytest.raises(BackupError, match="exists already"):
        unpack_configuration("newest", tmp_path / "new", say=quiet)


def test_links_and_places_that_are_not_there_are_not_saved(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "link").symlink_to("/etc/passwd")
    (tmp_path / "etc" / "one").write_text("1")
    (tmp_path / "etc" / "same").hardlink_to(tmp_path / "etc" / "one")
    left_out = configuration.bundle([tmp_path / "etc", tmp_path / "none"], tmp_path / "bundle")
    assert left_out == []
    paths = configuration.unpack(tmp_path / "bundle", tmp_path / "into")
    assert {path.name: path.read_text() for path in paths} == {"one": "1", "same": "1"}
