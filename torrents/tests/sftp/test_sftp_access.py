"""Who gets into the SFTP server, and what there is not for anybody."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from accounts.models import User
from deploy.sftp_fetch import fetch_by_sftp
from torrents.models import Traffic
from torrents.tests.factories import add, finished
from torrents.tests.sftp.running import HOST, PATIENCE, RunningServer, account, rows, secret_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alices(owner: User) -> User:
    finished(owner, {"Show/1.mkv": b"one", "Show/2.mkv": b"two"}, name="Show")
    return owner


@pytest.fixture
async def sftp(server: RunningServer, alices: User) -> AsyncIterator[asyncssh.SFTPClient]:
    async with server.connect() as connection, connection.start_sftp_client() as client:
        yield client


async def test_finished_files_are_listed_and_read(sftp: asyncssh.SFTPClient) -> None:
    assert set(await sftp.listdir("/Show")) == {".", "..", "1.mkv", "2.mkv"}
    async with sftp.open("/Show/2.mkv", "r") as file:
        assert await file.read() == "two"
    assert (await sftp.stat("/Show/1.mkv")).size == 3
    assert await sftp.realpath("Show/../x") == "/x"


async def test_over_the_months_traffic_files_are_listed_and_not_opened(
    sftp: asyncssh.SFTPClient, alices: User
) -> None:
    await rows(User.objects.filter(pk=alices.pk).update, monthly_traffic_limit=10)
    async with sftp.open("/Show/1.mkv", "r") as file:
        assert await file.read() == "one"
    today = datetime.now(UTC).date()
    await rows(
        Traffic.objects.update_or_create, user=alices, day=today, channel="https", defaults={"sent": 10}
    )
    with pytest.raises(asyncssh.SFTPPermissionDenied, match="all that you may this month"):
        await sftp.open("/Show/2.mkv", "r")
    assert "2.mkv" in await sftp.listdir("/Show")


async def test_an_ssh_key_opens_it(server: RunningServer, alices: User, identity: Path) -> None:
    async with (
        server.connect(password=None, client_keys=[str(identity)]) as connection,
        connection.start_sftp_client() as client,
    ):
        assert "Show" in await client.listdir("/")


async def test_a_key_opens_nobody_elses_account(server: RunningServer, alices: User, identity: Path) -> None:
    await rows(account, "bob")
    with pytest.raises(asyncssh.PermissionDenied):
        await server.connect("bob", password=None, client_keys=[str(identity)])


@pytest.mark.parametrize("username", ["alice", "nobody"])
async def test_a_wrong_secret_and_an_unknown_name_are_refused_alike(
    server: RunningServer, alices: User, username: str
) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await server.connect(username, password="wrong")


async def test_a_disabled_user_is_refused(server: RunningServer, alices: User) -> None:
    await rows(User.objects.filter(pk=alices.pk).update, is_active=False)
    with pytest.raises(asyncssh.PermissionDenied):
        await server.connect()


async def test_others_and_unfinished_torrents_are_not_there(
    server: RunningServer, sftp: asyncssh.SFTPClient, alices: User
) -> None:
    bob = await rows(account, "bob")
    await rows(finished, bob, {"secret.txt": b"bob's"}, name="secret.txt")
    await rows(add, alices)
    async with server.connect() as connection, connection.start_sftp_client() as fresh:
        assert set(await fresh.listdir("/")) == {".", "..", "Show"}
        for path in ("/secret.txt", "/Show/../../secret.txt", "/Show/nothing"):
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await fresh.open(path, "rb")


async def test_a_link_in_a_torrents_folder_leads_nowhere(server: RunningServer, alices: User) -> None:
    claim = await rows(finished, alices, {"L/a": b"12345", "L/b": b"1"}, name="L")
    target = claim.torrent.data_dir / "L" / "a"
    target.unlink()
    target.symlink_to("/etc/passwd")
    async with server.connect() as connection, connection.start_sftp_client() as client:
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await client.open("/L/a", "rb")


async def test_nothing_can_be_written_changed_or_linked(sftp: asyncssh.SFTPClient) -> None:
    attempts: list[Callable[[], Any]] = [
        lambda: sftp.open("/new", "wb"),
        lambda: sftp.open("/Show/1.mkv", "r+b"),
        lambda: sftp.open("/Show/1.mkv", "ab"),
        lambda: sftp.remove("/Show/1.mkv"),
        lambda: sftp.rename("/Show/1.mkv", "/x"),
        lambda: sftp.posix_rename("/Show/1.mkv", "/x"),
        lambda: sftp.mkdir("/x"),
        lambda: sftp.rmdir("/Show"),
        lambda: sftp.symlink("/etc/passwd", "/x"),
        lambda: sftp.link("/Show/1.mkv", "/x"),
        lambda: sftp.readlink("/Show/1.mkv"),
        lambda: sftp.chmod("/Show/1.mkv", 0o777),
        lambda: sftp.truncate("/Show/1.mkv", 0),
        lambda: sftp.utime("/Show/1.mkv", (0, 0)),
        lambda: sftp.statvfs("/"),
    ]
    for attempt in attempts:
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await attempt()
    assert set(await sftp.listdir("/Show")) == {".", "..", "1.mkv", "2.mkv"}


@pytest.mark.parametrize("command", [None, "id", "scp", "sh -c 'scp -f /'"])
async def test_there_is_no_shell_and_no_command(
    server: RunningServer, alices: User, command: str | None
) -> None:
    async with server.connect() as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run(command, timeout=10)


async def test_nothing_is_forwarded(server: RunningServer, alices: User) -> None:
    async with server.connect() as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection(HOST, server.port)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("/var/run/postgresql/.s.PGSQL.5432")
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("", 0, HOST, 1)


async def test_old_scp_cannot_write(server: RunningServer, alices: User, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    async with server.connect() as connection:
        with pytest.raises(asyncssh.SFTPError):
            await asyncssh.scp(str(tmp_path / "x"), (connection, "/x"))


async def test_environment_variables_are_not_kept(server: RunningServer, alices: User) -> None:
    variables = {f"V{number}": "x" * 1000 for number in range(50)}
    async with server.connect(env=variables) as connection, connection.start_sftp_client() as client:
        assert "Show" in await client.listdir("/")


async def test_aes_gcm_is_offered_first(server: RunningServer, alices: User) -> None:
    async with server.connect(encryption_algs=["aes128-gcm@openssh.com"]) as connection:
        assert connection.get_extra_info("send_cipher") == "aes128-gcm@openssh.com"


async def test_sessions_of_one_connection_are_few(server: RunningServer, alices: User) -> None:
    async with server.connect() as connection:
        clients = [await connection.start_sftp_client() for _ in range(16)]
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        for client in clients:
            client.exit()
            await client.wait_closed()
        async with connection.start_sftp_client() as again:
            assert "Show" in await again.listdir("/")


async def test_files_left_open_are_closed_with_the_connection(
    server: RunningServer, sftp: asyncssh.SFTPClient
) -> None:
    assert server.process is not None
    descriptors = Path(f"/proc/{server.process.pid}/fd")

    def downloads_open() -> int:
        links = []
        for entry in descriptors.iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                links.append(str(entry.readlink()))
        return sum(link.startswith(str(server.downloads)) for link in links)

    async with server.connect() as connection:
        client = await connection.start_sftp_client()
        for _ in range(64):
            await client.open("/Show/1.mkv", "rb")
        with pytest.raises(asyncssh.SFTPFailure):
            await client.open("/Show/1.mkv", "rb")
        assert downloads_open() == 64
        connection.abort()
    deadline = time.monotonic() + PATIENCE
    while downloads_open():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_the_checks_download_trusts_only_the_key_that_the_api_names(
    server: RunningServer, alices: User, tmp_path: Path
) -> None:
    key = asyncssh.read_private_key(server.directory / "data" / "secrets" / "sftp_host_key")
    wanted: dict[str, Any] = {"host": HOST, "port": server.port, "username": "alice", "name": "Show/1.mkv"}
    wanted |= {"secret": secret_of("alice"), "target": tmp_path / "1.mkv"}
    digest = await fetch_by_sftp(host_key_fingerprint=key.get_fingerprint(), **wanted)
    assert digest == hashlib.sha256(b"one").hexdigest()
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await fetch_by_sftp(host_key_fingerprint="SHA256:another", **wanted)
