"""Where the session's tokens are: in the system's keyring if there is one, else in a file of their owner."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.session import FileSessionStore, Session
from tui_client.tests.fake_server import FakeServer

SESSION = Session("https://box.example", "alice", "access-1", "refresh-1")


class Keyring(ModuleType):
    """Keeps entries like the keyring package, which needs a desktop to do so for real."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.entries: dict[tuple[str, str], str] = {}
        self.priority = 5.0
        self.locked = False

    def get_keyring(self) -> SimpleNamespace:
        return SimpleNamespace(priority=self.priority)

    def set_password(self, service: str, account: str, text: str) -> None:
        if self.locked:
            raise RuntimeError("locked")
        self.entries[service, account] = text

    def get_password(self, service: str, account: str) -> str | None:
        if self.locked:
            raise RuntimeError("locked")
        return self.entries.get((service, account))

    def delete_password(self, service: str, account: str) -> None:
        del self.entries[service, account]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    fake = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", fake)
    return fake


def test_with_a_keyring_no_token_is_in_the_file(keyring: Keyring, tmp_path: Path) -> None:
    FileSessionStore(tmp_path).save(SESSION)
    assert "access-1" not in (tmp_path / "session.json").read_text()
    assert "refresh-1" not in (tmp_path / "session.json").read_text()
    assert FileSessionStore(tmp_path).load() == SESSION


def test_another_profile_has_an_entry_of_its_own(keyring: Keyring, tmp_path: Path) -> None:
    FileSessionStore(tmp_path / "one").save(SESSION)
    FileSessionStore(tmp_path / "two").save(Session("https://box.example", "alice", "access-2", "refresh-2"))
    assert FileSessionStore(tmp_path / "one").load() == SESSION


def test_logging_out_removes_the_entry(keyring: Keyring, tmp_path: Path) -> None:
    store = FileSessionStore(tmp_path)
    store.save(SESSION)
    store.save(SESSION.ended())
    assert keyring.entries == {}
    assert store.load() == SESSION.ended()


@pytest.mark.parametrize("trouble", ["refuses", "locked", "too long", "absent"])
def test_without_a_usable_keyring_the_tokens_are_in_the_file_of_their_owner(
    keyring: Keyring, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = SESSION
    match trouble:
        case "refuses":
            keyring.priority = 0
        case "locked":
            keyring.locked = True
        case "too long":  # for Windows
            session = Session("https://box.example", "alice", "a" * 900, "r" * 900)
        case "absent":
            monkeypatch.setitem(sys.modules, "keyring", None)
    FileSessionStore(tmp_path).save(session)
    assert (tmp_path / "session.json").stat().st_mode & 0o777 == 0o600
    assert FileSessionStore(tmp_path).load() == session
    assert keyring.entries == {}


def test_a_keyring_that_was_locked_later_means_logging_in_again(keyring: Keyring, tmp_path: Path) -> None:
    FileSessionStore(tmp_path).save(SESSION)
    keyring.locked = True
    stored = FileSessionStore(tmp_path).load()
    assert stored
    assert (stored.server, stored.username, stored.logged_in) == (SESSION.server, SESSION.username, False)


async def test_a_renewed_session_stays_in_the_keyring(
    server: FakeServer, keyring: Keyring, tmp_path: Path
) -> None:
    store = FileSessionStore(tmp_path)
    async with ApiClient(server.url, store=store) as api:
        await api.log_in("alice", "secret")
        server.expire_access()
        await api.me()
        assert store.load() == api.session
    assert "access-" not in (tmp_path / "session.json").read_text()
