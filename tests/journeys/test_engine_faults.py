"""A qBittorrent that fails in every way we know: what people asked for happens once it is well, and meanwhile nobody
waits for it, and everybody is told."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pytest_django import Settings

from deploy.swarm import magnet_for
from tests.journeys.faulty_box import TORRENTS, FaultyBox
from tests.journeys.served import Served, served
from torrents import services
from torrents.engines.base import EngineError, EngineState
from torrents.models import Claim, Removal, Torrent
from torrents.tests.engines import engine_proxy as faults
from torrents.tests.engines.engine_proxy import EngineProxy, Fault
from torrents.tests.engines.real import FAST_REFRESH, RealQBittorrent

pytestmark = pytest.mark.engine

AWAY = "The download engine does not answer. It is asked again all the time."
NONSENSE = (
    "The download engine gives answers that make no sense. It is asked again all the time; if this stays, tell your "
    "admin."
)
BAN_SECONDS = 4
DISK = 128 * 2**20  # bytes: twice of what counts as full


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: object
) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("faulty"), DISK_FLOOR="0") as processes:
        yield processes


@pytest.fixture(scope="module")
def real(web: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealQBittorrent]:
    real = RealQBittorrent(tmp_path_factory.mktemp("engine"), data_root=web.downloads)
    real.start()
    yield real
    real.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less time between looks than on a box that runs for years."""
    monkeypatch.setattr("torrents.reconciler.AWAY_PAUSES", (0.2,))
    monkeypatch.setattr("torrents.reconciler.SHORTEST_PAUSE", 0.2)
    monkeypatch.setattr("torrents.reconciler.LONGEST_PAUSE", 1.0)
    monkeypatch.setattr("torrents.reconciler.RELOAD_EVERY", 1.0)
    monkeypatch.setattr("torrents.engine_wishes.RETRY_AFTER", 1.0)


@contextmanager
def faulty_box(real: RealQBittorrent, web: Served, folder: Path) -> Iterator[FaultyBox]:
    with EngineProxy(real.options.web_port) as proxy:
        box = FaultyBox(real, proxy, web.web_port, folder)
        try:
            yield box
        finally:
            proxy.fault = faults.healthy
            box.close()


@pytest.fixture
def budgets(transactional_db: None, web: Served, settings: Settings) -> Settings:
    settings.DOWNLOADS_DIR = web.downloads
    settings.DISK_FLOOR = 0
    return settings


@pytest.fixture
def box(budgets: Settings, web: Served, real: RealQBittorrent, tmp_path: Path) -> Iterator[FaultyBox]:
    with faulty_box(real, web, tmp_path) as box:
        yield box


@pytest.fixture
def strict(budgets: Settings, web: Served, tmp_path: Path) -> Iterator[FaultyBox]:
    """Its qBittorrent bans whoever gives a wrong password once."""
    real = RealQBittorrent(tmp_path / "strict", data_root=web.downloads)
    login = {r"WebUI\MaxAuthenticationFailCount": "1", r"WebUI\BanDuration": str(BAN_SECONDS)}
    real.start({**FAST_REFRESH, "Preferences": login})
    try:
        with faulty_box(real, web, tmp_path) as box:
            yield box
    finally:
        real.stop()


@pytest.fixture
def small_disk(budgets: Settings, web: Served, tmp_path: Path) -> Iterator[FaultyBox]:
    """Its data lies on a disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk, and not everywhere")
    try:
        budgets.DOWNLOADS_DIR = disk
        real = RealQBittorrent(tmp_path / "engine", data_root=disk)
        real.start()
        try:
            with faulty_box(real, web, tmp_path) as box:
                yield box
        finally:
            real.stop()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """While nothing more fits on the disk."""
    junk = folder / "junk"
    with junk.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(2**16))
    try:
        yield
    finally:
        junk.unlink()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(None, AWAY, id="refuses connections"),
        pytest.param(faults.silent, AWAY, id="accepts and never answers"),
        pytest.param(faults.cut, AWAY, id="hangs up"),
        pytest.param(faults.saying(faults.HTML, Content_Type="text/html"), NONSENSE, id="HTML"),
        pytest.param(faults.saying_json(faults.WRONG_TYPES), NONSENSE, id="wrong types"),
        pytest.param(faults.endless, NONSENSE, id="a body without end"),
    ],
)
def test_a_fault_passes_without_a_trace(box: FaultyBox, fault: Fault | None, words: str) -> None:
    one, resting, third = box.make("one"), box.make("resting"), box.make("third")
    box.reconcile()
    claim, paused = box.add(one[0]), box.add(resting[0], paused=True)
    box.until(lambda: len(box.held()) == 2, "both are in the engine")

    if fault is None:
        box.proxy.refuse()
    else:
        box.proxy.fault = fault
    box.until(lambda: box.visitor.health() == words, words)
    added = box.visitor.do_everything(magnet_for(third[0]), paused)
    message = box.visitor.torrent(added.pk)["message"]
    assert "It goes on by itself when the engine is back." in message
    assert box.visitor.torrent(paused.pk)["message"] == "You paused it. It goes on when you resume it."
    box.seed(one, resting, third)
    if fault is None:
        box.proxy.listen()
    else:
        box.proxy.fault = faults.healthy

    box.arrives(claim, one[1])
    box.arrives(added, third[1])
    assert box.visitor.health() == ""
    assert box.visitor.torrent(paused.pk)["state"] == "paused"
    seen = box.in_engine(paused)
    assert seen is not None
    assert (seen.state, seen.downloaded) == (EngineState.STOPPED, 0)
    assert len(box.held()) == Torrent.objects.count() == Claim.objects.count() == 3
    assert (
        box.proxy.asked("auth/login") <= 4
    )  # one at the start, and the library's own once it has lost the cookie


def test_nobody_waits_while_one_question_to_the_engine_is_open(box: FaultyBox) -> None:
    one, resting, third = box.make("one"), box.make("resting"), box.make("third")
    box.reconcile(timeout=300)
    claim, paused = box.add(one[0]), box.add(resting[0], paused=True)
    box.until(lambda: len(box.held()) == 2, "both are in the engine")

    box.proxy.fault = faults.silent
    box.until(lambda: box.proxy.held, "the reconciler waits for the engine")
    waiting = box.proxy.held
    added = box.visitor.do_everything(magnet_for(third[0]), paused)
    assert box.proxy.held == waiting
    box.seed(one, resting, third)
    box.proxy.fault = faults.healthy

    box.arrives(claim, one[1])
    box.arrives(added, third[1])
    assert box.visitor.torrent(paused.pk)["state"] == "paused"
    assert len(box.held()) == 3


def test_with_every_call_taking_five_seconds_data_arrives_and_nobody_waits(box: FaultyBox) -> None:
    one, resting = box.make("one"), box.make("resting")
    box.reconcile(timeout=10)
    paused = box.add(resting[0], paused=True)
    box.until(lambda: box.in_engine(paused), "it is in the engine")
    box.seed(one, resting)

    box.proxy.fault = faults.slow(5.0)
    claim = box.add(one[0])
    box.arrives(claim, one[1])

    assert box.visitor.health() == ""
    assert box.visitor.torrent(paused.pk)["state"] == "paused"
    assert len(box.held()) == 2


def test_replies_that_are_lost_after_it_was_done_double_and_lose_nothing(
    box: FaultyBox, settings: Settings
) -> None:
    one, other = box.make("one", files=("1.mkv", "2.mkv")), box.make("other")
    box.reconcile()
    claim = box.add(one[0])
    box.until(lambda: box.in_engine(claim), "it is in the engine")
    own = f"{TORRENTS}{claim.pk}/"

    box.proxy.fault = lambda exchange: (faults.losing if exchange.asked.writes else faults.healthy)(exchange)
    box.visitor.ask("POST", f"{own}pause/")
    box.until(lambda: _state(box, claim) == EngineState.STOPPED, "it is stopped")
    box.visitor.ask("PATCH", own, download_limit=10**8, files=[1])
    box.visitor.ask("POST", f"{own}resume/")
    box.until(lambda: _state(box, claim) not in (None, EngineState.STOPPED), "it runs")
    added, leaving = box.add(other[0]), box.add(box.make("leaving")[0])
    box.until(lambda: len(box.held()) == 3, "all are in the engine")
    box.visitor.ask("DELETE", f"{TORRENTS}{leaving.pk}/")
    settings.REMOVAL_GRACE_SECONDS = 0
    services.retire_unclaimed_torrents()
    box.seed(one, other)

    box.until_state(claim, "finished")
    box.arrives(added, other[1])
    box.until(lambda: not Removal.objects.exists(), "what was removed is gone")
    box.visitor.ask("PATCH", own, files=None)
    box.arrives(claim, one[1])
    assert not leaving.torrent.data_dir.exists()
    assert box.held().keys() == {str(claim.torrent.data_dir), str(added.torrent.data_dir)}
    assert not Torrent.objects.exclude(refused="").exists()
    for calls in (
        ("add",),
        ("delete",),
        ("resume", "start"),
        ("pause", "stop"),
        ("filePrio",),
        ("setDownloadLimit",),
    ):
        assert any(box.proxy.asked(f"torrents/{call}") for call in calls), calls


def test_an_engine_that_was_restarted_and_knows_our_session_no_more_goes_on(box: FaultyBox) -> None:
    one, resting = box.make("one", size=4_000_000), box.make("resting")
    box.reconcile()
    claim, paused = box.add(one[0]), box.add(resting[0], paused=True)
    box.seed(one, resting, upload_limit=1_000_000)
    box.until(lambda: 0 < box.visitor.torrent(claim.pk)["progress"] < 1, "it is on its way")
    logins = box.proxy.asked("auth/login")

    box.qbittorrent.stop()
    box.until(lambda: box.visitor.health() == AWAY, AWAY)
    box.qbittorrent.start()

    box.arrives(claim, one[1])
    assert box.proxy.asked("auth/login") == logins + 1
    assert box.visitor.torrent(paused.pk)["state"] == "paused"
    assert len(box.held()) == 2


@pytest.mark.parametrize("delete_data", [False, True])
def test_what_the_engine_lost_is_added_again(box: FaultyBox, delete_data: bool) -> None:
    one, resting = box.make("one"), box.make("resting")
    box.reconcile()
    claim, paused = box.add(one[0]), box.add(resting[0], paused=True)
    box.until(lambda: len(box.held()) == 2, "both are in the engine")

    box.direct.remove([seen.key for seen in box.held().values()], delete_data=delete_data)
    box.until(lambda: len(box.held()) == 2, "both are in the engine again")
    box.seed(one, resting)

    box.arrives(claim, one[1])
    seen = box.in_engine(paused)
    assert seen is not None
    assert (seen.state, seen.downloaded) == (EngineState.STOPPED, 0)
    assert len(box.held()) == 2


def test_what_the_engine_has_of_nobody_here_is_left_alone_and_in_the_way_only_of_itself(
    box: FaultyBox,
) -> None:
    one, theirs = box.make("one"), box.make("theirs")
    elsewhere = str(box.qbittorrent.data_root / "by hand")
    box.direct.add(metainfo=theirs[0], magnet=None, save_path=elsewhere, stopped=True)
    box.until(lambda: len(box.held()) == 1, "it is in the engine")
    box.reconcile()
    claim, same = box.add(one[0]), box.add(theirs[0])
    box.seed(one, theirs)

    box.arrives(claim, one[1])
    box.until_state(same, "error")
    assert box.visitor.torrent(same.pk)["message"] == (
        "The download engine already holds this torrent in another folder. An admin has to remove it there first."
    )
    assert box.held()[elsewhere].state == EngineState.STOPPED
    assert len(box.held()) == 2


def test_a_banned_box_tries_one_login_a_ban_and_goes_on_when_it_is_over(
    strict: FaultyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.engines.qbittorrent.LOGIN_PAUSE_SECONDS", BAN_SECONDS + 1.0)
    one = strict.make("one")
    claim = strict.add(one[0])
    somebody = strict.qbittorrent.connect(password="wrong")
    with pytest.raises(EngineError):
        somebody.poll()
    somebody.close()
    strict.reconcile()

    strict.until(lambda: "does not let the box log in" in strict.visitor.health(), "the ban is told")
    assert re.fullmatch(
        r"The download engine does not let the box log in\. An admin has to look at it; the next attempt is at "
        r"\d\d:\d\d UTC\. It goes on by itself when the engine is back\.",
        strict.visitor.torrent(claim.pk)["message"],
    )
    strict.seed(one)
    strict.arrives(claim, one[1])

    logins = [asked.began for asked in strict.proxy.log if asked.path.endswith("/auth/login")]
    assert len(logins) == 2
    assert logins[1] - logins[0] > BAN_SECONDS


def test_a_full_disk_is_told_and_data_arrives_when_there_is_space_again(small_disk: FaultyBox) -> None:
    one, resting = small_disk.make("one", size=6_000_000), small_disk.make("resting")
    small_disk.reconcile(timeout=10)
    claim, paused = small_disk.add(one[0]), small_disk.add(resting[0], paused=True)
    small_disk.seed(one, resting, upload_limit=1_000_000)
    small_disk.until(lambda: 0 < small_disk.visitor.torrent(claim.pk)["progress"] < 1, "it is on its way")

    with filled(small_disk.qbittorrent.data_root):
        small_disk.until(lambda: small_disk.visitor.torrent(claim.pk)["state"] == "error", "it failed")
        told = small_disk.visitor.torrent(claim.pk)["message"]
        small_disk.until(
            lambda: (
                small_disk.visitor.health()
                == "The box's disk is full: nothing can be downloaded. It goes on by itself when there is space again."
            ),
            "the full disk is told",
        )

    assert told == (
        "There is too little space on the box's disk. It is tried again by itself: remove torrents that you have "
        "fetched, or ask your admin for more space."
    )
    small_disk.arrives(claim, one[1])
    assert small_disk.visitor.torrent(paused.pk)["state"] == "paused"
    assert small_disk.visitor.health() == ""
    assert len(small_disk.held()) == 2


def _state(box: FaultyBox, claim: Claim) -> EngineState | None:
    seen = box.in_engine(claim)
    return seen.state if seen else None
