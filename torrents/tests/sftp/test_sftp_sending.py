"""However a client wants its bytes sent, they arrive as they are."""

import asyncio
import os
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from accounts.models import User
from torrents.models import Claim
from torrents.sftp.filesystem import READ_SIZE
from torrents.sftp.server import CIPHERS
from torrents.tests.factories import finished
from torrents.tests.sftp.running import RunningServer, rows, running_server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

SIZE = 3 * 2**20 + 12_345


@pytest.fixture
def content() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture
def claim(owner: User, content: bytes) -> Claim:
    return finished(owner, {"film.mkv": content}, name="film.mkv")


async def whole_file(server: RunningServer, **options: Any) -> bytes:
    async with (
        server.connect(**options) as connection,
        connection.start_sftp_client() as client,
        client.open("/film.mkv", "rb") as file,
    ):
        found: bytes = await file.read()
        return found


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.usefixtures("claim")
async def test_every_cipher_brings_the_whole_file(server: RunningServer, content: bytes, cipher: str) -> None:
    assert await whole_file(server, encryption_algs=[cipher]) == content


@pytest.mark.parametrize("window", [5_000, 40_000, 2**31])
@pytest.mark.parametrize("packet", [4096, 5_001, 2**20])
@pytest.mark.usefixtures("claim")
async def test_whatever_a_client_takes_at_a_time(
    server: RunningServer, content: bytes, window: int, packet: int
) -> None:
    assert await whole_file(server, window=window, max_pktsize=packet) == content


@pytest.mark.parametrize("packet", [0, 1, 4095])
@pytest.mark.usefixtures("claim")
async def test_a_client_that_takes_next_to_nothing_at_a_time_is_cut(
    server: RunningServer, content: bytes, packet: int
) -> None:
    with pytest.raises((asyncssh.Error, OSError)):
        await whole_file(server, max_pktsize=packet)
    assert await whole_file(server) == content


@pytest.mark.usefixtures("claim")
async def test_keys_that_the_server_changes_on_the_way(
    server: RunningServer, tmp_path: Path, content: bytes
) -> None:
    downloads = str(server.downloads)
    with running_server(tmp_path, {"REKEY_BYTES": 200_000}, DOWNLOADS_DIR=downloads) as often:
        for cipher in ("aes128-gcm@openssh.com", "aes256-ctr"):
            assert await whole_file(often, encryption_algs=[cipher]) == content


@pytest.mark.usefixtures("claim")
async def test_keys_that_the_client_changes_on_the_way(server: RunningServer, content: bytes) -> None:
    assert await whole_file(server, rekey_bytes=200_000) == content


@pytest.mark.usefixtures("claim")
async def test_a_client_is_told_how_much_it_may_ask_for(server: RunningServer) -> None:
    async with server.connect() as connection, connection.start_sftp_client() as client:
        assert client.limits.max_read_len == READ_SIZE


@pytest.mark.usefixtures("claim")
async def test_parts_of_a_file_up_to_its_end(server: RunningServer, content: bytes) -> None:
    async with (
        server.connect() as connection,
        connection.start_sftp_client() as client,
        client.open("/film.mkv", "rb", block_size=0) as file,
    ):
        for offset, size in ((0, 1), (1, 100_000), (SIZE - 10, 10), (SIZE - 10, 100), (SIZE, 1), (2**63, 1)):
            assert await file.read(size, offset) == content[offset : offset + size]


async def test_a_file_that_was_cut_short_on_the_disk_is_an_error(server: RunningServer, claim: Claim) -> None:
    async with (
        server.connect() as connection,
        connection.start_sftp_client() as client,
        client.open("/film.mkv", "rb", block_size=0) as file,
    ):
        path = claim.torrent.data_dir / "film.mkv"
        await asyncio.to_thread(os.truncate, path, 1_000)
        with pytest.raises(asyncssh.SFTPFailure):
            await file.read(10_000, 0)


async def test_a_file_that_the_page_cache_does_not_hold(
    server: RunningServer, claim: Claim, content: bytes
) -> None:
    path = await rows(lambda: claim.torrent.data_dir / "film.mkv")
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert await whole_file(server) == content
