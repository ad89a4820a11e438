"""A finished file is opened as what it was downloaded as, or not at all."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User
from torrents.files import FileGone, etag_of, modified_ns, open_beneath, open_file
from torrents.models import Torrent, TorrentFile
from torrents.tests.factories import add, finished

CONTENT = b"what was downloaded"


@pytest.fixture
def file(alice: User, downloads: Path) -> TorrentFile:
    return finished(alice, {"show/season 1/episode.mkv": CONTENT}).torrent.files.get()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def place(file: TorrentFile) -> Path:
    return file.torrent.data_dir / file.path


def test_a_finished_file_is_opened_for_reading(file: TorrentFile) -> None:
    descriptor = open_file(file)
    try:
        assert os.read(descriptor, 100) == CONTENT
        with pytest.raises(OSError):  # noqa: PT011  EBADF
            os.write(descriptor, b"x")
    finally:
        os.close(descriptor)


def replace_with_link_to_passwd(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def replace_with_link_to_a_sibling(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


def replace_folder_with_link(path: Path) -> None:
    path.parent.rename(path.parent.with_name("real"))
    path.parent.symlink_to("real")


def replace_torrents_folder_with_link(path: Path) -> None:
    top = path.parents[2]
    top.rename(top.with_name("real"))
    top.symlink_to("real")


def replace_with_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_with_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_with_socket(path: Path) -> None:
    path.unlink()
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's path may be 107 bytes long
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


def replace_folder_with_file(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()
    path.parent.write_bytes(CONTENT)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "change",
    [
        replace_with_link_to_passwd,
        replace_with_link_to_a_sibling,
        replace_folder_with_link,
        replace_torrents_folder_with_link,
        replace_with_folder,
        replace_with_fifo,
        replace_with_socket,
        replace_folder_with_file,
        Path.unlink,
        lambda path: path.write_bytes(CONTENT + b"!"),
        lambda path: path.write_bytes(CONTENT[:-1]),
    ],
)
def test_what_is_not_the_downloaded_file_any_more_is_refused(
    file: TorrentFile, change: Callable[[Path], object]
) -> None:
    change(place(file))
    before = open_descriptors()
    with pytest.raises(FileGone):
        open_file(file)
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/",
        "..",
        "../secret",
        "show/../../secret",
        "show/..",
        "/etc/passwd",
        "//etc/passwd",
        "nul\0byte",
        "\udcff",
        "lone \ud800 surrogate",
        "x" * 300,
        "x/" * 3000,
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(file: TorrentFile, path: str) -> None:
    (file.torrent.data_dir.parent / "secret").write_bytes(CONTENT)
    with pytest.raises(FileGone):
        open_beneath(file.torrent, path, len(CONTENT))


@pytest.mark.parametrize(
    "path",
    [
        "..a",
        "a..",
        "...",
        " ",
        "-rf",
        "näme",
        "日本語/第1話.mkv",
        "new\nline",
        'quo"te',
        "back\\slash",
        "%2e%2e",
    ],
)
def test_odd_names_are_names(alice: User, downloads: Path, path: str) -> None:
    os.close(open_file(finished(alice, {path: CONTENT}).torrent.files.get()))


def test_an_empty_file_is_a_file(alice: User, downloads: Path) -> None:
    os.close(open_file(finished(alice, {"empty": b""}).torrent.files.get()))


def etag(file: TorrentFile) -> str:
    descriptor = open_file(file)
    try:
        return etag_of(file, modified_ns(descriptor))
    finally:
        os.close(descriptor)


def test_the_etag_is_strong_and_stays_while_the_file_does(file: TorrentFile) -> None:
    assert etag(file) == etag(file)
    assert etag(file).startswith('"')
    assert etag(file).endswith('"')


def test_the_etag_changes_with_the_contents_at_equal_size(file: TorrentFile) -> None:
    before = etag(file)
    place(file).write_bytes(CONTENT[::-1])
    os.utime(place(file), ns=(0, 1))
    assert etag(file) != before


def test_no_two_files_share_an_etag(alice: User, downloads: Path) -> None:
    files: list[TorrentFile] = []
    for _ in range(2):
        files += finished(alice, {"a": b"1", "b": b"1"}).torrent.files.all()
    for file in files:
        os.utime(place(file), ns=(0, 0))
    assert len({etag(file) for file in files}) == 4


def test_a_torrent_without_a_folder_has_no_files_to_open(alice: User, downloads: Path) -> None:
    torrent: Torrent = add(alice).torrent
    with pytest.raises(FileGone):
        open_beneath(torrent, "a", 0)
