"""Reading feeds in a child process, which is killed when one of them takes too long."""

import json
import socket
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from feeds.parsing import FeedError, ParsedFeed, ParsedItem
from feeds.parsing.child import OUT_OF_MEMORY, receive, send

DEADLINE = 10.0  # seconds a feed; a real one of 75 items takes 0.05
_PROJECT = Path(__file__).resolve().parents[2]


class Parser:
    """Holds one child, started with the first feed or before, and replaced when it had to be killed. Close it, or use
    `with`."""

    def __init__(self, *, deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._spent = False  # the child ran out of memory, and may have none for the next feed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Have the child get ready while feeds are fetched."""
        self._open()

    def read(self, body: bytes, *, content_type: str, url: str, known: Collection[str]) -> ParsedFeed:
        """As `document.read`; raises FeedError, also for what takes too long or kills the child."""
        request = {"content_type": content_type, "url": url, "known": list(known)}
        if self._spent:
            self.close()
        was_fresh = self._channel is None
        answer = self._ask(request, body)
        if not was_fresh and (answer is None or answer.get("code") == OUT_OF_MEMORY):
            # Perhaps not by its own fault: what an earlier feed left in the child's memory is not there in a new one.
            self.close()
            answer = self._ask(request, body)
        if answer is None:
            self.close()
            raise FeedError("This feed cannot be read: what reads it broke down over it.", "unreadable")
        self._spent = answer.get("code") == OUT_OF_MEMORY
        return _feed(answer)

    def _ask(self, request: dict[str, Any], body: bytes) -> dict[str, Any] | None:
        """What the child says; None where it broke down."""
        try:
            channel = self._open()
            send(channel, json.dumps(request).encode())
            send(channel, body)
            message = receive(channel)
        except TimeoutError as error:
            self.close()
            raise FeedError("Reading this feed takes too long. It was given up.", "too_slow") from error
        except OSError:
            return None
        return None if message is None else json.loads(message)

    def close(self) -> None:
        self._spent = False
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def _open(self) -> socket.socket:
        if self._channel is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "feeds.parsing.child", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    cwd=_PROJECT,
                    env={"PYTHONPATH": str(_PROJECT), "MALLOC_ARENA_MAX": "1"},  # none of our secrets
                )
            ours.settimeout(self._deadline)
            self._channel = ours
        return self._channel


def _feed(answer: dict[str, Any]) -> ParsedFeed:
    if "error" in answer:
        raise FeedError(answer["error"], answer["code"])
    return ParsedFeed(
        title=answer["title"],
        ttl=answer["ttl"],
        keys=answer["keys"],
        items=[ParsedItem(*fields) for fields in answer["items"]],
    )
