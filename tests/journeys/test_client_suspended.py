"""The laptop sleeps in the middle of a transfer, and wakes up to a server that was restarted and a token that expired.

SUSPEND_SECONDS is how long it sleeps: 4 unless it says otherwise.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from deploy.relay import Relay
from tests.journeys import client_process
from tests.journeys.served import Served, served, torrent_of_alice
from tui_client.tests.waiting import eventually

SUSPEND_SECONDS = float(os.environ.get("SUSPEND_SECONDS", "4"))
ACCESS_TOKEN_SECONDS = 2
MIB = 2**20
SIZE = 16 * MIB
SPEED = 4 * MIB  # bytes a second of the person's network

pytestmark = [
    pytest.mark.journey,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(SUSPEND_SECONDS + 120),
]


@pytest.fixture
def box(tmp_path: Path, settings: Settings, transactional_db: None) -> Iterator[Served]:
    with served(tmp_path / "served", ACCESS_TOKEN_SECONDS=str(ACCESS_TOKEN_SECONDS)) as box:
        settings.DOWNLOADS_DIR = box.downloads
        yield box


@pytest.fixture
def content(box: Served) -> bytes:
    content = secrets.token_bytes(SIZE)
    torrent_of_alice("film.mkv", {"film.mkv": content})
    return content


async def test_a_transfer_goes_on_by_itself_after_sleep_a_restart_of_the_server_and_an_expired_token(
    box: Served, content: bytes, tmp_path: Path
) -> None:
    part = tmp_path / "downloads" / "film.mkv.part"
    async with Relay(box.web_port, speed=SPEED) as network:
        await client_process.log_in(tmp_path, network.url)
        process = await client_process.start(tmp_path, "get", "film")
        await eventually(lambda: part.exists() and part.stat().st_size > SIZE // 4, within=30)
        process.send_signal(signal.SIGSTOP)
        assert part.stat().st_size < SIZE
        await asyncio.to_thread(box.stop_web)
        await asyncio.sleep(max(SUSPEND_SECONDS, ACCESS_TOKEN_SECONDS + 1))
        await asyncio.to_thread(box.start_web)
        before = network.sent
        process.send_signal(signal.SIGCONT)
        output, errors = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, errors.decode()
        assert network.sent - before < SIZE
    assert b"film.mkv" in output
    assert (tmp_path / "downloads" / "film.mkv").read_bytes() == content
