"""Every byte that leaves by SFTP is counted, for its claim and its user."""

import asyncio
from pathlib import Path

import pytest
from asyncssh import SFTPPermissionDenied

from accounts.models import User
from torrents.models import ClaimTraffic, Traffic
from torrents.sftp.filesystem import REPORT_EVERY
from torrents.tests.factories import finished
from torrents.tests.sftp.running import PATIENCE, RunningServer, account, rows, running_server

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 2**20
SIZE = 8 * MIB


@pytest.fixture
def film(owner: User) -> User:
    """Alice, who has a film of 8 MiB."""
    finished(owner, {"film.mkv": b"x" * SIZE}, name="film.mkv")
    return owner


async def counted(user: User, expected: int) -> None:
    """The ledger hears of a file when it is closed, a moment later: for the claim and the user, the same."""

    def sums() -> tuple[int, int]:
        claims = sum(ClaimTraffic.objects.filter(claim__user=user).values_list("sent", flat=True))
        days = Traffic.objects.filter(user=user, channel=Traffic.Channel.SFTP).values_list("sent", flat=True)
        return claims, sum(days)

    for _ in range(int(PATIENCE / 0.05)):
        if await rows(sums) == (expected, expected):
            return
        await asyncio.sleep(0.05)
    assert await rows(sums) == (expected, expected)


async def counted_below(user: User, size: int) -> None:
    def sent() -> int:
        return Traffic.objects.get(user=user, channel=Traffic.Channel.SFTP).sent

    assert REPORT_EVERY <= await rows(sent) < size


async def test_several_opens_of_one_file_are_counted_together(server: RunningServer, film: User) -> None:
    async with server.connect() as connection, connection.start_sftp_client() as client:
        async with client.open("/film.mkv", "rb") as first, client.open("/film.mkv", "rb") as second:
            await asyncio.gather(first.read(3 * MIB), second.read(MIB, offset=5 * MIB))
            await first.read(100, offset=0)
        await counted(film, 4 * MIB + 100)


async def test_each_person_pays_for_what_they_fetched(server: RunningServer, film: User) -> None:
    bob = await rows(account, "bob")
    await rows(finished, bob, {"small": b"12345"}, name="small")
    for username, path in (("alice", "/film.mkv"), ("bob", "/small")):
        async with (
            server.connect(username) as connection,
            connection.start_sftp_client() as client,
            client.open(path, "rb") as file,
        ):
            await file.read()
    await counted(film, SIZE)
    await counted(bob, 5)


async def test_a_file_that_is_open_ends_soon_after_the_months_traffic_is_used_up(
    server: RunningServer, owner: User
) -> None:
    size = REPORT_EVERY + 8 * MIB
    await rows(finished, owner, {"film.mkv": bytes(size)}, name="film.mkv")
    async with (
        server.connect() as connection,
        connection.start_sftp_client() as client,
        client.open("/film.mkv", "rb") as file,
    ):
        assert len(await file.read(MIB)) == MIB
        await rows(User.objects.filter(pk=owner.pk).update, monthly_traffic_limit=2 * MIB)
        for _ in range(2):
            with pytest.raises(SFTPPermissionDenied, match="fetched all that you may this month"):
                await file.read(size)
    await counted_below(owner, size)


async def test_a_connection_that_dies_in_the_middle_is_counted(server: RunningServer, film: User) -> None:
    connection = await server.connect()
    client = await connection.start_sftp_client()
    file = await client.open("/film.mkv", "rb")
    await file.read(3 * MIB)
    connection.abort()
    await connection.wait_closed()
    await counted(film, 3 * MIB)


async def test_downloads_that_run_when_the_server_stops_are_counted(
    server: RunningServer, film: User, tmp_path: Path
) -> None:
    with running_server(tmp_path, DOWNLOADS_DIR=str(server.downloads)) as stopped:
        async with stopped.connect() as connection, connection.start_sftp_client() as client:
            files = [await client.open("/film.mkv", "rb") for _ in range(10)]
            for file in files:
                await file.read(MIB)
            await asyncio.to_thread(stopped.stop)
            await connection.wait_closed()
    await counted(film, 10 * MIB)
