"""Where fetched files go: below the chosen directory, and never over what somebody else put there."""

from pathlib import Path

import pytest

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Progress
from torrent_proxy_client.errors import DownloadFailed
from tui_client.tests.fake_server import FakeServer, FakeTorrent
from tui_client.tests.fetching import DATA, fetch, outside, tree


async def test_the_same_file_is_not_fetched_again(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    await fetch(api, film, here)
    (result,) = await fetch(api, film, here)
    assert result.already_here
    assert len(server.content_starts) == 1


async def test_a_different_file_of_that_name_is_left_alone(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    other = bytes(len(DATA))
    (here / "film.mkv").write_bytes(other)
    (first,) = await fetch(api, film, here)
    (second,) = await fetch(api, film, here)
    assert tree(here) == {"film.mkv": other, "film (2).mkv": DATA}
    assert first.path == second.path
    assert second.already_here


async def test_a_file_that_appears_during_the_download_is_left_alone(
    api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    def somebody_else_writes(now: Progress) -> None:
        (here / "film.mkv").write_bytes(b"mine")

    await fetch(api, film, here, on_progress=somebody_else_writes)
    assert (here / "film.mkv").read_bytes() == b"mine"
    assert (here / "film (2).mkv").read_bytes() == DATA


async def test_somebody_elses_part_is_left_alone(api: ApiClient, film: FakeTorrent, here: Path) -> None:
    (here / "film.mkv.part").write_bytes(b"of another program")
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv.part": b"of another program", "film (2).mkv": DATA}


async def test_the_part_of_another_torrent_with_that_name_is_left_alone(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    with pytest.raises(DownloadFailed):
        await fetch(api, film, here, patience=0)
    await fetch(api, server.add_torrent("film", {"film.mkv": b"other"}), here)
    assert (here / "film (2).mkv").read_bytes() == b"other"
    assert (here / "film.mkv.part").stat().st_size == 1_000_000


async def test_hostile_paths_stay_in_the_directory(
    server: FakeServer, api: ApiClient, here: Path, tmp_path: Path
) -> None:
    paths = [
        "../../up.txt",
        "/etc/passwd",
        "C:\\x\\y.txt",
        "a/../../../b",
        "CON",
        "\u202etxt.exe",
        "x\x1b[2Jy",
        "..",
        "",
    ]
    evil = server.add_torrent("../../evil", {path: f"{n}".encode() for n, path in enumerate(paths)})
    before = outside(tmp_path, here)
    results = await fetch(api, evil, here)
    assert len({result.path for result in results}) == len(paths)
    assert all(result.path.is_relative_to(here) for result in results)
    assert outside(tmp_path, here) == before


async def test_a_folder_that_is_a_link_to_elsewhere_is_refused(
    server: FakeServer, api: ApiClient, here: Path, tmp_path: Path
) -> None:
    (here / "Show").symlink_to(tmp_path)
    before = outside(tmp_path, here)
    show = server.add_torrent("Show", {"Show/1.mkv": b"one", "Show/2.mkv": b"two"})
    with pytest.raises(DownloadFailed, match="link to somewhere else"):
        await fetch(api, show, here)
    assert outside(tmp_path, here) == before


@pytest.mark.parametrize("suffix", ["", ".part", ".part.json"])
async def test_a_link_in_place_of_the_file_is_not_followed(
    api: ApiClient, film: FakeTorrent, here: Path, tmp_path: Path, suffix: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (here / f"film.mkv{suffix}").symlink_to(victim)
    (result,) = await fetch(api, film, here)
    assert victim.read_bytes() == b"precious"
    assert result.path == here / "film (2).mkv"
