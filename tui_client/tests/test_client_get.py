"""`torrent-proxy get`: what it fetches, where to, and what it says."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from torrent_proxy_client import cli, commands
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer


@pytest.fixture
def downloads(config: Path) -> Path:
    return Path(os.environ["TORRENT_PROXY_DOWNLOAD_DIR"])


def test_getting_by_part_of_the_name_prints_where_it_is(
    server: FakeServer, store: FileSessionStore, downloads: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_torrent("Ubuntu 26.04", {"ubuntu.iso": b"12345"})
    server.add_torrent("Debian 13")
    assert cli.main(["get", "ubuntu"]) == 0
    assert (downloads / "ubuntu.iso").read_bytes() == b"12345"
    assert capsys.readouterr().out == f"{downloads / 'ubuntu.iso'}  (5 B, SHA-256 verified)\n"
    assert cli.main(["get", "ubuntu"]) == 0
    assert capsys.readouterr().out == f"{downloads / 'ubuntu.iso'}  (already here)\n"


def test_getting_one_file_by_path_or_by_number_into_a_chosen_directory(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("Show", {"Show/1.mkv": b"one", "Show/2.mkv": b"two"})
    assert cli.main(["get", "show", "--file", "2.mkv", "--to", str(tmp_path / "by path")]) == 0
    assert cli.main(["get", "show", "--file", "0", "--to", str(tmp_path / "by number")]) == 0
    assert (tmp_path / "by path" / "2.mkv").read_bytes() == b"two"
    assert (tmp_path / "by number" / "1.mkv").read_bytes() == b"one"


def test_a_file_that_is_not_there_lists_those_that_are(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_torrent("Show", {"Show/1.mkv": b"one", "Show/2.mkv": b"two"})
    assert cli.main(["get", "show", "--file", "3.mkv"]) == 1
    assert "Show/2.mkv" in capsys.readouterr().err


def test_an_ambiguous_name_lists_the_candidates(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = server.add_torrent("Show 1"), server.add_torrent("Show 2")
    assert cli.main(["pause", "show"]) == 1
    error = capsys.readouterr().err
    assert first.id[:8] in error
    assert second.id[:8] in error


def test_a_whole_name_is_enough_even_if_others_contain_it(
    server: FakeServer, store: FileSessionStore
) -> None:
    show = server.add_torrent("Show")
    server.add_torrent("Show 2")
    assert cli.main(["pause", "Show"]) == 0
    assert server.torrents[show.id].fields["state"] == "paused"


def test_an_id_prefix_is_enough(server: FakeServer, store: FileSessionStore) -> None:
    show = server.add_torrent("Show", state="paused")
    assert cli.main(["resume", show.id[:13]]) == 0
    assert server.torrents[show.id].fields["state"] == "downloading"


def test_getting_what_is_not_finished_says_how_to_wait(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_torrent("film", {"film.mkv": b"x"}, state="downloading")
    assert cli.main(["get", "film"]) == 1
    assert "--wait" in capsys.readouterr().err


def test_waiting_fetches_as_soon_as_it_is_finished(
    server: FakeServer, store: FileSessionStore, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_WAIT_BETWEEN_LOOKS", 0.1)
    film = server.add_torrent("film", {"film.mkv": b"x"}, state="downloading")
    timer = threading.Timer(0.5, lambda: server.update(film.id, state="finished", progress=1.0))
    timer.start()
    assert cli.main(["get", "film", "--wait"]) == 0
    timer.join()
    assert (downloads / "film.mkv").read_bytes() == b"x"


def test_waiting_ends_when_the_server_failed(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_torrent("film", state="error", message="The disk is full.")
    assert cli.main(["get", "film", "--wait"]) == 1
    assert "The disk is full." in capsys.readouterr().err


def test_a_file_that_was_not_chosen_cannot_be_got(
    server: FakeServer, store: FileSessionStore, downloads: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = server.add_torrent("show", {"one.mkv": b"1", "two.mkv": b"2"})
    show.unwanted = {1}
    assert cli.main(["get", "show", "--file", "two.mkv"]) == 1
    assert "You have not chosen this file" in capsys.readouterr().err
    assert cli.main(["get", "show"]) == 0
    assert [path.name for path in downloads.rglob("*.mkv")] == ["one.mkv"]


def test_interrupting_a_download_keeps_the_part_and_says_so(
    server: FakeServer, store: FileSessionStore, downloads: Path
) -> None:
    server.chunk_delay = 0.05
    server.add_torrent("film", {"film.mkv": bytes(20_000_000)})
    process = subprocess.Popen(
        [sys.executable, "-m", "torrent_proxy_client", "get", "film"], stderr=subprocess.PIPE, text=True
    )
    part = downloads / "film.mkv.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(2)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run it again to go on" in error
    assert part.stat().st_size > 0


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ("keep-both", {"film.mkv": b"mine", "film (2).mkv": b"12345"}),
        ("skip", {"film.mkv": b"mine"}),
        ("overwrite", {"film.mkv": b"12345"}),
    ],
)
def test_what_happens_to_a_different_file_of_the_same_name_is_chosen(
    server: FakeServer, store: FileSessionStore, downloads: Path, policy: str, left: dict[str, bytes]
) -> None:
    server.add_torrent("film", {"film.mkv": b"12345"})
    downloads.mkdir()
    (downloads / "film.mkv").write_bytes(b"mine")
    assert cli.main(["get", "film", "--if-exists", policy]) == 0
    assert {path.name: path.read_bytes() for path in downloads.iterdir()} == left


def test_overwriting_never_replaces_a_folder_or_a_link(
    server: FakeServer, store: FileSessionStore, downloads: Path, tmp_path: Path
) -> None:
    server.add_torrent("film", {"film.mkv": b"12345"})
    server.add_torrent("show", {"show.mkv": b"67890"})
    (downloads / "film.mkv").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    (downloads / "show.mkv").symlink_to(elsewhere)
    for name in ("film", "show"):
        assert cli.main(["get", name, "--if-exists", "overwrite"]) == 0
    assert (downloads / "film (2).mkv").read_bytes() == b"12345"
    assert (downloads / "show (2).mkv").read_bytes() == b"67890"
    assert elsewhere.read_bytes() == b"mine"
