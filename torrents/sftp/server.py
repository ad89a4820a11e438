"""The SSH server: who is connected, how many, and until when."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import asyncssh
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from proxy_site import life_signs
from proxy_site.sftp_endpoint import host_key
from torrents import sftp_servers
from torrents.sftp.authentication import still_good
from torrents.sftp.filesystem import READ_SIZE
from torrents.sftp.flow import LEAST_UNSENT
from torrents.sftp.threads import Threads
from torrents.sftp.visitor import Visitor

logger = logging.getLogger(__name__)

LOGIN_SECONDS = 20
KEEPALIVE_SECONDS, KEEPALIVES = 30, 4  # after that many unanswered a client is gone
MOST_UNSENT = 4 * 2**20  # bytes of all sessions
MOST_SHARE = 2 * READ_SIZE  # while one answer is sent the next is made
COUNT_SECONDS = 0.005  # in which a disk's cache gives a megabyte or two
CHECK_SECONDS = 5  # how soon what was taken back ends what it had opened
TELL_SECONDS = 10  # how often whoever looks after the box hears how many are connected
REKEY_BYTES, REKEY_SECONDS = 2**30, 3600  # as RFC 4253 recommends
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

    def __init__(self) -> None:
        self.threads = Threads()
        self.visitors: set[Visitor] = set()
        self._errands: set[asyncio.Task[None]] = set()
        self._share, self._counted_at = MOST_SHARE, 0.0

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
            rekey_bytes=REKEY_BYTES,
            rekey_seconds=REKEY_SECONDS,
            encoding=None,
        )
        life_signs.ready()
        watcher = asyncio.create_task(self._end_what_was_taken_back())
        self.send_on_errand(self._tell_of_itself(f"{socket.gethostname()}:{port}", stop))
        try:
            await stop.wait()
        finally:
            listener.close()
            watcher.cancel()
            for visitor in list(self.visitors):
                visitor.connection.abort()
            leaving = [visitor.connection.wait_closed() for visitor in list(self.visitors)]
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(watcher, *leaving, return_exceptions=True), 2)
            if self._errands:  # the ledger hears of what was under way
                await asyncio.wait(self._errands, timeout=2)
            self.threads.close()

    def send_on_errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Something that outlives a connection, and that the server waits for before it stops."""
        errand = asyncio.ensure_future(work)
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    def why_full_for(self, visitor: Visitor) -> str | None:
        """Whether there is room for one more connection; the reason if not."""
        if len(self.visitors) >= settings.SFTP_MAX_CONNECTIONS:
            return "in all"
        networks = Counter(other.network for other in self.visitors)
        if networks[visitor.network] >= settings.SFTP_MAX_CONNECTIONS_PER_ADDRESS:
            return f"from {visitor.address}"
        return None

    def connections_of(self, user_id: int) -> int:
        return sum(
            visitor.login is not None and visitor.login.user.pk == user_id for visitor in self.visitors
        )

    def share(self) -> int:
        """Bytes of one more answer that memory has room for, counted a moment ago at most: everybody asks all the time.

        Those who wait for their clients share what all may leave unsent; each leaves at most half more than this.
        """
        now = asyncio.get_running_loop().time()
        if now - self._counted_at > COUNT_SECONDS:
            waiting = sum(visitor.waiting() for visitor in self.visitors)
            self._share = max(LEAST_UNSENT, min(MOST_SHARE, MOST_UNSENT // max(1, waiting)))
            self._counted_at = now
        return self._share

    async def _tell_of_itself(self, name: str, stop: asyncio.Event) -> None:
        """That it runs, and how many are connected; at the end, that it was told to stop."""
        while True:
            try:
                if stop.is_set():
                    await self.threads.query(sftp_servers.leave, name=name)
                    return
                await self.threads.query(sftp_servers.tell, name=name, connections=len(self.visitors))
            except (DatabaseError, InterfaceError) as error:
                logger.warning("Nobody heard how this server is: %s", error)
                if stop.is_set():
                    return
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TELL_SECONDS)

    async def _end_what_was_taken_back(self) -> None:
        """Connections whose account, key or credential is no longer good: one look at the database for all."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            present = {visitor.login for visitor in self.visitors if visitor.login is not None}
            if not present:
                continue
            try:
                ended = present - await self.threads.query(still_good, present)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("The database went away, trying again: %s", error)
                continue
            for visitor in list(self.visitors):
                if visitor.login in ended:
                    logger.info(
                        "Ended a connection of %s: what opened it was taken back.", visitor.login.user
                    )
                    visitor.disconnect(
                        "What you logged in with is no longer good. Log in again, or ask your admin."
                    )
