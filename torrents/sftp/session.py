"""One session of a connection: SFTP, or scp's own older protocol. No shell and no other command."""

import asyncio
import logging
import struct
from typing import Any, cast

from asyncssh import FXP_DATA, FXP_READ, SFTPBadMessage, SFTPError
from asyncssh.packet import SSHPacket
from asyncssh.sftp import SFTPLimits, SFTPServerHandler
from asyncssh.stream import SSHReader, SSHServerStreamSession, SSHWriter

from torrents.sftp.filesystem import OPEN_FILES, READ_SIZE, FinishedFiles, OpenFile
from torrents.sftp.flow import Flow
from torrents.sftp.outbox import Outbox

SFTP_VERSION = 3  # what OpenSSH speaks, and so everybody
WINDOW = 64 * 1024  # bytes a client may send unanswered: requests are small, and there is nothing to upload
LONGEST_REQUEST = 64 * 1024  # bytes: a path is the longest thing in it
LEAST_PACKET = (
    4 * 1024
)  # bytes that a client has to take at once: many small ones take memory, and 0 never end
TURN = 32  # requests after which the other connections get their turn


logger = logging.getLogger(__name__)

_ANSWER = struct.Struct(
    ">IBII"
)  # of a READ: length of what follows, kind, the request's number, length of the data


class Requests(SFTPServerHandler):
    """asyncssh's reader of SFTP requests, which are answered one after the other: none while answers are unsent."""

    def __init__(
        self, files: FinishedFiles, reader: Any, writer: Any, *, channel: Any, flow: Flow, outbox: Outbox
    ) -> None:
        super().__init__(files, reader, writer, SFTP_VERSION)
        self._files = files
        self._channel = channel
        self._flow = flow
        self._outbox = outbox
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
        if pkttype == FXP_READ and (answer := await self._read(pktid, packet.get_remaining_payload())):
            self._outbox.send(answer)
        else:
            await super()._process_packet(pkttype, pktid, packet)

    async def _read(self, number: int, request: bytes) -> bytearray | None:
        """The answer to an ordinary READ, with its data read into it; None for any other, which asyncssh answers."""
        handle, rest = request[4:-12], request[-12:]
        file = self._file_handles.get(handle)
        if not isinstance(file, OpenFile) or int.from_bytes(request[:4], "big") != len(handle):
            return None
        offset, size = int.from_bytes(rest[:8], "big"), int.from_bytes(rest[8:], "big")
        try:
            answer = await self._files.read_behind(_ANSWER.size, file, offset, size)
        except (OSError, SFTPError):
            return None
        data = len(answer) - _ANSWER.size
        _ANSWER.pack_into(answer, 0, len(answer) - 4, FXP_DATA, number, data)
        return answer if data > 0 else None

    async def _process_limits(self, packet: SSHPacket) -> SFTPLimits:
        """OpenSSH's client asks for as much at a time as it is told that it may."""
        packet.check_end()
        return SFTPLimits(LONGEST_REQUEST, READ_SIZE, LONGEST_REQUEST, OPEN_FILES)

    _packet_handlers = SFTPServerHandler._packet_handlers | {
        b"limits@openssh.com": cast(Any, _process_limits)
    }


class Session(SSHServerStreamSession[bytes]):
    """`files` makes the SFTPServer of a channel."""

    def __init__(self, files: Any, flow: Flow, outbox: Outbox) -> None:
        super().__init__(None, files, SFTP_VERSION, allow_scp=True)
        self._flow = flow
        self._outbox = outbox

    def session_started(self) -> None:
        channel: Any = self._chan
        if channel._send_pktsize < LEAST_PACKET:
            logger.warning("Cut a connection whose client takes %d bytes at a time.", channel._send_pktsize)
            channel.get_connection().abort()
            return
        if channel.get_subsystem() != "sftp":
            super().session_started()
            return
        reader, writer = SSHReader[bytes](self, channel), SSHWriter[bytes](self, channel)
        files = cast(FinishedFiles, self._init_sftp_server())
        handler = Requests(files, reader, writer, channel=channel, flow=self._flow, outbox=self._outbox)
        channel.get_connection().create_task(handler.run(), reader.logger)
