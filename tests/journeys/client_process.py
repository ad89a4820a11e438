"""`torrent-proxy` in a process of its own, with a home of its own."""

import os
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from pathlib import Path

from accounts.tests.factories import PASSWORD
from deploy.box import PROJECT
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.session import FileSessionStore


async def log_in(directory: Path, url: str, username: str = "alice") -> None:
    """The session that commands started for `directory` use."""
    async with ApiClient(url, store=FileSessionStore(directory / "config")) as api:
        await api.log_in(username, PASSWORD)


async def start(directory: Path, *arguments: str, **environment: str) -> Process:
    """Fetched files come to `directory`/downloads."""
    return await create_subprocess_exec(
        sys.executable, "-m", "torrent_proxy_client", *arguments,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(PROJECT / "tui_client" / "src"),
            "TORRENT_PROXY_CONFIG_DIR": str(directory / "config"),
            "TORRENT_PROXY_DOWNLOAD_DIR": str(directory / "downloads"),
            **environment,
        },
        stdin=PIPE, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip


async def run(directory: Path, *arguments: str, said: str = "", **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors; `said` is what stands on standard input."""
    process = await start(directory, *arguments, **environment)
    output, errors = await process.communicate(said.encode())
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()
