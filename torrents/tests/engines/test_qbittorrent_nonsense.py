"""What answers at qBittorrent's address and is not it, or not well."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.swarm import make_torrent
from proxy_site.tests import processes
from torrents.engines.base import EngineError
from torrents.engines.qbittorrent import QBittorrentEngine
from torrents.tests.engines import engine_proxy as faults
from torrents.tests.engines.engine_proxy import EngineProxy, Fault
from torrents.tests.engines.harness import write_content
from torrents.tests.engines.real import PASSWORD, USERNAME, RealQBittorrent

pytestmark = pytest.mark.engine

TOO_MUCH = {
    "rid": 10**40,
    "full_update": True,
    "torrents": {},
    "server_state": {"connection_status": "connected", "dl_info_speed": 10**40, "up_info_speed": -1},
}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.saying(b"", status=302, Location="http://127.0.0.1:1/"), id="points elsewhere"),
        pytest.param(faults.saying(faults.HTML, Content_Type="text/html"), id="HTML"),
        pytest.param(faults.truncating, id="JSON cut short"),
        pytest.param(faults.saying(os.urandom(4096)), id="binary"),
        pytest.param(faults.saying_json(faults.WRONG_TYPES), id="wrong types"),
        pytest.param(faults.saying_json(TOO_MUCH), id="numbers too large"),
        pytest.param(faults.saying_json([1, 2, 3]), id="a list"),
        pytest.param(faults.saying_json("text"), id="a text"),
        pytest.param(faults.saying(b"[" * 100_000), id="nested without end"),
        pytest.param(faults.saying(b"Out of order.", status=500), id="fails"),
    ],
)
def test_whatever_is_said_in_its_place_is_a_passing_error_of_every_question(
    qbittorrent: RealQBittorrent, tmp_path: Path, fault: Fault
) -> None:
    metainfo = make_torrent(write_content(tmp_path / "Show", "1.mkv"))
    save_path = str(qbittorrent.data_root / "t" / "nonsense")
    with EngineProxy(qbittorrent.options.web_port) as proxy:
        engine = QBittorrentEngine(proxy.url, USERNAME, PASSWORD, timeout=60.0)
        engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True)
        processes.wait_until(lambda: engine.poll().torrents, "it is in the engine", 60.0)
        (key,) = engine.poll().torrents
        proxy.fault = fault
        questions: list[Callable[[], object]] = [
            engine.poll,
            lambda: engine.files(key),
            lambda: engine.swarm(key),
            lambda: engine.add(metainfo=metainfo, magnet=None, save_path=save_path, stopped=True),
        ]
        for question in questions:
            with pytest.raises(EngineError) as error:
                question()
            assert not error.value.permanent
        proxy.fault = faults.healthy

        assert engine.poll().torrents.keys() == {key}
        assert engine.files(key)
        engine.remove([key], delete_data=True)
        engine.close()
