"""What every command needs: the server of the stored session, and exit codes."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.paths import config_dir, state_dir
from torrent_proxy_client.pins import Pins
from torrent_proxy_client.server_url import parse_server_url
from torrent_proxy_client.session import FileSessionStore, SessionStore

OK, FAILED, USAGE, AWAY, NOT_LOGGED_IN, INTERRUPTED = 0, 1, 2, 3, 4, 130


class UsageError(ClientError):
    pass


@asynccontextmanager
async def connect() -> AsyncIterator[ApiClient]:
    """The server of the stored session; raises NotLoggedIn when that is not the one wanted."""
    store = FileSessionStore(config_dir())
    session = store.load()
    chosen = os.environ.get("TORRENT_PROXY_SERVER")
    if session is None or not session.logged_in:
        raise NotLoggedIn("You are not logged in.")
    if chosen and parse_server_url(chosen) != session.server:
        raise NotLoggedIn(
            f"You are logged in to {session.server}, not to {chosen} (TORRENT_PROXY_SERVER). "
            f"Run: torrent-proxy login --server {chosen}"
        )
    async with client(session.server, store) as api:
        yield api


def client(server: str, store: SessionStore) -> ApiClient:
    return ApiClient(server, store=store, fingerprint=Pins(state_dir()).get(server))
