"""Two machines on a network of their own: one runs everything, the other only a web process and a worker."""

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import psycopg

from deploy.box import PEER_ADDRESS, PROJECT, Box, free_ports
from deploy.swarm import Peer, magnet_for, make_torrent
from monitoring.tests.reading import Scrape
from proxy_site.setting_kinds import postgresql
from proxy_site.tests import processes
from proxy_site.tests.namespaces import inside, new_namespace, run
from tests.journeys.postgres_cluster import Cluster
from torrents.tests.caddy_box import running
from torrents.tests.engines.harness import write_content
from watchlist.tests.anilist_server import AniListServer, anilist_server

FIRST, SECOND = "10.99.0.1", "10.99.0.2"
PATIENCE = 90.0  # seconds
MOST_FEEDS = 20
TOKEN = "scrapes-of-both-hosts"
DATABASE_PASSWORD = "of the database"
# What docs/growing.md says for the machine that has the database.
ADMITTED = f"hostssl proxy proxy {FIRST.rpartition('.')[0]}.0/24 scram-sha-256\n"
SILENCE = """
table inet silence {{
    chain arriving {{
        type filter hook input priority 0
        ip saddr {} drop
    }}
}}
"""


class Network:
    """A cable between two machines."""

    def __init__(self, first: int, second: int) -> None:
        self._first, self._second = first, second  # descriptors of network namespaces

    def at(self, address: str) -> contextlib.AbstractContextManager[None]:
        """Whatever is opened and started meanwhile is on that machine."""
        return inside(self._first if address == FIRST else self._second)

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing that is sent arrives, and nobody is told."""
        for address, other in ((FIRST, SECOND), (SECOND, FIRST)):
            with self.at(address):
                run("nft", "-f", "-", typed=SILENCE.format(other))
        try:
            yield
        finally:
            for address in (FIRST, SECOND):
                with self.at(address):
                    run("nft", "delete", "table", "inet", "silence")


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Skips where there can be none; gone when the test is."""
    with contextlib.ExitStack() as stack:
        first, second = new_namespace(), new_namespace()
        stack.callback(os.close, first)
        stack.callback(os.close, second)
        made = Network(first, second)
        with made.at(FIRST):
            run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
            run("ip", "link", "set", "eth1", "netns", f"/proc/self/fd/{second}", descriptors=(second,))
        for address, device in ((FIRST, "eth0"), (SECOND, "eth1")):
            with made.at(address):
                run("ip", "address", "add", f"{address}/24", "dev", device)
                run("ip", "link", "set", "lo", "up")
                run("ip", "link", "set", device, "up")
        yield made


@contextlib.contextmanager
def database(binaries: Path, folder: Path, certificate: Path) -> Iterator[Cluster]:
    """A PostgreSQL that the network reaches by TLS and password. `certificate` is what clients trust."""
    subject = ("-subj", f"/CN={FIRST}", "-addext", f"subjectAltName=IP:{FIRST}")
    key = folder / "server.key"
    options = ["-c", f"listen_addresses={FIRST}", "-c", "ssl=on"]
    options += ["-c", f"ssl_cert_file={folder / 'server.crt'}", "-c", f"ssl_key_file={key}"]
    made = Cluster(folder, binaries, options)
    made_by = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key))
    run(*made_by, "-out", str(certificate), *subject)
    (folder / "server.crt").write_bytes(certificate.read_bytes())
    for path in (key, folder / "server.crt"):
        run("chown", "postgres", str(path))
    with (folder / "pg_hba.conf").open("a") as rules:
        rules.write(ADMITTED)
    made.start()
    try:
        made.query(f"CREATE ROLE proxy LOGIN PASSWORD '{DATABASE_PASSWORD}'")
        made.query("CREATE DATABASE proxy OWNER proxy")
        yield made
    finally:
        made.stop()


class Feeds(ThreadingHTTPServer):
    """Feeds that keep whoever asks waiting until `answer` is set; counts who asked for which."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((FIRST, 0), _Feed)
        self.answer = threading.Event()
        self.asked: Counter[tuple[str, str]] = Counter()  # path, and address of who asked

    def url(self, path: str) -> str:
        return f"http://{FIRST}:{self.server_address[1]}{path}"

    def askers(self) -> set[str]:
        return {address for _, address in list(self.asked)}

    def times(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for (path, _), times in list(self.asked.items()):
            counted[path] += times
        return counted


class _Feed(BaseHTTPRequestHandler):
    server: Feeds

    def do_GET(self) -> None:
        self.server.asked[self.path, self.client_address[0]] += 1
        self.server.answer.wait(PATIENCE)
        body = b'<rss version="2.0"><channel><title>Ours</title></channel></rss>'
        with contextlib.suppress(OSError):  # it waited as long as it may
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@dataclass(frozen=True)
class Told:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Started:
    process: subprocess.Popen[bytes]
    log: Path

    def vanish(self) -> None:
        """With all that it has started, at once."""
        own = psutil.Process(self.process.pid)
        for process in (own, *own.children(recursive=True)):
            process.kill()
        self.process.wait()


@dataclass
class TwoHosts:
    network: Network
    database: Cluster
    first: Box
    feeds: Feeds
    anilist: AniListServer
    peer: Peer
    folder: Path
    port: int
    environment: Mapping[str, str]  # of the second host
    _followed: int = 0

    def ask(
        self,
        address: str,
        method: str,
        path: str,
        *,
        token: str = "",
        beside: str = FIRST,
        port: int = 0,
        **body: object,
    ) -> Told:
        """The web process at `address`, asked from the machine `beside`."""
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        with self.network.at(beside):
            client = http.client.HTTPConnection(address, port or self.port, timeout=PATIENCE)
            client.connect()
        with contextlib.closing(client):
            client.request(method, path, json.dumps(body) if body else None, headers)
            answer = client.getresponse()
            return Told(answer.status, answer.read())

    def create_user(self, name: str) -> str:
        """Gives the password."""
        with self.network.at(FIRST):
            return self.first.create_user(name)

    def log_in(self, name: str, password: str, address: str = FIRST) -> Any:
        told = self.ask(address, "POST", "/api/v1/session/", username=name, password=password)
        assert told.status == 200, told
        return told.json

    def scrape(self, address: str) -> Scrape:
        return Scrape(self.ask(address, "GET", "/metrics", token=TOKEN).body.decode())

    def requests(self, address: str, view: str) -> float:
        """How many the web process there has answered."""
        name = "django_http_responses_total_by_status_view_method_total"
        return self.scrape(address).value(name, status="200", view=view, method="GET") or 0

    def downloaded(self, address: str, token: str, folder: Path) -> tuple[str, bytes]:
        """A torrent that is added there and becomes finished at both: its id, and what its file holds."""
        content = write_content(folder / "Show", "one.mkv")
        metainfo = make_torrent(content, version="v1")
        self.peer.seed(metainfo, content)
        told = self.ask(address, "POST", "/api/v1/torrents/", token=token, source=magnet_for(metainfo))
        assert told.status == 201, told
        own = f"/api/v1/torrents/{told.json['id']}/"

        def finished() -> bool:
            states = [self.ask(host, "GET", own, token=token).json["state"] for host in (FIRST, SECOND)]
            return states == ["finished", "finished"]

        processes.wait_until(finished, "it is finished at both hosts", PATIENCE)
        return told.json["id"], (content / "one.mkv").read_bytes()

    @contextlib.contextmanager
    def caddy(self, folder: Path) -> Iterator[int]:
        """In front of both on the first host, as docs/growing.md says; gives its port."""
        (more,) = re.findall(r"```caddy\n(.*?)```", (PROJECT / "docs/growing.md").read_text(), re.DOTALL)
        for address, own in (("10.0.0.1:8000", FIRST), ("10.0.0.2:8000", SECOND)):
            more = more.replace(address, f"{own}:{self.port}")
        with self.network.at(FIRST):
            (port,) = free_ports(1)
        added = folder / "caddy.d"
        added.mkdir()
        (added / "hosts.caddy").write_text(more)
        environment = {
            "CADDY_MORE": str(added),
            "SITE_ADDRESS": f"http://{FIRST}:{port}",
            "UPSTREAM": f"{FIRST}:{self.port}",
            "CADDY_LOG": str(folder / "access.log"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "state"),
        }
        arguments = ["caddy", "run", "--adapter", "caddyfile", "--config", str(PROJECT / "deploy/Caddyfile")]
        log = folder / "caddy.log"
        with contextlib.ExitStack() as stack:
            with self.network.at(FIRST):
                stack.enter_context(running(arguments, log, **environment))
            processes.wait_until(lambda: answers(self, FIRST, port, "/api/v1/me/"), f"Caddy: {log}", PATIENCE)
            yield port

    def follow_until(self, token: str, holds: Callable[[], bool]) -> list[str]:
        """Follow one more of `feeds` after the other until something is so; gives their paths."""
        paths: list[str] = []
        while not holds():
            assert len(paths) < MOST_FEEDS, self.feeds.asked
            paths.append(f"/feed-{self._followed}")
            self._followed += 1
            told = self.ask(FIRST, "POST", "/api/v1/feeds/", token=token, url=self.feeds.url(paths[-1]))
            assert told.status == 201, told
            time.sleep(1.0)  # in which a worker that has nothing to do takes it
        return paths

    def enqueue(self, task: str, times: int) -> None:
        """Have the workers do this, whoever comes first."""
        code = "import sys, django; django.setup(); from django_q.tasks import async_task"
        code += "; [async_task(sys.argv[1]) for _ in range(int(sys.argv[2]))]"
        environment = {**self.first.environment, "DJANGO_SETTINGS_MODULE": "proxy_site.settings"}
        with self.network.at(FIRST):
            subprocess.run(
                [sys.executable, "-c", code, task, str(times)], cwd=PROJECT, env=environment, check=True
            )

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.database.query(sql, *values, database="proxy")

    def connect(self, address: str) -> psycopg.Connection[tuple[Any, ...]]:
        """To the database, as the box's own processes on that machine do."""
        database = postgresql(self.first.environment["DATABASE_URL"])
        own = ("prepare_threshold", "server_side_binding")
        options = {name: value for name, value in database["OPTIONS"].items() if name not in own}
        names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST"}
        with self.network.at(address):
            return psycopg.connect(**{name: database[key] for name, key in names.items()}, **options)

    @contextlib.contextmanager
    def at_second(self, name: str, *arguments: str) -> Iterator[Started]:
        """One more process on the second host."""
        log = self.folder / f"second-{name}.log"
        command = ["setpriv", "--pdeathsig", "TERM", "--", *arguments]
        with log.open("wb") as output, self.network.at(SECOND):
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            yield Started(process, log)
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextlib.contextmanager
def two_hosts(binaries: Path, folder: Path) -> Iterator[TwoHosts]:
    with contextlib.ExitStack() as stack:
        postgres_folder = Path(tempfile.mkdtemp(prefix="proxy-pg-"))  # where its user may enter
        stack.callback(shutil.rmtree, postgres_folder)
        cable = stack.enter_context(network())
        certificate = folder / "database.crt"
        with cable.at(FIRST):
            cluster = stack.enter_context(database(binaries, postgres_folder, certificate))
            anilist = stack.enter_context(anilist_server(host=FIRST))
            first = Box(
                folder / "first",
                DATABASE_URL=f"postgresql://proxy:{DATABASE_PASSWORD.replace(' ', '%20')}@{FIRST}/proxy"
                f"?sslmode=verify-full&sslrootcert={certificate}",
                SECRET_KEY="the same on both hosts, and longer than forty characters",
                ALLOWED_HOSTS=f"{FIRST},{SECOND}",
                METRICS_TOKEN=TOKEN,
                OUTBOUND_ALLOW_PRIVATE="true",
                ANILIST_URL=anilist.url,
                SFTP_PUBLIC_HOST=FIRST,
                WEB_WORKERS="1",
            )
            first.directory.mkdir()
            first.environment["WEB_ADDRESS"] = f"{FIRST}:{first.web_port}"
            stack.callback(first.stop)
            first.start()
            feeds = stack.enter_context(Feeds())
            threading.Thread(target=feeds.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
            stack.callback(feeds.shutdown)
            peer = stack.enter_context(Peer(PEER_ADDRESS))
        peer.knock_at(first.torrent_port)
        secrets = folder / "second" / "data" / "secrets"
        secrets.mkdir(parents=True, mode=0o700)
        host_key = first.directory / "data" / "secrets" / "sftp_host_key"
        (secrets / "sftp_host_key").write_bytes(host_key.read_bytes())
        environment = {
            **first.environment,
            "DATA_DIR": str(folder / "second" / "data"),
            "WEB_ADDRESS": f"{SECOND}:{first.web_port}",
            "QBITTORRENT_MANAGED": "false",
            "SERVES_FILES": "false",
        }
        made = TwoHosts(cable, cluster, first, feeds, anilist, peer, folder, first.web_port, environment)
        gunicorn = (sys.executable, "-m", "gunicorn", "-c", "proxy_site/gunicorn.conf.py")
        stack.enter_context(made.at_second("web", *gunicorn))
        processes.wait_until(lambda: answers(made, SECOND), f"the second web process: {folder}", PATIENCE)
        yield made


def answers(hosts: TwoHosts, address: str, port: int = 0, path: str = "/health/live") -> bool:
    try:
        return hosts.ask(address, "GET", path, port=port).status in (200, 401)
    except OSError:
        return False
