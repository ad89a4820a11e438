"""What a hostile client may do to the SFTP server, done to the real one."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import psycopg
import pytest
from asyncssh.packet import String, UInt32, UInt64

from accounts.models import User
from torrents.tests.factories import finished, person
from torrents.tests.sftp.running import HOST, RunningServer, database_url, rows, running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

MIB = 2**20
FXP_READ, FXP_LSTAT = 5, 7


@pytest.fixture
def film(server: RunningServer) -> User:
    """64 MiB of Alice's, of which a sparse file is enough."""
    user = person("alice")
    claim = finished(user, {"film.mkv": b""}, name="film.mkv")
    with (claim.torrent.data_dir / "film.mkv").open("wb") as file:
        file.truncate(64 * MIB)
    claim.torrent.files.update(size=64 * MIB)
    return user


async def greedy(connection: Any, count: int, size: int) -> Any:
    """An SFTP session that has sent `count` READs and takes no answer."""
    client = await connection.start_sftp_client()
    file = await client.open("/film.mkv", "rb")
    handler = client._handler
    handler._reader.channel.pause_reading()
    for number in range(count):
        handler.send_packet(FXP_READ, number, UInt32(number), String(file._handle), UInt64(0), UInt32(size))
    return client


@pytest.mark.parametrize("size", [255 * 1024, 4 * MIB])
async def test_answers_that_nobody_reads_do_not_fill_the_memory(
    server: RunningServer, film: User, size: int
) -> None:
    async with server.connect(window=2**31) as connection:
        await greedy(connection, 400, size)
        connection._transport.pause_reading()  # the socket itself is not read, whatever the window allows
        for _ in range(30):
            await asyncio.sleep(0.1)
            assert server.resident_bytes() <= 100 * MIB
        connection.abort()


async def test_whoever_never_reads_keeps_nobody_else_waiting(server: RunningServer, film: User) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(5):
            connection = await stack.enter_async_context(server.connect())
            stack.callback(connection.abort)
            await greedy(connection, 400, 255 * 1024)
        async with server.connect() as other, other.start_sftp_client() as client:
            started = time.monotonic()
            async with client.open("/film.mkv", "rb") as file:
                assert len(await file.read()) == 64 * MIB
            assert time.monotonic() - started < 20


async def test_answers_to_nonsense_that_nobody_reads_end_the_connection(
    server: RunningServer, film: User
) -> None:
    async with server.connect() as connection:
        client = await connection.start_sftp_client()
        client._handler._reader.channel.pause_reading()
        with contextlib.suppress(OSError, asyncssh.Error):
            for number in range(3_000_000):
                client._handler.send_packet(199, number, UInt32(number))
                if number % 2000 == 0:
                    await asyncio.sleep(0)
                    assert server.resident_bytes() <= 150 * MIB
                if connection._transport is None or connection._transport.is_closing():
                    break
                if connection._transport.get_write_buffer_size() > 4 * MIB:
                    await asyncio.sleep(0.02)
            else:
                raise AssertionError("it was never cut")
        connection.abort()


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
        slowest = 0.0
        while not all(task.done() for task in downloads):
            started = time.monotonic()
            await client.stat("/film.mkv")
            slowest = max(slowest, time.monotonic() - started)
            await asyncio.sleep(0.05)
    assert [await task for task in downloads] == [64 * MIB] * 10
    assert slowest < 5


async def test_the_third_wrong_password_ends_the_connection(server: RunningServer, film: User) -> None:
    guesses = 0

    class Guessing(asyncssh.SSHClient):
        def password_auth_requested(self) -> str:
            nonlocal guesses
            guesses += 1
            return f"guess {guesses}"

    before = server.log.read_text().count("tried alice")
    with pytest.raises((asyncssh.DisconnectError, ConnectionError)) as ended:
        await server.connect(password=None, client_factory=Guessing)
    assert "Too many failed attempts" in str(ended.value) or isinstance(ended.value, ConnectionError)
    assert guesses == 3
    assert server.log.read_text().count("tried alice") - before == 3


async def test_three_hundred_guesses_on_many_connections_leave_the_server_useful(
    server: RunningServer, film: User
) -> None:
    async def guess(number: int) -> None:
        with contextlib.suppress(asyncssh.Error, OSError):
            await server.connect(password=f"guess {number}")

    guesses = [asyncio.create_task(guess(number)) for number in range(300)]
    await asyncio.gather(*guesses)
    async with server.connect() as connection, connection.start_sftp_client() as client:
        assert "film.mkv" in await client.listdir("/")
    assert server.resident_bytes() <= 150 * MIB


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
    await rows(person, "bob")
    with running_server(tmp_path, **caps) as server:
        async with server.connect(), server.connect():
            with pytest.raises((asyncssh.DisconnectError, asyncssh.ChannelOpenError)):
                async with server.connect() as third:
                    await third.start_sftp_client()
            await asyncio.sleep(1.5)
            async with server.connect("bob"):
                with pytest.raises((asyncssh.Error, OSError)):
                    await server.connect("bob")
        await asyncio.sleep(0.5)
        async with server.connect():
            pass


async def test_who_says_nothing_is_dropped_after_twenty_seconds(server: RunningServer) -> None:
    reader, writer = await asyncio.open_connection(HOST, server.port)
    started = time.monotonic()
    await asyncio.wait_for(reader.read(), 30)
    assert 15 < time.monotonic() - started < 25
    writer.close()


async def test_a_disabled_users_connections_end_within_a_minute(server: RunningServer, film: User) -> None:
    async with server.connect() as connection, connection.start_sftp_client() as client:
        assert "film.mkv" in await client.listdir("/")
        await rows(User.objects.filter(pk=film.pk).update, is_active=False)
        await asyncio.wait_for(connection.wait_closed(), 60)
        with pytest.raises(asyncssh.SFTPError):
            await client.listdir("/")


async def test_told_to_stop_it_stops_within_seconds_in_the_middle_of_downloads(
    server: RunningServer, film: User, tmp_path: Path
) -> None:
    downloads = str(server.downloads)
    with running_server(tmp_path, DOWNLOADS_DIR=downloads) as server:
        async with server.connect() as connection:
            await greedy(connection, 400, 255 * 1024)
            assert server.process is not None
            started = time.monotonic()
            server.process.terminate()
            await asyncio.to_thread(server.process.wait, 10)
            assert time.monotonic() - started < 5
            assert server.process.returncode == 0
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
