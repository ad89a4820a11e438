"""Fixtures of the client's tests: a fake server on loopback, and clients that are logged in to it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from torrent_proxy_client import cli
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.session import FileSessionStore, Session
from tui_client.tests.fake_server import FakeServer, FakeTorrent
from tui_client.tests.fetching import DATA


@pytest.fixture(autouse=True)
def no_real_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring of whoever runs the tests is left alone, by subprocesses too."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture(autouse=True)
def found_by_subprocesses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client that is tested is the one of this checkout, installed or not."""
    monkeypatch.setenv("PYTHONPATH", str(Path(cli.__file__).parents[1]))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the session file; also what a started command uses."""
    directory = tmp_path / "config"
    monkeypatch.setenv("TORRENT_PROXY_CONFIG_DIR", str(directory))
    monkeypatch.setenv("TORRENT_PROXY_DOWNLOAD_DIR", str(tmp_path / "downloads"))
    for name in ("TORRENT_PROXY_SERVER", "TORRENT_PROXY_USER"):
        monkeypatch.delenv(name, raising=False)
    return directory


@pytest.fixture
def store(config: Path, server: FakeServer) -> FileSessionStore:
    """A stored session of alice."""
    tokens = server.issue_tokens()
    store = FileSessionStore(config)
    store.save(Session(server.url, "alice", tokens["access"], tokens["refresh"]))
    return store


@pytest.fixture
async def api(server: FakeServer, store: FileSessionStore) -> AsyncIterator[ApiClient]:
    async with ApiClient(server.url, store=store) as client:
        yield client


@pytest.fixture
def here(tmp_path: Path) -> Path:
    directory = tmp_path / "here"
    directory.mkdir()
    return directory


@pytest.fixture
def film(server: FakeServer) -> FakeTorrent:
    return server.add_torrent("film", {"film.mkv": DATA})
