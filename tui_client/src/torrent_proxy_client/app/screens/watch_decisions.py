"""What came of the shows that somebody follows, and why it was or was not taken; the latest first."""

from rich.text import Text
from textual import work
from textual.binding import Binding

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.paged import PagedScreen
from torrent_proxy_client.app.screens.titles import TitlesScreen
from torrent_proxy_client.app.screens.tried_titles import TriedTitlesScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.paging import Page
from torrent_proxy_client.watchlist import Entry
from torrent_proxy_client.watchlist_calls import PAGE
from torrent_proxy_client.watchlist_decisions import WatchDecision

_NOTHING = (
    "Nothing of the shows that you follow has come yet. What comes, and what becomes of it, stands here."
)


class WatchDecisionsScreen(PagedScreen[WatchDecision]):
    BINDINGS = [Binding("ctrl+t", "titles", "try titles", key_display="^t")]
    COLUMNS = (Column("when", 12), Column("show", 16), Column("outcome", 14), Column("release"))
    OUTCOMES = (("", "all"), *watchlist_words.OUTCOMES.items())

    def __init__(self, api: ApiClient, entry: Entry | None = None) -> None:
        """None: of all shows."""
        super().__init__(api)
        self._entry = entry

    async def page(self, *, cursor: str = "", limit: int = PAGE) -> Page[WatchDecision]:
        return await self.api.watchlist.decisions(
            search=self.search,
            outcome=self.outcome,
            entry=self._entry.id if self._entry else "",
            cursor=cursor,
            limit=limit,
        )

    def draw(self) -> None:
        of = watchlist_words.title(self._entry.show) if self._entry else "your shows"
        self.head(f"History of {of}", self.how_many)
        self.show_rows({one.id: _cells(one) for one in self.found}, self.nothing(_NOTHING))

    def about(self, key: str) -> Text:
        one = next((one for one in self.found if one.id == key), None)
        if one is None:
            return Text()
        feed = f"from {words.clean(one.feed)}" if one.feed else "from a feed that you follow no more"
        told = f"{words.clean(one.title)}\n{watchlist_words.decision(one)}\n"
        return Text(told).append(feed, style=QUIET)

    @work(exit_on_error=False)
    async def action_titles(self) -> None:
        asking = TitlesScreen(
            [], "Of which show are these?", "Names of releases, one a line. Nothing is taken."
        )
        if titles := await self.app.push_screen_wait(asking):
            self.app.push_screen(TriedTitlesScreen(self.api, titles))

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())


def _cells(one: WatchDecision) -> list[str]:
    return [
        words.moment(one.at) if one.at else "",
        words.clean(one.show) or "?",
        watchlist_words.outcome(one.outcome),
        words.clean(one.title),
    ]
