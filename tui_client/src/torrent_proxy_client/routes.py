"""Which way a torrent's content takes: HTTPS, and SFTP where HTTPS keeps failing although the server is there."""

from collections.abc import Callable

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import BadAnswer, ClientError, DownloadFailed, Refused, ServerAway
from torrent_proxy_client.handover import SftpServer
from torrent_proxy_client.models import Torrent
from torrent_proxy_client.receiving import HttpsWay, Way

_FRUITLESS = 3  # attempts without a byte after which the other way is tried


class Route:
    """Of one torrent; what it learned holds for the next Download of it, too.

    `notice` receives a sentence when it changes over to SFTP.
    """

    def __init__(
        self,
        api: ApiClient,
        torrent: Torrent,
        *,
        sftp_only: bool = False,
        notice: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._api = api
        self._torrent = torrent
        self._sftp_only = sftp_only
        self._notice = notice
        self._https = HttpsWay(api, torrent.id)
        self._way: Way = self._https
        self._fruitless = 0
        self._told = False

    @property
    def by_sftp(self) -> bool:
        return self._way is not self._https

    async def way(self) -> Way:
        """The one to take now. Raises ClientError where only SFTP will do and there is none."""
        if self._sftp_only and not self.by_sftp:
            server = await self._api.sftp_server()
            if server is None:
                raise DownloadFailed("This server hands files over by HTTPS alone. Leave out --sftp.")
            self._go_by_sftp(server)
        return self._way

    def gained(self) -> None:
        self._fruitless = 0

    async def failed(self, error: ClientError) -> bool:
        """Note an attempt without a byte; True when the next one goes another way."""
        self._fruitless += 1
        if self._sftp_only or self._fruitless < _FRUITLESS:
            return False
        if self.by_sftp:
            await self._way.aclose()
            self._way, self._fruitless = self._https, 0
            return True
        server = await self._sftp_server()
        if server is None:
            return False
        self._fruitless = 0
        self._go_by_sftp(server)
        if not self._told:
            self._told = True
            self._notice(
                f"HTTPS brings nothing of the content although the server answers ({str(error).rstrip('.')}). "
                f"Going on by SFTP from {server.host}:{server.port}."
            )
        return True

    async def helps_against(self, error: ClientError) -> bool:
        """Whether an error that trying again would not mend may be of this way alone, as a filter's block page."""
        return isinstance(error, BadAnswer) and not self.by_sftp and await self._sftp_server() is not None

    async def aclose(self) -> None:
        await self._way.aclose()

    def _go_by_sftp(self, server: SftpServer) -> None:
        from torrent_proxy_client.sftp import SftpWay  # it takes a quarter of a second

        self._way = SftpWay(self._api, self._torrent, server)

    async def _sftp_server(self) -> SftpServer | None:
        """None also while the server does not answer: then no way would do."""
        try:
            return await self._api.sftp_server()
        except (ServerAway, BadAnswer, Refused):
            return None
