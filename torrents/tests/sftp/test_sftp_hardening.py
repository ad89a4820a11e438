"""What a hostile client may do to the SFTP server, done to the real one."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import psycopg
import pytest

from accounts.models import FailedLogins, User
from torrents.tests.factories import finished
from torrents.tests.sftp.running import PATIENCE, RunningServer, account, database_url, rows, running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

MIB = 2**20


@pytest.fixture
def film(owner: User) -> User:
    """64 MiB of Alice's, of which a sparse file is enough."""
    claim = finished(owner, {"film.mkv": b""}, name="film.mkv")
    with (claim.torrent.data_dir / "film.mkv").open("wb") as file:
        file.truncate(64 * MIB)
    claim.torrent.files.update(size=64 * MIB)
    return owner


async def test_a_read_is_answered_with_255_kib_at_most(server: RunningServer, film: User) -> None:
    async with server.connect() as connection, connection.start_sftp_client() as client:
        file = await client.open("/film.mkv", "rb")
        data, _ = await client._handler.read(file._handle, 0, 4 * MIB)
        assert len(data) == 255 * 1024


async def test_ten_downloads_at_once_leave_room_for_listings(server: RunningServer, film: User) -> None:
    async def download() -> int:
        async with server.connect() as connection, connection.start_sftp_client() as client:
            total = 0
            async with client.open("/film.mkv", "rb") as file:
                while block := await file.read(MIB):
                    total += len(block)
            return total

    downloads = [asyncio.create_task(download()) for _ in range(10)]
    async with server.connect() as connection, connection.start_sftp_client() as client:
        answers = 0
        while not any(task.done() for task in downloads):
            await client.stat("/film.mkv")
            answers += 1
    assert [await task for task in downloads] == [64 * MIB] * 10
    assert answers >= 3


async def test_the_third_wrong_password_ends_the_connection(server: RunningServer, film: User) -> None:
    guesses = 0

    class Guessing(asyncssh.SSHClient):
        def password_auth_requested(self) -> str:
            nonlocal guesses
            guesses += 1
            return f"guess {guesses}"

    with pytest.raises((asyncssh.DisconnectError, ConnectionError)) as ended:
        await server.connect(password=None, client_factory=Guessing)
    assert "Too many failed attempts" in str(ended.value) or isinstance(ended.value, ConnectionError)
    assert guesses == 3
    failures = await rows(FailedLogins.objects.values_list("failures", flat=True).get, username="alice")
    assert failures == 3


async def test_fifty_connections_work_at_once(film: User, tmp_path: Path) -> None:
    with running_server(tmp_path, SFTP_MAX_CONNECTIONS_PER_USER="64") as server:
        async with contextlib.AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(server.connect()) for _ in range(50)]
            clients = [
                await stack.enter_async_context(connection.start_sftp_client()) for connection in connections
            ]
            listings = await asyncio.gather(*(client.listdir("/") for client in clients))
        assert all("film.mkv" in listing for listing in listings)


async def test_connections_are_counted_by_user_and_by_address(film: User, tmp_path: Path) -> None:
    caps = {"SFTP_MAX_CONNECTIONS_PER_USER": "2", "SFTP_MAX_CONNECTIONS_PER_ADDRESS": "3"}
    await rows(account, "bob")
    with running_server(tmp_path, **caps) as server:
        async with server.connect(), server.connect():
            with pytest.raises((asyncssh.DisconnectError, asyncssh.ChannelOpenError)):
                async with server.connect() as third:
                    await third.start_sftp_client()
            await server.has_connections(2)
            async with server.connect("bob"):
                with pytest.raises((asyncssh.Error, OSError)):
                    await server.connect("bob")
        await server.has_connections(0)
        async with server.connect():
            pass


async def test_told_to_stop_it_stops_in_the_middle_of_downloads(
    server: RunningServer, film: User, tmp_path: Path
) -> None:
    downloads = str(server.downloads)
    with running_server(tmp_path, DOWNLOADS_DIR=downloads) as server:
        async with server.connect() as connection:
            client = await connection.start_sftp_client()
            reading = asyncio.create_task((await client.open("/film.mkv", "rb")).read())
            assert server.process is not None
            server.process.terminate()
            await asyncio.to_thread(server.process.wait, PATIENCE)
            assert server.process.returncode == 0
            await asyncio.wait([reading])
            reading.exception()
        assert "Traceback" not in server.log.read_text()


async def test_while_the_database_is_away_there_are_errors_and_afterwards_there_are_files(
    film: User, tmp_path: Path
) -> None:
    url = f"{database_url()}&application_name=away"
    with running_server(tmp_path, DATABASE_URL=url) as server:
        async with server.connect() as connection, connection.start_sftp_client() as client:
            assert "film.mkv" in await client.listdir("/")
            with database_closed_to("away"):
                await asyncio.sleep(2.1)
                with pytest.raises(asyncssh.SFTPFailure, match="Try again"):
                    await client.listdir("/")
                with pytest.raises((asyncssh.DisconnectError, OSError)):
                    await server.connect()
            assert "film.mkv" in await client.listdir("/")
        async with server.connect():
            pass


@contextlib.contextmanager
def database_closed_to(application: str) -> Iterator[None]:
    """The test's database takes no new connections, and drops those of this application."""
    name = database_url().partition("?")[0].rpartition("/")[2]
    url = database_url().replace(f"/{name}?", "/postgres?")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                [application],
            )
            yield
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
