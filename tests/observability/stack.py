"""The whole product as it runs on a server, looked at by the real Prometheus and its companions: for tests that ask
what is to be seen. Everything on loopback, on ports of its own."""

import asyncio
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.box import PEER_ADDRESS, PROJECT, Box, free_ports
from deploy.swarm import Peer, make_torrent
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer, run_feed_server
from proxy_site.tests import processes
from tests.journeys.conftest import random_file, until_finished
from tests.journeys.followed_feeds import in_box
from tests.journeys.postgres_cluster import Cluster, binaries, cluster
from tests.observability.listener import HEARTBEAT, OPERATOR, Listener
from tests.observability.programs import Programs
from tests.observability.prometheus_api import Prometheus
from tests.observability.rules import recorded
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download
from torrent_proxy_client.errors import Refused
from torrent_proxy_client.models import Torrent
from torrents.tests.caddy_box import running

MIB = 2**20
ALICE = "alice"
# Configured, so that it is told of; nobody asks it.
BUCKET = {
    "BACKUP_BUCKET": "backups",
    "BACKUP_ENDPOINT": "https://127.0.0.1:9",
    "BACKUP_REGION": "nowhere",
    "BACKUP_ACCESS_KEY": "key",
    "BACKUP_SECRET_KEY": "secret",
}
SLOW = 32 * 1024  # bytes per second: what is downloading when the tests begin does so until they end
SEEN_WITHIN = 240.0  # seconds until two scrapes of everything are there

# What only time brings, as rows: a week of a machine, and a list at AniList.
HISTORY = """
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
from accounts.models import User
from monitoring import measuring
from monitoring.models import Host, HostSample
from proxy_site.backups.status import PlaceStatus, Status
from watchlist.models import Link, Provider
now = timezone.now()
measuring.measure()
host = Host.objects.get()
HostSample.objects.bulk_create(
    HostSample(host=host, at=now - timedelta(minutes=minute), cpu=0.3, network=0.01, memory=0.4)
    for minute in range(1, 6 * 24 * 60)
)
host.cpu_p95, host.network_p95, host.memory_p95 = 0.3, 0.01, 0.4
host.save()
Provider.objects.update_or_create(name="anilist", defaults={"airing_at": now})
Link.objects.create(user=User.objects.get(username="alice"), provider="anilist", synced_at=now,
    next_sync_at=now + timedelta(days=1))
archive = "box-20260101T031500Z.age"
made = PlaceStatus(now, archive, newest_bytes=10**6, stored_bytes=10**7, count=10)
status = Status(places={"directory": made, "bucket": made}, verified={archive: now})
status.count_request()
settings.BACKUP_DIR.mkdir(mode=0o700, exist_ok=True)
status.write(settings.BACKUP_DIR)
"""


@dataclass
class Stack:
    """`alice` is logged in nowhere; `password` is hers. `peer` seeds at full speed whatever it is given."""

    box: Box
    cluster: Cluster
    programs: Programs
    prometheus: Prometheus
    listener: Listener
    peer: Peer
    password: str
    folder: Path

    @property
    def engine_may_start(self) -> Path:
        """While this file is away, qBittorrent cannot be started again."""
        return self.folder / "engine-may-start"

    async def finish_torrent(self, size: int = MIB) -> tuple[Torrent, float]:
        """Alice adds what the peer has. Gives it as it is once complete, and when that was seen, as Unix time."""
        content = random_file(self.folder, size)
        metainfo = make_torrent(content)
        self.peer.seed(metainfo, content)
        async with ApiClient(self.box.url) as alice:
            await alice.log_in(ALICE, self.password)
            added = await alice.add_metainfo("added.torrent", metainfo)
            torrent = await until_finished(alice, added.id)
            return torrent, time.time()


@contextmanager
def started(folder: Path) -> Iterator[Stack]:
    """The box on a PostgreSQL of the system's packages behind Caddy, with people who use it, and Prometheus that has
    seen it twice."""
    found = binaries()
    assert found is not None
    (site_port,) = free_ports(1)
    with ExitStack() as stack:
        postgres = stack.enter_context(cluster(found))
        feeds = next(servers := run_feed_server())
        stack.callback(next, servers, None)
        box = Box(
            folder,
            DATABASE_URL=postgres.url,
            QBITTORRENT_BINARY=str(_stoppable_qbittorrent(folder)),
            OUTBOUND_ALLOW_PRIVATE="true",
            **BUCKET,
        )
        stack.callback(box.stop)
        box.start()
        _site(stack, folder, box, site_port)
        listener = stack.enter_context(Listener())
        programs = Programs(
            folder / "server",
            web_port=box.web_port,
            postgres=postgres.folder,
            DATABASE_NAME="postgres",
            SITE_ADDRESS=f"https://localhost:{site_port}",
            SITE_CERTIFICATE="own",
            ALERT_WEBHOOK_URL=listener.url(OPERATOR),
            ALERT_HEARTBEAT_URL=listener.url(HEARTBEAT),
        )
        postgres.run_file(PROJECT / "deploy" / "prometheus" / "postgres-role.sql")
        stack.callback(programs.stop)
        programs.start_all()
        peer, slow = Peer(PEER_ADDRESS), Peer(PEER_ADDRESS, upload_limit=SLOW)
        for one in (stack.enter_context(peer), stack.enter_context(slow)):
            one.knock_at(box.torrent_port)
        made = Stack(
            box,
            postgres,
            programs,
            Prometheus(programs.url("prometheus")),
            listener,
            peer,
            box.create_user(ALICE),
            folder,
        )
        in_box(box, HISTORY)
        asyncio.run(_a_busy_day(made, slow, feeds))
        processes.wait_until(lambda: _seen_twice(made), "Prometheus has seen everything", SEEN_WITHIN)
        yield made


async def _a_busy_day(stack: Stack, slow: Peer, feeds: FeedServer) -> None:
    """Something finished and fetched, something under way, a feed, a wrong password."""
    finished, _ = await stack.finish_torrent(8 * MIB)
    async with ApiClient(stack.box.url) as alice:
        with suppress(Refused):
            await alice.log_in(ALICE, secrets.token_hex())
        await alice.log_in(ALICE, stack.password)
        await Download(alice, finished, stack.folder / "fetched").run()
        content = random_file(stack.folder, 256 * MIB)
        metainfo = make_torrent(content)
        slow.seed(metainfo, content)
        await alice.add_metainfo("slow.torrent", metainfo)
        await alice.feeds.follow(feeds.serve("/rss", rss(item())), name="My feed")


def _site(stack: ExitStack, folder: Path, box: Box, port: int) -> None:
    """Caddy with the committed Caddyfile and certificates of its own authority."""
    caddyfile = folder / "Caddyfile"
    # Nothing on port 80, and the machine's trust store stays as it is.
    options = "admin off\n\tauto_https disable_redirects\n\tskip_install_trust\n"
    committed = (PROJECT / "deploy" / "Caddyfile").read_text()
    caddyfile.write_text(committed.replace("admin off", options, 1))
    environment = {
        "SITE_ADDRESS": f"https://localhost:{port}",
        "UPSTREAM": f"127.0.0.1:{box.web_port}",
        "DOWNLOADS_DIR": str(folder / "data" / "downloads"),
        "CADDY_LOG": str(folder / "access.log"),
        "XDG_CONFIG_HOME": str(folder / "caddy-config"),
        "XDG_DATA_HOME": str(folder / "caddy-state"),
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(caddyfile)]
    stack.enter_context(running(command, folder / "caddy.log", **environment))
    processes.wait_until(lambda: processes.listens(port), "Caddy listens", 30)


def _stoppable_qbittorrent(folder: Path) -> Path:
    """A program that is qBittorrent while Stack.engine_may_start is there."""
    may_start = folder / "engine-may-start"
    may_start.touch()
    program = folder / "qbittorrent-nox"
    program.write_text(f'#!/bin/sh\n[ -e "{may_start}" ] || exit 1\nexec qbittorrent-nox "$@"\n')
    program.chmod(0o755)
    return program


def _seen_twice(stack: Stack) -> bool:
    """Everything was asked twice, and what rules record of that is there."""
    try:
        if not recorded() <= stack.prometheus.metric_names():
            return False
        targets = stack.prometheus.targets()
        assert not any(error and error != "not asked yet" for error in targets.values()), targets
        rows = stack.prometheus.query("min by (job) (count_over_time(up[5m])) >= 2")
        feeds = stack.prometheus.value("torrentproxy_feed_items_last_day")
    except urllib.error.URLError:
        return False
    return {row.labels["job"] for row in rows} == set(targets) and bool(feeds)
