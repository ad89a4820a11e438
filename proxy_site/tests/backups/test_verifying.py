"""The newest archive, tried on a database that nobody uses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from proxy_site.backups.box import Box
from proxy_site.backups.errors import BackupError
from proxy_site.backups.programs import Programs
from proxy_site.backups.services import (
    listing,
    verify_newest,
)
from proxy_site.backups.status import Status
from proxy_site.tests.backups.conftest import changed, databases_of, quiet

pytestmark = pytest.mark.django_db  # has pytest-django make the database that ours is copied from


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
    changed(saved, box, tmp_path, contents=more).rename(saved)
    with pytest.raises(BackupError, match=r"public.gone.* public.auth_group has 3 rows instead of 5"):
        verify_newest(say=quiet)


@pytest.mark.usefixtures("unchanged")
def test_a_database_in_which_nothing_happened_for_days_is_told(box: Box, saved: Path, tmp_path: Path) -> None:
    made_at = datetime.now(UTC) + timedelta(days=3)
    changed(saved, box, tmp_path, made_at=made_at).rename(saved)
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
@pytest.mark.parametrize("purpose", ["verify", "restoring"])
def test_what_a_killed_run_left_in_the_server_is_dropped(box: Box, purpose: str) -> None:
    with box.database.beside() as server:
        server.execute(f'CREATE DATABASE "{box.database.name}_{purpose}_0123456789ab"')
    verify_newest(say=quiet)


def test_a_database_of_somebody_whose_name_begins_alike_stays(box: Box, saved: Path) -> None:
    theirs = f"{box.database.name}_verify_by_hand"
    with box.database.beside() as server:
        server.execute(f'CREATE DATABASE "{theirs}"')
    verify_newest(say=quiet)
    assert databases_of(box.database) == [box.database.name, theirs]
