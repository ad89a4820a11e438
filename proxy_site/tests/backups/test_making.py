"""Making archives, and where they are kept."""

import json
import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path

import pytest
from pytest_django import Settings

from proxy_site.backups.box import Box
from proxy_site.backups.database import Database
from proxy_site.backups.errors import BackupError, Busy
from proxy_site.backups.places import archive_name
from proxy_site.backups.programs import Programs, programs_for
from proxy_site.backups.progress import in_units, telling
from proxy_site.backups.services import back_up, listing, manifest_of
from proxy_site.backups.standing import standing
from proxy_site.backups.status import Status
from proxy_site.backups.verifying import unpacked
from proxy_site.tests.backups.conftest import LATER, databases_of, execute, quiet

pytestmark = pytest.mark.django_db  # has pytest-django make the database that ours is copied from
Usage = namedtuple("Usage", ["total", "used", "free"])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_an_archive_says_what_the_database_held(box: Box) -> None:
    made = back_up(say=quiet)
    manifest = manifest_of(str(box.directory / made.name))
    assert manifest.contents.tables["public.auth_group"] == 3
    assert "accounts.0001_initial" in manifest.contents.migrations
    assert manifest.contents == box.database.contents()
    assert manifest.postgresql_major == box.database.server_major()


def test_nothing_but_the_archive_and_the_status_is_left(box: Box) -> None:
    made = back_up(say=quiet)
    assert files(box.directory) == [made.name, "status.json"]
    assert (box.directory / made.name).stat().st_mode & 0o777 == 0o600
    assert box.directory.stat().st_mode & 0o777 == 0o700


def test_counts_are_those_of_the_dump_whatever_is_written_meanwhile(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = Programs.dump

    def busy_dump(self: Programs, to: Path, **how: object) -> None:
        execute(box.database, "INSERT INTO auth_group (name) VALUES ('four')")
        dump(self, to, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Programs, "dump", busy_dump)
    back_up(say=quiet)
    found = box.newest(prefer="directory")
    with box.working() as folder, box.database.scratch("verify") as scratch:
        manifest = box.manifest(found)
        scratch.fill_from(unpacked(box, found, manifest, folder, quiet) / "database.dump")
        assert scratch.contents() == manifest.contents
        assert manifest.contents.tables["public.auth_group"] == 3


def test_older_archives_go_and_other_files_stay(box: Box, settings: Settings) -> None:
    box.directory.mkdir(mode=0o700)
    settings.BACKUP_DAILY, settings.BACKUP_WEEKLY, settings.BACKUP_MONTHLY = 2, 0, 0
    for name in ("box-20200101T000000Z.age", "box-20200102T000000Z.age", "mine.age"):
        (box.directory / name).write_bytes(b"")
    made = back_up(say=quiet)
    assert files(box.directory) == ["box-20200102T000000Z.age", made.name, "mine.age", "status.json"]
    assert made.pruned == {"directory": ["box-20200101T000000Z.age"]}


def test_an_archive_of_the_future_neither_takes_a_place_nor_is_the_newest(
    box: Box, settings: Settings
) -> None:
    settings.BACKUP_DAILY, settings.BACKUP_WEEKLY, settings.BACKUP_MONTHLY = 1, 0, 0
    box.directory.mkdir(mode=0o700)
    wrong = box.directory / archive_name(LATER)
    wrong.write_bytes(b"of a clock that was wrong")
    made = back_up(say=quiet)
    assert files(box.directory) == [made.name, wrong.name, "status.json"]
    assert box.newest(prefer="directory").stored.name == made.name


def test_what_two_change_at_once_in_what_is_known_is_all_kept(tmp_path: Path) -> None:
    def count() -> None:
        for _ in range(50):
            with Status.changing(tmp_path) as status:
                status.count_request()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Status.read(tmp_path).requests_this_month() == 200


def test_what_is_known_is_noted_beside_the_archives(box: Box) -> None:
    made = back_up(say=quiet)
    place = standing().status.places["directory"]
    assert (place.newest, place.newest_bytes, place.stored_bytes, place.count) == (
        made.name,
        made.size,
        made.size,
        1,
    )
    (listed,) = listing().archives
    assert (listed.name, listed.places, listed.verified_at) == (made.name, ["directory"], None)


def test_a_run_that_fails_is_counted_told_and_leaves_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
    for _ in range(2):
        with pytest.raises(BackupError, match="not enough space"):
            back_up(say=quiet)
    assert files(box.directory) == ["status.json"]
    status = Status.read(box.directory)
    assert status.failures == {"backup": 2, "verify": 0}
    assert "not enough space" in status.last_failure["backup"]


def test_a_good_run_ends_the_row_of_failures(box: Box, settings: Settings, key: str) -> None:
    box.directory.mkdir()
    settings.BACKUP_KEY = ""
    with pytest.raises(BackupError, match="BACKUP_KEY is not set"):
        back_up(say=quiet)
    settings.BACKUP_KEY = key
    back_up(say=quiet)
    assert Status.read(box.directory).failures["backup"] == 0


def test_two_at_once_are_refused_and_that_is_no_failure(box: Box) -> None:
    with box.working(), pytest.raises(Busy, match="Wait until it has ended"):
        back_up(say=quiet)
    assert Status.read(box.directory).failures["backup"] == 0


def test_what_a_killed_run_left_is_removed(box: Box) -> None:
    (box.directory / "work-killed").mkdir(parents=True)
    (box.directory / "work-killed" / "dump").write_bytes(b"half")
    back_up(say=quiet)
    assert not (box.directory / "work-killed").exists()


def test_a_database_without_our_tables_is_not_saved(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    with box.database.scratch("empty") as empty:
        monkeypatch.setattr(Box, "of_settings", lambda: Box(**{**vars(box), "database": empty}))
        with pytest.raises(BackupError, match="has no tables of ours"):
            back_up(say=quiet)
    assert databases_of(box.database) == [box.database.name]


def test_a_password_is_given_to_programs_in_their_environment_alone(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\nenv >"{tmp_path}/environment"\necho "$@" >"{tmp_path}/arguments"\n')
    program.chmod(0o755)
    database = Database(
        "name with spaces", {"user": "u", "password": "hidden", "host": "::1", "port": "5433"}
    )
    Programs(tmp_path).dump(tmp_path / "to here", snapshot="1", environment=database.environment())
    environment = (tmp_path / "environment").read_text()
    assert "hidden" not in (tmp_path / "arguments").read_text()
    for line in ("PGPASSWORD=hidden", "PGHOST=::1", "PGPORT=5433", "PGUSER=u", "PGDATABASE=name with spaces"):
        assert line in environment


def test_a_program_that_fails_is_told_in_its_own_words(box: Box, tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho server is on holiday >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(BackupError, match=r"^PostgreSQL's program failed: server is on holiday$"):
        Programs(tmp_path).dump(tmp_path / "to", snapshot="1", environment={})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_is_for_the_folders_owner(box: Box) -> None:
    box.directory.mkdir(mode=0o700)
    os.chown(box.directory, 65534, 65534)
    made = back_up(say=quiet)
    assert {(box.directory / name).stat().st_uid for name in (made.name, ".lock")} == {65534}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_gives_away_nothing_that_a_link_leads_to(box: Box, tmp_path: Path) -> None:
    roots = tmp_path / "roots"
    roots.write_text("root's\n")
    box.directory.mkdir(mode=0o700)
    (box.directory / ".lock").symlink_to(roots)
    (box.directory / ".status.json.new").symlink_to(roots)
    os.chown(box.directory, 65534, 65534)
    with pytest.raises(BackupError, match="BACKUP_DIR cannot be used"):
        back_up(say=quiet)
    (box.directory / ".lock").unlink()
    back_up(say=quiet)
    assert (roots.stat().st_uid, roots.read_text()) == (0, "root's\n")
    assert (box.directory / "status.json").stat().st_uid == 65534


def test_who_waits_is_told_how_far_it_is() -> None:
    told: list[str] = []
    enough = threading.Event()

    def say(line: str) -> None:
        told.append(line)
        enough.set()

    with telling(say, lambda: 1536, every=0.001):
        assert enough.wait(30)
    assert told[0].strip() == "1.5 KiB so far"


def test_a_status_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    for text in ("", "{", "[]", '{"places": {"directory": {}}}', json.dumps({"unknown": 1})):
        (tmp_path / "status.json").write_text(text)
        assert Status.read(tmp_path) == Status()


def test_sizes_are_told_in_units() -> None:
    told = [in_units(size) for size in (0, 1023, 1536, 5 * 2**20, 3 * 2**30, 2**42)]
    assert told == ["0 bytes", "1023 bytes", "1.5 KiB", "5.0 MiB", "3.0 GiB", "4096.0 GiB"]


def test_programs_of_another_version_are_not_used() -> None:
    with pytest.raises(BackupError, match=r"PostgreSQL 99 are needed.* apt-get install postgresql-client-99"):
        programs_for(99)
