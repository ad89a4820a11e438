"""A peer that tells what is in a torrent, private ones too, and has nothing of it (BEP 3, 9 and 10).

libtorrent's own peers keep the metadata of private torrents to themselves; others on the internet do not.
"""

import hashlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

import bencode2

HANDSHAKE = 68  # bytes
EXTENDED = 20
UT_METADATA = 3  # what we want to be told by
CALL_AGAIN = 0.5  # seconds


class MetadataPeer:
    """Calls the engine at `port` of 127.0.0.1 until it has listened. The info of `metainfo` is at most 16 KiB."""

    def __init__(self, address: str, port: int, metainfo: bytes) -> None:
        self._address, self._port = address, port
        self._info: bytes = bencode2.bencode(bencode2.bdecode(metainfo)[b"info"])
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._call, name="metadata-peer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join()

    def _call(self) -> None:
        while not self._leaving.wait(CALL_AGAIN):
            try:
                with socket.create_connection(
                    ("127.0.0.1", self._port), 5, source_address=(self._address, 0)
                ) as connection:
                    self._talk(connection)
            except (OSError, EOFError):
                continue  # it does not know the torrent yet, or does not need us any more

    def _talk(self, connection: socket.socket) -> None:
        infohash = hashlib.sha1(self._info, usedforsecurity=False).digest()
        supports_extensions = b"\0\0\0\0\0\x10\0\0"
        connection.sendall(
            b"\x13BitTorrent protocol" + supports_extensions + infohash + b"-XX0001-metadatapeer"
        )
        _receive(connection, HANDSHAKE)
        own = {b"m": {b"ut_metadata": UT_METADATA}, b"metadata_size": len(self._info)}
        _send(connection, 0, bencode2.bencode(own))
        theirs = 0
        while not self._leaving.is_set():
            (length,) = struct.unpack(">I", _receive(connection, 4))
            message = _receive(connection, length)
            if message[:2] == bytes([EXTENDED, 0]):
                theirs = bencode2.bdecode(message[2:]).get(b"m", {}).get(b"ut_metadata", theirs)
            elif message[:2] == bytes([EXTENDED, UT_METADATA]):
                piece = {b"msg_type": 1, b"piece": 0, b"total_size": len(self._info)}
                _send(connection, theirs, bencode2.bencode(piece) + self._info)


def _send(connection: socket.socket, kind: int, payload: bytes) -> None:
    connection.sendall(struct.pack(">IBB", 2 + len(payload), EXTENDED, kind) + payload)


def _receive(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        block = connection.recv(count - len(received))
        if not block:
            raise EOFError
        received += block
    return received
