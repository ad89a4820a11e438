"""What the screens of one followed show have in common."""

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.errors import ClientError, Refused
from torrent_proxy_client.watchlist import Entry

_GONE = "You follow this show no more."


class EntryTable(TableScreen):
    def __init__(self, api: ApiClient, entry: Entry) -> None:
        super().__init__(api)
        self.entry = entry  # as it was last seen

    def trouble_in_words(self, error: ClientError) -> str:
        gone = isinstance(error, Refused) and error.status == 404
        return _GONE if gone else words.clean(str(error))

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())
