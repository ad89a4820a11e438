"""A database that goes away under the whole product: nothing is half-made, every process finds its way back by itself,
and at no moment do two reconcilers write to the engine."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import asyncssh
import psycopg
import pytest

from deploy.box import Box
from deploy.swarm import Peer, infohashes, magnet_for, make_torrent
from proxy_site.tests import processes
from tests.journeys.faulty_box import PATIENCE, TORRENTS, Visitor
from tests.journeys.postgres_cluster import Cluster, binaries, cluster
from torrents.engines.base import EngineTorrent
from torrents.reconciler_lock import LOCK_CLASS
from torrents.tests.engines import engine_proxy as faults
from torrents.tests.engines.engine_proxy import Asked, EngineProxy
from torrents.tests.engines.harness import same_files, write_content
from torrents.tests.engines.real import PASSWORD, PEER_ADDRESS, USERNAME, RealQBittorrent

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(binaries() is None, reason="needs Debian's postgresql"),
]

AWAY_SECONDS = float(os.environ.get("DATABASE_AWAY_SECONDS", "4"))  # a minute by hand
FLIPS = 4  # of the lock
WORDS = "The server's database does not answer right now."
HEALTH = "The box's database does not answer. Everything goes on by itself when it does."
WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
WORK = "import django; django.setup(); from django_q.tasks import async_task; async_task({!r})"
TASK = "torrents.tasks.prune_tombstones"


class FaultyDatabaseBox:
    """The whole product on a PostgreSQL of its own, with a proxy between it and its qBittorrent."""

    def __init__(
        self, box: Box, database: Cluster, proxy: EngineProxy, real: RealQBittorrent, peer: Peer
    ) -> None:
        self.box = box
        self.database = database
        self.proxy = proxy
        self.real = real
        self.visitor = Visitor(box.web_port)
        self.visitor.log_in("alice", box.create_user("alice"))
        self._peer = peer
        self._parts = box.parts()

    def add(self, content: Path) -> str:
        """What somebody in the swarm has; gives the claim's id."""
        metainfo = make_torrent(content, version="v1")
        self._peer.seed(metainfo, content)
        added = self.visitor.ask("POST", TORRENTS, source=magnet_for(metainfo))
        assert added.status == 201, added
        return str(added.body["id"])

    def until(self, holds: Callable[[], object], what: str) -> None:
        processes.wait_until(holds, what, PATIENCE)

    def arrives(self, claim_id: str, content: Path) -> None:
        self.until(lambda: self.visitor.torrent(claim_id)["state"] == "finished", f"{content} arrives")
        ((torrent_id,),) = self.database.query(
            "SELECT torrent_id FROM torrents_claim WHERE id = %s", claim_id
        )
        assert same_files(self.real.data_root / "t" / str(torrent_id), content)

    def is_well_without_a_restart(self) -> None:
        """Of any process."""
        self.until(lambda: self.visitor.health() == "", "health is ok")
        assert self.box.parts() == self._parts
        assert "starting it again" not in self.box.log.read_text(errors="replace")

    def worker_works(self) -> None:
        count = "SELECT count(*) FROM django_q_task WHERE success AND func = %s"
        ((before,),) = self.database.query(count, TASK)
        work = processes.python(WORK.format(TASK))
        made = processes.run(
            work, **{**self.box.environment, "DJANGO_SETTINGS_MODULE": "proxy_site.settings"}
        )
        assert made.returncode == 0, made.stderr
        self.until(lambda: self.database.query(count, TASK) > [(before,)], "the worker works")

    def lock_holder(self) -> int | None:
        """The process of PostgreSQL on whose connection a reconciler holds the lock."""
        found = self.database.query(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s AND granted",
            LOCK_CLASS,
        )
        return found[0][0] if found else None

    def held(self) -> list[EngineTorrent]:
        engine = self.real.connect()
        try:
            return list(engine.poll().torrents.values())
        finally:
            engine.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyDatabaseBox]:
    folder = tmp_path_factory.mktemp("database")
    real = RealQBittorrent(folder / "engine", data_root=folder / "box" / "data" / "downloads")
    real.start()
    found = binaries()
    assert found is not None
    try:
        with cluster(found) as database, EngineProxy(real.options.web_port, who="first") as proxy:
            (folder / "box").mkdir(exist_ok=True)
            box = Box(
                folder / "box",
                DATABASE_URL=database.url,
                QBITTORRENT_MANAGED="false",
                QBITTORRENT_URL=proxy.url,
                QBITTORRENT_USERNAME=USERNAME,
                QBITTORRENT_PASSWORD=PASSWORD,
                REMOVAL_GRACE_SECONDS="0",
            )
            try:
                box.start()
                with Peer(PEER_ADDRESS) as peer:
                    peer.knock_at(real.options.torrent_port)
                    yield FaultyDatabaseBox(box, database, proxy, real, peer)
            finally:
                proxy.fault = faults.healthy
                box.stop()
    finally:
        real.stop()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_restart_in_the_middle_of_adding_leaves_nothing_half_made(
    whole: FaultyDatabaseBox, ending: signal.Signals, tmp_path: Path
) -> None:
    content = write_content(tmp_path / "Show", "one.mkv")
    metainfo = make_torrent(content, version="v1")
    v1, _ = infohashes(metainfo)
    rows = (
        "SELECT FROM torrents_torrent LEFT JOIN torrents_claim ON torrent_id = torrents_torrent.id"
        " WHERE infohash_v1 = %s"
    )

    with ThreadPoolExecutor(1) as pool, closing(psycopg.connect(whole.database.url)) as blocking:
        blocking.execute("LOCK TABLE torrents_claim IN EXCLUSIVE MODE")
        adding = pool.submit(
            whole.visitor.ask, "POST", TORRENTS, within=PATIENCE, source=magnet_for(metainfo)
        )
        whole.until(
            lambda: whole.database.query(WAITING, 'INSERT INTO "torrents_claim%'),
            "the torrent's row is written and its claim's is not",
        )
        with whole.database.away(ending):
            told = adding.result(PATIENCE)

    assert told.status == 503
    assert WORDS in told.body["errors"][0]["detail"]
    assert whole.database.query(rows, v1) == []
    whole.is_well_without_a_restart()
    whole.arrives(whole.add(content), content)
    assert len(whole.database.query(rows, v1)) == 1


async def test_while_the_database_is_away_everybody_is_told_and_afterwards_all_goes_on(
    whole: FaultyDatabaseBox, tmp_path: Path
) -> None:
    content, later = (
        write_content(tmp_path / "Here", "here.mkv"),
        write_content(tmp_path / "Later", "later.mkv"),
    )
    whole.arrives(whole.add(content), content)
    secret = whole.visitor.ask("POST", "/api/v1/me/transfer-credentials/").body["secret"]
    whole.worker_works()

    def connect() -> Any:
        return asyncssh.connect(
            "127.0.0.1",
            whole.box.sftp_port,
            username="alice",
            password=secret,
            known_hosts=None,
            client_keys=None,
            config=None,
        )

    async with connect() as connection, connection.start_sftp_client() as session:
        assert "here.mkv" in await session.listdir("/")
        async with session.open("/here.mkv", "rb") as opened:
            begun = await opened.read(1000)
            claim_id = whole.add(later)
            with whole.database.away():
                gone_at = time.monotonic()
                assert whole.visitor.health() == HEALTH
                while time.monotonic() - gone_at < AWAY_SECONDS:
                    for path in (TORRENTS, f"{TORRENTS}changes/?since=0", "/api/v1/me/"):
                        told = whole.visitor.ask("GET", path)
                        assert told.status == 503
                        assert WORDS in told.body["errors"][0]["detail"]
                with pytest.raises(
                    asyncssh.SFTPFailure, match=r"cannot look that up now. Try again in a minute"
                ):
                    await session.listdir("/")
                with pytest.raises(asyncssh.DisconnectError, match=r"cannot check your login now. Try again"):
                    await connect()
                rest = await opened.read()

        assert begun + rest == (content / "here.mkv").read_bytes()
        whole.arrives(claim_id, later)
        assert "later.mkv" in await session.listdir("/")
        async with connect() as another, another.start_sftp_client() as second:
            assert "later.mkv" in await second.listdir("/")
    whole.worker_works()
    whole.is_well_without_a_restart()
    assert "Traceback" not in sftp_and_engine(whole.box)


def sftp_and_engine(box: Box) -> str:
    """What these two said."""
    lines = box.log.read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if line.startswith(("sftp", "engine")))


@contextmanager
def second_reconciler(whole: FaultyDatabaseBox, folder: Path) -> Iterator[EngineProxy]:
    """Another `run_engine` on another machine, as it were; gives its way to the engine."""
    # After a fault of the database nobody may have it for a moment, and the second one would not have to wait.
    whole.until(lambda: whole.lock_holder() is not None, "the first one has the lock")
    with (
        EngineProxy(whole.proxy.target, who="second", log=whole.proxy.log) as proxy,
        (folder / "second.log").open("w+") as log,
    ):
        settings = {**whole.box.environment, "QBITTORRENT_URL": proxy.url}
        process: subprocess.Popen[str] = processes.start(
            ["setpriv", "--pdeathsig", "TERM", "--", *processes.manage("run_engine")],
            output=log.fileno(),
            **settings,
        )
        try:
            waiting = "waiting to take over"
            whole.until(lambda: waiting in (folder / "second.log").read_text(), "the second one waits")
            yield proxy
        finally:
            proxy.fault = whole.proxy.fault = faults.healthy
            process.terminate()
            process.communicate(timeout=PATIENCE)


def writes(log: list[Asked]) -> list[Asked]:
    return [asked for asked in log if asked.writes]


def writers(log: list[Asked]) -> set[str]:
    return {asked.who for asked in writes(log)}


def at_once(log: list[Asked]) -> list[tuple[Asked, Asked]]:
    """Writes of different reconcilers that were under way at the same time."""
    now = time.monotonic()
    return [
        (one, other)
        for one, other in combinations(writes(log), 2)
        if one.who != other.who and one.began < (other.ended or now) and other.began < (one.ended or now)
    ]


def test_whoever_takes_over_waits_for_the_write_that_the_one_before_is_at(
    whole: FaultyDatabaseBox, tmp_path: Path
) -> None:
    first, second = write_content(tmp_path / "First", "1.mkv"), write_content(tmp_path / "Second", "2.mkv")
    whole.proxy.log.clear()
    with second_reconciler(whole, tmp_path) as proxy:
        whole.proxy.fault = lambda exchange: (faults.silent if exchange.asked.writes else faults.healthy)(
            exchange
        )
        one = whole.add(first)
        whole.until(lambda: any(asked.writes for asked in whole.proxy.held), "it is being added")
        holder = whole.lock_holder()
        whole.database.query("SELECT pg_terminate_backend(%s)", holder)
        whole.until(lambda: whole.lock_holder() not in (None, holder), "the other one has the lock")
        other = whole.add(second)
        time.sleep(5.0)  # in which it would begin, did nothing hold it back
        assert at_once(whole.proxy.log) == []
        whole.proxy.fault = faults.healthy

        whole.arrives(other, second)
        whole.arrives(one, first)
        assert proxy.asked("torrents/add") >= 1
        assert at_once(whole.proxy.log) == []
    whole.is_well_without_a_restart()


def test_the_lock_goes_back_and_forth_and_never_do_two_write(
    whole: FaultyDatabaseBox, tmp_path: Path
) -> None:
    whole.proxy.log.clear()
    added: dict[str, Path] = {}
    with second_reconciler(whole, tmp_path) as proxy:
        proxy.fault = whole.proxy.fault = faults.slow(0.2)
        while len(added) < FLIPS or len(writers(whole.proxy.log)) < 2:
            assert len(added) < 10 * FLIPS, "the same one gets it every time"
            content = write_content(tmp_path / f"Show {len(added)}", "1.mkv")
            written = len(writes(whole.proxy.log))
            added[whole.add(content)] = content
            whole.until(lambda count=written: len(writes(whole.proxy.log)) > count, "somebody writes")  # type: ignore[misc]
            if len(added) == FLIPS:
                with whole.database.away():
                    pass
            else:
                whole.database.query("SELECT pg_terminate_backend(%s)", whole.lock_holder())
        for claim_id, content in added.items():
            whole.arrives(claim_id, content)
        assert at_once(whole.proxy.log) == []
    paths = [seen.save_path for seen in whole.held()]
    assert (
        len(set(paths)) == len(paths) == whole.database.query("SELECT count(*) FROM torrents_torrent")[0][0]
    )
    whole.is_well_without_a_restart()
