"""What the screens of feeds, items, rules and decisions have in common: a table, what is known of the selected row,
and a question to the server again and again while the screen is in front."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TypeVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes, refusal
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.bars import SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.key_hints import Hint, KeyHints
from torrent_proxy_client.app.widgets.rows import Column, Rows
from torrent_proxy_client.errors import ClientError, NotLoggedIn, Refused

T = TypeVar("T")

LOOK_EVERY = 10.0  # seconds
_ASKING = "Asking the server …"


class TableScreen(TellsMistakes, Screen[None]):
    """Subclasses say what to ask, `ask`, and what then is shown, `draw`."""

    AUTO_FOCUS = "Rows"
    COLUMNS: tuple[Column, ...] = ()
    HINTS: tuple[Hint, ...] = ()  # the keys for which the footer has no room
    SEARCH = ""  # what can be typed into the search; none where there is nothing to search

    def __init__(self, api: ApiClient) -> None:
        super().__init__()
        self.api = api
        self._look_now = asyncio.Event()

    async def ask(self) -> None:
        """Ask the server, and keep what it says. Raises ClientError."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what is known."""
        raise NotImplementedError

    def about(self, key: str) -> Text:
        """What is known of the selected row."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Static(id="notice", markup=False)
        yield Static(id="only", markup=False)
        yield Input(placeholder=self.SEARCH, id="filter")
        yield Static(_ASKING, id="empty", markup=False)
        yield Rows(*self.COLUMNS)
        yield Static(id="about", markup=False)
        yield SummaryBar()
        yield KeyHints(self.HINTS)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#notice").display = False
        self.query_one("#only").display = False
        self.query_one("#filter").display = False
        self.show_rows({})
        self.query_one("#empty", Static).update(_ASKING)
        self._follow()

    def on_screen_resume(self) -> None:
        self.look()

    def look(self) -> None:
        """Ask now rather than later."""
        self._look_now.set()

    def head(self, what: str, right: str = "") -> None:
        self.query_one(TitleBar).spread(Text(words.clean(what), style="bold"), Text(right, style=QUIET))

    def tell(self, text: str) -> None:
        self.query_one(SummaryBar).say(text)

    def warn(self, text: str) -> None:
        """For as long as it is so; empty: all is well."""
        notice = self.query_one("#notice", Static)
        notice.display = bool(text)
        notice.update(f"! {text}")

    @property
    def rows(self) -> Rows:
        return self.query_one(Rows)

    def show_rows(self, rows: dict[str, list[str]], nothing: str = "") -> None:
        """`nothing` is said where there are none."""
        self.rows.display = bool(rows)
        self.rows.show(rows)
        self.query_one("#about").display = bool(rows)
        empty = self.query_one("#empty", Static)
        empty.display = not rows
        empty.update(nothing)
        if rows and self.focused is None:
            self.rows.focus()
        self._show_about()

    @on(DataTable.RowHighlighted)
    def _show_about(self) -> None:
        key = self.rows.selected
        self.query_one("#about", Static).update(self.about(key) if key else "")

    @work(exit_on_error=False, exclusive=True, group="follow")
    async def _follow(self) -> None:
        while True:
            self._look_now.clear()
            pause = LOOK_EVERY
            if self.is_active:
                try:
                    await self.ask()
                except NotLoggedIn:
                    return  # the list of torrents notices by itself, and asks to log in
                except ClientError as error:
                    self._show_trouble(error)
                    if isinstance(error, Refused) and error.status in (404, 405):
                        return
                    pause = getattr(error, "retry_after", None) or pause
                else:
                    self.draw()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), pause)

    def trouble_in_words(self, error: ClientError) -> str:
        return refusal(error)

    def _show_trouble(self, error: ClientError) -> None:
        sentence = f"✗ {self.trouble_in_words(error)}"
        if self.rows.display:
            self.tell(sentence)
        else:
            self.query_one("#empty", Static).update(sentence)

    async def answer(self, asked: Awaitable[T]) -> T | None:
        """None where the server gave none; says why."""
        try:
            return await asked
        except NotLoggedIn:
            return None  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            self.notify(words.clean(str(error)), severity="error", timeout=8, markup=False)
            return None

    async def done(self, asked: Awaitable[object], said: str) -> bool:
        """Whether the server did what it was asked; says so, or why not."""

        async def carried_out() -> bool:
            await asked
            return True

        if not await self.answer(carried_out()):
            return False
        if said:
            self.tell(said)
        self.look()
        return True

    def action_back(self) -> None:
        self.dismiss()
