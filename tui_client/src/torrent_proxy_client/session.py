"""Who is logged in where, and how that outlives the process."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from torrent_proxy_client import vault
from torrent_proxy_client.errors import ClientError, ServerAway
from torrent_proxy_client.files import make_private_directory, read_json_object, write_json
from torrent_proxy_client.locks import file_lock

# Longer than a refresh takes that times out.
_LOCK_TIMEOUT = 60.0

_IN_KEYRING = "keyring"


@dataclass(frozen=True, slots=True)
class Session:
    """After logging out the tokens are empty; server and user are remembered for the next login."""

    server: str
    username: str
    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)

    @property
    def logged_in(self) -> bool:
        return bool(self.access and self.refresh)

    def ended(self) -> "Session":
        return replace(self, access="", refresh="")


class SessionStore(Protocol):
    def load(self) -> Session | None: ...

    def save(self, session: Session) -> None: ...

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Keeps other processes from renewing the same session meanwhile."""
        ...


class MemorySessionStore:
    """Forgotten with the process; for scripts that use the library, and for tests."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session

    def load(self) -> Session | None:
        return self._session

    def save(self, session: Session) -> None:
        self._session = session

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        yield


class FileSessionStore:
    """`session.json` in `directory`, readable by its owner only, shared by all `torrent-proxy` processes.

    The tokens are in the operating system's keyring instead where there is one (see `vault`); the file then
    says so, and so every process finds them in the same place.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "session.json"

    def load(self) -> Session | None:
        """The stored session; None when there is none or the file cannot be understood."""
        content = read_json_object(self._path)
        in_keyring = content.pop("tokens", None) == _IN_KEYRING
        if not content or not all(isinstance(value, str) for value in content.values()):
            return None
        try:
            session = Session(**content)  # type: ignore[arg-type]
        except TypeError:
            return None
        if not in_keyring:
            return session
        try:
            access, refresh = vault.get(self._account(session))
        except vault.NoKeyring:
            return session  # logged out: the keyring is locked or was emptied
        return replace(session, access=access, refresh=refresh)

    def save(self, session: Session) -> None:
        """Written whole or not at all. Raises ClientError."""
        try:
            write_json(self._path, self._content(session))
        except OSError as error:
            raise ClientError(
                f"The session cannot be stored in {self._directory}: {error.strerror}."
            ) from error

    def _content(self, session: Session) -> dict[str, str]:
        """What the file says, after the keyring has got what belongs there."""
        if not session.logged_in:
            if read_json_object(self._path).get("tokens") == _IN_KEYRING:
                with contextlib.suppress(vault.NoKeyring):
                    vault.remove(self._account(session))
            return asdict(session)
        try:
            vault.put(self._account(session), (session.access, session.refresh))
        except vault.NoKeyring:
            return asdict(session)
        return {**asdict(session.ended()), "tokens": _IN_KEYRING}

    def _account(self, session: Session) -> str:
        """Profiles, servers and users have entries of their own."""
        return f"{session.username} on {session.server} ({self._directory.absolute()})"

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        try:
            make_private_directory(self._directory)
            async with file_lock(self._directory / "session.lock", timeout=_LOCK_TIMEOUT):
                yield
        except TimeoutError:
            raise ServerAway("Another torrent-proxy is busy renewing the session. Try again.") from None
        except OSError as error:
            raise ClientError(
                f"The session cannot be stored in {self._directory}: {error.strerror}."
            ) from error
