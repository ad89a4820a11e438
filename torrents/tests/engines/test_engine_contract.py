"""What every engine must do, proven on the fake and on each version of qBittorrent alike."""

from pathlib import Path

import pytest

from deploy.swarm import Version, infohashes, magnet_for, make_torrent
from torrents.engines.base import EngineError, EngineState, TorrentRejected
from torrents.tests.engines.harness import (
    Harness,
    at,
    finished,
    new_save_path,
    only,
    same_files,
    settled,
    start_when_known,
    wait_until,
    write_content,
)
from torrents.tests.engines.real import VERSIONS

pytestmark = pytest.mark.parametrize(
    "harness",
    ["fake", *(pytest.param(version, marks=pytest.mark.engine) for version in VERSIONS)],
    indirect=True,
)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return write_content(tmp_path / "Show", "one.mkv", "extras/two.mkv")


@pytest.fixture
def save_path(harness: Harness) -> str:
    return new_save_path(harness)


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_a_torrent_added_by_its_metainfo_arrives_under_its_save_path(
    harness: Harness, content: Path, save_path: str, version: Version
) -> None:
    metainfo = make_torrent(content, version=version)
    harness.offer(metainfo, content)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)

    torrent = only(wait_until(harness, finished))

    assert (torrent.infohash_v1, torrent.infohash_v2) == infohashes(metainfo)
    assert (torrent.save_path, torrent.name, torrent.size) == (save_path, "Show", 300_000)
    assert (torrent.progress, torrent.has_metadata) == (1.0, True)
    wait_until(harness, lambda snapshot: only(snapshot).downloaded >= 300_000)
    assert same_files(Path(save_path), content)


def test_a_magnet_learns_its_files_and_stops_before_it_downloads(
    harness: Harness, content: Path, save_path: str
) -> None:
    metainfo = make_torrent(content, version="v1")
    harness.engine.add(metainfo=None, magnet=magnet_for(metainfo), save_path=save_path, stopped=False)
    before = only(wait_until(harness, lambda snapshot: bool(snapshot.torrents)))
    assert (before.state, before.has_metadata, before.size) == (EngineState.METADATA, False, None)
    assert before.progress == 0.0
    assert harness.engine.files(before.key) == ()

    harness.offer(metainfo, content)
    known = start_when_known(harness)
    assert (known.key, known.downloaded, known.size) == (before.key, 0, 300_000)
    assert not any(path.is_file() for path in Path(save_path).rglob("*"))

    torrent = only(wait_until(harness, finished))

    assert [(file.path, file.size, file.progress) for file in harness.engine.files(torrent.key)] == [
        ("Show/extras/two.mkv", 150_000, 1.0),
        ("Show/one.mkv", 150_000, 1.0),
    ]
    assert same_files(Path(save_path), content)


def test_a_hybrid_added_by_its_v1_magnet_changes_its_key_but_not_its_save_path(
    harness: Harness, content: Path, save_path: str
) -> None:
    metainfo = make_torrent(content, version="hybrid")
    v1, v2 = infohashes(metainfo)
    assert v1 is not None
    assert v2 is not None
    harness.engine.add(
        metainfo=None, magnet=magnet_for(metainfo, v2=False), save_path=save_path, stopped=False
    )
    before = only(wait_until(harness, lambda snapshot: bool(snapshot.torrents)))
    assert (before.key, before.infohash_v1, before.infohash_v2) == (v1, v1, None)

    harness.offer(metainfo, content)
    snapshot = wait_until(harness, lambda snapshot: v2[:40] in snapshot.torrents)

    torrent = only(snapshot)
    assert (torrent.infohash_v1, torrent.infohash_v2, torrent.save_path) == (v1, v2, save_path)
    assert (set(snapshot.changed), set(snapshot.removed)) == ({v2[:40]}, {v1})


@pytest.mark.parametrize("v1", [False, True])
def test_a_hybrid_arrives_by_a_magnet_with_its_v2_infohash(
    harness: Harness, content: Path, save_path: str, v1: bool
) -> None:
    metainfo = make_torrent(content, version="hybrid")
    harness.offer(metainfo, content)
    harness.engine.add(metainfo=None, magnet=magnet_for(metainfo, v1=v1), save_path=save_path, stopped=False)
    start_when_known(harness)

    torrent = only(wait_until(harness, finished))

    assert (torrent.infohash_v1, torrent.infohash_v2) == infohashes(metainfo)
    assert same_files(Path(save_path), content)


def test_a_torrent_runs_only_between_start_and_stop(harness: Harness, content: Path, save_path: str) -> None:
    metainfo = make_torrent(content)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    key = only(wait_until(harness, settled)).key

    harness.engine.start([key])
    wait_until(harness, lambda snapshot: snapshot.torrents[key].state == EngineState.STALLED)
    harness.engine.stop([key])
    stopped = wait_until(harness, lambda snapshot: snapshot.torrents[key].state == EngineState.STOPPED)

    assert only(stopped).progress == 0.0


def test_removing_with_data_leaves_the_files_of_other_torrents(harness: Harness, tmp_path: Path) -> None:
    contents = [write_content(tmp_path / letter / "Show", "one.mkv") for letter in "ab"]
    paths = [new_save_path(harness) for _ in contents]
    for content, path in zip(contents, paths, strict=True):
        metainfo = make_torrent(content)
        harness.offer(metainfo, content)
        harness.engine.add(metainfo=metainfo, magnet=None, save_path=path, stopped=False)
    snapshot = wait_until(harness, lambda snapshot: len(snapshot.torrents) == 2 and finished(snapshot))
    first, second = at(snapshot, paths[0]), at(snapshot, paths[1])
    assert first is not None
    assert second is not None

    harness.engine.remove([first.key], delete_data=True)
    after = wait_until(harness, lambda _: not Path(paths[0], "Show").exists())

    assert after.torrents.keys() <= {first.key, second.key}
    assert same_files(Path(paths[1]), contents[1])
    assert second.key in after.torrents


def test_removing_without_data_keeps_the_files(harness: Harness, content: Path, save_path: str) -> None:
    metainfo = make_torrent(content)
    harness.offer(metainfo, content)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)
    key = only(wait_until(harness, finished)).key

    harness.engine.remove([key], delete_data=False)
    snapshot = wait_until(harness, lambda snapshot: not snapshot.torrents)

    assert snapshot.removed == {key}
    assert same_files(Path(save_path), content)


def test_removing_starting_or_stopping_what_is_not_there_is_no_error(harness: Harness) -> None:
    for keys in ([], ["0" * 39 + "1"]):
        harness.engine.start(keys)
        harness.engine.stop(keys)
        harness.engine.remove(keys, delete_data=True)

    assert not harness.engine.poll().torrents


def test_files_and_metainfo_of_a_torrent_that_is_not_there_are_an_error(harness: Harness) -> None:
    with pytest.raises(EngineError) as files:
        harness.engine.files("0" * 39 + "1")
    with pytest.raises(EngineError) as metainfo:
        harness.engine.export_metainfo("0" * 39 + "1")

    assert not files.value.permanent
    assert not metainfo.value.permanent


def test_the_metainfo_of_a_magnet_without_metadata_is_an_error(
    harness: Harness, content: Path, save_path: str
) -> None:
    magnet = magnet_for(make_torrent(content))
    harness.engine.add(metainfo=None, magnet=magnet, save_path=save_path, stopped=False)
    key = only(wait_until(harness, lambda snapshot: bool(snapshot.torrents))).key

    with pytest.raises(EngineError) as error:
        harness.engine.export_metainfo(key)

    assert not error.value.permanent


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_adding_what_is_there_changes_nothing(
    harness: Harness, content: Path, save_path: str, version: Version
) -> None:
    metainfo = make_torrent(content, version=version)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    wait_until(harness, settled)

    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)
    harness.engine.add(metainfo=None, magnet=magnet_for(metainfo), save_path=save_path, stopped=False)
    snapshot = harness.engine.poll()

    assert only(snapshot).state == EngineState.STOPPED
    assert (snapshot.changed, snapshot.removed) == (frozenset(), frozenset())


def test_adding_twice_at_once_is_no_error(harness: Harness, content: Path, save_path: str) -> None:
    metainfo = make_torrent(content)
    for _ in range(2):
        harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)

    assert only(wait_until(harness, settled)).save_path == save_path


def test_a_hybrid_that_is_there_is_recognised_by_its_v1_infohash(
    harness: Harness, content: Path, save_path: str
) -> None:
    metainfo = make_torrent(content, version="hybrid")
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    wait_until(harness, settled)

    harness.engine.add(
        metainfo=None, magnet=magnet_for(metainfo, v2=False), save_path=save_path, stopped=False
    )

    assert only(harness.engine.poll()).state == EngineState.STOPPED


def test_adding_what_is_there_under_another_path_is_rejected(
    harness: Harness, content: Path, save_path: str
) -> None:
    metainfo = make_torrent(content)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    wait_until(harness, settled)

    with pytest.raises(TorrentRejected, match="another folder"):
        harness.engine.add(metainfo=metainfo, magnet=None, save_path=new_save_path(harness), stopped=False)

    assert only(harness.engine.poll()).save_path == save_path


def test_a_removed_torrent_can_be_added_elsewhere_at_once(
    harness: Harness, content: Path, save_path: str
) -> None:
    metainfo = make_torrent(content)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    key = only(wait_until(harness, settled)).key
    elsewhere = new_save_path(harness)

    harness.engine.remove([key], delete_data=True)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=elsewhere, stopped=True)

    snapshot = wait_until(
        harness, lambda snapshot: settled(snapshot) and only(snapshot).save_path == elsewhere
    )
    assert only(snapshot).key == key


def test_data_that_is_no_torrent_is_rejected(harness: Harness, save_path: str) -> None:
    for data in (b"", b"<html>", b"d4:infod4:name1:aee"):
        with pytest.raises(TorrentRejected):
            harness.engine.add(metainfo=data, magnet=None, save_path=save_path, stopped=False)

    assert not harness.engine.poll().torrents


def test_only_a_magnet_is_taken_for_one(
    harness: Harness, content: Path, save_path: str, tmp_path: Path
) -> None:
    metainfo = make_torrent(content)
    on_disk = tmp_path / "on-disk.torrent"
    on_disk.write_bytes(metainfo)
    magnet = magnet_for(metainfo)
    for text in (str(on_disk), on_disk.as_uri(), "http://127.0.0.1/x.torrent", f"{magnet}\n{on_disk}", ""):
        with pytest.raises(TorrentRejected):
            harness.engine.add(metainfo=None, magnet=text, save_path=save_path, stopped=False)

    assert not harness.engine.poll().torrents


def test_odd_file_names_survive(harness: Harness, tmp_path: Path, save_path: str) -> None:
    names = ["ünï ½ – 日本語.mkv", "a b #?&%41;,='.bin", "-rf", ".hidden", "sub dir/Ж.txt", "trailing."]
    content = write_content(tmp_path / "Ödd (näme) 名", *names, size=20_000)
    metainfo = make_torrent(content)
    harness.offer(metainfo, content)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)

    torrent = only(wait_until(harness, finished))

    paths = [file.path for file in harness.engine.files(torrent.key)]
    assert sorted(paths) == sorted(f"{content.name}/{name}" for name in names)
    assert same_files(Path(save_path), content)


def test_a_single_file_arrives_as_itself(harness: Harness, tmp_path: Path, save_path: str) -> None:
    file = write_content(tmp_path, "film.mkv") / "film.mkv"
    metainfo = make_torrent(file)
    harness.offer(metainfo, file)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)

    torrent = only(wait_until(harness, finished))

    assert [entry.path for entry in harness.engine.files(torrent.key)] == ["film.mkv"]
    assert Path(save_path, "film.mkv").read_bytes() == file.read_bytes()


def test_the_exported_metainfo_is_the_same_torrent(harness: Harness, content: Path, save_path: str) -> None:
    metainfo = make_torrent(content, version="hybrid")
    harness.offer(metainfo, content)
    harness.engine.add(metainfo=None, magnet=magnet_for(metainfo), save_path=save_path, stopped=False)
    start_when_known(harness)
    key = only(wait_until(harness, finished)).key  # a hybrid's piece layers arrive with its data

    assert infohashes(harness.engine.export_metainfo(key)) == infohashes(metainfo)


def test_a_poll_tells_what_differs_from_the_one_before(harness: Harness, tmp_path: Path) -> None:
    keys = []
    for letter in "ab":
        metainfo = make_torrent(write_content(tmp_path / letter, "one.mkv"))
        keys.append(str(infohashes(metainfo)[1])[:40])
        harness.engine.add(metainfo=metainfo, magnet=None, save_path=new_save_path(harness), stopped=True)
        snapshot = wait_until(harness, lambda snapshot: keys[-1] in snapshot.torrents)
        assert snapshot.changed == {keys[-1]}
        wait_until(harness, settled)

    unchanged = harness.engine.poll()
    assert (unchanged.changed, unchanged.removed) == (frozenset(), frozenset())
    assert unchanged.torrents.keys() == set(keys)

    harness.engine.remove(keys[:1], delete_data=True)
    gone = wait_until(harness, lambda snapshot: keys[0] not in snapshot.torrents)
    assert (set(gone.changed), set(gone.removed)) == (set(), {keys[0]})
    assert not harness.engine.poll().removed


def test_an_engine_that_was_away_is_told_from_the_start_again(
    harness: Harness, content: Path, save_path: str
) -> None:
    harness.engine.add(metainfo=make_torrent(content), magnet=None, save_path=save_path, stopped=True)
    before = wait_until(harness, settled)

    harness.go_away()
    with pytest.raises(EngineError) as error:
        harness.engine.poll()
    with pytest.raises(EngineError):
        harness.engine.start(before.torrents.keys())
    harness.come_back()
    after = harness.engine.poll()

    assert not error.value.permanent
    assert after.changed == before.torrents.keys()
    assert not after.removed


def test_the_status_names_the_engine_and_its_connection(harness: Harness) -> None:
    status = harness.engine.poll().status

    assert status.version
    assert status.connection in ("connected", "firewalled", "disconnected")


def test_two_magnets_that_turn_out_to_be_one_hybrid_leave_one_torrent(
    harness: Harness, content: Path
) -> None:
    metainfo = make_torrent(content, version="hybrid")
    paths = [new_save_path(harness), new_save_path(harness)]
    magnets = [magnet_for(metainfo, v2=False), magnet_for(metainfo, v1=False)]
    for path, magnet in zip(paths, magnets, strict=True):
        harness.engine.add(metainfo=None, magnet=magnet, save_path=path, stopped=False)
    wait_until(harness, lambda snapshot: len(snapshot.torrents) == 2)

    harness.offer(metainfo, content)
    survivor = only(wait_until(harness, lambda snapshot: len(snapshot.torrents) == 1))

    assert (survivor.infohash_v1, survivor.infohash_v2) == infohashes(metainfo)
    assert survivor.save_path == paths[1]
