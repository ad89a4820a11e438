"""From one release to the next with a download under way, and back where the next one does not work."""

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.machine import parts
from tests.machine.installed import (
    CHECKOUT,
    SERVICES,
    InstalledBox,
    fetched_by_https,
    peer_on_the_internet,
    random_torrent,
    sha256,
    until,
    until_finished,
    until_hashed,
)
from tests.machine.internet import INTERFACE
from tests.machine.machine import MachineError, booted
from torrent_proxy_client.models import Torrent

pytestmark = pytest.mark.timeout(2400)
MIB = 2**20
SIZE = 48 * MIB
HOME_LINE = "8mbit"
SLOWLY = 256 * 1024  # bytes a second: the upgrade is over before the download is
BROKEN_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("torrents", "{latest}")]
    operations = [
        migrations.RunSQL("CREATE TABLE half_made (id int)", migrations.RunSQL.noop),
        migrations.RunSQL("SELECT 1 / 0", migrations.RunSQL.noop),
    ]
"""


@pytest.fixture(scope="module")
def box() -> Iterator[InstalledBox]:
    """Installed from UPGRADE_FROM (a commit), by default the one before."""
    with booted() as machine:
        machine.copy_checkout(CHECKOUT, commit=os.environ.get("UPGRADE_FROM", "HEAD^"))
        box = InstalledBox(machine)
        box.install(f"--domain {machine.address} --internal-tls")
        yield box
        print(*(f"{step}: {seconds:.1f} s" for step, seconds in box.seconds.items()), sep="\n")


def replace_checkout(box: InstalledBox, last_words: str = "") -> None:
    box.machine.run(f"rm -r {CHECKOUT}")
    box.machine.copy_checkout(CHECKOUT)
    box.machine.run(
        f"echo {last_words} >>{CHECKOUT}/README.md"
    )  # a release of its own, whatever was committed last


def running_since(box: InstalledBox, name: str) -> str:
    return box.machine.says(f"systemctl show --value -p ActiveEnterTimestamp torrentproxy-{name}")


def test_an_upgrade_leaves_a_download_under_way_alone(box: InstalledBox, tmp_path: Path) -> None:
    password = box.create_user("alice")
    metainfo, content = random_torrent(tmp_path / "peer", SIZE)
    engine_since, web_since = running_since(box, "qbittorrent"), running_since(box, "web")

    async def begin() -> str:
        async with box.client() as api:
            await api.log_in("alice", password)
            added = await api.add_metainfo("one.torrent", metainfo)
            await until(api, added.id, lambda torrent: torrent.progress > 0)
            return added.id

    async def end() -> str:
        async with box.client() as api:
            await api.log_in("alice", password)
            torrent = await until_finished(api, torrent_id)
            await until_hashed(api, torrent)
            return await fetched_by_https(api, torrent, tmp_path / "fetched")

    with peer_on_the_internet(box, upload_limit=SLOWLY) as peer:
        peer.seed(metainfo, content)
        torrent_id = box.elsewhere(begin)
        replace_checkout(box)
        box.install(step="upgrade")
    with peer_on_the_internet(box) as peer:
        peer.seed(metainfo, content)
        digest = box.elsewhere(end)

    assert digest == sha256(content)
    assert running_since(box, "web") != web_since
    if not engine_changed():
        assert running_since(box, "qbittorrent") == engine_since


def test_what_a_person_fetches_during_an_upgrade_arrives_whole(box: InstalledBox, tmp_path: Path) -> None:
    password = box.create_user("carol")
    metainfo, content = random_torrent(tmp_path / "peer", 2 * SIZE)
    fetched = tmp_path / "fetched"

    async def download() -> Torrent:
        async with box.client() as api:
            await api.log_in("carol", password)
            torrent = await until_finished(api, (await api.add_metainfo("one.torrent", metainfo)).id)
            await until_hashed(api, torrent)
            return torrent

    async def fetch() -> str:
        async with box.client() as api:
            await api.log_in("carol", password)
            return await fetched_by_https(api, torrent, fetched)

    with peer_on_the_internet(box) as peer:
        peer.seed(metainfo, content)
        torrent = box.elsewhere(download)
    box.machine.run(f"tc qdisc add dev {INTERFACE} root tbf rate {HOME_LINE} burst 64kb latency 400ms")
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(box.elsewhere, fetch)
        while bytes_in(fetched) < MIB:
            assert not digest.done(), digest.result()
            time.sleep(0.1)
        replace_checkout(box, "another release")
        box.install(step="upgrade while somebody fetches")
        still_fetching = not digest.done()
        box.machine.run(f"tc qdisc delete dev {INTERFACE} root")

        assert digest.result(timeout=300) == sha256(content)
    assert still_fetching


def bytes_in(directory: Path) -> int:
    """On the disk: files of the client are as long as they will be."""
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())


def test_an_upgrade_whose_migration_fails_goes_back_to_what_was(box: InstalledBox) -> None:
    password = box.create_user("bob")
    before = box.machine.says("readlink /opt/oci-torrent-proxy/current")
    migrations = sorted((parts.PROJECT / "torrents/migrations").glob("0*.py"))
    broken = box.machine.path(f"{CHECKOUT}/torrents/migrations/9999_broken.py")
    broken.write_text(BROKEN_MIGRATION.format(latest=migrations[-1].stem))

    with (
        box.timed("broken upgrade and its way back"),
        pytest.raises(MachineError, match=r"as it was before") as told,
    ):
        box.install()

    assert "division by zero" in str(told.value)
    assert box.machine.says("readlink /opt/oci-torrent-proxy/current") == before
    box.wait_until_running()
    states = {
        name: box.machine.says(f"systemctl is-active torrentproxy-{name}", check=False) for name in SERVICES
    }
    assert states == dict.fromkeys(SERVICES, "active")
    tables = (
        "runuser -u torrentproxy -- psql -qtA torrentproxy -c \"SELECT to_regclass('half_made') IS NULL\""
    )
    assert box.machine.says(tables) == "t"

    async def log_in() -> str:
        async with box.client() as api:
            return (await api.log_in("bob", password)).username

    assert box.elsewhere(log_in) == "bob"


def engine_changed() -> bool:
    """Whether the two releases start qBittorrent differently."""
    since = os.environ.get("UPGRADE_FROM", "HEAD^")
    units = ["torrentproxy-qbittorrent.service", "torrentproxy-.service.d"]
    command = ["git", "diff", "--quiet", since, "--", *(f"deploy/systemd/{name}" for name in units)]
    return subprocess.run(command, cwd=parts.PROJECT, check=False).returncode != 0
