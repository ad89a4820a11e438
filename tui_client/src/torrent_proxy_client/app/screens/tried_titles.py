"""Of which shows releases of pasted titles would be, and whether they would be taken."""

from collections.abc import Sequence

from rich.text import Text
from textual.binding import Binding

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.watchlist_decisions import Tried


class TriedTitlesScreen(TableScreen):
    BINDINGS = [
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    COLUMNS = (Column("title"), Column("show", 22), Column("episode", 7), Column("outcome", 14))

    def __init__(self, api: ApiClient, titles: Sequence[str]) -> None:
        super().__init__(api)
        self._titles = titles
        self._tried: tuple[Tried, ...] = ()

    async def ask(self) -> None:
        if not self._tried:  # once is enough
            self._tried = await self.api.watchlist.preview(self._titles)

    def draw(self) -> None:
        wanted = sum(one.wanted for one in self._tried)
        self.head("Of which show are these?", f"{wanted} of {len(self._tried)} wanted")
        rows = {str(number): _cells(one) for number, one in enumerate(self._tried)}
        self.show_rows(rows, "The server says nothing about these.")

    def about(self, key: str) -> Text:
        one = self._tried[int(key)]
        told = "\n".join(watchlist_words.told_tried(one))
        return Text(f"{told}\n").append(words.clean(one.title), style=QUIET)

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())


def _cells(one: Tried) -> list[str]:
    return [
        words.clean(one.title),
        watchlist_words.title(one.show) if one.show else "?",
        watchlist_words.episodes(one.episodes, one.special) if one.show else "",
        watchlist_words.tried(one),
    ]
