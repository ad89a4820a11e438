import json
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from pytest_django import DjangoDbBlocker, Settings

from torrents.tests.sftp.running import RunningServer, running_server


@pytest.fixture(scope="session")
def shared_server(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture
def server(shared_server: RunningServer, transactional_db: None, settings: Settings) -> RunningServer:
    """The one that tests share. What they add, they add to its database and its downloads."""
    settings.DOWNLOADS_DIR = shared_server.downloads
    return shared_server


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory, shared_server: RunningServer) -> Path:
    """Alice's SSH key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = tmp_path_factory.mktemp("identity") / "id_ed25519"
    key.write_private_key(path)
    path.chmod(0o600)
    public = " ".join(key.export_public_key().decode().split()[:2])
    shared_server.keys.write_text(json.dumps({"alice": public}))
    return path
