"""A list that the server hands out page by page and searches itself: items of a feed, decisions."""

from typing import Generic, TypeVar

from textual import on, work
from textual.binding import Binding
from textual.events import Click
from textual.widgets import DataTable, Input, Static

from torrent_proxy_client import feed_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.choose import Choice, ChooseScreen
from torrent_proxy_client.app.screens.feed_help import FeedHelpScreen
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.feed_calls import PAGE
from torrent_proxy_client.paging import Page

T = TypeVar("T")

_AT_ONCE = 200  # as many as one answer of the server holds
_NEAR_THE_END = 10  # rows


class PagedScreen(TableScreen, Generic[T]):
    """More is fetched as the cursor comes near the end; as long as one answer holds all that is shown, it is asked for
    anew from time to time. Subclasses say how to ask for a page, and how to show what is there."""

    BINDINGS = [
        Binding("slash", "search", "search", key_display="/"),
        Binding("o", "only", "only"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape", "back", "back", key_display="esc"),
        Binding("q", "leave", show=False),
    ]
    SEARCH = "Words of the title; Enter keeps, Esc shows all"
    OUTCOMES: tuple[Choice, ...] = (("", "all"), *feed_words.OUTCOMES.items())

    def __init__(self, api: ApiClient) -> None:
        super().__init__(api)
        self.found: list[T] = []
        self.cursor = ""  # of the page that was not fetched yet
        self.search = ""
        self.outcome = ""
        self._answered_for: tuple[str, ...] | None = None

    async def page(self, *, cursor: str = "", limit: int = PAGE) -> Page[T]:
        raise NotImplementedError

    @property
    def wanted(self) -> tuple[str, ...]:
        """What is asked for."""
        return self.search, self.outcome

    async def ask(self) -> None:
        wanted = self.wanted
        if wanted == self._answered_for and len(self.found) > _AT_ONCE:
            return
        shown = len(self.found) if wanted == self._answered_for else 0
        page = await self.page(limit=max(PAGE, shown))
        if wanted == self.wanted and (shown == len(self.found) or wanted != self._answered_for):
            self.found, self.cursor, self._answered_for = list(page.items), page.cursor, wanted

    @on(DataTable.RowHighlighted)
    def _near_the_end(self, event: DataTable.RowHighlighted) -> None:
        if self.cursor and event.cursor_row >= len(self.found) - _NEAR_THE_END:
            self._fetch_more(self.cursor)

    @work(exit_on_error=False, exclusive=True, group="more")
    async def _fetch_more(self, cursor: str) -> None:
        try:
            page = await self.page(cursor=cursor)
        except NotLoggedIn:
            return  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            self.tell(f"✗ {words.clean(str(error))}")
            return
        if cursor == self.cursor:
            self.found, self.cursor = [*self.found, *page.items], page.cursor
            self.draw()

    @property
    def how_many(self) -> str:
        return f"{len(self.found)} and more" if self.cursor else str(len(self.found))

    def nothing(self, otherwise: str) -> str:
        return "Nothing matches.\n\nEsc shows all." if any(self.wanted) else otherwise

    # --- what to show

    def action_search(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    @on(Input.Changed, "#filter")
    def _search(self, event: Input.Changed) -> None:
        self.search = event.value.strip()
        self.look()

    @on(Input.Submitted, "#filter")
    def _keep_search(self, event: Input.Submitted) -> None:
        event.input.display = bool(self.search)
        self.rows.focus()

    @work(exit_on_error=False)
    async def action_only(self) -> None:
        chosen = await self.app.push_screen_wait(ChooseScreen(self.OUTCOMES, self.outcome))
        if chosen is not None:
            self._only(chosen)

    def _only(self, outcome: str) -> None:
        self.outcome = outcome
        line = self.query_one("#only", Static)
        line.display = bool(self.wanted_in_words)
        line.update(f"Only {self.wanted_in_words} · Esc shows all")
        self.look()

    @property
    def wanted_in_words(self) -> str:
        return dict(self.OUTCOMES)[self.outcome] if self.outcome else ""

    @on(Click, "#only")
    def _clicked(self) -> None:
        self.show_all()

    def show_all(self) -> None:
        field = self.query_one("#filter", Input)
        with self.prevent(Input.Changed):
            field.clear()
        field.display = False
        self.search = ""
        self.rows.focus()
        self._only("")

    def action_back(self) -> None:
        """Take back the filter first."""
        if any(self.wanted) or self.query_one("#filter").display:
            self.show_all()
        else:
            self.dismiss()

    def action_leave(self) -> None:
        self.dismiss()

    def action_help(self) -> None:
        self.app.push_screen(FeedHelpScreen())
