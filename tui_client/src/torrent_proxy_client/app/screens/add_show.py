"""Follow a show: search it while typing, or say by hand what it is called."""

import asyncio

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.show_by_hand import ShowByHandScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.bars import SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.rows import Column, Rows
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.watchlist import Entry, Show
from torrent_proxy_client.watchlist_accounts import Found

STILL = 0.4  # seconds without a key after which is searched
_FEWEST = 2  # letters to search
_BEGIN = "Type a part of its name, in whichever language.\n\nCtrl+N follows one that is found nowhere."
_NONE = "Nothing is called like that.\n\nCtrl+N follows it all the same, by its names in releases."


class AddShowScreen(TellsMistakes, Screen[Entry | None]):
    """Hands back the show that is followed now."""

    BINDINGS = [
        Binding("down", "to_rows", show=False),
        Binding("slash", "search", "search", key_display="/"),
        Binding("ctrl+n", "by_hand", "by hand", key_display="^n"),
        Binding("f1", "help", "help", key_display="F1"),
        Binding("escape", "dismiss(None)", "back", key_display="esc"),
    ]
    AUTO_FOCUS = "#search"

    def __init__(self, api: ApiClient) -> None:
        super().__init__()
        self._api = api
        self._found: dict[str, Show] = {}
        self._followed: dict[int, str] = {}  # by show, how it is followed, in words
        self._following = False

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Static(id="notice", markup=False)
        yield Input(placeholder="Search", id="search")
        yield Static(_BEGIN, id="empty", markup=False)
        yield Rows(
            Column("show"),
            Column("year", 4),
            Column("format", 8),
            Column("season", 11),
            Column("", 10),
        )
        yield Static(id="about", markup=False)
        yield SummaryBar()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        right = Text("↓ choose · Enter follow", style=QUIET)
        self.query_one(TitleBar).spread(Text("Follow a show", style="bold"), right)
        self.query_one("#notice").display = False
        self._show({}, _BEGIN)
        self._learn_followed()

    @work(exit_on_error=False)
    async def _learn_followed(self) -> None:
        try:
            entries = await self._api.watchlist.all()
        except ClientError:
            return  # searching tells
        self._followed = {entry.show.id: watchlist_words.entry_state(entry) for entry in entries}
        self._draw()

    @on(Input.Changed, "#search")
    def _typed(self, event: Input.Changed) -> None:
        self._search(event.value.strip())

    @work(exit_on_error=False, exclusive=True, group="search")
    async def _search(self, text: str) -> None:
        """When nothing was typed for a moment; what is typed meanwhile ends it."""
        if len(text) < _FEWEST:
            self._show({}, _BEGIN)
            return
        await asyncio.sleep(STILL)
        self._tell("Searching …")
        try:
            found = await self._api.watchlist.search(text)
        except NotLoggedIn:
            self.dismiss(None)  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            self._tell("")
            self._show({}, f"✗ {words.clean(str(error))}")
        else:
            self._tell(f"Found {words.count(len(found.shows), 'show')}")
            self._take_in(found)

    def _take_in(self, found: Found) -> None:
        notice = self.query_one("#notice", Static)
        notice.display = bool(found.message)
        notice.update(f"! {words.clean(found.message)}")
        self._show({str(show.id): show for show in found.shows}, _NONE)

    def _show(self, found: dict[str, Show], nothing: str) -> None:
        self._found = found
        self._draw()
        empty = self.query_one("#empty", Static)
        empty.display = not found
        empty.update(nothing)
        self.query_one(Rows).display = self.query_one("#about").display = bool(found)

    def _draw(self) -> None:
        self.query_one(Rows).show({key: self._cells(show) for key, show in self._found.items()})
        self._show_about()

    def _cells(self, show: Show) -> list[str]:
        return [
            watchlist_words.title(show),
            str(show.year or ""),
            watchlist_words.format_of(show),
            watchlist_words.season(show).replace(str(show.year or ""), "").strip(),
            f"✓ {state}" if (state := self._followed.get(show.id)) else "",
        ]

    @on(DataTable.RowHighlighted)
    def _show_about(self) -> None:
        show = self._found.get(self.query_one(Rows).selected)
        text = Text()
        if show:
            names = ", ".join(watchlist_words.other_titles(show))
            text.append(f"{watchlist_words.title(show)}\n", style="bold")
            text.append(f"{watchlist_words.about_show(show)}\n", style="not bold")
            text.append(names, style=f"not bold {QUIET}")
        self.query_one("#about", Static).update(text)

    def action_search(self) -> None:
        self.query_one("#search").focus()

    def action_to_rows(self) -> None:
        if self._found:
            self.query_one(Rows).focus()

    @on(Input.Submitted, "#search")
    def _submitted(self) -> None:
        """What is found first is seldom what is meant: it is chosen, not followed by reflex."""
        self.action_to_rows()

    @on(DataTable.RowSelected)
    def action_follow(self) -> None:
        show = self._found.get(self.query_one(Rows).selected)
        if show and not self._following:
            self._follow(show)

    @work(exit_on_error=False)
    async def _follow(self, show: Show) -> None:
        self._following = True
        try:
            self._tell("Following …")
            self.dismiss(await self._api.watchlist.follow(show.id))
        except NotLoggedIn:
            self.dismiss(None)
        except ClientError as error:
            self._tell(f"✗ {error}")
        finally:
            self._following = False

    @work(exit_on_error=False)
    async def action_by_hand(self) -> None:
        typed = self.query_one("#search", Input).value.strip()
        entry = await self.app.push_screen_wait(ShowByHandScreen(self._api, typed))
        if entry:
            self.dismiss(entry)

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())

    def _tell(self, text: str) -> None:
        self.query_one(SummaryBar).say(text)
