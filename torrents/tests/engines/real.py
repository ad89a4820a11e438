"""A real qBittorrent for tests, contained and on loopback, with a profile and data of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured

from torrents.engines.qbittorrent import QBittorrentEngine
from torrents.engines.qbittorrent_profile import (
    ProfileOptions,
    Settings,
    engine_version,
    launch,
    merge_settings,
    write_profile,
)

PROJECT = Path(__file__).resolve().parents[3]
INSTALLED = "installed"  # this machine's own qBittorrent, or the one that TEST_QBITTORRENT_BINARY names
VERSIONS = (INSTALLED, "5.1", "5.3")
PEER_ADDRESS = "127.0.0.77"
USERNAME, PASSWORD = "proxy", "correct horse: battery; staple"
START_SECONDS = 30.0
# Milliseconds between looks at its own torrents: tests need not wait as long as people do.
FAST_REFRESH: Settings = {"BitTorrent": {r"Session\RefreshInterval": "200"}}


class RealQBittorrent:
    """One engine under `root`, stopped until `start`. Its torrents may be anywhere below `data_root`."""

    def __init__(self, root: Path, *, binary: str = "", data_root: Path | None = None) -> None:
        self.binary = binary or configured.QBITTORRENT_BINARY
        self.options = ProfileOptions(
            profile_dir=root / "profile",
            data_root=data_root or root / "data",
            web_port=free_port(),
            username=USERNAME,
            password=PASSWORD,
            torrent_port=free_port(),
            interface="lo",
            discovery=False,
            loopback_peers=(PEER_ADDRESS,),
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.options.web_port}"

    @property
    def data_root(self) -> Path:
        return self.options.data_root

    def connect(self, *, password: str = PASSWORD, timeout: float = 10.0) -> QBittorrentEngine:
        return QBittorrentEngine(self.url, USERNAME, password, timeout)

    def preferences(self) -> dict[str, Any]:
        """All settings, as the running engine says that they are."""
        with contextlib.closing(self.connect()) as engine:
            return dict(engine._client.app_preferences())

    def set_preferences(self, preferences: dict[str, Any]) -> None:
        with contextlib.closing(self.connect()) as engine:
            engine._client.app_set_preferences(preferences)

    def torrent_keys(self) -> set[str]:
        """The keys of its torrents, asked for in a way that leaves it as it is for other sessions."""
        with contextlib.closing(self.connect()) as engine:
            return {str(torrent["hash"]) for torrent in engine._client.torrents_info()}

    def log(self) -> str:
        return (self.options.profile_dir / "qBittorrent/data/logs/qbittorrent.log").read_text()

    def start(self, settings: Settings = FAST_REFRESH) -> None:
        """Start it and wait until its Web API answers; `settings` overrule those of the profile."""
        write_profile(self.options, engine_version(self.binary))
        config = self.options.config_file
        config.write_text(merge_settings(config.read_text(), settings))
        self._process = launch(self.options, self.binary, output=subprocess.DEVNULL)
        wait_for_port(self.options.web_port)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """For a while it is there but does not answer."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def binary_of(version: str) -> str:
    """The program; skips the test where another version than the machine's own has not been fetched."""
    if version == INSTALLED:
        return str(configured.QBITTORRENT_BINARY)
    found = subprocess.run(
        ["bash", "deploy/engines.sh", "--cached", version],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        pytest.skip(found.stderr.strip().removeprefix("Error: "))
    return found.stdout.strip()
