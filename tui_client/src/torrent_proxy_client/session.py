"""Who is logged in where, and how that outlives the process."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

from torrent_proxy_client.errors import ClientError, ServerAway
from torrent_proxy_client.files import make_private_directory, write_json
from torrent_proxy_client.locks import file_lock

# Longer than a refresh takes that times out.
_LOCK_TIMEOUT = 60.0


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
    """`session.json` in `directory`, readable by its owner only, shared by all `torrent-proxy` processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "session.json"

    def load(self) -> Session | None:
        """The stored session; None when there is none or the file cannot be understood."""
        try:
            content = json.loads(self._path.read_bytes())
            session = Session(**content)
        except (OSError, ValueError, TypeError):
            return None
        return session if all(isinstance(value, str) for value in asdict(session).values()) else None

    def save(self, session: Session) -> None:
        """Written whole or not at all. Raises ClientError."""
        try:
            write_json(self._path, asdict(session))
        except OSError as error:
            raise ClientError(
                f"The session cannot be stored in {self._directory}: {error.strerror}."
            ) from error

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
