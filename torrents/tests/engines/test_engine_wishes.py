"""What every engine must do with people's wishes, proven on the fake and on a real qBittorrent alike."""

from functools import partial
from pathlib import Path

import pytest

from deploy.swarm import Version, make_torrent
from torrents.egress import FLOOR
from torrents.engines.base import MAX_LIMIT, EngineError, EngineState, Snapshot
from torrents.metainfo import parse_torrent
from torrents.tests.engines.harness import (
    Harness,
    finished,
    new_save_path,
    only,
    same_files,
    settled,
    wait_until,
    write_content,
)
from torrents.tests.factories import fresh_magnet

NOWHERE = "0" * 39 + "1"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = write_content(tmp_path / "Show", "one.mkv", "three.mkv", "two.mkv")
    (folder / "empty.txt").write_bytes(b"")
    return folder


@pytest.fixture
def save_path(harness: Harness) -> str:
    return new_save_path(harness)


def add_stopped(harness: Harness, metainfo: bytes, save_path: str) -> str:
    """The key of a torrent that is there and stopped."""
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    return only(wait_until(harness, settled)).key


def index_of(harness: Harness, key: str, name: str) -> int:
    return next(file.index for file in harness.engine.files(key) if file.path.endswith(name))


def trackers(harness: Harness, key: str) -> int:
    swarm = harness.engine.swarm(key)
    return swarm.trackers_working + swarm.trackers_failing + swarm.trackers_waiting


def progress_by_name(harness: Harness, key: str) -> dict[str, float]:
    return {Path(file.path).name: file.progress for file in harness.engine.files(key)}


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_the_engine_numbers_files_as_we_do(
    harness: Harness, content: Path, save_path: str, version: Version
) -> None:
    metainfo = make_torrent(content, version=version)

    key = add_stopped(harness, metainfo, save_path)

    files = [(file.index, file.path, file.size) for file in harness.engine.files(key)]
    ours = parse_torrent(metainfo).files or ()
    assert files == [(index, path, size) for index, (path, size) in enumerate(ours)]


@pytest.mark.parametrize("version", ["v1", "hybrid"])
def test_only_wanted_files_arrive_and_the_torrent_is_complete_with_them(
    harness: Harness, content: Path, save_path: str, version: Version
) -> None:
    metainfo = make_torrent(content, version=version, piece_size=16384)
    harness.offer(metainfo, content)
    key = add_stopped(harness, metainfo, save_path)
    two = index_of(harness, key, "two.mkv")

    harness.engine.set_wanted_files(key, [two])
    wanted = {file.path for file in harness.engine.files(key) if file.wanted}
    assert wanted == {"Show/two.mkv", "Show/empty.txt"}
    harness.engine.start([key])
    torrent = only(wait_until(harness, finished))

    assert torrent.progress == 1.0
    assert torrent.size is not None
    assert 150_000 <= torrent.size < 200_000  # pieces at its edges belong to others too
    assert progress_by_name(harness, key)["two.mkv"] == 1.0
    assert progress_by_name(harness, key)["one.mkv"] < 1.0
    assert Path(save_path, "Show/two.mkv").read_bytes() == (content / "two.mkv").read_bytes()
    assert not Path(save_path, "Show/one.mkv").exists()


def test_files_that_are_wanted_later_arrive_later(harness: Harness, content: Path, save_path: str) -> None:
    metainfo = make_torrent(content)
    harness.offer(metainfo, content)
    key = add_stopped(harness, metainfo, save_path)
    harness.engine.set_wanted_files(key, [index_of(harness, key, "one.mkv")])
    harness.engine.start([key])
    wait_until(harness, finished)

    harness.engine.set_wanted_files(key, None)
    assert progress_by_name(harness, key)["three.mkv"] < 1.0
    wait_until(harness, lambda snapshot: finished(snapshot) and only(snapshot).size == 450_000)

    assert all(file.wanted and file.progress == 1.0 for file in harness.engine.files(key))
    assert same_files(Path(save_path), content)


def test_wanting_fewer_files_can_complete_a_torrent(harness: Harness, content: Path, save_path: str) -> None:
    metainfo = make_torrent(content)
    harness.offer(metainfo, content)
    key = add_stopped(harness, metainfo, save_path)
    one, two = (index_of(harness, key, name) for name in ("one.mkv", "two.mkv"))
    harness.engine.set_wanted_files(key, [one])
    harness.engine.start([key])
    wait_until(harness, finished)
    harness.engine.stop([key])
    harness.engine.set_wanted_files(key, [one, two])
    wait_until(harness, lambda snapshot: settled(snapshot) and only(snapshot).progress < 1)

    harness.engine.set_wanted_files(key, [one])

    wait_until(harness, lambda snapshot: only(snapshot).progress == 1)
    assert Path(save_path, "Show/one.mkv").read_bytes() == (content / "one.mkv").read_bytes()


def test_wanting_what_is_wanted_already_or_does_not_exist_changes_nothing(
    harness: Harness, content: Path, save_path: str
) -> None:
    key = add_stopped(harness, make_torrent(content), save_path)
    one, two, empty = (index_of(harness, key, name) for name in ("one.mkv", "two.mkv", "empty.txt"))
    for indexes in ([one, two], [one, two], [one, two, 99], None, None):
        harness.engine.set_wanted_files(key, indexes)
        wanted = {file.index for file in harness.engine.files(key) if file.wanted}
        assert wanted == ({one, two, empty} if indexes else {0, 1, 2, 3})


def test_files_cannot_be_chosen_before_metadata_is_known(harness: Harness, save_path: str) -> None:
    harness.engine.add(metainfo=None, magnet=fresh_magnet().magnet, save_path=save_path, stopped=False)
    key = only(wait_until(harness, lambda snapshot: bool(snapshot.torrents))).key
    for unknown in (key, NOWHERE):
        with pytest.raises(EngineError) as error:
            harness.engine.set_wanted_files(unknown, [0])
        assert not error.value.permanent


def test_a_magnet_that_is_added_stopped_fetches_its_metadata_and_nothing_else(
    harness: Harness, content: Path, save_path: str
) -> None:
    metainfo = make_torrent(content)
    harness.offer(metainfo, content)
    source = parse_torrent(metainfo)

    harness.engine.add(metainfo=None, magnet=source.magnet, save_path=save_path, stopped=True)
    known = only(wait_until(harness, lambda snapshot: settled(snapshot) and only(snapshot).has_metadata))

    assert known.downloaded == 0
    assert len(harness.engine.files(known.key)) == 4


def test_files_of_a_magnet_are_chosen_before_it_starts(
    harness: Harness, content: Path, save_path: str
) -> None:
    metainfo = make_torrent(content, version="hybrid")
    harness.offer(metainfo, content)
    harness.engine.add(
        metainfo=None, magnet=parse_torrent(metainfo).magnet, save_path=save_path, stopped=False
    )
    key = only(wait_until(harness, lambda snapshot: settled(snapshot) and only(snapshot).has_metadata)).key
    harness.engine.set_wanted_files(key, [index_of(harness, key, "three.mkv")])
    harness.engine.start([key])

    wait_until(harness, finished)

    assert progress_by_name(harness, key)["three.mkv"] == 1.0
    assert progress_by_name(harness, key)["one.mkv"] == 0.0


def test_limits_are_set_and_lifted(harness: Harness, content: Path, save_path: str) -> None:
    key = add_stopped(harness, make_torrent(content), save_path)
    assert has_limits((None, None), harness.engine.poll())
    for limits in ((1_500_001, 777), (1, MAX_LIMIT), (None, 777), (None, None)):
        for _ in range(2):
            harness.engine.set_limits([key, NOWHERE], download=limits[0], upload=limits[1])
        wait_until(harness, partial(has_limits, limits))


def has_limits(limits: tuple[int | None, int | None], snapshot: Snapshot) -> bool:
    return (only(snapshot).download_limit, only(snapshot).upload_limit) == limits


def test_the_limit_of_all_torrents_together_is_set_and_lifted(harness: Harness) -> None:
    for limit in (FLOOR, 1024, MAX_LIMIT // 1024 * 1024, None):
        for _ in range(2):
            harness.engine.set_total_upload_limit(limit)
        wait_until(harness, partial(has_total_limit, limit))


def has_total_limit(limit: int | None, snapshot: Snapshot) -> bool:
    return snapshot.status.upload_limit == limit


def test_sequential_is_what_was_asked_last_however_often(
    harness: Harness, content: Path, save_path: str
) -> None:
    key = add_stopped(harness, make_torrent(content), save_path)
    assert not only(harness.engine.poll()).sequential
    for sequential in (True, True, False, False, True):
        harness.engine.set_sequential([key, NOWHERE], sequential=sequential)
        harness.engine.set_sequential([key], sequential=sequential)
        wait_until(harness, partial(is_sequential, sequential))


def is_sequential(wanted: bool, snapshot: Snapshot) -> bool:
    return only(snapshot).sequential is wanted


def test_trackers_are_added_once_and_counted(harness: Harness, content: Path, save_path: str) -> None:
    urls = [f"http://127.0.0.77:{port}/announce" for port in (1, 2)]
    key = add_stopped(harness, make_torrent(content, trackers=urls[:1]), save_path)
    for _ in range(2):
        harness.engine.add_trackers(key, urls)
    harness.engine.add_trackers(key, [])

    assert trackers(harness, key) == 2


def test_trackers_are_added_to_a_magnet_that_still_looks_for_its_metadata(
    harness: Harness, save_path: str
) -> None:
    harness.engine.add(metainfo=None, magnet=fresh_magnet().magnet, save_path=save_path, stopped=False)
    key = only(wait_until(harness, lambda snapshot: bool(snapshot.torrents))).key

    harness.engine.add_trackers(key, ["http://127.0.0.77:1/announce"])

    assert trackers(harness, key) == 1
    assert only(harness.engine.poll()).state == EngineState.METADATA


def test_trackers_of_what_is_not_there_are_an_error(harness: Harness) -> None:
    with pytest.raises(EngineError) as trackers:
        harness.engine.add_trackers(NOWHERE, ["http://127.0.0.77:1/announce"])

    assert not trackers.value.permanent


def test_the_first_snapshot_and_the_first_after_an_absence_are_complete_ones(harness: Harness) -> None:
    assert [harness.engine.poll().resynced for _ in range(2)] == [True, False]

    harness.go_away()
    with pytest.raises(EngineError):
        harness.engine.poll()
    harness.come_back()

    assert [harness.engine.poll().resynced for _ in range(2)] == [True, False]
