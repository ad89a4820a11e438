"""Counts of trackers and peers, and checking data again: of every engine, and of qBittorrent with a real tracker."""

import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.swarm import make_torrent
from torrents.engines.base import EngineError, EngineState, Snapshot, SwarmCounts
from torrents.tests.engines.harness import (
    Harness,
    RealHarness,
    only,
    wait_until,
    write_content,
)
from torrents.tests.engines.real import PEER_ADDRESS, RealQBittorrent, free_port

UNKNOWN_KEY = "0" * 39 + "1"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return write_content(tmp_path / "Show", "one.mkv", "two.mkv")


@pytest.fixture
def save_path(harness: Harness) -> str:
    return str(harness.data_root / "t" / str(uuid.uuid4()))


def complete(snapshot: Snapshot) -> bool:
    return bool(snapshot.torrents) and only(snapshot).progress == 1.0


def test_a_torrent_that_nobody_has_counts_nobody(harness: Harness, content: Path, save_path: str) -> None:
    harness.engine.add(metainfo=make_torrent(content), magnet=None, save_path=save_path, stopped=False)
    key = only(wait_until(harness, lambda s: bool(s.torrents) and only(s).state == EngineState.STALLED)).key

    counts = harness.engine.swarm(key)

    assert (counts.trackers_working, counts.trackers_failing, counts.trackers_waiting) == (0, 0, 0)
    assert not counts.known_seeds
    assert not counts.known_peers
    assert not counts.availability


def test_a_stopped_torrents_trackers_wait(harness: Harness, content: Path, save_path: str) -> None:
    metainfo = make_torrent(content, trackers=["http://tracker.invalid/announce"])
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    key = only(wait_until(harness, lambda s: bool(s.torrents) and only(s).state == EngineState.STOPPED)).key

    counts = harness.engine.swarm(key)

    assert (counts.trackers_working, counts.trackers_failing, counts.trackers_waiting) == (0, 0, 1)


def test_the_swarm_of_a_torrent_that_is_not_there_is_an_error(harness: Harness) -> None:
    with pytest.raises(EngineError) as error:
        harness.engine.swarm(UNKNOWN_KEY)

    assert not error.value.permanent


@pytest.mark.parametrize("stopped", [False, True])
def test_a_recheck_finds_that_data_is_missing(
    harness: Harness, content: Path, save_path: str, stopped: bool
) -> None:
    metainfo = make_torrent(content)
    harness.offer(metainfo, content)
    harness.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)
    key = only(wait_until(harness, complete)).key
    if stopped:
        harness.engine.stop([key])
        wait_until(harness, lambda snapshot: only(snapshot).state == EngineState.STOPPED)
    Path(save_path, "Show", "one.mkv").unlink()

    harness.engine.recheck([key])
    torrent = only(wait_until(harness, lambda s: not complete(s) and only(s).state != EngineState.CHECKING))

    assert torrent.progress < 0.6
    assert (torrent.state == EngineState.STOPPED) == stopped


def test_a_recheck_of_nothing_or_of_what_is_not_there_is_no_error(harness: Harness) -> None:
    harness.engine.recheck([])
    harness.engine.recheck([UNKNOWN_KEY])

    assert not harness.engine.poll().torrents


class Announce(BaseHTTPRequestHandler):
    """A tracker that knows seven who have it all and three who do not, and tells nobody's address."""

    def do_GET(self) -> None:
        body = b"d8:completei7e10:incompletei3e8:intervali1800e5:peers0:e"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def tracker() -> Iterator[str]:
    with ThreadingHTTPServer((PEER_ADDRESS, 0), Announce) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{PEER_ADDRESS}:{server.server_port}/announce"
        server.shutdown()
        thread.join()


@pytest.fixture
def real(qbittorrent: RealQBittorrent) -> Iterator[RealHarness]:
    harness = RealHarness(qbittorrent)
    yield harness
    harness.close()


def announcing_to(real: RealHarness, tracker: str, content: Path) -> str:
    """The key of a torrent that asks this tracker, and nobody else."""
    save_path = str(real.data_root / "t" / str(uuid.uuid4()))
    metainfo = make_torrent(content, trackers=[tracker])
    real.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)
    return only(wait_until(real, lambda snapshot: bool(snapshot.torrents))).key


@pytest.mark.engine
def test_qbittorrent_counts_those_whom_a_working_tracker_knows(
    real: RealHarness, tracker: str, content: Path
) -> None:
    key = announcing_to(real, tracker, content)
    wait_until(real, lambda _: real.engine.swarm(key).known_seeds == 7)

    assert real.engine.swarm(key) == SwarmCounts(1, 0, 0, known_seeds=7, known_peers=3, availability=0.0)


@pytest.mark.engine
def test_qbittorrent_tells_that_a_tracker_fails(real: RealHarness, content: Path) -> None:
    key = announcing_to(real, f"http://{PEER_ADDRESS}:{free_port()}/announce", content)
    wait_until(real, lambda _: real.engine.swarm(key).trackers_failing == 1)

    counts = real.engine.swarm(key)
    assert (counts.trackers_working, counts.trackers_waiting) == (0, 0)
