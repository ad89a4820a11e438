"""A middlebox between client and server that lets the API through but not much of the content."""

import asyncio

from tests.journeys.in_between import BLOCK, InBetween, join


class Middlebox(InBetween):
    """Relays to a port of this machine. Once `content` bytes of file contents have passed, every further request
    for contents is cut off without an answer; everything else goes on.
    """

    def __init__(self, port: int, *, content: int) -> None:
        super().__init__()
        self._target = port
        self._left = content
        self.cut = 0  # requests for contents that got nothing

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await asyncio.open_connection("127.0.0.1", self._target)
        asks_for_content = False

        async def up(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            nonlocal asks_for_content
            while block := await source.read(BLOCK):
                asks_for_content = b"/content/ HTTP" in block
                if asks_for_content and self._left <= 0:
                    self.cut += 1
                    return
                target.write(block)
                await target.drain()

        async def down(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while block := await source.read(BLOCK):
                target.write(block)
                await target.drain()
                self._left -= len(block) if asks_for_content else 0
                if asks_for_content and self._left <= 0:
                    return

        await join((reader, writer), server, up=up, down=down)
