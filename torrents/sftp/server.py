"""The SSH server: who gets in, how many, and that they can do nothing but fetch."""

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncssh
from asyncssh.stream import SSHServerStreamSession
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from accounts.models import User
from proxy_site.sftp_endpoint import host_key
from torrents.sftp.authentication import Authenticator
from torrents.sftp.filesystem import FinishedFiles
from torrents.sftp.flow import CUT_ABOVE, overrun, unsent
from torrents.sftp.threads import Threads
from torrents.tree import Tree

logger = logging.getLogger(__name__)

LOGIN_SECONDS = 20
PASSWORD_ATTEMPTS = 3
KEY_ATTEMPTS = 12  # an agent offers every key it holds
SESSIONS = 16  # of one connection at once
KEEPALIVE_SECONDS, KEEPALIVES = 30, 4  # after that many unanswered a client is gone
CHECK_USERS_SECONDS = 20
# What is fastest first: AES-GCM moves up to twice as much as ChaCha20 here. The client has the last word.
CIPHERS = [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
]


class Server:
    """Everybody who is connected. `serve` runs until `stop` is set."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.authenticator = authenticator
        self.threads = Threads()
        self.visitors: set[Visitor] = set()

    async def serve(self, host: str, port: int, stop: asyncio.Event) -> None:
        """Raises OSError where it cannot listen."""
        listener = await asyncssh.listen(
            host,
            port,
            server_factory=lambda: Visitor(self),
            server_host_keys=[asyncssh.import_private_key(host_key())],
            server_version="SFTP",
            encryption_algs=CIPHERS,
            compression_algs=None,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
            allow_pty=False,
            agent_forwarding=False,
            x11_forwarding=False,
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=KEEPALIVES,
            encoding=None,
        )
        watchers = [asyncio.create_task(self._cut_hoarders()), asyncio.create_task(self._end_disabled())]
        try:
            await stop.wait()
        finally:
            listener.close()
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            for visitor in list(self.visitors):
                visitor.connection.abort()
            leaving = [visitor.connection.wait_closed() for visitor in list(self.visitors)]
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*leaving, return_exceptions=True), 2)
            self.threads.close()

    def why_full_for(self, visitor: "Visitor") -> str | None:
        """Whether there is room for one more connection; the reason if not."""
        if len(self.visitors) >= settings.SFTP_MAX_CONNECTIONS:
            return "in all"
        addresses = Counter(other.network for other in self.visitors)
        if addresses[visitor.network] >= settings.SFTP_MAX_CONNECTIONS_PER_ADDRESS:
            return f"from {visitor.address}"
        return None

    def connections_of(self, user: User) -> int:
        return sum(visitor.user is not None and visitor.user.pk == user.pk for visitor in self.visitors)

    async def _cut_hoarders(self) -> None:
        """Answers that nothing holds back (to requests that are none) add up slowly: once a second is enough."""
        while True:
            await asyncio.sleep(1)
            for visitor in list(self.visitors):
                if max(unsent(visitor.connection), overrun(visitor.connection)) > CUT_ABOVE:
                    logger.warning("Cut the connection from %s: it reads nothing.", visitor.address)
                    visitor.connection.abort()

    async def _end_disabled(self) -> None:
        """Who is disabled or deleted loses the connections that run, too."""
        while True:
            await asyncio.sleep(CHECK_USERS_SECONDS)
            present = {visitor.user.pk for visitor in self.visitors if visitor.user is not None}
            if not present:
                continue
            try:
                active = await self.threads.query(_active_among, present)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("The database went away, trying again: %s", error)
                continue
            for visitor in list(self.visitors):
                if visitor.user is not None and visitor.user.pk in present - active:
                    logger.info("Ended a connection of %s, who is disabled.", visitor.user)
                    visitor.disconnect("Your account is disabled. Ask your admin.")


class Visitor(asyncssh.SSHServer):
    """One connection."""

    connection: asyncssh.SSHServerConnection

    def __init__(self, server: Server) -> None:
        self._server = server
        self.user: User | None = None
        self.address = ""
        self.network = ""
        self._allowed: dict[str, User] = {}  # by the name of the request that proved it
        self._passwords = 0
        self._keys = 0
        self._tree: Tree | None = None
        self._sessions: list[tuple[Any, FinishedFiles | None]] = []
        self._closing: asyncio.Task[None] | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connection = conn
        self.address = str(conn.get_extra_info("peername")[0])
        self.network = network_of(self.address)
        full = self._server.why_full_for(self)
        if full is not None:
            logger.warning("Refused a connection: too many %s.", full)
            conn.abort()
            return
        self._server.visitors.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.visitors.discard(self)
        filesystems = [filesystem for _, filesystem in self._sessions if filesystem is not None]
        if filesystems:
            self._closing = asyncio.ensure_future(_close_all(filesystems))

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
        user = await self._check(
            username,
            lambda: self._server.authenticator.user_for_secret(
                username=username, secret=password, address=self.address
            ),
        )
        if user is None and self._passwords == PASSWORD_ATTEMPTS:
            self._give_up()
        return user is not None

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        public_key = key.export_public_key().decode().strip()
        user = await self._check(
            username,
            lambda: self._server.authenticator.user_for_key(username=username, public_key=public_key),
        )
        if user is None:
            self._keys += 1
            if self._keys >= KEY_ATTEMPTS:
                self._give_up()
        return user is not None

    def auth_completed(self) -> None:
        user = self._allowed[self.connection.get_extra_info("username")]
        if self._server.connections_of(user) >= settings.SFTP_MAX_CONNECTIONS_PER_USER:
            self.disconnect("You have too many connections already. Close some first.")
            return
        self.user = user
        self._tree = Tree(user)
        logger.info("%s connected from %s.", user, self.address)

    async def _check(self, username: str, ask: Callable[[], User | None]) -> User | None:
        """In a thread of the few for logins, and only while this name is not locked out from here."""

        def unless_locked_out() -> User | None:
            if self._server.authenticator.is_locked_out(username=username, address=self.address):
                return None
            return ask()

        try:
            user = await self._server.threads.login(unless_locked_out)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Nobody can log in, the database is away: %s", error)
            self.disconnect("The box cannot check your login now. Try again in a minute.")
            return None
        if user is not None:
            self._allowed[username] = user
        return user

    def _give_up(self) -> None:
        self.disconnect("Too many failed attempts to log in.", asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE)

    def disconnect(self, reason: str, code: int = asyncssh.DISC_BY_APPLICATION) -> None:
        self.connection.disconnect(code, reason)
        # A client that does not read never lets its buffers empty, and so would stay.
        asyncio.get_running_loop().call_later(1, self.connection.abort)

    # --- sessions: SFTP, and scp's own older protocol. No shell, no other command, nothing forwarded.

    def session_requested(self) -> Any:
        self._sessions = [(channel, files) for channel, files in self._sessions if not channel.is_closing()]
        if self.user is None or len(self._sessions) >= SESSIONS:
            return False
        channel = self.connection.create_server_channel(encoding=None)
        # Variables of the environment mean nothing here, and asyncssh keeps as many as a client cares to send.
        setattr(channel, "_process_env_request", lambda packet: False)  # noqa: B010
        self._sessions.append((channel, None))
        return channel, SSHServerStreamSession(None, self._filesystem, 3, allow_scp=True)

    def _filesystem(self, channel: Any) -> FinishedFiles:
        assert self.user is not None
        assert self._tree is not None
        files = FinishedFiles(channel, user=self.user, tree=self._tree, threads=self._server.threads)
        self._sessions = [(one, files if one is channel else other) for one, other in self._sessions]
        return files


async def _close_all(filesystems: list[FinishedFiles]) -> None:
    for filesystem in filesystems:
        await filesystem.close_all()


def _active_among(users: set[int]) -> set[int]:
    return set(User.objects.filter(pk__in=users, is_active=True).values_list("pk", flat=True))


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64 that a household has."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
