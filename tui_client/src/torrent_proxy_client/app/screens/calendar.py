"""What airs on which day, and what became of it. Days and times are those of this machine."""

from datetime import UTC, datetime, timedelta

from rich.text import Text
from textual import on, work
from textual.binding import Binding
from textual.widgets import DataTable

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.show import ShowScreen
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.feed_words import Torrents
from torrent_proxy_client.watchlist import Airing

_DAYS = 9  # yesterday, today, and a week


class CalendarScreen(TableScreen):
    BINDINGS = [
        # Ahead of the table, which would scroll sideways.
        Binding("left", "move(-1)", "earlier", key_display="←", priority=True),
        Binding("right", "move(1)", "later", key_display="→", priority=True),
        Binding("t", "today", "today"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    HINTS = (Hint("Enter", "the show", "open"),)
    COLUMNS = (
        Column("day", 10),
        Column("time", 5),
        Column("show"),
        Column("episode", 7),
        Column("state", 13),
    )

    def __init__(self, api: ApiClient, torrents: Torrents) -> None:
        """`torrents` is kept up to date by others."""
        super().__init__(api)
        self._torrents = torrents
        self._weeks = 0  # from this one
        self._airings: dict[str, Airing] = {}
        self._trouble = self._age = ""

    @property
    def _days(self) -> tuple[datetime, datetime]:
        """The midnights, here, at which what is shown begins and ends."""
        midnight = (
            datetime.now(UTC).astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        )
        since = midnight + timedelta(days=7 * self._weeks - 1)
        return since.astimezone(), (since + timedelta(days=_DAYS)).astimezone()

    async def ask(self) -> None:
        weeks = self._weeks
        airings = await self.api.watchlist.calendar(*self._days)
        providers = await self.api.watchlist.providers()
        if weeks == self._weeks:
            self._airings = {f"{one.entry} {one.number} {one.airs_at}": one for one in airings}
            self._trouble = watchlist_words.trouble(providers)
            self._age = watchlist_words.data_age(providers)

    def draw(self) -> None:
        since, until = self._days
        last = until - timedelta(days=1)
        self.head(f"Calendar, {since:%a %d %b} to {last:%a %d %b}", self._age)
        self.warn(self._trouble)
        rows, before = {}, ""
        for key, one in self._airings.items():
            when = one.airs_at.astimezone() if one.airs_at else None
            day = watchlist_words.day(when) if when else "some day"
            rows[key] = [
                "" if day == before else day,
                f"{when:%H:%M}" if when else "",
                words.clean(one.title),
                watchlist_words.number(one.number),
                watchlist_words.episode_state(one.state),
            ]
            before = day
        self.show_rows(rows, "Nothing of your shows airs in these days.\n\n← a week earlier, → a week later.")

    def about(self, key: str) -> Text:
        one = self._airings[key]
        text = Text(f"{words.clean(one.title)}, episode {watchlist_words.number(one.number)}\n")
        if one.airs_at:
            tense = "airs" if one.airs_at > datetime.now(UTC) else "aired"
            text.append(f"{tense} {watchlist_words.day_and_time(one.airs_at)}\n")
        return text.append(watchlist_words.episode_state(one.state), style=QUIET)

    def action_move(self, weeks: int) -> None:
        self._weeks += weeks
        self.look()

    def action_today(self) -> None:
        self.action_move(-self._weeks)

    @on(DataTable.RowSelected)
    @work(exit_on_error=False, exclusive=True, group="open")
    async def action_open(self) -> None:
        airing = self._airings.get(self.rows.selected)
        if airing is None or not self.is_active:
            return
        entry = await self.answer(self.api.watchlist.entry(airing.entry))
        if entry is None:
            return
        self.app.push_screen(ShowScreen(self.api, entry, self._torrents))

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())
