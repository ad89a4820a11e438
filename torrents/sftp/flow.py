"""Back-pressure: a client that asks and does not read must not fill the box's memory.

asyncssh keeps whatever it is given to send, and goes on reading meanwhile. Two things hold it back here. From a client
that does not empty its socket nothing more is read, whatever it sends: requests, nonsense, key exchanges. And behind a
window that a client keeps shut, or a key exchange that it does not end, no further request is looked at.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncssh

logger = logging.getLogger(__name__)

LEAST_UNSENT = 16 * 1024  # bytes that any session may leave unsent; a socket with more is not read from
READ_AT_ONCE = 32 * 1024  # bytes: what one client sends keeps the others waiting only for so much work
CUT_ABOVE = 8 * 2**20  # bytes that only a client can make us keep that does not obey the protocol
OVERHEAD = 200  # bytes that Python takes for each small thing it keeps
FIRST_SLEEP, LONGEST_SLEEP = 0.01, 0.1  # seconds after which we look without being told


class Flow:
    """What one connection may leave unsent. `share`: bytes of an answer that fit into memory now."""

    def __init__(self, connection: Any, share: Callable[[], int]) -> None:
        self._connection = connection
        self.share = share
        self._room = asyncio.Event()
        self._transport = transport = connection._transport
        transport.max_size = READ_AT_ONCE
        transport.set_write_buffer_limits(high=LEAST_UNSENT, low=LEAST_UNSENT)
        # The transport calls these of its protocol; in asyncssh they do nothing.
        connection.pause_writing = transport.pause_reading
        connection.resume_writing = self._resume
        self._take = connection.data_received
        connection.data_received = self._received

    def note_room(self) -> None:
        """More can be sent than a moment ago."""
        self._room.set()

    async def until_sent(self, channel: Any) -> None:
        """Returns when little of this session is unsent; raises SFTPConnectionLost.

        Nobody tells of the end of a key exchange, so we also look by ourselves. The pauses grow with the wait, so that
        a client that never reads costs nothing.
        """
        pause = FIRST_SLEEP
        while (held := self.unsent() + behind_window(channel)) > LEAST_UNSENT and held > self.share() // 2:
            self._room.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._room.wait()
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

    def _resume(self) -> None:
        self._transport.resume_reading()
        self.note_room()

    def _received(self, data: bytes, datatype: int | None = None) -> None:
        self._take(data, datatype)
        if len(self._connection._inpbuf) + self.unsent() > CUT_ABOVE:
            logger.warning("Cut a connection that takes none of its answers.")
            self._connection.abort()


def behind_window(channel: Any) -> int:
    """Bytes of one session that wait until its client opens the window."""
    waiting: int = channel.get_write_buffer_size() + OVERHEAD * len(channel._send_buf)
    return waiting
