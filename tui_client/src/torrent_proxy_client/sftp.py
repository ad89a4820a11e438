"""The way by SFTP, for networks that let HTTPS through but not its long answers.

The only module that imports asyncssh, and only when it is used: that takes a quarter of a second.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import ClientError, DownloadFailed, Refused, ServerAway
from torrent_proxy_client.handover import SftpServer, TransferCredentials
from torrent_proxy_client.models import Torrent, TorrentFile
from torrent_proxy_client.names import safe_name
from torrent_proxy_client.partfile import PartFile
from torrent_proxy_client.receiving import SFTP_VERSION_MARK, Arrived, store

if TYPE_CHECKING:
    import asyncssh

_BLOCK = 255 * 1024  # bytes, what servers give at most
_IN_FLIGHT = 16  # blocks asked for ahead: 4 MiB each round trip
_SILENCE = 30.0  # seconds without an answer
_CONNECT = 15.0  # seconds
# AES-GCM moves about twice as much as ChaCha20 on machines that have instructions for it.
_CIPHERS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"


class SftpWay:
    """One torrent, read with a transfer password that is made for it and revoked in the end.

    The host key has to be the one that the API announced; else nothing is sent, and it is a DownloadFailed.
    """

    def __init__(self, api: ApiClient, torrent: Torrent, server: SftpServer) -> None:
        self._api = api
        self._torrent = torrent
        self._server = server
        self._credentials: TransferCredentials | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._places: dict[int, tuple[int, ...]] = {}  # by the index of a file
        self._listings: dict[str, list[asyncssh.SFTPName]] = {}

    async def receive(self, part: PartFile, file: TorrentFile, arrived: Arrived) -> None:
        try:
            with self._sentences():
                client = await self._connected()
                path = await self._path_of(client, file)
                async with client.open(path, "rb") as remote:
                    attributes = await remote.stat()
                    if attributes.size != file.size:
                        raise self._differs()
                    version = f"{SFTP_VERSION_MARK}{attributes.size}-{attributes.mtime}"
                    # A part that HTTPS began has an ETag: then the SHA-256 at the end tells whether it fits.
                    if part.size and part.etag != version and not (part.etag and file.sha256):
                        await asyncio.to_thread(part.restart)
                    if not part.size:
                        part.begin(version)
                    await store(part, file, _blocks(remote, part.size, file.size), arrived)
        except ClientError:
            await self._disconnect()
            raise

    async def aclose(self) -> None:
        await self._disconnect()
        credentials, self._credentials = self._credentials, None
        if credentials:
            with contextlib.suppress(ClientError):
                await self._api.revoke_transfer_credentials(credentials.id)

    async def _connected(self) -> "asyncssh.SFTPClient":
        import asyncssh

        if self._client:
            return self._client
        fingerprint = self._server.host_key_fingerprint

        class Careful(asyncssh.SSHClient):
            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                return bool(fingerprint) and key.get_fingerprint() == fingerprint

        credentials = self._credentials = self._credentials or await self._api.transfer_credentials()
        self._connection = await asyncssh.connect(
            self._server.host,
            self._server.port,
            username=credentials.username,
            password=credentials.secret,
            client_factory=Careful,
            known_hosts=([], [], []),
            # Nothing of the person's own SSH: no keys, no agent, no configuration.
            client_keys=None,
            agent_path=None,
            config=None,
            preferred_auth="password",
            encryption_algs=_CIPHERS,
            connect_timeout=_CONNECT,
            login_timeout=_CONNECT,
            keepalive_interval=10,
            keepalive_count_max=3,
        )
        self._client = await asyncio.wait_for(self._connection.start_sftp_client(), _SILENCE)
        return self._client

    async def _disconnect(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        self._listings.clear()
        if connection:
            connection.abort()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(connection.wait_closed(), 5)

    async def _path_of(self, client: "asyncssh.SFTPClient", file: TorrentFile) -> str:
        """By its place in the tree: the server makes its names safe by rules of its own, but keeps the order."""
        if not self._places:
            files = [other for other in await self._api.files(self._torrent.id) if other.wanted]
            files.sort(key=lambda other: other.index)
            found = places([other.path for other in files])
            self._places = {other.index: place for other, place in zip(files, found, strict=True)}
            self._top = await self._top_path()
        path = self._top
        for place in self._places[file.index]:
            if path not in self._listings:
                names = await asyncio.wait_for(client.readdir(path), _SILENCE)
                self._listings[path] = [name for name in names if name.filename not in (".", "..")]
            if place >= len(self._listings[path]):
                raise self._differs()
            path = f"{path}/{self._listings[path][place].filename!s}"
        return path

    async def _top_path(self) -> str:
        try:
            path = (await self._api.links(self._torrent.id)).sftp_path
        except Refused as error:
            if error.status != 404:
                raise
            path = ""
        return path.rstrip("/") or f"/{safe_name(self._torrent.name)}"

    def _differs(self) -> DownloadFailed:
        return DownloadFailed(
            "The server shows other files by SFTP than in its list. Try again later; if it stays so, "
            "tell whoever runs the server."
        )

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """What SSH and the network raise, as the client's own errors."""
        import asyncssh

        where = f"The SFTP server {self._server.host}:{self._server.port}"
        try:
            yield
        except asyncssh.HostKeyNotVerifiable as error:
            raise DownloadFailed(
                f"STOP: {where} shows another host key than the one that your server announced. Somebody may be "
                "reading along; nothing was sent. Tell whoever runs the server."
            ) from error
        except asyncssh.PermissionDenied as error:
            self._credentials = None  # they live for minutes; the next attempt makes new ones
            raise ServerAway(f"{where} did not accept the transfer password.") from error
        except asyncssh.SFTPNoSuchFile as error:
            raise self._differs() from error
        except (asyncssh.SFTPError, asyncssh.Error) as error:
            raise ServerAway(f"{where} broke off: {error.reason}") from error
        except TimeoutError as error:
            raise ServerAway(f"{where} does not answer.") from error
        except ConnectionError as error:
            raise ServerAway(f"{where} cannot be reached: {error.strerror or error}.") from error


async def _blocks(remote: "asyncssh.SFTPClientFile", start: int, end: int) -> AsyncGenerator[bytes, None]:
    """The bytes from `start` to `end`, in order, with many requests under way. Raises ServerAway."""
    under_way: deque[tuple[asyncio.Task[bytes], int]] = deque()
    try:
        while start < end or under_way:
            while start < end and len(under_way) < _IN_FLIGHT:
                size = min(_BLOCK, end - start)
                under_way.append((asyncio.create_task(remote.read(size, start)), size))
                start += size
            task, size = under_way[0]
            block = await asyncio.wait_for(asyncio.shield(task), _SILENCE)
            if len(block) != size:
                raise ServerAway("The file ended early.")
            under_way.popleft()
            yield block
    finally:
        for task, _ in under_way:
            task.cancel()
        await asyncio.gather(*(task for task, _ in under_way), return_exceptions=True)


@dataclass(slots=True)
class _Folder:
    entries: int = 0
    folders: dict[str, tuple[int, "_Folder"]] = field(default_factory=dict)


def places(paths: Sequence[str]) -> list[tuple[int, ...]]:
    """For each file of a torrent, in the order of their indexes: which entry it is, of each folder on its way.

    A torrent of one file is that file, and a folder that holds all the others is not shown a second time.
    """
    if len(paths) == 1:
        return [()]
    top = _Folder()
    found = []
    for path in paths:
        folder, place = top, []
        for name in path.split("/")[:-1]:
            if name not in folder.folders:
                folder.folders[name] = (folder.entries, _Folder())
                folder.entries += 1
            number, folder = folder.folders[name]
            place.append(number)
        found.append((*place, folder.entries))
        folder.entries += 1
    return [place[1:] for place in found] if top.entries == 1 and top.folders else found
