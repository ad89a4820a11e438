"""Back-pressure: a client that asks and does not read must not fill the box's memory.

asyncssh keeps whatever it is given to send. Answers wait here until what was given before is nearly gone.
"""

import asyncio
from typing import Any

import asyncssh

WAIT_ABOVE = 2 * 2**20  # bytes unsent on a connection at which answers wait
CUT_ABOVE = 16 * 2**20  # bytes unsent at which the connection is dropped: answers that nothing holds back
FIRST_SLEEP, LONGEST_SLEEP = 0.001, 0.1


def unsent(connection: Any) -> int:
    """Bytes that wait for this client: in its channels, behind a key exchange, and in the transport.

    asyncssh tells the first only; a client with an endless window that does not read its socket fills the last.
    """
    channels: int = sum(channel.get_write_buffer_size() for channel in list(connection._channels.values()))
    deferred: int = sum(len(part) for _, parts in connection._deferred_packets for part in parts)
    transport = connection._transport
    buffered: int = transport.get_write_buffer_size() if transport is not None else 0
    return channels + deferred + buffered


def overrun(connection: Any) -> int:
    """Bytes that this client has sent although its windows did not allow it: asyncssh keeps those, too."""
    return sum(max(0, -channel._recv_window) for channel in list(connection._channels.values()))


async def wait_until_sent(connection: asyncssh.SSHServerConnection) -> None:
    """Returns when little is unsent. The sleeps grow with the wait, so a client that never reads costs nothing."""
    pause = FIRST_SLEEP
    while unsent(connection) > WAIT_ABOVE:
        await asyncio.sleep(pause)
        if connection.is_closed():
            raise asyncssh.SFTPConnectionLost("The connection is gone.")
        pause = min(pause * 1.5, LONGEST_SLEEP)
