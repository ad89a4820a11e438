"""Somebody is disabled while a file is on its way to them: real server, real bytes."""

import secrets
import threading
from pathlib import Path

import pytest
from django.db import connection

from accounts import services
from accounts.models import User
from accounts.tests.factories import PASSWORD
from tests.journeys.served import Served, torrent_of_alice
from torrent_proxy_client import receiving
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download, Progress
from torrent_proxy_client.errors import NotLoggedIn, Refused
from torrents.tests.sftp.running import rows

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PIECE = 2**20
SIZE = 16 * PIECE


async def test_a_download_of_somebody_who_is_disabled_ends_within_one_piece_and_says_why(
    servers: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "PIECE", PIECE)
    content = secrets.token_bytes(SIZE)
    torrent_id = await rows(torrent_of_alice, "film.mkv", {"film.mkv": content})
    disabled_at: list[int] = []

    def disable_at_a_quarter(now: Progress) -> None:
        if now.done >= SIZE // 4 and not disabled_at:
            disabled_at.append(now.done)
            # Nothing of the download goes on until that is done.
            disabling = threading.Thread(target=_disable_alice)
            disabling.start()
            disabling.join(60)

    async with ApiClient(servers.url) as api:
        await api.log_in("alice", PASSWORD)
        torrent = await api.torrent(torrent_id)
        download = Download(api, torrent, tmp_path, on_progress=disable_at_a_quarter)
        with pytest.raises(NotLoggedIn, match=r"Your session has ended\. Log in again\."):
            await download.run()
        with pytest.raises(Refused) as refused:
            await api.log_in("alice", PASSWORD)

    part = (tmp_path / "film.mkv.part").read_bytes()
    assert len(part) <= disabled_at[0] + PIECE
    assert content.startswith(part)
    assert not (tmp_path / "film.mkv").exists()
    assert refused.value.status == 401


def _disable_alice() -> None:
    """What the admin's page does."""
    try:
        services.disable_user(user=User.objects.get(username="alice"))
    finally:
        connection.close()
