"""What of qBittorrent's answers is believed, and how it is read."""

import pytest

from torrents.engines.base import EngineState
from torrents.engines.qbittorrent_replies import Entry, file_of, torrent_of

KEY = "a" * 40
MORE_THAN_ALL = 19 * 16384 / 300_000  # nineteen whole blocks of a torrent that ends within the last of them


def entry(**changes: object) -> Entry:
    return {
        "infohash_v1": KEY,
        "infohash_v2": "",
        "save_path": "/data/one",
        "name": "Show",
        "state": "downloading",
        "progress": 0.5,
        "amount_left": 150_000,
        "size": 300_000,
        "total_size": 300_000,
        "downloaded": 150_000,
        "uploaded": 0,
        "dlspeed": 1000,
        "upspeed": 0,
        "eta": 150,
        "num_seeds": 1,
        "num_leechs": 0,
        "dl_limit": 0,
        "up_limit": 0,
        "seq_dl": False,
    } | changes


def file_entry(progress: object) -> Entry:
    return {"index": 0, "name": "Show/one.mkv", "size": 300_000, "progress": progress, "priority": 1}


def test_a_torrent_with_more_than_it_wants_is_complete_once_nothing_is_left() -> None:
    under_way = torrent_of(KEY, entry(progress=MORE_THAN_ALL, amount_left=2**64 - 11_296))
    assert (under_way.state, under_way.progress) == (EngineState.DOWNLOADING, 0.999)
    there = torrent_of(KEY, entry(progress=MORE_THAN_ALL, amount_left=0, state="stalledUP"))
    assert (there.state, there.progress) == (EngineState.SEEDING, 1.0)


def test_a_file_with_more_than_its_size_is_not_believed() -> None:
    with pytest.raises(ValueError, match="no share"):
        file_of(file_entry(MORE_THAN_ALL))


@pytest.mark.parametrize("progress", [-0.1, float("nan"), float("inf"), "half", None])
def test_no_share_is_a_share_of_nothing(progress: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        torrent_of(KEY, entry(progress=progress))
    with pytest.raises((TypeError, ValueError)):
        file_of(file_entry(progress))
