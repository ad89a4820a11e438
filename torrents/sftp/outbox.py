"""What a channel sends, made into SSH packets without asyncssh's many copies.

asyncssh copies a byte a dozen times on its way to the socket, sets up the cipher anew for each packet, puts an empty
packet before each (RFC 4251 section 9.3.1: against a weakness of CBC) and writes each by itself. Here the packets that
the client's window allows are encrypted into one buffer and written at once. Only AES-GCM and only a channel's data;
all else, and any moment that is not an ordinary one, is left to asyncssh. RFC 4253 section 6, RFC 5647 section 7.
"""

import os
import struct
import time
from collections.abc import Callable
from typing import Any

from asyncssh.encryption import GCMEncryption
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHANNEL_DATA = 94
LONGEST_DATA = 32 * 1024  # bytes in a packet; RFC 4253 section 6.1 has everybody take so many
BLOCK = 16  # of the cipher
LEAST_PADDING = 4
TAG = 16
_HEAD = struct.Struct(">BBII")  # padding's length, message, channel, data's length
_plain = bytearray(_HEAD.size + LONGEST_DATA + BLOCK + LEAST_PADDING)  # one packet at a time, in one thread


class Outbox:
    """Sends what a channel has to send. `on_room` is called when its client has made room in its window."""

    def __init__(self, connection: Any, channel: Any, on_room: Callable[[], None]) -> None:
        self._connection = connection
        self._channel = channel
        self._on_room = on_room
        self._cipher: Any = None
        self._aead: AESGCM | None = None
        self._flush_slowly = channel._flush_send_buf
        channel._flush_send_buf = self._flush

    def send(self, data: bytearray) -> None:
        """Takes over `data`."""
        if not self._channel.is_closing():
            self._channel._send_buf.append((data, None))
            self._channel._send_buf_len += len(data)
            self._flush()

    def _flush(self) -> None:
        channel = self._channel
        while channel._send_buf and channel._send_window and self._is_ordinary():
            data, _ = channel._send_buf[0]
            count = min(len(data), channel._send_window)
            with memoryview(data)[:count] as ready:
                self._connection._transport.write(self._packets(ready))
            if count == len(data):
                del channel._send_buf[0]
            else:
                del data[:count]
            channel._send_buf_len -= count
            channel._send_window -= count
        self._flush_slowly()  # what is left, an end of file, a close
        self._on_room()

    def _is_ordinary(self) -> bool:
        """Whether the next thing to send is data in a connection that neither ends nor changes its keys."""
        connection = self._connection
        encryption = connection._send_encryption
        if (
            self._channel._send_buf[0][1] is not None
            or self._channel._send_chan is None
            or connection._transport is None
            or not connection._kex_complete
            or connection._deferred_packets
            or connection._compressor
            or not isinstance(encryption, GCMEncryption)
            or connection._rekey_bytes_sent >= connection._rekey_bytes
            or (connection._rekey_seconds and time.monotonic() >= connection._rekey_time)
        ):
            return False
        if encryption._cipher is not self._cipher:
            self._cipher = encryption._cipher
            self._aead = AESGCM(self._cipher._key)
        return True

    def _packets(self, data: memoryview) -> memoryview:
        """The data as encrypted packets, one after the other; counts them where asyncssh does."""
        assert self._aead is not None
        longest = min(self._channel._send_pktsize, LONGEST_DATA)
        sizes = [min(longest, len(data) - start) for start in range(0, len(data), longest)]
        paddings = [_padding(size) for size in sizes]
        lengths = [_HEAD.size + size + padding for size, padding in zip(sizes, paddings, strict=True)]
        sent = memoryview(bytearray(sum(lengths) + (4 + TAG) * len(sizes)))
        plain = memoryview(_plain)
        random = memoryview(os.urandom(sum(paddings)))
        fixed, counter = self._cipher._iv[:4], int.from_bytes(self._cipher._iv[4:], "big")
        read = position = used = 0
        for size, padding, length in zip(sizes, paddings, lengths, strict=True):
            _HEAD.pack_into(plain, 0, padding, CHANNEL_DATA, self._channel._send_chan, size)
            end = _HEAD.size + size
            plain[_HEAD.size : end] = data[read : read + size]
            plain[end:length] = random[used : used + padding]
            head = length.to_bytes(4, "big")
            sent[position : position + 4] = head
            nonce = fixed + counter.to_bytes(8, "big")
            target = sent[position + 4 : position + 4 + length + TAG]
            self._aead.encrypt_into(nonce, plain[:length], head, target)
            counter = (counter + 1) % 2**64
            read, used, position = read + size, used + padding, position + 4 + length + TAG
        self._cipher._iv = fixed + counter.to_bytes(8, "big")
        connection = self._connection
        connection._send_seq = (connection._send_seq + len(sizes)) % 2**32
        connection._rekey_bytes_sent += sum(lengths)
        return sent


def _padding(size: int) -> int:
    """Bytes that fill a packet with so much data up to whole blocks."""
    missing = -(_HEAD.size + size) % BLOCK
    return missing if missing >= LEAST_PADDING else missing + BLOCK
