"""The machine is lost, and only the newest backup and its key are left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.swarm import magnet_for
from tests.machine.installed import (
    CHECKOUT,
    InstalledBox,
    fetched_by_https,
    peer_on_the_internet,
    random_torrent,
    sha256,
    until_finished,
    until_hashed,
)
from tests.machine.machine import MachineError, booted

pytestmark = pytest.mark.timeout(2400)
MIB = 2**20
SIZE = 16 * MIB
RESTORING = "from a bare machine to a restored box, three refusals on the way"
MOST_SECONDS = 3600.0  # from a bare machine to people who log in: an hour is promised


@contextmanager
def new_box() -> Iterator[InstalledBox]:
    with booted() as machine:
        machine.copy_checkout(CHECKOUT)
        yield InstalledBox(machine)


def put(box: InstalledBox, name: str, content: bytes) -> str:
    box.machine.path(f"/root/{name}").write_bytes(content)
    return f"/root/{name}"


def test_a_lost_machine_is_replaced_from_its_backup(tmp_path: Path) -> None:
    metainfo, content = random_torrent(tmp_path / "peer", SIZE)
    with new_box() as box:
        box.install(f"--domain {box.machine.address} --internal-tls")
        passwords = {name: box.create_user(name) for name in ("alice", "bob")}
        torrent_id = downloaded_by(box, "alice", passwords["alice"], metainfo, content)
        with box.timed("backup"):
            box.machine.run("systemctl start torrentproxy-backup.service", timeout=120)
        with box.timed("proof that it can be restored"):
            box.machine.run("systemctl start torrentproxy-verify-backup.service", timeout=120)
        newest = box.machine.says("ls -1 /var/backups/oci-torrent-proxy/*.age | tail -n 1")
        archive = box.machine.path(newest).read_bytes()

    lost = box
    with new_box() as box:
        box.seconds |= lost.seconds
        box.fingerprint = lost.fingerprint  # which people have pinned
        key = put(box, "backup.key", lost.backup_key.encode() + b"\n")
        with box.timed(RESTORING):
            refused(box, put(box, "cut.age", archive[: len(archive) // 2]), key, "incomplete or damaged")
            refused(
                box, put(box, "other.age", b"not a backup at all"), key, "incomplete or damaged|no archive"
            )
            refused(
                box,
                put(box, "right.age", archive),
                put(box, "wrong.key", another_key(box).encode()),
                "another BACKUP_KEY",
            )
            box.install(restoring("/root/right.age", key), step="restore on a machine with its packages")
        assert box.seconds[RESTORING] < MOST_SECONDS
        box.wait_until_running()

        async def as_before() -> tuple[str, list[str]]:
            async with box.client() as api, box.client() as other:
                await api.log_in("alice", passwords["alice"])
                await other.log_in("bob", passwords["bob"])
                assert [torrent.id async for torrent in other.torrents()] == []
                claims = [torrent.id async for torrent in api.torrents()]
                with box.timed(f"{SIZE // MIB} MiB from a peer again"):
                    torrent = await until_finished(api, torrent_id)
                await until_hashed(api, torrent)
                return await fetched_by_https(api, torrent, tmp_path / "again"), claims

        with peer_on_the_internet(box) as peer:
            peer.seed(metainfo, content)
            digest, claims = box.elsewhere(as_before)
        print(*(f"{step}: {seconds:.1f} s" for step, seconds in box.seconds.items()), sep="\n")

    assert claims == [torrent_id]
    assert digest == sha256(content)


def downloaded_by(box: InstalledBox, name: str, password: str, metainfo: bytes, content: Path) -> str:
    async def download() -> str:
        async with box.client() as api:
            await api.log_in(name, password)
            return (await until_finished(api, (await api.add_source(magnet_for(metainfo))).id)).id

    with peer_on_the_internet(box) as peer:
        peer.seed(metainfo, content)
        return box.elsewhere(download)


def restoring(archive: str, key: str) -> str:
    return f"--domain 10.0.0.2 --internal-tls --restore-from {archive} --backup-key-file {key}"


def refused(box: InstalledBox, archive: str, key: str, why: str) -> None:
    """A sentence, and nothing of ours runs."""
    with pytest.raises(MachineError, match=rf"exit code 1\.[\s\S]*Error: [\s\S]*({why})") as told:
        box.install(restoring(archive, key), step=f"refusal of {Path(archive).name}, {Path(key).name}")
    assert "Traceback" not in str(told.value)
    assert box.machine.says("systemctl is-active torrentproxy-web", check=False) == "inactive"


def another_key(box: InstalledBox) -> str:
    return box.machine.says("age-keygen 2>/dev/null | tail -n 1")
