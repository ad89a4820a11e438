"""Fetching in tests, and looking at what it left."""

import asyncio
import random
from pathlib import Path
from typing import Any

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download, Fetched
from tui_client.tests.fake_server import FakeTorrent

DATA = random.Random(1).randbytes(3_000_000)


async def fetch(api: ApiClient, torrent: FakeTorrent, directory: Path, **options: Any) -> tuple[Fetched, ...]:
    patient: dict[str, Any] = {"patience": 60, "sleep": lambda seconds: asyncio.sleep(min(seconds, 0.05))}
    return await Download(api, await api.torrent(torrent.id), directory, **{**patient, **options}).run()


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def outside(directory: Path, here: Path) -> set[Path]:
    return {path for path in directory.rglob("*") if here not in (path, *path.parents)}
