"""A middlebox between client and server that lets the API through but not much of the content."""

import asyncio
from types import TracebackType
from typing import Self

BLOCK = 64 * 1024


class Middlebox:
    """Relays to a port of this machine. Once `content` bytes of file contents have passed, every further request
    for contents is cut off without an answer; everything else goes on. Use as an async context manager.
    """

    def __init__(self, port: int, *, content: int) -> None:
        self._target = port
        self._left = content
        self._handlers: set[asyncio.Task[None]] = set()
        self.cut = 0  # requests for contents that got nothing

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

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._server.is_serving():  # it was on its way when we closed
            writer.transport.abort()
            return
        handler = asyncio.create_task(self._relay(reader, writer))
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)
        handler.add_done_callback(lambda _: writer.transport.abort())

    async def _relay(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        server_reader, server = await asyncio.open_connection("127.0.0.1", self._target)
        asks_for_content = False

        async def up() -> None:
            nonlocal asks_for_content
            while block := await client_reader.read(BLOCK):
                asks_for_content = b"/content/ HTTP" in block
                if asks_for_content and self._left <= 0:
                    self.cut += 1
                    return
                server.write(block)
                await server.drain()

        async def down() -> None:
            while block := await server_reader.read(BLOCK):
                client.write(block)
                await client.drain()
                self._left -= len(block) if asks_for_content else 0
                if asks_for_content and self._left <= 0:
                    return

        copies = {asyncio.create_task(up()), asyncio.create_task(down())}
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.transport.abort()  # first: this, too, may be cancelled
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
