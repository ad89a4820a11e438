"""What stands between a client and a server on loopback: the frame for a proxy and for a middlebox."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

BLOCK = 64 * 1024

Copy = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class InBetween:
    """Listens on a port of its own; a subclass says what becomes of a connection. Use as an async context manager."""

    def __init__(self) -> None:
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which is closed afterwards."""
        raise NotImplementedError

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._server.is_serving():  # it was on its way when we closed
            writer.transport.abort()
            return
        handler = asyncio.create_task(self.handle(reader, writer))
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)
        handler.add_done_callback(lambda _: writer.transport.abort())


async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while block := await source.read(BLOCK):
        target.write(block)
        await target.drain()


async def join(
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    *,
    up: Copy = copy,
    down: Copy = copy,
) -> None:
    """Copy both ways until one of them ends."""
    copies = {
        asyncio.ensure_future(up(client[0], server[1])),
        asyncio.ensure_future(down(server[0], client[1])),
    }
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server[1].transport.abort()  # first: this, too, may be cancelled
        for task in copies:
            task.cancel()
        await asyncio.gather(*copies, return_exceptions=True)
