"""The process that reads feeds: `python -m feeds.parsing.child FD`, where FD is its end of a socket pair.

It may be killed at any moment, so it holds nothing but the feed it reads; its memory is bounded by the kernel. Started
by `isolated.Parser` only.
"""

import json
import operator
import resource
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from feeds.parsing import FeedError, ParsedItem
from feeds.parsing.document import read

OUT_OF_MEMORY = "too_large"
ORPHANED_AFTER = 30  # seconds with one feed: whoever waited for it would have killed us, so they are dead
ITEM_FIELDS = tuple(ParsedItem.__annotations__)
LENGTH = struct.Struct("!I")
MORE_MEMORY = 44 * 1024 * 1024  # bytes beyond what the process has when it begins; 2,000 real items take 20

_ITEM = operator.attrgetter(*ITEM_FIELDS)


def receive(channel: socket.socket) -> bytes | None:
    """One message; None when the other end is closed."""
    head = _exactly(channel, LENGTH.size)
    return None if head is None else _exactly(channel, LENGTH.unpack(head)[0])


def send(channel: socket.socket, message: bytes) -> None:
    channel.sendall(LENGTH.pack(len(message)) + message)


def _exactly(channel: socket.socket, length: int) -> bytes | None:
    data = bytearray()
    while len(data) < length:
        if not (chunk := channel.recv(min(length - len(data), 1 << 20))):
            return None
        data += chunk
    return bytes(data)


def answer(request: Mapping[str, Any], body: bytes) -> bytes:
    """What goes back for one feed, as JSON: the feed, each item a list of its fields, or why there is none."""
    try:
        feed = read(
            body, content_type=request["content_type"], url=request["url"], known=frozenset(request["known"])
        )
        return json.dumps(
            {"title": feed.title, "ttl": feed.ttl, "keys": feed.keys, "items": list(map(_ITEM, feed.items))}
        ).encode()
    except FeedError as error:
        refusal = {"error": str(error), "code": error.code}
    except (MemoryError, RecursionError):
        refusal = {
            "error": "This feed needs more memory than any real one. It was not read.",
            "code": OUT_OF_MEMORY,
        }
    except (
        Exception
    ) as error:  # feedparser stumbles over what nobody has thought of; the next feed is another
        refusal = {"error": f"This feed cannot be read ({type(error).__name__}).", "code": "unreadable"}
    return json.dumps(refusal).encode()


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    status = Path("/proc/self/status").read_text()
    most = int(status.split("VmData:")[1].split()[0]) * 1024 + MORE_MEMORY
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    while (head := receive(channel)) is not None and (body := receive(channel)) is not None:
        signal.alarm(ORPHANED_AFTER)
        send(channel, answer(json.loads(head), body))
        signal.alarm(0)


if __name__ == "__main__":
    main()
