"""What only qBittorrent does: sessions, refused logins, bans, crashes, and answers that never come."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.swarm import infohashes, magnet_for, make_torrent
from torrents.engines import qbittorrent as adapter
from torrents.engines.base import EngineError, EngineState, TorrentRejected
from torrents.engines.qbittorrent import QBittorrentEngine
from torrents.tests.engines.harness import (
    WAIT_SECONDS,
    RealHarness,
    new_save_path,
    only,
    same_files,
    wait_until,
    write_content,
)
from torrents.tests.engines.real import PASSWORD, USERNAME, VERSIONS, RealQBittorrent, free_port


@pytest.fixture
def real(qbittorrent: RealQBittorrent) -> Iterator[RealHarness]:
    harness = RealHarness(qbittorrent)
    yield harness
    harness.close()


@pytest.fixture
def unreachable() -> Iterator[QBittorrentEngine]:
    engine = QBittorrentEngine(f"http://127.0.0.1:{free_port()}", USERNAME, PASSWORD, timeout=1.0)
    yield engine
    engine.close()


@pytest.mark.engine
def test_a_download_survives_the_engine_being_killed_in_the_middle(
    real: RealHarness, qbittorrent: RealQBittorrent, tmp_path: Path
) -> None:
    content = write_content(tmp_path / "Show", "one.mkv", size=2_000_000)
    metainfo = make_torrent(content)
    save_path = str(qbittorrent.data_root / "t" / "killed")
    real.offer(metainfo, content, upload_limit=1_000_000)
    real.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=False)
    wait_until(real, lambda snapshot: bool(snapshot.torrents) and 0.1 < only(snapshot).progress < 0.9)

    qbittorrent.kill()
    with pytest.raises(EngineError, match="does not answer"):
        real.engine.poll()
    qbittorrent.start()
    back = real.engine.poll()
    assert only(back).save_path == save_path
    assert back.changed == back.torrents.keys()
    wait_until(real, lambda snapshot: only(snapshot).state == EngineState.SEEDING)

    assert same_files(Path(save_path), content)


@pytest.mark.engine
@pytest.mark.parametrize("version", VERSIONS)
def test_an_engine_whose_hybrid_gets_another_key_between_two_polls_lives_on(
    running_qbittorrent: Callable[[str], RealQBittorrent], version: str, tmp_path: Path
) -> None:
    qbittorrent = running_qbittorrent(version)
    harness = RealHarness(qbittorrent)
    content = write_content(tmp_path / "Show", "one.mkv")
    metainfo = make_torrent(content, version="hybrid")
    v1, v2 = infohashes(metainfo)
    harness.engine.poll()
    harness.engine.add(
        metainfo=None, magnet=magnet_for(metainfo, v2=False), save_path=new_save_path(harness), stopped=False
    )
    harness.offer(metainfo, content)
    deadline = time.monotonic() + WAIT_SECONDS
    while qbittorrent.torrent_keys() in ({v1}, set()):
        assert time.monotonic() < deadline
        harness.pass_time()

    snapshot = harness.engine.poll()
    assert v2 is not None
    assert snapshot.torrents.keys() == {v2[:40]}
    harness.close()


@pytest.mark.engine
def test_a_restart_between_two_polls_costs_one_login_and_no_error(
    real: RealHarness, qbittorrent: RealQBittorrent, tmp_path: Path
) -> None:
    metainfo = make_torrent(write_content(tmp_path / "Show", "one.mkv"))
    save_path = str(qbittorrent.data_root / "t" / "restarted")
    real.engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
    before = wait_until(
        real, lambda snapshot: bool(snapshot.torrents) and only(snapshot).state == EngineState.STOPPED
    )
    logins = qbittorrent.log().count("login success")

    qbittorrent.stop()
    qbittorrent.start()
    after = real.engine.poll()
    real.engine.poll()

    assert after.changed == before.torrents.keys()
    assert not after.removed
    assert after.status.version == before.status.version
    assert qbittorrent.log().count("login success") == logins + 1


@pytest.mark.engine
def test_a_wrong_password_is_tried_once_and_not_again_before_the_pause_is_over(
    own_qbittorrent: RealQBittorrent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "LOGIN_PAUSE_SECONDS", 1.0)
    own_qbittorrent.start()
    engine = own_qbittorrent.connect(password="wrong")
    for _ in range(3):
        with pytest.raises(EngineError, match="QBITTORRENT_PASSWORD") as error:
            engine.poll()
        assert error.value.permanent
    assert own_qbittorrent.log().count("invalid credentials") == 1

    time.sleep(1.0)
    with pytest.raises(EngineError, match="QBITTORRENT_PASSWORD"):
        engine.poll()
    assert own_qbittorrent.log().count("invalid credentials") == 2
    engine.close()


@pytest.mark.engine
def test_a_banned_address_is_told_so_and_stays_away(own_qbittorrent: RealQBittorrent) -> None:
    own_qbittorrent.start()
    for _ in range(5):
        guess = own_qbittorrent.connect(password="wrong")
        with pytest.raises(EngineError):
            guess.poll()
        guess.close()

    engine = own_qbittorrent.connect()
    with pytest.raises(EngineError, match="banned") as error:
        engine.poll()
    own_qbittorrent.stop()
    with pytest.raises(EngineError, match="banned"):
        engine.poll()

    assert error.value.permanent
    engine.close()


@pytest.mark.engine
def test_an_engine_that_hangs_is_given_up_on_and_answers_again_later(qbittorrent: RealQBittorrent) -> None:
    engine = qbittorrent.connect(timeout=0.5)
    engine.poll()

    started = time.monotonic()
    with qbittorrent.frozen(), pytest.raises(EngineError, match="does not answer") as error:
        engine.poll()
    waited = time.monotonic() - started

    assert waited < 3
    assert not error.value.permanent
    assert engine.poll().status.version.startswith("qBittorrent v")
    engine.close()


@pytest.mark.engine
def test_proxies_of_the_environment_are_not_asked_for_the_engine(
    qbittorrent: RealQBittorrent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    engine = qbittorrent.connect()

    assert engine.poll().status.version.startswith("qBittorrent v")
    engine.close()


def test_an_engine_that_is_not_there_is_a_passing_error(unreachable: QBittorrentEngine) -> None:
    with pytest.raises(EngineError, match="does not answer") as error:
        unreachable.poll()

    assert not error.value.permanent


@pytest.mark.parametrize(
    "addition",
    [
        "&ws=http://127.0.0.1/file",
        "&xs=http://127.0.0.1/x.torrent",
        "&as=http://127.0.0.1/x.torrent",
        "&x.pe=127.0.0.1:80",
        "\nhttp://127.0.0.1/x.torrent",
        "&dn=a b",
        "&dn=é",
        "&xt=urn:btih:short",
    ],
)
def test_a_magnet_with_more_than_we_put_into_one_never_leaves(
    unreachable: QBittorrentEngine, tmp_path: Path, addition: str
) -> None:
    magnet = magnet_for(make_torrent(write_content(tmp_path / "Show", "one.mkv")))
    # The plain one is let through: it fails because nothing listens.
    with pytest.raises(EngineError, match="does not answer"):
        unreachable.add(metainfo=None, magnet=magnet, save_path="/nowhere", stopped=False)

    with pytest.raises(TorrentRejected):
        unreachable.add(metainfo=None, magnet=magnet + addition, save_path="/nowhere", stopped=False)


@pytest.mark.parametrize("both", [True, False])
def test_an_add_takes_either_metainfo_or_a_magnet(
    unreachable: QBittorrentEngine, tmp_path: Path, both: bool
) -> None:
    metainfo = make_torrent(write_content(tmp_path / "Show", "one.mkv")) if both else None
    magnet = magnet_for(metainfo) if metainfo else None

    with pytest.raises(TorrentRejected, match="either"):
        unreachable.add(metainfo=metainfo, magnet=magnet, save_path="/nowhere", stopped=False)
