"""Back-pressure: a client that asks and does not read must not fill the box's memory.

asyncssh keeps whatever it is given to send, and goes on reading meanwhile. Two things hold it back here. From a client
that does not empty its socket nothing more is read, whatever it sends: requests, nonsense, key exchanges. And behind a
window that a client keeps shut, or a key exchange that it does not end, no further request is looked at.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import asyncssh

logger = logging.getLogger(__name__)

# Bytes given to a socket and not sent: at so many reading stops, and goes on.
SOCKET_FULL, SOCKET_EMPTY = 256 * 1024, 64 * 1024
READ_AT_ONCE = 32 * 1024  # bytes: what one client sends keeps the others waiting only for so much work
MOST_UNSENT = (
    4 * 2**20
)  # bytes of all sessions: each may hold as many as are left, so that alone it holds half
LEAST_UNSENT = 16 * 1024  # bytes that any session may hold
CUT_ABOVE = 8 * 2**20  # bytes that only a client can make us keep that does not obey the protocol
OVERHEAD = 200  # bytes that Python takes for each small thing it keeps
FIRST_SLEEP, LONGEST_SLEEP = 0.001, 0.1


class Flow:
    """What one connection may leave unsent. `unsent`: bytes that all connections together have not sent."""

    def __init__(self, connection: Any, unsent: Callable[[], int]) -> None:
        self._connection = connection
        self._unsent_by_all = unsent
        transport = connection._transport
        transport.max_size = READ_AT_ONCE
        transport.set_write_buffer_limits(high=SOCKET_FULL, low=SOCKET_EMPTY)
        # The transport calls these of its protocol; in asyncssh they do nothing.
        connection.pause_writing = transport.pause_reading
        connection.resume_writing = transport.resume_reading
        self._take = connection.data_received
        connection.data_received = self._received

    def share(self) -> int:
        """Bytes that one session may leave unsent now."""
        return max(LEAST_UNSENT, MOST_UNSENT - self._unsent_by_all())

    async def until_sent(self, channel: Any) -> None:
        """Returns when little of this session is unsent; raises SFTPConnectionLost.

        The sleeps grow with the wait, so that a client that never reads costs nothing.
        """
        pause = FIRST_SLEEP
        while (held := self.unsent() + behind_window(channel)) > LEAST_UNSENT and held > self.share():
            await asyncio.sleep(pause)
            if channel.is_closing() or self._connection.is_closed():
                raise asyncssh.SFTPConnectionLost("The connection is gone.")
            pause = min(pause * 1.5, LONGEST_SLEEP)

    def unsent(self) -> int:
        """Bytes that wait for the socket, and behind a key exchange."""
        transport = self._connection._transport
        total: int = transport.get_write_buffer_size() if transport is not None else 0
        for _, parts in self._connection._deferred_packets:
            total += OVERHEAD + sum(map(len, parts))
        return total

    def _received(self, data: bytes, datatype: int | None = None) -> None:
        self._take(data, datatype)
        if len(self._connection._inpbuf) + self.unsent() > CUT_ABOVE:
            logger.warning("Cut a connection that takes none of its answers.")
            self._connection.abort()


def behind_window(channel: Any) -> int:
    """Bytes of one session that wait until its client opens the window."""
    waiting: int = channel.get_write_buffer_size() + OVERHEAD * len(channel._send_buf)
    return waiting
