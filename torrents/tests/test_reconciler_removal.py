"""What nobody claims any more goes from the engine and the disk, and nothing else does."""

import shutil
import uuid
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from torrents import services
from torrents.engines.base import EngineState
from torrents.metainfo import Source
from torrents.models import Removal, Torrent
from torrents.reconciler import data_root
from torrents.states import state_of
from torrents.tests.factories import State, add, fresh_magnet
from torrents.tests.reconciler_box import Box, download, seen


@pytest.fixture
def retired(box: Box, alice: User, show: Source, tmp_path: Path, settings: Settings) -> Torrent:
    """A torrent with data, whose grace period is over."""
    settings.REMOVAL_GRACE_SECONDS = 0
    claim = add(alice, show)
    download(box, show, tmp_path)
    assert (claim.torrent.data_dir / "show" / "episode.mkv").is_file()
    services.remove_torrent(claim=claim)
    services.retire_unclaimed_torrents()
    return claim.torrent


def test_a_retired_torrent_leaves_the_engine_and_the_disk(box: Box, retired: Torrent) -> None:
    (retired.data_dir / "left behind").write_bytes(b"by the engine")
    box.rounds(3)
    assert box.held() == {}
    assert not retired.data_dir.exists()
    assert not Removal.objects.exists()


def test_nothing_but_the_retired_torrent_is_deleted(box: Box, retired: Torrent, tmp_path: Path) -> None:
    folders = [data_root() / str(uuid.uuid4()), data_root() / "photos", data_root().parent / "elsewhere"]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "keep").write_bytes(b"mine")
    for save_path in (*map(str, folders), "/srv/other", str(data_root())):
        source = fresh_magnet()
        box.engine.add(metainfo=None, magnet=source.magnet, save_path=save_path, stopped=False)
    box.rounds(3)
    paths = {torrent.save_path for torrent in box.engine.peek()}
    assert paths == {*map(str, folders), "/srv/other", str(data_root())}
    assert all(torrent.state != EngineState.STOPPED for torrent in box.engine.peek())
    assert all((folder / "keep").is_file() for folder in folders)
    assert not retired.data_dir.exists()


def test_a_removal_is_remembered_until_the_engine_has_nothing_of_it(box: Box, retired: Torrent) -> None:
    box.engine.away = True
    box.rounds(2)
    assert Removal.objects.filter(pk=retired.pk).exists()
    assert retired.data_dir.exists()
    box.engine.away = False
    box.rounds(1)
    assert Removal.objects.filter(pk=retired.pk).exists()
    box.rounds(1, woken=False)
    assert not Removal.objects.exists()


def test_a_folder_that_is_a_link_is_not_followed(box: Box, retired: Torrent, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "keep").write_bytes(b"mine")
    shutil.rmtree(retired.data_dir)
    retired.data_dir.symlink_to(precious)
    box.rounds(3)
    assert (precious / "keep").is_file()


def test_the_same_torrent_can_be_added_again_right_after_it_was_retired(
    box: Box, alice: User, retired: Torrent, show: Source
) -> None:
    claim = add(alice, show)
    assert claim.torrent_id != retired.pk
    box.rounds(3)
    assert set(box.held()) == {claim.torrent_id}
    assert state_of(seen(claim)) == State.DOWNLOADING
