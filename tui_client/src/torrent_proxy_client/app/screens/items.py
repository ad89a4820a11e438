"""What stood in a feed, and what became of each item."""

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Static

from torrent_proxy_client import feed_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.paged import PagedScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.feed_calls import PAGE
from torrent_proxy_client.feed_words import Torrents
from torrent_proxy_client.feeds import Feed, Item
from torrent_proxy_client.paging import Page

_NOTHING = (
    "Nothing has stood in this feed yet. It is checked by itself; c in the list of feeds checks it now."
)


class ItemsScreen(PagedScreen[Item]):
    BINDINGS = [
        Binding("g", "grab", show=False),  # stands in the line above the footer
    ]
    HINTS = (
        Hint("Enter", "what every rule says of it", "explain"),
        Hint("g", "grab it anyway", "grab"),
    )
    COLUMNS = (Column("item"), Column("state", 24), Column("published", 12))
    OUTCOMES = (*PagedScreen.OUTCOMES, ("none", "nothing decided"))

    def __init__(self, api: ApiClient, feed: Feed, torrents: Torrents) -> None:
        """`torrents` is kept up to date by others."""
        super().__init__(api)
        self._feed = feed
        self._torrents = torrents

    async def page(self, *, cursor: str = "", limit: int = PAGE) -> Page[Item]:
        return await self.api.feeds.items(
            self._feed.id, search=self.search, outcome=self.outcome, cursor=cursor, limit=limit
        )

    def draw(self) -> None:
        self.head(f"Items of {self._feed.name}", self.how_many)
        rows = {str(item.number): _cells(item, self._torrents) for item in self.found}
        self.show_rows(rows, self.nothing(_NOTHING))

    def trouble_in_words(self, error: ClientError) -> str:
        return words.clean(str(error))

    @property
    def _selected(self) -> Item | None:
        return next((item for item in self.found if str(item.number) == self.rows.selected), None)

    def about(self, key: str) -> Text:
        item = self._selected
        return item_text(item, self._torrents) if item else Text()

    @on(DataTable.RowSelected)
    def action_explain(self) -> None:
        if item := self._selected:
            self.app.push_screen(ItemScreen(self.api, item, self._torrents))

    @work(exit_on_error=False)
    async def action_grab(self) -> None:
        if item := self._selected:
            await self.done(self.api.feeds.grab(item.feed, item.number), f"Grabbed {words.clean(item.title)}")


class ItemScreen(TellsMistakes, ModalScreen[None]):
    """Asks for the verdicts when it opens."""

    BINDINGS = [
        Binding("g", "grab", "grab anyway"),
        Binding("escape,q", "dismiss", "close", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, item: Item, torrents: Torrents) -> None:
        super().__init__()
        self._api = api
        self._item = item
        self._torrents = torrents

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="item"):
            yield Static(words.clean(self._item.title), classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static(item_text(self._item, self._torrents), id="item-text", markup=False)
                yield Static("Asking the server …", id="verdicts", markup=False)
            yield Static("g grab anyway · ↑ ↓ scroll · Esc close", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._look()

    @work(exit_on_error=False, exclusive=True)
    async def _look(self) -> None:
        try:
            item = await self._api.feeds.item(self._item.feed, self._item.number)
        except NotLoggedIn:
            self.dismiss()  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            self._tell(f"✗ {words.clean(str(error))}")
        else:
            self.query_one("#item-text", Static).update(item_text(item, self._torrents))
            self.query_one("#verdicts", Static).update(verdicts_text(item))

    @work(exit_on_error=False, exclusive=True, group="grab")
    async def action_grab(self) -> None:
        try:
            await self._api.feeds.grab(self._item.feed, self._item.number)
        except NotLoggedIn:
            self.dismiss()
        except ClientError as error:
            self._tell(f"✗ {words.clean(str(error))}")
        else:
            self._look()

    def _tell(self, text: str) -> None:
        self.query_one("#verdicts", Static).update(text)


def item_text(item: Item, torrents: Torrents) -> Text:
    """What became of it, and what the feed says of it."""
    text = Text("\n".join(feed_words.told_item(item, torrents)))
    published = f"published {words.moment(item.published_at)}" if item.published_at else ""
    known = (words.size(item.size) if item.size is not None else "", published, words.clean(item.page))
    return text.append("\n" + " · ".join(part for part in known if part), style=QUIET)


def verdicts_text(item: Item) -> Text:
    """What every rule says of it now."""
    if not item.verdicts:
        return Text("\nYou have no rules yet.")
    text = Text("\nYour rules say now\n", style="bold")
    for verdict in item.verdicts:
        sign, what = ("✓", "takes it") if verdict.taken else ("–", "does not take it")
        text.append(f"{sign} {words.clean(verdict.rule_name)} {what}\n", style="not bold")
        for why in verdict.reasons:
            text.append(f"    {feed_words.reason(why, item.title)}\n", style=f"not bold {QUIET}")
    text.rstrip()
    return text


def _cells(item: Item, torrents: Torrents) -> list[str]:
    published = item.published_at or item.seen_at  # not every feed says when
    when = words.moment(published) if published else ""
    return [words.clean(item.title), feed_words.item_state(item, torrents), when]
