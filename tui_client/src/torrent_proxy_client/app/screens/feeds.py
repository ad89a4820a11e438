"""The feeds that the server follows for somebody, and how each is doing."""

from rich.text import Text
from textual import on, work
from textual.binding import Binding
from textual.widgets import DataTable

from torrent_proxy_client import feed_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.add_feed import AddFeedScreen
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.decisions import DecisionsScreen
from torrent_proxy_client.app.screens.feed_help import FeedHelpScreen
from torrent_proxy_client.app.screens.items import ItemsScreen
from torrent_proxy_client.app.screens.rename import RenameScreen
from torrent_proxy_client.app.screens.rules import RulesScreen
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.feed_words import Torrents
from torrent_proxy_client.feeds import Feed

_NOTHING = (
    "You follow no feeds yet.\n\nPress a to add one: paste the address of an RSS or Atom feed.\n"
    "Then r makes a rule that takes from it what you want."
)


class FeedsScreen(TableScreen):
    BINDINGS = [
        Binding("a", "add", "add"),
        Binding("r", "rules", "rules"),
        Binding("h", "history", "history"),
        Binding("c", "check", "check now"),
        Binding("d", "remove", "remove"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
        # These stand in the line above the footer.
        Binding("space", "switch", show=False),
        Binding("n", "rename", show=False),
    ]
    HINTS = (
        Hint("Enter", "its items", "open"),
        Hint("Space", "on or off", "switch"),
        Hint("n", "rename", "rename"),
    )
    COLUMNS = (
        Column("", 3),
        Column("feed"),
        Column("health", 13),
        Column("checked", 11),
        Column("next check", 10),
    )

    def __init__(self, api: ApiClient, torrents: Torrents) -> None:
        """`torrents` is kept up to date by others."""
        super().__init__(api)
        self._torrents = torrents
        self._feeds: dict[str, Feed] = {}

    async def ask(self) -> None:
        self._feeds = {feed.id: feed for feed in await self.api.feeds.all()}

    def draw(self) -> None:
        feeds = self._feeds.values()
        failing = sum(feed.health == "failing" for feed in feeds)
        self.head("Feeds", words.count(len(feeds), "feed") + (f", {failing} failing" if failing else ""))
        self.show_rows({feed.id: _cells(feed) for feed in feeds}, _NOTHING)

    def about(self, key: str) -> Text:
        feed = self._feeds[key]
        lines = [feed_words.told_health(feed)]
        if not feed.enabled:
            lines.append("Switched off: what comes meanwhile is not taken afterwards.")
        text = Text("\n".join(lines))
        itself = f"{words.clean(feed.title)}  " if feed.title and feed.title != feed.name else ""
        return text.append(f"\n{itself}{words.clean(feed.address)}", style=QUIET)

    @property
    def _selected(self) -> Feed | None:
        return self._feeds.get(self.rows.selected)

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        feed = await self.app.push_screen_wait(AddFeedScreen(self.api))
        if feed:
            self.tell(f"Added {words.clean(feed.name)}; it is checked in a moment")
            self.look()

    @work(exit_on_error=False)
    async def action_rename(self) -> None:
        if feed := self._selected:
            name = await self.app.push_screen_wait(RenameScreen(self.api, feed))
            if name is not None:
                self.tell(f"It is called {words.clean(name)} now")
                self.look()

    @work(exit_on_error=False)
    async def action_switch(self) -> None:
        if feed := self._selected:
            said = "Switched off: nothing is taken from it" if feed.enabled else "Switched on"
            await self.done(self.api.feeds.change(feed.id, {"enabled": not feed.enabled}), said)

    @work(exit_on_error=False)
    async def action_check(self) -> None:
        if feed := self._selected:
            asked = await self.answer(self.api.feeds.check(feed.id))
            if asked is None:
                return
            name = words.clean(feed.name)
            self.tell(f"{name} is being checked" if asked else f"{name} was checked a moment ago")
            self.look()

    @work(exit_on_error=False)
    async def action_remove(self) -> None:
        if feed := self._selected:
            question = ConfirmScreen(
                f"Remove the feed {words.clean(feed.name)}?",
                "Nothing is taken from it any more. Rules that look at it alone are switched off.\n"
                "What was taken from it stays in your list of torrents.",
                "remove",
            )
            if await self.app.push_screen_wait(question):
                await self.done(self.api.feeds.unfollow(feed.id), f"Removed {words.clean(feed.name)}")

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        if feed := self._selected:
            self.app.push_screen(ItemsScreen(self.api, feed, self._torrents))

    def action_rules(self) -> None:
        self.app.push_screen(RulesScreen(self.api))

    def action_history(self) -> None:
        self.app.push_screen(DecisionsScreen(self.api))

    def action_help(self) -> None:
        self.app.push_screen(FeedHelpScreen())


def _cells(feed: Feed) -> list[str]:
    return [
        "on" if feed.enabled else "off",
        words.clean(feed.name),
        feed_words.health(feed),
        feed_words.ago(feed.checked_at),
        feed_words.due(feed.next_check_at) if feed.enabled else "–",
    ]
