"""One SSH connection: logging in, and the sessions that it may open."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import asyncssh
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from accounts.addresses import network, plain
from torrents.sftp import authentication
from torrents.sftp.authentication import Login
from torrents.sftp.filesystem import FinishedFiles
from torrents.sftp.flow import Flow, behind_window
from torrents.sftp.outbox import Outbox
from torrents.sftp.session import WINDOW, Session
from torrents.tree import Tree

if TYPE_CHECKING:
    from torrents.sftp.server import Server

logger = logging.getLogger(__name__)

PASSWORD_ATTEMPTS = 3
KEY_ATTEMPTS = 16  # an agent offers every key it holds; the right one is asked for twice
SESSIONS = 16  # of one connection at once


class Visitor(asyncssh.SSHServer):
    """One connection. `login`: what let it in, once something has."""

    connection: asyncssh.SSHServerConnection

    def __init__(self, server: "Server") -> None:
        self._server = server
        self.login: Login | None = None
        self.address = ""
        self.network = ""
        self._proven: dict[str, Login] = {}  # by the name of the request that proved it
        self._passwords = 0
        self._keys = 0
        self._last_name = ""
        self._flow: Flow | None = None
        self._tree: Tree | None = None
        self._sessions: list[tuple[Any, FinishedFiles | None]] = []

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connection = conn
        self.address = plain(str(conn.get_extra_info("peername")[0]))
        self.network = network(self.address)
        full = self._server.why_full_for(self)
        if full is not None:
            logger.warning("Refused a connection: too many %s.", full)
            conn.abort()
            return
        self._server.visitors.add(self)
        self._flow = Flow(conn, self._server.share)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.visitors.discard(self)
        for _, files in self._sessions:
            if files is not None:
                self._server.send_on_errand(files.close_all())
        if self.login is None and self._keys and not self._passwords:
            self._record(authentication.record_refused_keys, username=self._last_name, address=self.address)

    def waiting(self) -> int:
        """How many answers wait for the client: one for its socket, and those behind the windows of its sessions."""
        if self._flow is None:
            return 0
        shut = sum(behind_window(channel) > 0 for channel, _ in self._sessions)
        return shut + (self._flow.unsent() > 0)

    # --- logging in

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        self._passwords += 1
        if self._passwords > PASSWORD_ATTEMPTS:
            self._give_up()
            return False
        right = await self._check(
            username,
            lambda: authentication.login_by_secret(username=username, secret=password, address=self.address),
        )
        if not right and self._passwords == PASSWORD_ATTEMPTS:
            self._give_up()
        return right

    def change_password(self, username: str, old_password: str, new_password: str) -> bool:
        self._give_up()
        return False

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._keys += 1
        if self._keys > KEY_ATTEMPTS:
            self._give_up()
            return False
        public_key = key.export_public_key().decode().strip()
        return await self._check(
            username,
            lambda: authentication.login_by_key(
                username=username, public_key=public_key, address=self.address
            ),
        )

    def auth_completed(self) -> None:
        login = self._proven[self.connection.get_extra_info("username")]
        if self._server.connections_of(login.user.pk) >= settings.SFTP_MAX_CONNECTIONS_PER_USER:
            self.disconnect("You have too many connections already. Close some first.")
            return
        self.login = login
        self._tree = Tree(login.user)
        self._record(authentication.record_login, login, address=self.address)

    async def _check(self, username: str, ask: Callable[[], Login | None]) -> bool:
        """In a thread of the few for logins."""
        self._last_name = username
        try:
            login = await self._server.threads.login(ask)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Nobody can log in, the database is away: %s", error)
            self.disconnect("The box cannot check your login now. Try again in a minute.")
            return False
        if login is not None:
            self._proven[username] = login
        return login is not None

    def _record(self, write: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        async def errand() -> None:
            try:
                await self._server.threads.login(write, *args, **kwargs)
            except (DatabaseError, InterfaceError, RuntimeError) as error:  # RuntimeError: we are stopping
                logger.warning("A login from %s was not recorded: %s", self.address, error)

        self._server.send_on_errand(errand())

    def _give_up(self) -> None:
        self.disconnect("Too many failed attempts to log in.", asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE)

    def disconnect(self, reason: str, code: int = asyncssh.DISC_BY_APPLICATION) -> None:
        """At once, whether or not the client reads."""
        self.connection.disconnect(code, reason)

    # --- sessions: SFTP, and scp's own older protocol. No shell, no other command, nothing forwarded.

    def session_requested(self) -> Any:
        self._sessions = [(channel, files) for channel, files in self._sessions if not channel.is_closing()]
        if self.login is None or self._flow is None or len(self._sessions) >= SESSIONS:
            return False
        channel = self.connection.create_server_channel(encoding=None, window=WINDOW)
        # Variables of the environment mean nothing here, and asyncssh keeps as many as a client cares to send.
        setattr(channel, "_process_env_request", lambda packet: False)  # noqa: B010
        self._sessions.append((channel, None))
        outbox = Outbox(self.connection, channel, self._flow.note_room)
        # _: asyncssh's wrapping of the channel
        return channel, Session(lambda _: self._filesystem(channel), self._flow, outbox)

    def _filesystem(self, channel: Any) -> FinishedFiles:
        assert self.login is not None
        assert self._tree is not None
        assert self._flow is not None
        files = FinishedFiles(
            channel, user=self.login.user, tree=self._tree, threads=self._server.threads, flow=self._flow
        )
        self._sessions = [(one, files if one is channel else other) for one, other in self._sessions]
        return files
