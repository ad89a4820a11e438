"""A TCP relay that can break a connection after so many bytes: a laptop's network, on loopback, when we want it."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

BLOCK = 64 * 1024


class Relay:
    """Relays connections to a port of this machine and counts what the server sends. Use as a context manager.

    With `cut_after`, everything breaks once the server has sent that many bytes in all, and stays broken.
    """

    def __init__(
        self, port: int, *, at: int = 0, cut_after: int | None = None, speed: int | None = None
    ) -> None:
        """`port` is where the server listens, `at` where we do (0: anywhere), `speed` bytes a second to clients."""
        self._target = port
        self._at = at
        self._cut_after = cut_after
        self._speed = speed
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self.sent = 0  # bytes from the server to clients

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._at}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._at)
        self._at = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._break()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.create_task(self._relay(reader, writer))
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)

    async def _relay(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        server_reader, server = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {client, server}
        up = asyncio.create_task(self._copy(client_reader, server, counted=False))
        down = asyncio.create_task(self._copy(server_reader, client, counted=True))
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for writer in (client, server):
            writer.transport.abort()
            self._open.discard(writer)
        await asyncio.gather(up, down)

    async def _copy(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, counted: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while block := await source.read(BLOCK):
                target.write(block)
                await target.drain()
                if counted:
                    self.sent += len(block)
                    if self._speed is not None:
                        await asyncio.sleep(len(block) / self._speed)
                    if self._cut_after is not None and self.sent >= self._cut_after:
                        self._break()

    def _break(self) -> None:
        if self._server is not None and self._server.is_serving():
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
