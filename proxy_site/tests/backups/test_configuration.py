"""The files that are saved beside the database."""

import errno
import tarfile
from pathlib import Path

import pytest
from pytest_django import Settings

from proxy_site.backups import configuration
from proxy_site.backups.box import Box
from proxy_site.backups.errors import BackupError
from proxy_site.backups.services import (
    back_up,
    unpack_configuration,
)
from proxy_site.tests.backups.conftest import execute, quiet, restored

pytestmark = pytest.mark.django_db  # has pytest-django make the database that ours is copied from


@pytest.fixture
def saved_configuration(box: Box) -> Path:
    """As `saved`, with this box's own configuration."""
    name = back_up(say=quiet).name
    execute(box.database, "DELETE FROM auth_group WHERE name = 'one'")
    return box.directory / name


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


def test_a_bundle_that_is_compressed_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bundle", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("etc/box.env"))
    with pytest.raises(BackupError, match="cannot be read"):
        configuration.unpack(tmp_path / "bundle", tmp_path / "into")
    with pytest.raises(BackupError, match="cannot be read"):
        configuration.planned(tmp_path / "bundle", [tmp_path])


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bundle", "w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("placeholder")
        member.pax_headers = {"path": "etc/box\0env"}
        tar.addfile(member)
    with pytest.raises(BackupError, match="no file of a configuration"):
        configuration.unpack(tmp_path / "bundle", tmp_path / "into")


def test_a_disk_that_fails_after_the_database_was_restored_is_told_as_that(
    saved_configuration: Path, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> list[str]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(configuration, "put_back", full)
    with pytest.raises(BackupError, match=r"database was restored .*_before_restore_.* No space left"):
        restored(str(saved_configuration), with_configuration=True)


def test_links_and_places_that_are_not_there_are_not_saved(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "link").symlink_to("/etc/passwd")
    (tmp_path / "etc" / "one").write_text("1")
    (tmp_path / "etc" / "same").hardlink_to(tmp_path / "etc" / "one")
    left_out = configuration.bundle([tmp_path / "etc", tmp_path / "none"], tmp_path / "bundle")
    assert left_out == []
    paths = configuration.unpack(tmp_path / "bundle", tmp_path / "into")
    assert {path.name: path.read_text() for path in paths} == {"one": "1", "same": "1"}
