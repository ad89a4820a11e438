"""From a person's and an admin's wish through the reconciler to a real qBittorrent, and back."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from deploy.swarm import make_torrent
from torrents import egress, rechecks
from torrents.metainfo import parse_torrent
from torrents.models import Claim, ForeignTorrent
from torrents.reconciler import Reconciler
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine
from torrents.sources import source_from_text
from torrents.states import state_of
from torrents.tests.engines.canary import Canary
from torrents.tests.engines.harness import WAIT_SECONDS, RealHarness, wait_until, write_content
from torrents.tests.engines.real import RealQBittorrent
from torrents.tests.engines.real_box import RealBox
from torrents.tests.factories import State, add, client_of
from torrents.tests.metainfo_samples import PIECE, single_file
from torrents.tests.reconciler_box import seen

pytestmark = pytest.mark.engine


@pytest.fixture
def real(db: None, qbittorrent: RealQBittorrent, settings: Settings) -> Iterator[RealHarness]:
    settings.DOWNLOADS_DIR = qbittorrent.data_root
    harness = RealHarness(qbittorrent)
    yield harness
    harness.close()


@pytest.fixture
def rounds_until(real: RealHarness) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """Have a reconciler work until something is so."""
    row = default_engine()
    with ReconcilerLock(row.pk) as lock:
        assert lock.try_acquire()
        reconciler = Reconciler(engine=real.engine, row=row, lock=lock)

        def work(holds: Callable[[], bool]) -> None:
            deadline = time.monotonic() + WAIT_SECONDS
            while not holds():
                assert time.monotonic() < deadline
                reconciler.attempt(woken=True)
                real.pass_time()

        yield work


def state(claim: Claim) -> str:
    return state_of(seen(claim))


def test_a_recheck_finds_damage_in_a_finished_torrent(
    real: RealHarness, rounds_until: Callable[[Callable[[], bool]], None], alice: User, tmp_path: Path
) -> None:
    content = write_content(tmp_path / "Show", "one.mkv", "two.mkv")
    metainfo = make_torrent(content)
    real.offer(metainfo, content)
    claim = add(alice, parse_torrent(metainfo))
    rounds_until(lambda: state(claim) == State.FINISHED)
    Path(claim.torrent.data_dir, "Show", "one.mkv").write_bytes(b"damaged")

    rechecks.request_recheck([claim.torrent_id])
    rounds_until(lambda: state(claim) not in (State.FINISHED, State.CHECKING))

    claim = seen(claim)
    assert claim.completed_at is None
    assert claim.torrent.live.progress < 0.6
    assert claim.torrent.recheck_requested_at is None


def test_counts_of_a_swarm_arrive_while_somebody_looks(
    real: RealHarness, rounds_until: Callable[[Callable[[], bool]], None], alice: User, tmp_path: Path
) -> None:
    metainfo = make_torrent(write_content(tmp_path / "Show", "one.mkv"))
    claim = add(alice, parse_torrent(metainfo))
    rounds_until(lambda: state(claim) == State.STALLED)
    browser, url = client_of(alice), f"/api/v1/torrents/{claim.pk}/swarm/"
    assert browser.get(url).json()["checked_at"] is None

    rounds_until(lambda: browser.get(url).json()["checked_at"] is not None)

    answer = browser.get(url).json()
    assert (answer["trackers_working"], answer["trackers_failing"], answer["known_seeds"]) == (0, 0, 0)
    assert "Nobody who has all of it is known" in answer["message"]


def test_a_torrent_that_somebody_adds_in_the_engine_is_shown_as_nobodys(
    real: RealHarness, rounds_until: Callable[[Callable[[], bool]], None], tmp_path: Path
) -> None:
    metainfo = make_torrent(write_content(tmp_path / "Show", "one.mkv"))
    elsewhere = str(real.data_root / "by hand")
    real.engine.add(metainfo=metainfo, magnet=None, save_path=elsewhere, stopped=True)

    wait_until(real, lambda snapshot: bool(snapshot.torrents))
    rounds_until(ForeignTorrent.objects.exists)

    row = ForeignTorrent.objects.get()
    assert (row.name, row.save_path, row.size) == ("Show", elsewhere, 150_000)


@pytest.mark.parametrize("kind", ["magnet", "torrent"])
def test_addresses_of_this_machine_that_a_torrent_names_do_not_even_get_to_the_engine(
    real: RealHarness,
    rounds_until: Callable[[Callable[[], bool]], None],
    alice: User,
    canary: Canary,
    tmp_path: Path,
    kind: str,
) -> None:
    content = write_content(tmp_path / "Show", "one.mkv")
    metainfo = canary.poisoned_torrent(content)
    real.offer(metainfo, content)
    source = (
        source_from_text(canary.poisoned_magnet(metainfo)) if kind == "magnet" else parse_torrent(metainfo)
    )
    claim = add(alice, source)
    rounds_until(lambda: state(claim) == State.FINISHED)

    (held,) = real.engine.poll().torrents.values()
    exported = parse_torrent(real.engine.export_metainfo(held.key))
    assert (source.trackers, exported.trackers, seen(claim).torrent.trackers) == ((), (), [])
    assert (canary.contacts, canary.redirected) == (0, 0)


def test_names_that_lead_elsewhere_end_up_below_the_torrents_own_folder(
    real: RealHarness, rounds_until: Callable[[Callable[[], bool]], None], alice: User, tmp_path: Path
) -> None:
    places = [[b"..", b"..", b"climbs"], [b"/etc", b"absolute"], [b"a\0b"], [b"C:\\x"], [b"..\\..\\back"]]
    files: list[dict[bytes, object]] = [{b"length": PIECE, b"path": place} for place in places]
    files.append(
        {b"length": 0, b"path": [b"link"], b"attr": b"l", b"symlink path": [b"..", b"..", b"etc", b"passwd"]}
    )
    pieces = hashlib.sha1(bytes(PIECE)).digest() * len(places)
    metainfo = single_file({b"files": files, b"length": None, b"name": b"../../up", b"pieces": pieces})
    source = parse_torrent(metainfo)
    for path, size in source.files or ():
        target = tmp_path / "peer" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if size:  # the link is made by whoever has the torrent
            target.write_bytes(bytes(size))
    real.offer(metainfo, tmp_path / "peer" / (source.files or ())[0][0].partition("/")[0])
    claim = add(alice, source)

    rounds_until(lambda: state(claim) == State.FINISHED)

    folder = Path(claim.torrent.data_dir).resolve()
    shown = list(seen(claim).torrent.files.order_by("index"))  # each engine mends such names in its own way
    assert [file.size for file in shown] == [*[PIECE] * len(places), 0]
    for file in shown:
        place = Path(os.path.realpath(folder / file.path))  # a link to itself stays where it is
        assert place.is_relative_to(folder)
        assert not file.size or place.read_bytes() == bytes(PIECE)
    names = {Path(file.path).name for file in shown}
    assert all(found.is_relative_to(folder) for found in real.data_root.rglob("*") if found.name in names)


def test_what_the_month_leaves_for_peers_is_the_engines_own_limit_and_survives_its_restart(
    real_box: RealBox, settings: Settings
) -> None:
    settings.UPLOAD_SPEED_LIMIT = 3_000_000
    real = real_box.qbittorrent

    def limit() -> int:
        return int(real.preferences()["up_limit"])

    real_box.until(lambda: limit() == 2_999_296)
    egress.report_egress(0.97)
    real_box.until(lambda: limit() == egress.FLOOR)
    real.stop()
    real.start()
    real_box.until(lambda: limit() == egress.FLOOR)
    egress.report_egress(0.0)
    real_box.until(lambda: limit() == 2_999_296)
