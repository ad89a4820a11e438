"""What hostile clients make the SFTP server keep: the real process never holds more than 100 MB, and serves on."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.packet import Boolean, String, UInt32, UInt64

from accounts.models import User
from torrents.tests.factories import finished
from torrents.tests.sftp.running import RunningServer, account, rows, running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

MIB = 2**20
MOST_MEMORY = 100 * 10**6  # bytes
FXP_READ = 5
USERAUTH_REQUEST, GLOBAL_REQUEST, CHANNEL_OPEN, CHANNEL_REQUEST = 50, 80, 90, 98
UNKNOWN_MESSAGE, UNKNOWN_SFTP = 192, 199
ELSEWHERE = ("127.0.0.2", 0)  # where an honest person connects from


@pytest.fixture
def film(owner: User) -> bytes:
    """16 MiB of Alice's."""
    content = os.urandom(16 * MIB)
    finished(owner, {"film.mkv": content}, name="film.mkv")
    return content


async def greedy(connection: Any, count: int, size: int) -> Any:
    """An SFTP session that has sent `count` READs and takes no answer."""
    client = await connection.start_sftp_client()
    file = await client.open("/film.mkv", "rb")
    handler = client._handler
    handler._reader.channel.pause_reading()
    for number in range(count):
        handler.send_packet(FXP_READ, number, UInt32(number), String(file._handle), UInt64(0), UInt32(size))
    return client


@contextlib.asynccontextmanager
async def attacker(server: RunningServer, **options: Any) -> AsyncIterator[Any]:
    """A connection of Alice's that ends without ceremony."""
    connection = await server.connect(**options)
    try:
        yield connection
    finally:
        connection.abort()


async def fetch(server: RunningServer, content: bytes, username: str = "alice") -> None:
    """An honest person's download beside the attack."""
    async with (
        server.connect(username, local_addr=ELSEWHERE) as connection,
        connection.start_sftp_client() as client,
        client.open("/film.mkv", "rb") as file,
    ):
        assert await file.read() == content


async def flood(connection: Any, send: Callable[[int], None], count: int) -> None:
    """As many messages as the server takes: one whose socket is full for a second takes no more."""
    transport = connection._transport
    for number in range(count):
        send(number)
        if number % 500 == 0:
            await asyncio.sleep(0)
        for _ in range(100):
            if transport.is_closing() or transport.get_write_buffer_size() < MIB:
                break
            await asyncio.sleep(0.01)
        else:
            return
        if transport.is_closing():
            return


@pytest.mark.parametrize("size", [1, 255 * 1024, 4 * MIB])
async def test_four_hundred_answers_that_nobody_reads(server: RunningServer, film: bytes, size: int) -> None:
    async with attacker(server, window=2**31) as connection:
        await greedy(connection, 400, size)
        connection._transport.pause_reading()  # the socket itself is not read, whatever the window allows
        await fetch(server, film)
    assert server.most_memory() <= MOST_MEMORY


async def test_answers_behind_a_window_that_stays_shut(server: RunningServer, film: bytes) -> None:
    async with attacker(server, window=64 * 1024) as connection:
        for _ in range(8):
            await greedy(connection, 400, 4 * MIB)
        await fetch(server, film)
    assert server.most_memory() <= MOST_MEMORY


async def test_fifty_connections_that_read_nothing(
    film: bytes, server: RunningServer, tmp_path: Path
) -> None:
    downloads = str(server.downloads)
    with running_server(tmp_path, SFTP_MAX_CONNECTIONS_PER_USER="64", DOWNLOADS_DIR=downloads) as crowded:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(50):
                connection = await stack.enter_async_context(attacker(crowded, window=2**31))
                await greedy(connection, 400, 4 * MIB)
                connection._transport.pause_reading()
            await fetch(crowded, film)
        assert crowded.most_memory() <= MOST_MEMORY


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize("kind", ["sftp", "ssh", "global", "channel", "open", "ignored"])
async def test_a_flood_of_nonsense(server: RunningServer, film: bytes, kind: str, reads: bool) -> None:
    async with attacker(server, window=2**31) as connection:
        client = await connection.start_sftp_client()
        channel = client._handler._reader.channel
        channel.pause_reading()
        if not reads:
            connection._transport.pause_reading()
        messages: dict[str, Callable[[int], None]] = {
            "sftp": lambda number: client._handler.send_packet(UNKNOWN_SFTP, number, UInt32(number)),
            "ssh": lambda number: connection.send_packet(UNKNOWN_MESSAGE, String(b"x")),
            "global": lambda number: connection.send_packet(GLOBAL_REQUEST, String(b"x"), Boolean(True)),
            "channel": lambda number: channel.send_packet(CHANNEL_REQUEST, String(b"x"), Boolean(True)),
            "open": lambda number: connection.send_packet(
                CHANNEL_OPEN, String(b"x"), UInt32(number), UInt32(2**31), UInt32(2**15)
            ),
            "ignored": lambda number: connection.send_packet(2, String(b"x" * 3_000)),
        }
        attack = asyncio.create_task(flood(connection, messages[kind], 10_000 if reads else 50_000))
        await fetch(server, film)
        await attack
    assert server.most_memory() <= MOST_MEMORY


async def test_requests_too_long_to_be_meant(server: RunningServer, film: bytes) -> None:
    async with attacker(server) as connection:
        client = await connection.start_sftp_client()
        client._handler._writer.write(UInt32(4 * MIB) + b"x" * 60_000)
        with pytest.raises(asyncssh.SFTPError):
            await client.stat("/film.mkv")


async def test_three_hundred_passwords_on_many_connections(server: RunningServer, film: bytes) -> None:
    async def guess(number: int) -> None:
        with contextlib.suppress(asyncssh.Error, OSError):
            await server.connect(password=f"guess {number}")

    guesses = [asyncio.create_task(guess(number)) for number in range(300)]
    await fetch(server, film)
    await asyncio.gather(*guesses)
    await fetch(server, film)
    assert server.most_memory() <= MOST_MEMORY


async def test_three_hundred_passwords_one_after_the_other_on_one_connection(
    server: RunningServer, film: bytes
) -> None:
    sent = 0

    class Guessing(asyncssh.SSHClient):
        def connection_made(self, conn: Any) -> None:
            self._connection = conn

        def password_auth_requested(self) -> str:
            nonlocal sent
            for sent in range(1, 300):
                body = String("alice"), String("ssh-connection"), String("password")
                guess = Boolean(False), String(f"guess {sent}")
                self._connection.send_packet(USERAUTH_REQUEST, *body, *guess)
            return "guess 300"

    with pytest.raises((asyncssh.Error, OSError)):
        await server.connect(password=None, client_factory=Guessing)
    assert sent == 299
    await fetch(server, film)
    assert server.most_memory() <= MOST_MEMORY


async def test_ten_honest_downloads_beside_each_other_are_whole(server: RunningServer, film: bytes) -> None:
    bob = await rows(account, "bob")
    await rows(finished, bob, {"film.mkv": film}, name="film.mkv")
    await asyncio.gather(*(fetch(server, film, username) for username in ("alice", "bob") * 5))
    assert server.most_memory() <= MOST_MEMORY
