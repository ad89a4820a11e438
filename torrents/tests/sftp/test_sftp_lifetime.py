"""What happens to connections with time: new keys, dead clients, a server that was started again."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from accounts.models import User
from proxy_site.tests.processes import wait_until
from torrents.models import SftpServer
from torrents.tests.factories import finished
from torrents.tests.sftp.running import HOST, PATIENCE, RunningServer, rows, running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

MIB = 2**20


@pytest.fixture
def film(owner: User) -> bytes:
    """16 MiB of Alice's."""
    content = os.urandom(16 * MIB)
    finished(owner, {"film.mkv": content}, name="film.mkv")
    return content


def test_keys_change_during_a_transfer_and_no_byte_does(
    server: RunningServer, film: bytes, identity: Path, tmp_path: Path
) -> None:
    with running_server(tmp_path, {"REKEY_BYTES": MIB}, DOWNLOADS_DIR=str(server.downloads)) as rekeying:
        options = ["-v", *rekeying.ssh_options(identity), "-P", str(rekeying.port)]
        got = rekeying.run("sftp", *options, f"alice@{HOST}:/film.mkv", str(tmp_path / "film.mkv"))
    assert got.returncode == 0, got.stderr
    assert (tmp_path / "film.mkv").read_bytes() == film
    assert got.stderr.count("SSH2_MSG_KEXINIT received") > 4


async def test_a_client_that_answers_no_more_is_let_go_and_a_silent_one_stays(
    server: RunningServer, film: bytes, identity: Path, tmp_path: Path
) -> None:
    patience = {"KEEPALIVE_SECONDS": 1, "KEEPALIVES": 3}
    with running_server(tmp_path, patience, DOWNLOADS_DIR=str(server.downloads)) as impatient:
        options = [*impatient.ssh_options(identity), "-P", str(impatient.port)]
        async with impatient.connect() as silent:
            client = await asyncio.create_subprocess_exec(
                "sftp",
                *options,
                f"alice@{HOST}",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                assert client.stdin is not None
                assert client.stdout is not None
                client.stdin.write(b"pwd\n")
                assert await client.stdout.readline()
                os.killpg(client.pid, signal.SIGSTOP)
                assert impatient.connections() == 2
                await impatient.has_connections(1)
            finally:
                os.killpg(client.pid, signal.SIGKILL)
                await client.communicate()
            async with silent.start_sftp_client() as sftp:
                assert "film.mkv" in await sftp.listdir("/")


async def test_who_never_logs_in_is_let_go(server: RunningServer, tmp_path: Path) -> None:
    with running_server(tmp_path, {"LOGIN_SECONDS": 1}) as impatient:
        reader, writer = await asyncio.open_connection(HOST, impatient.port)
        await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()


async def test_a_server_tells_how_many_are_connected_until_it_stops(
    server: RunningServer, film: bytes, tmp_path: Path
) -> None:
    def told(port: int) -> list[int]:
        return list(
            SftpServer.objects.filter(name__endswith=f":{port}").values_list("connections", flat=True)
        )

    with running_server(tmp_path, {"TELL_SECONDS": 1}, DOWNLOADS_DIR=str(server.downloads)) as telling:
        async with telling.connect(), telling.connect():
            await rows(wait_until, lambda: told(telling.port) == [2], "it tells of two connections")
        await rows(wait_until, lambda: told(telling.port) == [0], "it tells that they left")
    assert await rows(told, telling.port) == []


async def test_the_host_key_is_the_same_after_a_restart(server: RunningServer, film: bytes) -> None:
    known = server.known_hosts.read_text()
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    assert server.known_hosts.read_text() == known
    async with server.connect() as connection, connection.start_sftp_client() as client:
        assert "film.mkv" in await client.listdir("/")
