"""The archive's format: what opens it, and what does not."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pyrage
import pytest

from proxy_site.backups import archive
from proxy_site.backups.errors import BackupError

MANIFEST = b'{"format": 1}'


@pytest.fixture
def made(tmp_path: Path, key: str) -> Path:
    """An archive of several of age's blocks."""
    (tmp_path / "dump").write_bytes(bytes(range(256)) * 1024)
    (tmp_path / "bundle").write_bytes(b"configuration")
    target = tmp_path / "made.age"
    with target.open("wb") as file:
        archive.write(
            file, key=key, manifest=MANIFEST, configuration=tmp_path / "bundle", database=tmp_path / "dump"
        )
    return target


def unpack(content: bytes, tmp_path: Path, key: str) -> Path:
    into = tmp_path / "unpacked"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    archive.unpack(io.BytesIO(content), into, key=key)
    return into


def test_what_was_written_is_read_again_by_its_owner_only(made: Path, tmp_path: Path, key: str) -> None:
    into = unpack(made.read_bytes(), tmp_path, key)
    found = {path.name: path.read_bytes() for path in into.iterdir()}
    assert found == {
        "manifest.json": MANIFEST,
        "configuration.tar": b"configuration",
        "database.dump": (tmp_path / "dump").read_bytes(),
    }
    assert {path.stat().st_mode & 0o777 for path in into.iterdir()} == {0o600}


def test_another_key_is_told_as_such(made: Path, tmp_path: Path) -> None:
    other = str(pyrage.x25519.Identity.generate())
    with pytest.raises(BackupError, match="another BACKUP_KEY"):
        unpack(made.read_bytes(), tmp_path, other)


@pytest.mark.parametrize("kept", [0, 100, 1000, 65552 * 2 + 200, -65552, -1])
def test_an_archive_that_ends_early_is_refused(made: Path, tmp_path: Path, key: str, kept: int) -> None:
    with pytest.raises(BackupError, match="incomplete or damaged"):
        unpack(made.read_bytes()[:kept], tmp_path, key)


def test_an_archive_that_ends_where_a_block_does_is_refused(made: Path, tmp_path: Path, key: str) -> None:
    content = made.read_bytes()
    header = content.index(b"\n", content.index(b"\n---") + 1) + 1 + 16  # its last line, then a nonce
    with pytest.raises(BackupError, match="incomplete or damaged"):
        unpack(content[: header + 3 * 65552], tmp_path, key)


@pytest.mark.parametrize("place", [10, 300, 70_000, -1])
def test_an_archive_of_which_one_bit_changed_is_refused(
    made: Path, tmp_path: Path, key: str, place: int
) -> None:
    content = bytearray(made.read_bytes())
    content[place] ^= 1
    with pytest.raises(BackupError):
        unpack(bytes(content), tmp_path, key)


def test_the_manifest_is_read_from_the_first_bytes(made: Path, tmp_path: Path, key: str) -> None:
    beginning = made.read_bytes()[:70_000]
    assert archive.read_manifest(io.BytesIO(beginning), key=key) == MANIFEST


def test_a_manifest_that_is_cut_is_refused(made: Path, key: str) -> None:
    with pytest.raises(BackupError, match="incomplete or damaged"):
        archive.read_manifest(io.BytesIO(made.read_bytes()[:5000]), key=key)


def encrypted(content: bytes, key: str) -> bytes:
    target = io.BytesIO()
    pyrage.encrypt_io(io.BytesIO(content), target, [pyrage.x25519.Identity.from_str(key).to_public()])
    return target.getvalue()


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "manifest.json/..", "other"])
def test_an_archive_with_other_files_writes_none_of_them(tmp_path: Path, key: str, name: str) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(BackupError, match="do not"):
        unpack(encrypted(content.getvalue(), key), tmp_path, key)
    assert list((tmp_path / "unpacked").iterdir()) == []


def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path, key: str) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        link = tarfile.TarInfo("database.dump")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BackupError, match="no file"):
        unpack(encrypted(content.getvalue(), key), tmp_path, key)


def test_a_file_with_holes_is_refused_before_it_fills_the_disk(tmp_path: Path, key: str) -> None:
    (tmp_path / "database.dump").touch()
    os.truncate(tmp_path / "database.dump", 8 * 2**30)
    bomb = subprocess.run(
        ["tar", "-c", "--sparse", "database.dump"], cwd=tmp_path, capture_output=True, timeout=60, check=True
    ).stdout
    assert len(bomb) < 100_000
    with pytest.raises(BackupError, match="no file"):
        unpack(encrypted(bomb, key), tmp_path, key)
    assert list((tmp_path / "unpacked").iterdir()) == []


def test_an_archive_without_a_database_is_refused(tmp_path: Path, key: str) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("manifest.json"))
    with pytest.raises(BackupError, match="instead of"):
        unpack(encrypted(content.getvalue(), key), tmp_path, key)


def test_a_full_disk_is_told_and_not_taken_for_success(made: Path, tmp_path: Path, key: str) -> None:
    dump = tmp_path / "dump"
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(BackupError, match="No space left"),
    ):
        archive.write(full, key=key, manifest=MANIFEST, configuration=dump, database=dump)


@pytest.mark.skipif(shutil.which("age") is None, reason="Debian's package age is not installed")
def test_the_ordinary_programs_open_it(made: Path, tmp_path: Path, key: str) -> None:
    identity = tmp_path / "key.txt"
    identity.write_text(key + "\n")
    decrypted = subprocess.run(
        ["age", "--decrypt", "-i", identity, made], capture_output=True, check=True, timeout=60
    )
    listed = subprocess.run(
        ["tar", "-t"], input=decrypted.stdout, capture_output=True, check=True, timeout=60
    )
    assert listed.stdout.decode().split() == ["manifest.json", "configuration.tar", "database.dump"]


MEMORY = """
import json, sys
from pathlib import Path
from proxy_site.backups import archive
from proxy_site.tests.backups.memory import peak_kib
folder, key = Path(sys.argv[1]), sys.argv[2]
with (folder / "large").open("wb") as file:
    file.truncate(100_000_000)
(folder / "small").write_bytes(b"")
(folder / "into").mkdir()
before = peak_kib()
with (folder / "a.age").open("wb") as file:
    archive.write(file, key=key, manifest=b"{}", configuration=folder / "small", database=folder / "large")
with (folder / "a.age").open("rb") as file:
    archive.unpack(file, folder / "into", key=key)
print(json.dumps([(folder / "a.age").stat().st_size, peak_kib() - before]))
"""


def test_memory_is_bounded_whatever_the_size(tmp_path: Path, key: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path, key], capture_output=True, check=True, text=True, timeout=120
    )
    size, more_kib = json.loads(told.stdout)
    assert size > 100_000_000
    assert more_kib < 24 * 1024
