"""A torrent cannot use the engine to reach this machine, even where our own stripping of torrents failed."""

import time
from pathlib import Path

import pytest

from torrents.tests.engines.canary import Canary
from torrents.tests.engines.harness import RealHarness, finished, start_when_known, wait_until, write_content
from torrents.tests.engines.real import RealQBittorrent

pytestmark = pytest.mark.engine

PATIENCE = 8.0  # seconds; uncontained, the first contact comes within two


def test_web_seeds_and_trackers_on_this_machine_are_never_contacted(
    qbittorrent: RealQBittorrent, canary: Canary, tmp_path: Path
) -> None:
    harness = RealHarness(qbittorrent)
    for name, has_peer in (("served", True), ("lonely", False)):
        content = write_content(tmp_path / name, "one.mkv", size=2_000_000)
        metainfo = canary.poisoned_torrent(content)
        if has_peer:
            harness.offer(metainfo, content, upload_limit=200_000)
        save_path = str(qbittorrent.data_root / "t" / name)
        harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)

    time.sleep(PATIENCE)
    received = sorted(torrent.downloaded for torrent in harness.engine.poll().torrents.values())
    harness.close()

    assert canary.contacts == 0
    assert canary.redirected > 0  # it did try, as far as it is allowed to go
    assert received[0] == 0 < received[1]


def test_without_the_filter_they_would_be_contacted(
    own_qbittorrent: RealQBittorrent, canary: Canary, tmp_path: Path
) -> None:
    own_qbittorrent.start({"BitTorrent": {r"Session\IPFilteringEnabled": "false"}})
    engine = own_qbittorrent.connect()
    metainfo = canary.poisoned_torrent(write_content(tmp_path / "Show", "one.mkv"))
    engine.add(metainfo=metainfo, magnet=None, save_path=str(tmp_path / "saved"), stopped=False)

    deadline = time.monotonic() + PATIENCE
    while not canary.contacts and time.monotonic() < deadline:
        time.sleep(0.1)
    engine.close()

    assert canary.contacts > 0


def test_what_a_magnet_names_on_this_machine_is_not_contacted_before_nor_after_its_metadata_arrives(
    qbittorrent: RealQBittorrent, canary: Canary, tmp_path: Path
) -> None:
    harness = RealHarness(qbittorrent)
    content = write_content(tmp_path / "Show", "one.mkv")
    metainfo = canary.poisoned_torrent(content)
    save_path = str(qbittorrent.data_root / "t" / "magnet")
    # Past our adapter, which refuses such a magnet.
    harness.engine._client.torrents_add(
        urls=canary.poisoned_magnet(metainfo), save_path=save_path, stop_condition="MetadataReceived"
    )
    time.sleep(PATIENCE / 2)
    before = canary.contacts
    harness.offer(metainfo, content)
    start_when_known(harness)
    wait_until(harness, finished)
    time.sleep(PATIENCE / 2)
    redirected = canary.redirected
    harness.close()

    assert (before, canary.contacts) == (0, 0)
    assert redirected > 0
