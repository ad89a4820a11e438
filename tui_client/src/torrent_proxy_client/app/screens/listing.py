"""The list of torrents as it is shown: what the server tells, in the order and as much of it as the person wants."""

from dataclasses import asdict, replace

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.events import Click
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import DataTable, Footer, Input, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.filtering import Filter
from torrent_proxy_client.app.history import History, Step
from torrent_proxy_client.app.live import Following, LinkChanged, Poller, TorrentsChanged
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.only import OnlyScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.transfers import Transfers
from torrent_proxy_client.app.widgets.bars import AwayBanner, SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.details import Details
from torrent_proxy_client.app.widgets.key_hints import KeyHints
from torrent_proxy_client.app.widgets.torrent_table import SORT_NAMES, SORTS, TorrentTable
from torrent_proxy_client.app.widgets.transfer_panel import TransferPanel
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import Torrent, TorrentFile
from torrent_proxy_client.preferences import Preferences

_NOTHING = "Nothing here yet.\n\nPress a to add a magnet link, the URL of a .torrent, or a .torrent file."
TOASTS = 3  # at once; more would cover the list
_FIRST_LOOK = "Asking the server …"
_NO_ANSWER = "There is nothing to show until the server has answered for the first time."


class ListScreen(TellsMistakes, Screen[None]):
    """Follows one user's torrents from the moment it is shown."""

    # These stand in the line above the footer.
    BINDINGS = [
        Binding("slash", "filter", show=False),
        Binding("o", "only", show=False),
        Binding("space", "mark", show=False),
        Binding("v", "mark_range", show=False),
        Binding("i", "invert_marks", show=False),
        Binding("s", "sort", show=False),
        Binding("S", "sort_backwards", show=False),
        Binding("escape", "back", show=False),
    ]
    AUTO_FOCUS = "TorrentTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]

    class SessionEnded(Message):
        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    class PreferencesChanged(Message):
        pass

    def __init__(
        self,
        api: ApiClient,
        transfers: Transfers,
        preferences: Preferences,
        *,
        poll_interval: float = 1.0,
    ) -> None:
        super().__init__()
        self.api = api
        self._transfers = transfers
        self._preferences = preferences
        self._history = History()
        self._mirror = Mirror()
        self._poller = Poller(api, self._mirror, self.post_message, interval=poll_interval)
        self._following = Following(
            self._mirror, Signal(self, "torrents changed"), Signal(self, "link changed"), self._poller.wake
        )
        self._files: dict[str, tuple[TorrentFile, ...]] = {}
        self._looked_at: tuple[str, str, int | None] | None = None
        self._answered = False

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield AwayBanner()
        with Container(id="body"):
            with Vertical(id="list"):
                yield Static(id="only", markup=False)
                yield Input(
                    placeholder="Words of the name, the state or the label; Enter keeps, Esc shows all",
                    id="filter",
                )
                yield Static(_FIRST_LOOK, id="empty", markup=False)
                yield TorrentTable()
            yield Details()
        yield TransferPanel(self._transfers)
        yield SummaryBar()
        yield KeyHints()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        who = words.clean(f"{self.api.session.username} @ {self.api.server.partition('://')[2]}")
        self.query_one(TitleBar).spread(Text("Torrent Proxy", style="bold"), Text(who, style=QUIET))
        wanted = Filter.restored(self._preferences.filter)
        field = self.query_one("#filter", Input)
        with self.prevent(Input.Changed):
            field.value = wanted.words
        self._show_only(wanted)
        self._sort()
        self._show_empty(True)
        self._poll()

    # --- what the server tells

    @work(exit_on_error=False, exclusive=True, group="poll")
    async def _poll(self) -> None:
        try:
            await self._poller.run()
        except NotLoggedIn as error:
            self.post_message(self.SessionEnded(str(error)))

    @on(TorrentsChanged)
    def _show_changes(self, message: TorrentsChanged) -> None:
        self._answered = True
        torrents = self._mirror.torrents
        table = self.query_one(TorrentTable)
        table.show(torrents, message.changes)
        self._following.news.publish(None)
        self.query_one(SummaryBar).show(torrents.values())
        self._show_rows()
        finished = self._history.note(message.changes)
        if len(finished) > TOASTS:
            self.notify(f"{len(finished)} torrents are finished. Press f to fetch.", markup=False)
        else:
            for torrent in finished:
                self.notify(f"Finished: {name_of(torrent)}. Press f to fetch it.", timeout=8, markup=False)

    def _show_rows(self) -> None:
        """After the rows, the filter or the marks changed."""
        table = self.query_one(TorrentTable)
        nothing_matches = f"Nothing matches {table.filter}.\n\nEsc shows all."
        if self._answered:
            self.query_one("#empty", Static).update(nothing_matches if self._mirror.torrents else _NOTHING)
        self._show_empty(not table.has_matches)
        self.query_one(KeyHints).show(marked=len(table.marked), filtered=bool(table.filter))
        self._show_details()

    @on(LinkChanged)
    def _show_link(self, message: LinkChanged) -> None:
        self.query_one(AwayBanner).show(message.away)
        self._following.link.publish(message.away)
        if message.away is None:
            self._transfers.network_is_back()
        if message.away and not message.away.last_answer:
            self.query_one("#empty", Static).update(_NO_ANSWER)

    @on(DataTable.RowHighlighted)
    def _show_details(self) -> None:
        torrent = self.selected
        files = self._files.get(torrent.id, ()) if torrent else ()
        self.query_one(Details).show(torrent, files, self._steps(torrent))
        # The files are asked for once per torrent, state and size: they come with the metadata, with the end, and with
        # another choice.
        looked_at = (torrent.id, torrent.state, torrent.size) if torrent else None
        if torrent and looked_at != self._looked_at:
            self._look_at_files(torrent.id)
        self._looked_at = looked_at

    @work(exit_on_error=False, exclusive=True, group="files")
    async def _look_at_files(self, torrent_id: str) -> None:
        try:
            self._files[torrent_id] = await self.api.files(torrent_id)
        except ClientError:
            self._looked_at = None  # the banner tells; the next change of the torrent asks again
            return
        if self.selected and self.selected.id == torrent_id:
            steps = self._steps(self.selected)
            self.query_one(Details).show(self.selected, self._files[torrent_id], steps)

    def _steps(self, torrent: Torrent | None) -> tuple[Step, ...]:
        return self._history.of(torrent.id) if torrent else ()

    def _show_empty(self, empty: bool) -> None:
        self.query_one("#empty").display = empty
        self.query_one(Details).display = not empty
        table = self.query_one(TorrentTable)
        if table.display == empty:
            table.display = not empty
            if not empty and not self.query_one("#filter").has_focus:
                table.focus()

    @property
    def selected(self) -> Torrent | None:
        return self.query_one(TorrentTable).selected

    # --- filter, marks, order

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self._show_only(replace(self.query_one(TorrentTable).filter, words=event.value))

    @on(Input.Submitted, "#filter")
    def _keep_filter(self, event: Input.Submitted) -> None:
        event.input.display = bool(event.value.strip())
        self.query_one(TorrentTable).focus()

    @work(exit_on_error=False)
    async def action_only(self) -> None:
        """Show one state or one label only; words that are typed stay."""
        torrents = self._mirror.torrents.values()
        chosen = await self.app.push_screen_wait(OnlyScreen(torrents, self.query_one(TorrentTable).filter))
        if chosen is not None:
            self._show_only(chosen)

    def _show_only(self, wanted: Filter) -> None:
        """Of the torrents; the person finds the filter again next time."""
        table = self.query_one(TorrentTable)
        table.filter_by(wanted)
        line = self.query_one("#only", Static)
        line.display = bool(only := replace(wanted, words=""))
        line.update(f"Only {only} · Esc shows all")
        field = self.query_one("#filter", Input)
        field.display = field.has_focus or bool(wanted.words.strip())
        self._show_rows()
        if asdict(wanted) != asdict(Filter.restored(self._preferences.filter)):
            self._preferences.filter = asdict(wanted)
            self.post_message(self.PreferencesChanged())

    @on(Click, "#only")
    def _show_all(self) -> None:
        field = self.query_one("#filter", Input)
        self.query_one(TorrentTable).focus()
        with self.prevent(Input.Changed):
            field.clear()
        self._show_only(Filter())

    def action_back(self) -> None:
        """Take back the filter first, then the marks."""
        if self.query_one("#filter").display or self.query_one(TorrentTable).filter:
            self._show_all()
        else:
            self._unmark()

    def _unmark(self) -> None:
        self.query_one(TorrentTable).clear_marks()
        self._show_rows()

    def action_mark(self) -> None:
        self.query_one(TorrentTable).mark()
        self._show_rows()

    def action_mark_range(self) -> None:
        self.query_one(TorrentTable).mark_range()
        self._show_rows()

    def action_invert_marks(self) -> None:
        self.query_one(TorrentTable).invert_marks()
        self._show_rows()

    @on(DataTable.HeaderSelected)
    def _sort_by_header(self, event: DataTable.HeaderSelected) -> None:
        """A click on the column that sorts already turns the order round."""
        key = str(event.column_key.value)
        self._preferences.reverse = key == self._preferences.sort and not self._preferences.reverse
        self._preferences.sort = key
        self._sorted()

    def action_sort(self) -> None:
        sorts = list(SORTS)
        self._preferences.sort = sorts[(sorts.index(self._preferences.sort) + 1) % len(sorts)]
        self._sorted()

    def action_sort_backwards(self) -> None:
        self._preferences.reverse = not self._preferences.reverse
        self._sorted()

    def _sorted(self) -> None:
        self._sort()
        backwards = ", backwards" if self._preferences.reverse else ""
        self.tell(f"Sorted by {SORT_NAMES[self._preferences.sort]}{backwards}")
        self.post_message(self.PreferencesChanged())

    def _sort(self) -> None:
        if self._preferences.sort not in SORTS:
            self._preferences.sort = "added"
        self.query_one(TorrentTable).sort_by(self._preferences.sort, reverse=self._preferences.reverse)

    def tell(self, text: str) -> None:
        self.query_one(SummaryBar).say(text)


def name_of(torrent: Torrent) -> str:
    return words.clean(torrent.name) or torrent.id
