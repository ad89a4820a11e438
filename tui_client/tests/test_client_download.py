"""Fetching files: resumed, reconnected, verified, and never over somebody else's file."""

import asyncio
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from torrent_proxy_client import download
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Fetched, Progress
from torrent_proxy_client.errors import DownloadFailed, NotEnoughSpace, NotFinished, NotLoggedIn, Refused
from tui_client.tests.fake_server import FakeServer, FakeTorrent
from tui_client.tests.fetching import DATA, fetch, tree
from tui_client.tests.waiting import eventually


def open_files() -> list[Path]:
    return [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


async def test_a_file_arrives_whole_and_verified(api: ApiClient, film: FakeTorrent, here: Path) -> None:
    (result,) = await fetch(api, film, here)
    assert result == Fetched(here / "film.mkv", len(DATA), verified=True, already_here=False)
    assert tree(here) == {"film.mkv": DATA}


async def test_a_torrent_of_several_files_gets_its_folder(
    server: FakeServer, api: ApiClient, here: Path
) -> None:
    files = {"Show/1.mkv": b"one", "Show/Extras/2.mkv": b"two", "Show/empty.nfo": b""}
    await fetch(api, server.add_torrent("Show", files), here)
    assert tree(here) == files


async def test_one_file_of_a_torrent_can_be_fetched_alone(
    server: FakeServer, api: ApiClient, here: Path
) -> None:
    show = server.add_torrent("Show", {"Show/1.mkv": b"one", "Show/Extras/2.mkv": b"two"})
    await fetch(api, show, here, only=1)
    assert tree(here) == {"2.mkv": b"two"}


async def test_progress_counts_all_files_and_ends_at_the_total(
    server: FakeServer, api: ApiClient, here: Path
) -> None:
    seen: list[Progress] = []
    show = server.add_torrent("Show", {"a": DATA, "b": DATA})
    await fetch(api, show, here, on_progress=seen.append)
    assert (seen[-1].done, seen[-1].total) == (2 * len(DATA), 2 * len(DATA))
    assert [now.done for now in seen] == sorted(now.done for now in seen)
    assert max(now.speed for now in seen) > 0


async def test_a_broken_connection_is_continued_where_it_broke(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000, 500_000]
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}
    assert len(server.content_starts) == 3
    assert 0 == server.content_starts[0] < server.content_starts[1] < server.content_starts[2]


async def test_a_cancelled_download_is_continued_by_the_next_one(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_REPORT_EVERY", 0)
    server.hold_after = 1_500_000
    seen: list[Progress] = []
    first = asyncio.create_task(fetch(api, film, here, on_progress=seen.append))
    await eventually(lambda: any(now.done > 500_000 for now in seen))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    kept = (here / "film.mkv.part").stat().st_size
    assert kept > 0
    server.hold_after = None
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}
    assert server.content_starts[-1] == kept


async def test_content_that_changed_meanwhile_is_fetched_from_the_start(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    with pytest.raises(DownloadFailed):
        await fetch(api, film, here, patience=0)
    server.version = "2"
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}
    assert server.content_starts == [0, 0]


async def test_a_server_without_ranges_is_asked_for_all_again(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.ignores_range = True
    server.cut_after = [1_000_000]
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}
    assert server.content_starts == [0, 0]


async def test_a_part_that_is_longer_than_the_file_is_started_over(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    with pytest.raises(DownloadFailed):
        await fetch(api, film, here, patience=0)
    with (here / "film.mkv.part").open("ab") as part:
        part.write(DATA)
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}


async def test_a_complete_part_is_only_verified(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    with pytest.raises(DownloadFailed):
        await fetch(api, film, here, patience=0)
    (here / "film.mkv.part").write_bytes(DATA)
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}
    assert server.content_starts == [0]


async def test_a_range_that_the_server_cannot_satisfy_starts_over(
    server: FakeServer, api: ApiClient, here: Path
) -> None:
    film = server.add_torrent("film", {"film.mkv": DATA})
    server.cut_after = [1_000_000]
    with pytest.raises(DownloadFailed):
        await fetch(api, film, here, patience=0)
    short = DATA[:10]
    film.files["film.mkv"] = short
    sidecar = here / "film.mkv.part.json"
    note = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**note, "etag": f'"{hashlib.sha1(short).hexdigest()}-1"'}))
    (here / "film.mkv.part").write_bytes(b"too long now")
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": short}


async def test_a_server_that_is_away_in_the_middle_is_waited_for_and_said_so(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    seen: list[Progress] = []

    def back_soon(now: Progress) -> None:
        seen.append(now)
        server.away = now.done > 0 and not now.note

    server.cut_after = [1_000_000]
    await fetch(api, film, here, on_progress=back_soon)
    assert tree(here) == {"film.mkv": DATA}
    assert any("Trying again in" in now.note for now in seen)


async def test_it_gives_up_when_nothing_arrives_for_long_and_keeps_the_part(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000, *[0] * 100]
    with pytest.raises(DownloadFailed, match="What is here is kept"):
        await fetch(api, film, here, patience=0.5)
    assert (here / "film.mkv.part").stat().st_size == 1_000_000


async def test_a_session_that_expires_in_the_middle_is_renewed(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    await fetch(
        api, film, here, on_progress=lambda now: server.expire_access() if "Trying" in now.note else None
    )
    assert tree(here) == {"film.mkv": DATA}
    assert server.refreshes >= 1


async def test_a_session_that_ends_in_the_middle_keeps_the_part(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    with pytest.raises(NotLoggedIn):
        await fetch(
            api, film, here, on_progress=lambda now: server.end_sessions() if "Trying" in now.note else None
        )
    assert (here / "film.mkv.part").stat().st_size == 1_000_000


async def test_a_damaged_file_is_moved_aside_and_fetched_once_more(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    seen: list[Progress] = []
    server.damaged_answers = 1
    (result,) = await fetch(api, film, here, on_progress=seen.append)
    assert result.verified
    assert (here / "film.mkv").read_bytes() == DATA
    assert (here / "film.mkv.damaged").stat().st_size == len(DATA)
    assert any("damaged" in now.note for now in seen)


async def test_a_file_that_is_damaged_twice_is_a_failure_that_names_the_copies(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.damaged_answers = 2
    with pytest.raises(DownloadFailed, match=r"film\.mkv\.damaged and .*film\.mkv\.damaged2"):
        await fetch(api, film, here)
    assert set(tree(here)) == {"film.mkv.damaged", "film.mkv.damaged2"}


async def test_a_hash_that_comes_late_is_waited_for(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.hashes_known = False

    def computed(now: Progress) -> None:
        server.hashes_known = server.hashes_known or "checksum" in now.note

    (result,) = await fetch(api, film, here, on_progress=computed, sleep=lambda seconds: asyncio.sleep(0.01))
    assert result.verified


async def test_without_a_hash_only_the_size_is_checked_and_said_so(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.hashes_known = False
    (result,) = await fetch(api, film, here, hash_patience=0)
    assert not result.verified
    assert tree(here) == {"film.mkv": DATA}


async def test_a_torn_sidecar_means_starting_over(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    with pytest.raises(DownloadFailed):
        await fetch(api, film, here, patience=0)
    (here / "film.mkv.part.json").write_text('{"server": "http')
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}
    assert server.content_starts == [0, 0]


async def test_one_file_is_not_fetched_by_two_at_once(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.hold_after = 1_500_000
    first = asyncio.create_task(fetch(api, film, here))
    await eventually(lambda: server.content_starts)
    with pytest.raises(DownloadFailed, match="being fetched already"):
        await fetch(api, film, here)
    server.hold_after = None
    await first
    assert tree(here) == {"film.mkv": DATA}


async def test_too_little_space_is_said_before_anything_is_fetched(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(NotEnoughSpace, match=r"3\.0 MB needed, 1\.0 MB free"):
        await fetch(api, film, here)
    assert server.content_starts == []


async def test_an_unfinished_torrent_is_not_fetched(server: FakeServer, api: ApiClient, here: Path) -> None:
    film = server.add_torrent("film", {"film.mkv": DATA}, state="downloading")
    with pytest.raises(NotFinished):
        await fetch(api, film, here)
    assert tree(here) == {}


async def test_a_torrent_removed_in_the_middle_is_the_servers_refusal(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.cut_after = [1_000_000]
    with pytest.raises(Refused, match="no such torrent"):
        await fetch(
            api, film, here, on_progress=lambda now: server.remove(film.id) if "Trying" in now.note else None
        )


async def test_a_directory_that_cannot_be_written_is_a_sentence(
    api: ApiClient, film: FakeTorrent, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadFailed, match="Cannot write here: Not a directory"):
        await fetch(api, film, tmp_path / "file" / "below")


async def test_a_content_of_another_size_than_listed_is_refused(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    def grew(now: Progress) -> None:
        film.files["film.mkv"] = DATA + b"more"

    with pytest.raises(DownloadFailed, match="lists 3000000 bytes for the file but sends 3000004"):
        await fetch(api, film, here, on_progress=grew)


async def test_no_descriptor_stays_open_after_a_download(
    api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    await fetch(api, film, here)
    assert not any(here in path.parents for path in open_files())
