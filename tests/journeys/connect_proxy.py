"""A small HTTP proxy that knows CONNECT, as companies have."""

import asyncio
from types import TracebackType
from typing import Self

BLOCK = 64 * 1024


class ConnectProxy:
    """Use as an async context manager. `asked` are the HOST:PORT that clients wanted to reach through it."""

    def __init__(self, *, refuses: bool = False) -> None:
        self._refuses = refuses
        self._tunnels: set[asyncio.Task[None]] = set()
        self.asked: list[str] = []

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
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = asyncio.create_task(self._tunnel(reader, writer))
        self._tunnels.add(tunnel)
        tunnel.add_done_callback(self._tunnels.discard)
        tunnel.add_done_callback(lambda _: writer.transport.abort())

    async def _tunnel(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        head = await client_reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode().split(" ", 2)
        self.asked.append(target)
        if self._refuses or method != "CONNECT":
            client.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            await client.drain()
            return
        host, _, port = target.rpartition(":")
        server_reader, server = await asyncio.open_connection(host, int(port))
        client.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        copies = {
            asyncio.create_task(_copy(client_reader, server)),
            asyncio.create_task(_copy(server_reader, client)),
        }
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.transport.abort()
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while block := await source.read(BLOCK):
        target.write(block)
        await target.drain()
