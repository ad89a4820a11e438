from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from pytest_django import DjangoDbBlocker, Settings

from accounts import audit, ssh_keys
from accounts.models import User
from torrents.tests.sftp.running import RunningServer, account, running_server


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
