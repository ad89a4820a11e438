"""A server as its operator gets it: a new machine, one command, a reboot; then what people elsewhere can do.

The tests are one drill, in this order, on one machine.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.swarm import magnet_for
from tests.machine.installed import (
    SERVICES,
    InstalledBox,
    fetched_by_https,
    fetched_by_sftp,
    peer_on_the_internet,
    random_torrent,
    sha256,
    until_finished,
    until_hashed,
)
from tests.machine.internet import BOX_V6, INTERFACE, PRIVATE, RESOLVER, SOMEBODY, SOMEBODY_V6
from tests.machine.machine import booted
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import UntrustedCertificate

pytestmark = pytest.mark.timeout(1800)
MIB = 2**20
SIZE = 64 * MIB
MOST_IDLE_MB = 2048
ACTIVE = 50
OPEN_TCP = (22, 80, 443, 8022, 51413)
JOBS = ("alertmanager", "blackbox", "node", "postgres", "prometheus", "torrent-proxy")
# Everything that listens on a box, and what would if somebody made a mistake.
CLOSED_TCP = (2019, 3000, 5432, 8000, 8090, 8091, 9090, 9093, 9094, 9100, 9115, 9187)


@pytest.fixture(scope="module")
def box() -> Iterator[InstalledBox]:
    with booted() as machine:
        machine.copy_checkout("/root/oci-torrent-proxy")
        box = InstalledBox(machine)
        # Its cable is no hardware, so that it would not be counted.
        machine.run("cat >/root/answers.toml", stdin=f'[box]\nEGRESS_INTERFACES = "{INTERFACE}"\n')
        box.install(f"--domain {machine.address} --internal-tls --answers answers.toml")
        with box.timed("reboot until ready"):
            machine.reboot()
            box.wait_until_running()
        yield box
        for step, seconds in box.seconds.items():
            print(f"{step}: {seconds:.1f} s")
        for state, megabytes in box.memory.items():
            print(f"memory of the whole machine, {state}: {megabytes:.0f} MB (PSS)")


def test_after_a_reboot_everything_runs_by_itself(box: InstalledBox) -> None:
    assert box.machine.says("systemctl --failed --no-legend") == ""
    assert box.machine.says("systemctl is-system-running") == "running"
    states = {
        name: box.machine.says(f"systemctl is-active torrentproxy-{name}", check=False) for name in SERVICES
    }
    assert states == dict.fromkeys(SERVICES, "active")


def test_idle_the_whole_machine_needs_less_than_2_gb(box: InstalledBox) -> None:
    box.memory["idle"] = box.resident_mb()

    assert box.memory["idle"] < MOST_IDLE_MB


def test_a_person_elsewhere_gets_a_torrent_by_https_and_by_sftp(box: InstalledBox, tmp_path: Path) -> None:
    password = box.create_user("alice")
    metainfo, content = random_torrent(tmp_path / "peer", SIZE)

    async def main_job() -> tuple[str, str]:
        async with box.client() as api:
            await api.log_in("alice", password)
            with box.timed(f"{SIZE // MIB} MiB from a peer to the box"):
                added = await api.add_source(magnet_for(metainfo))
                torrent = await until_finished(api, added.id)
            await until_hashed(api, torrent)
            with box.timed("the same by HTTPS"):
                by_https = await fetched_by_https(api, torrent, tmp_path / "https")
            with box.timed("the same by SFTP"):
                by_sftp = await fetched_by_sftp(api, torrent, tmp_path / "sftp")
            return by_https, by_sftp

    with peer_on_the_internet(box) as peer:
        peer.seed(metainfo, content)
        fetched = box.elsewhere(main_job)

    assert fetched == (sha256(content), sha256(content))


def test_what_caddy_handed_over_is_counted(box: InstalledBox) -> None:
    count = "SELECT coalesce(sum(sent), 0) FROM torrents_traffic"

    assert (
        int(box.machine.says(f"runuser -u torrentproxy -- psql -qtA -c '{count}' torrentproxy")) >= 2 * SIZE
    )


def test_whoever_has_another_fingerprint_sends_no_password(box: InstalledBox) -> None:
    box.fingerprint, right = "SHA256:" + ":".join(["00"] * 32), box.fingerprint

    async def log_in() -> None:
        async with box.client() as api:
            await api.log_in("admin", box.admin_password)

    try:
        with pytest.raises(UntrustedCertificate):
            box.elsewhere(log_in)
    finally:
        box.fingerprint = right


def test_figures_are_for_those_who_log_in(box: InstalledBox) -> None:
    assert "/admin/login/" in answer(box, "/grafana/", accept="text/html")
    assert answer(box, "/grafana/api/dashboards/home").startswith("HTTP/1.1 401")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/health/ready", "/grafana-access"])
def test_what_the_machine_tells_itself_is_not_for_the_outside(box: InstalledBox, path: str) -> None:
    assert answer(box, path).startswith("HTTP/1.1 404")


def test_prometheus_reads_all_that_there_is_to_read(box: InstalledBox) -> None:
    deadline = time.monotonic() + 90
    while (up := {labels["job"]: value for labels, value in box.prometheus("up")}) != dict.fromkeys(JOBS, 1):
        assert time.monotonic() < deadline, f"{up}"
        time.sleep(1)


def test_the_first_backup_can_be_restored(box: InstalledBox) -> None:
    assert "can be restored" in box.manage("verify_backup")


def test_from_outside_the_boxs_ports_answer_and_no_others(box: InstalledBox) -> None:
    with box.machine.internet.inside():
        tried = (*OPEN_TCP, *CLOSED_TCP)
        answering = {port for port in tried if answers(box.machine.address, port, SOMEBODY)}
        by_ipv6 = {port for port in tried if answers(BOX_V6, port, SOMEBODY_V6)}

    assert answering == set(OPEN_TCP)
    assert by_ipv6 <= set(OPEN_TCP)


def test_qbittorrents_user_reaches_the_internet_and_names_and_nothing_private(box: InstalledBox) -> None:
    def reaches(address: str, port: int) -> bool:
        asked = box.machine.run(
            f"timeout 10 bash -c 'exec 3<>/dev/tcp/{address}/{port}'", user="torrentproxy-bt", check=False
        )
        return asked.returncode == 0

    requests = box.machine.internet.metadata_requests
    with box.machine.internet.inside():
        listening = [socket.create_server((address, 7777)) for address in (SOMEBODY, PRIVATE)]
    tried = ((SOMEBODY, 7777), (PRIVATE, 7777), (RESOLVER, 80), ("127.0.0.1", 8000), ("127.0.0.1", 5432))
    reached = {f"{address}:{port}": reaches(address, port) for address, port in tried}
    for listener in listening:
        listener.close()

    assert [name for name, there in reached.items() if there] == [f"{SOMEBODY}:7777"]
    assert box.machine.internet.metadata_requests == requests
    box.machine.run("getent hosts box.example.org", user="torrentproxy-bt")


def test_qbittorrents_user_reads_none_of_the_boxs_secrets(box: InstalledBox) -> None:
    secrets = "/etc/oci-torrent-proxy/box.env /var/lib/oci-torrent-proxy/data /var/backups/oci-torrent-proxy"
    asked = box.machine.run(
        f"cat {secrets} 2>/dev/null; ls {secrets} 2>/dev/null", user="torrentproxy-bt", check=False
    )

    process = "/proc/$(systemctl show --value -p MainPID torrentproxy-qbittorrent)/environ"
    told = box.machine.says(f"tr '\\0' '\\n' <{process} | cut -d= -f1")
    assert asked.stdout.split() == ["/etc/oci-torrent-proxy/box.env"]  # its name, which ls tells
    assert not {"SECRET_KEY", "DATABASE_URL", "BACKUP_KEY", "METRICS_TOKEN"} & set(told.split())


def test_with_50_downloads_under_way_the_machine_keeps_much_of_its_memory(
    box: InstalledBox, tmp_path: Path
) -> None:
    passwords = {name: box.create_user(name) for name in ("bob", "carol", "dave")}
    torrents = [random_torrent(tmp_path / "peer", 4 * MIB) for _ in range(ACTIVE)]

    async def all_downloading() -> None:
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(box.client()) for _ in passwords]
            for api, (name, password) in zip(people, passwords.items(), strict=True):
                await api.log_in(name, password)
            for number, (metainfo, _) in enumerate(torrents):
                await people[number % len(people)].add_metainfo("one.torrent", metainfo)
            deadline = time.monotonic() + 120
            while (under_way := await downloading(people)) < ACTIVE:
                assert time.monotonic() < deadline, f"{under_way} are downloading"
                await asyncio.sleep(1)

    with peer_on_the_internet(box, upload_limit=MIB // 4) as peer:
        for metainfo, content in torrents:
            peer.seed(metainfo, content)
        box.elsewhere(all_downloading)
        box.memory[f"{ACTIVE} downloads"] = box.resident_mb()

    assert box.memory[f"{ACTIVE} downloads"] < MOST_IDLE_MB


def test_by_then_the_doctor_finds_nothing_wrong(box: InstalledBox) -> None:
    assert "Everything is well" in box.manage("doctor")


def test_no_alert_has_come_up_but_that_the_box_is_well(box: InstalledBox) -> None:
    fired = box.prometheus('last_over_time(ALERTS{alertstate="firing"}[1h])')

    assert {labels["alertname"] for labels, _ in fired} == {"BoxIsWell"}


def test_the_firewall_survives_a_restart_of_nftables(box: InstalledBox) -> None:
    box.machine.run("systemctl restart nftables")  # which empties all tables

    both = "nft list table inet contain_torrents && nft list table inet torrentproxy_ports"
    box.machine.run(f"until {both}; do sleep 0.1; done")


def test_without_its_walls_qbittorrent_does_not_start(box: InstalledBox) -> None:
    box.machine.run("systemctl stop torrentproxy-qbittorrent; nft delete table inet contain_torrents")

    started = box.machine.run("systemctl start torrentproxy-qbittorrent", check=False)

    assert started.returncode != 0
    box.machine.run("systemctl restart torrentproxy-firewall torrentproxy-qbittorrent")


def test_a_service_that_is_stuck_is_started_anew(box: InstalledBox) -> None:
    unit = "torrentproxy-handover.service"
    box.machine.run(
        f"mkdir -p /run/systemd/system/{unit}.d; printf '[Service]\\nWatchdogSec=5\\nTimeoutStopSec=2\\n' "
        f">/run/systemd/system/{unit}.d/soon.conf; systemctl daemon-reload; systemctl restart {unit}"
    )
    stuck = box.machine.says(f"systemctl show --value -p MainPID {unit}")

    box.machine.run(f"kill -STOP {stuck}")

    restarted = f"systemctl is-active {unit} && test $(systemctl show --value -p MainPID {unit}) != {stuck}"
    box.machine.run(f"until {restarted}; do sleep 0.5; done", timeout=90)
    box.machine.run(f"rm -r /run/systemd/system/{unit}.d; systemctl daemon-reload; systemctl restart {unit}")


def test_a_second_run_changes_nothing(box: InstalledBox) -> None:
    assert "Nothing was changed" in box.install(step="second run")


async def downloading(people: Iterable[ApiClient]) -> int:
    """How many torrents have got something, and not all."""
    return sum([1 for api in people async for torrent in api.torrents() if 0 < torrent.progress < 1])


def answer(box: InstalledBox, path: str, *, accept: str = "*/*") -> str:
    """The first kilobytes of what somebody elsewhere is told, who trusts any certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with (
        box.machine.internet.inside(),
        socket.create_connection((box.machine.address, 443), timeout=20) as plain,
        trusting.wrap_socket(plain) as connection,
    ):
        lines = (
            f"GET {path} HTTP/1.1",
            f"Host: {box.machine.address}",
            f"Accept: {accept}",
            "Connection: close",
        )
        request = "".join(f"{line}\r\n" for line in (*lines, ""))
        connection.sendall(request.encode())
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode(errors="replace")


def answers(address: str, port: int, somebody: str) -> bool:
    try:
        socket.create_connection((address, port), timeout=5, source_address=(somebody, 0)).close()
    except OSError:
        return False
    return True
