"""The head of a request is parsed once for as long as clients send the same one.

Whoever polls sends the same bytes each second, and gunicorn's parser takes a tenth of the time of a poll for them. What
it makes of a head depends on nothing but its bytes and the peer's address. Where a request ends, and whether there is
a body, gunicorn decides each time.
"""

from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

MOST = 512  # heads
LARGEST = 2048  # bytes; with all that is made of it some 10 KiB
END = b"\r\n\r\n"

_known: dict[tuple[Any, bytes], dict[str, Any]] = {}  # the one that was parsed first first


class KnownRequest(Request):  # type: ignore[misc]  # gunicorn has no types
    def parse(self, unreader: Any) -> bytes:
        data: bytes = unreader.read()
        peer = self.peer_addr[0] if isinstance(self.peer_addr, tuple) else self.peer_addr
        parsed = _known.get((peer, data))
        if parsed is not None:
            self.__dict__.update(parsed)
            return b""
        unreader.unread(data)
        before = dict(self.__dict__)
        rest: bytes = super().parse(unreader)
        # A head and nothing else.
        if len(data) <= LARGEST and data.endswith(END) and data.index(END) == len(data) - len(END):
            _remember(
                (peer, data), {name: v for name, v in self.__dict__.items() if before.get(name) is not v}
            )
        return rest


class Parser(RequestParser):  # type: ignore[misc]
    mesg_class = KnownRequest


def _remember(head: tuple[Any, bytes], parsed: dict[str, Any]) -> None:
    _known[head] = parsed
    while len(_known) > MOST:
        try:
            del _known[next(iter(_known))]
        except (KeyError, RuntimeError, StopIteration):  # another thread was quicker
            return
