"""One session of a connection: SFTP, or scp's own older protocol. No shell and no other command."""

import asyncio
from typing import Any

from asyncssh import SFTPBadMessage
from asyncssh.packet import SSHPacket
from asyncssh.sftp import SFTPServerHandler
from asyncssh.stream import SSHReader, SSHServerStreamSession, SSHWriter

from torrents.sftp.flow import Flow

SFTP_VERSION = 3  # what OpenSSH speaks, and so everybody
WINDOW = 64 * 1024  # bytes a client may send unanswered: requests are small, and there is nothing to upload
LONGEST_REQUEST = 64 * 1024  # bytes: a path is the longest thing in it
TURN = 32  # requests after which the other connections get their turn


class Requests(SFTPServerHandler):
    """asyncssh's reader of SFTP requests, which are answered one after the other: none while answers are unsent."""

    def __init__(self, *args: Any, channel: Any, flow: Flow) -> None:
        super().__init__(*args)
        self._channel = channel
        self._flow = flow
        self._answered = 0

    async def recv_packet(self) -> SSHPacket:
        assert self._reader is not None
        size = int.from_bytes(await self._reader.readexactly(4), "big")
        if size > LONGEST_REQUEST:
            raise SFTPBadMessage("This request is too long.")
        return SSHPacket(await self._reader.readexactly(size))

    async def _process_packet(self, pkttype: int, pktid: int, packet: SSHPacket) -> None:
        await self._flow.until_sent(self._channel)
        self._answered += 1
        if self._answered % TURN == 0:
            await asyncio.sleep(0)
        await super()._process_packet(pkttype, pktid, packet)


class Session(SSHServerStreamSession[bytes]):
    """`files` makes the SFTPServer of a channel."""

    def __init__(self, files: Any, flow: Flow) -> None:
        super().__init__(None, files, SFTP_VERSION, allow_scp=True)
        self._flow = flow

    def session_started(self) -> None:
        channel: Any = self._chan
        if channel.get_subsystem() != "sftp":
            super().session_started()
            return
        reader, writer = SSHReader[bytes](self, channel), SSHWriter[bytes](self, channel)
        files = self._init_sftp_server()
        handler = Requests(files, reader, writer, SFTP_VERSION, channel=channel, flow=self._flow)
        channel.get_connection().create_task(handler.run(), reader.logger)
