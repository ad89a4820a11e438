"""A torrent as one .tar: what any tar reads, and the same bytes from wherever a download goes on."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from torrents.archive import Archive
from torrents.files import FileGone
from torrents.models import Claim, Torrent, TorrentFile
from torrents.tests.factories import finished

FILES = {
    "show/episode 1.mkv": bytes(range(256)) * 5,
    "show/empty": b"",
    "show/one block": b"x" * 512,
    "show/第2話 \U0001f409.mkv": b"dragon",
    "show/" + "long " * 40 + "/deep/file.txt": b"deep",
}


def archive_of(claim: Claim) -> Archive:
    torrent = claim.torrent
    return Archive(torrent, list(torrent.files.order_by("index")), completed_at=torrent.completed_at)


def whole(archive: Archive) -> bytes:
    return b"".join(archive.read(0, archive.size))


def unpacked(archive: Archive) -> dict[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(whole(archive)), mode="r:") as tar:
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
    return found


@pytest.fixture
def claim(alice: User, downloads: Path) -> Claim:
    return finished(alice, FILES, name="show")


def test_the_archive_holds_the_files_as_they_are(claim: Claim) -> None:
    assert unpacked(archive_of(claim)) == FILES


def test_its_size_is_known_before_it_is_read(claim: Claim) -> None:
    archive = archive_of(claim)
    assert len(whole(archive)) == archive.size
    assert archive.size % 512 == 0


def test_python_extracts_it_under_its_strictest_filter(claim: Claim, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(whole(archive_of(claim))), mode="r:") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    for path, content in FILES.items():
        assert (tmp_path / "out" / path).read_bytes() == content


@pytest.mark.parametrize(
    "name",
    [
        "new\nline",
        'quo"te',
        "back\\slash",
        " lead",
        "trail ",
        "-rf",
        "tab\there",
        "é",
        "=",
        "1 path=x\n",
    ],
)
def test_odd_names_come_through(alice: User, downloads: Path, name: str) -> None:
    files = {f"show/{name}": b"1", f"show/{name}.2": b"22"}
    assert unpacked(archive_of(finished(alice, files))) == files


def test_a_single_file_stays_single(alice: User, downloads: Path) -> None:
    assert unpacked(archive_of(finished(alice, {"film.mkv": b"1"}, name="film.mkv"))) == {"film.mkv": b"1"}


def test_loose_files_get_a_folder_of_the_torrents_name(alice: User, downloads: Path) -> None:
    claim = finished(alice, {"a": b"1", "b/c": b"2"}, name="my/show")
    assert unpacked(archive_of(claim)) == {"my_show/a": b"1", "my_show/b/c": b"2"}


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_loose_files_never_leave_the_folder_they_are_unpacked_in(
    alice: User, downloads: Path, name: str
) -> None:
    claim = finished(alice, {"a": b"1", "b": b"2"}, name="x")
    Torrent.objects.update(name=name)
    claim.torrent.refresh_from_db()
    for path in unpacked(archive_of(claim)):
        folder, _, _ = path.partition("/")
        assert folder not in ("", ".", "..")


def test_any_part_equals_that_part_of_the_whole(downloads: Path, alice: User) -> None:
    files = {f"show/{size}": bytes([size % 251]) * size for size in (0, 1, 511, 512, 513, 2000)}
    archive = archive_of(finished(alice, files))
    everything = whole(archive)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, archive.size), st.integers(0, archive.size))
    def part(start: int, stop: int) -> None:
        assert b"".join(archive.read(start, stop)) == everything[start:stop]

    part()


def test_the_etag_stays_the_same_for_the_same_torrent(claim: Claim) -> None:
    assert archive_of(claim).etag == archive_of(claim).etag
    assert archive_of(claim).etag.startswith('"')


def test_the_etag_differs_between_torrents_and_after_another_completion(claim: Claim, alice: User) -> None:
    before = archive_of(claim).etag
    assert archive_of(finished(alice, FILES, name="show")).etag != before
    assert claim.torrent.completed_at is not None
    claim.torrent.completed_at = claim.torrent.completed_at.replace(year=2001)
    assert archive_of(claim).etag != before


def test_a_file_that_vanished_ends_the_archive_with_an_error(claim: Claim) -> None:
    (claim.torrent.data_dir / "show/one block").unlink()
    archive = archive_of(claim)
    with pytest.raises(FileGone):
        archive.check()
    with pytest.raises(FileGone):
        whole(archive)


def test_an_archive_whose_files_are_all_there_passes_the_check(claim: Claim) -> None:
    archive_of(claim).check()


class Unfilled(io.RawIOBase):
    """An archive to seek in whose files are not on the disk: zeros are read for them."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._position = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert whence == io.SEEK_SET
        self._position = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        try:
            block = b"".join(self._archive.read(self._position, self._position + size))
        except FileGone:
            block = bytes(size)
        self._position += len(block)
        return block


def test_files_beyond_8_gib_are_announced_with_their_true_size(downloads: Path) -> None:
    sizes = [9 * 2**30, 8 * 2**30 - 1, 8 * 2**30, 20 * 2**40, 1]
    torrent = Torrent(name="big")
    files = [TorrentFile(torrent=torrent, path=f"big/{size}", size=size) for size in sizes]
    with tarfile.open(fileobj=Unfilled(Archive(torrent, files, completed_at=None)), mode="r:") as tar:
        assert [(entry.name, entry.size) for entry in tar] == [(f"big/{size}", size) for size in sizes]
