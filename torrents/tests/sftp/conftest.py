from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from pytest_django import Settings

from accounts import audit, ssh_keys
from accounts.models import User
from torrents.tests.sftp.running import RunningServer, account, running_server


@pytest.fixture
def server(transactional_db: None, settings: Settings, tmp_path: Path) -> Iterator[RunningServer]:
    """What tests add, they add to its database and its downloads.

    One for each test: it writes down late what its clients did, and has to be done before the database is emptied.
    """
    directory = tmp_path / "shared"
    directory.mkdir()
    with running_server(directory) as started:
        settings.DOWNLOADS_DIR = started.downloads
        yield started


@pytest.fixture
def owner(server: RunningServer) -> User:
    """Alice, who has a transfer credential."""
    return account("alice")


@pytest.fixture(scope="session")
def private_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("identity") / "id_ed25519"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
    path.chmod(0o600)
    return path


@pytest.fixture
def identity(private_key: Path, owner: User) -> Path:
    """Alice's SSH key."""
    public = asyncssh.read_private_key(private_key).export_public_key().decode()
    ssh_keys.add_key(user=owner, public_key=public, by=audit.By(owner))
    return private_key
