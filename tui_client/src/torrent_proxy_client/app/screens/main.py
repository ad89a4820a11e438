"""The list of torrents and what can be done with them."""

from collections.abc import Awaitable, Callable

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.history import History, Step
from torrent_proxy_client.app.live import HealthChanged, LinkChanged, Poller, TorrentsChanged
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.add import AddScreen
from torrent_proxy_client.app.screens.commands import CommandsScreen
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.help import HelpScreen
from torrent_proxy_client.app.screens.transfers import TransfersScreen
from torrent_proxy_client.app.transfers import Transfers
from torrent_proxy_client.app.widgets.bars import AwayBanner, SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.details import Details
from torrent_proxy_client.app.widgets.key_hints import KeyHints
from torrent_proxy_client.app.widgets.torrent_table import SORT_NAMES, SORTS, TorrentTable
from torrent_proxy_client.app.widgets.transfer_panel import TransferPanel
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import State, Torrent, TorrentFile
from torrent_proxy_client.partfile import Conflict
from torrent_proxy_client.preferences import Preferences

_NOTHING = "Nothing here yet.\n\nPress a to add a magnet link, the URL of a .torrent, or a .torrent file."
_TOASTS = 3  # at once; more would cover the list
_FIRST_LOOK = "Asking the server …"
_NO_ANSWER = "There is nothing to show until the server has answered for the first time."


class MainScreen(TellsMistakes, Screen[None]):
    """Follows one user's torrents from the moment it is shown."""

    BINDINGS = [
        Binding("a", "add", "add"),
        Binding("p", "pause", "pause"),
        Binding("r", "resume", "resume"),
        Binding("d", "delete", "delete"),
        Binding("f", "fetch", "fetch"),
        Binding("x", "stop", "stop"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("ctrl+l", "app.log_out", "log out", key_display="^l"),
        Binding("q", "app.quit", "quit"),
        # These stand in the line above the footer.
        Binding("slash", "filter", show=False),
        Binding("space", "mark", show=False),
        Binding("v", "mark_range", show=False),
        Binding("i", "invert_marks", show=False),
        Binding("s", "sort", show=False),
        Binding("S", "sort_backwards", show=False),
        Binding("c", "commands", show=False),
        Binding("t", "transfers", show=False),
        Binding("u", "undo_delete", show=False),
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
        self._files: dict[str, tuple[TorrentFile, ...]] = {}
        self._looked_at: tuple[str, str] | None = None
        self._deleted: list[Torrent] = []  # by the last delete

    def compose(self) -> ComposeResult:
        yield TitleBar(self.api.session.username, self.api.server)
        yield AwayBanner()
        with Container(id="body"):
            with Vertical(id="list"):
                yield Input(
                    placeholder="Words of the name or the state; Enter keeps, Esc shows all", id="filter"
                )
                yield Static(_FIRST_LOOK, id="empty", markup=False)
                yield TorrentTable()
            yield Details()
        yield TransferPanel(self._transfers)
        yield SummaryBar()
        yield KeyHints()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#filter").display = False
        self._sort()
        self._show_empty(True)
        self._poll()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._transfers.active) if action == "stop" else True

    # --- what the server tells

    @work(exit_on_error=False, exclusive=True, group="poll")
    async def _poll(self) -> None:
        try:
            await self._poller.run()
        except NotLoggedIn as error:
            self.post_message(self.SessionEnded(str(error)))

    @on(TorrentsChanged)
    def _show_changes(self, message: TorrentsChanged) -> None:
        torrents = self._mirror.torrents
        table = self.query_one(TorrentTable)
        table.show(torrents, message.changes)
        self.query_one(SummaryBar).show(torrents.values())
        self._show_rows()
        finished = self._history.note(message.changes)
        if len(finished) > _TOASTS:
            self.notify(f"{len(finished)} torrents are finished. Press f to fetch.", markup=False)
        else:
            for torrent in finished:
                self.notify(f"Finished: {_name(torrent)}. Press f to fetch it.", timeout=8, markup=False)

    def _show_rows(self) -> None:
        """After the rows, the filter or the marks changed."""
        table = self.query_one(TorrentTable)
        empty = (
            _NOTHING if not self._mirror.torrents else f"Nothing matches {table.filter}.\n\nEsc shows all."
        )
        self.query_one("#empty", Static).update(empty)
        self._show_empty(not table.has_matches)
        self.query_one(KeyHints).show(marked=len(table.marked), filtered=bool(table.filter))
        self._show_details()

    @on(LinkChanged)
    def _show_link(self, message: LinkChanged) -> None:
        self.query_one(AwayBanner).show(message.away)
        if message.away is None:
            self._transfers.network_is_back()
        if message.away and not message.away.last_answer:
            self.query_one("#empty", Static).update(_NO_ANSWER)

    @on(HealthChanged)
    def _show_health(self, message: HealthChanged) -> None:
        self.query_one(AwayBanner).show_trouble(message.trouble)

    @on(DataTable.RowHighlighted)
    def _show_details(self) -> None:
        torrent = self._selected
        files = self._files.get(torrent.id, ()) if torrent else ()
        self.query_one(Details).show(torrent, files, self._steps(torrent))
        # The files are asked for once per torrent and state: they come with the metadata, and with the end.
        looked_at = (torrent.id, torrent.state) if torrent else None
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
        if self._selected and self._selected.id == torrent_id:
            steps = self._steps(self._selected)
            self.query_one(Details).show(self._selected, self._files[torrent_id], steps)

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

    # --- what the person does

    @property
    def _selected(self) -> Torrent | None:
        return self.query_one(TorrentTable).selected

    def _chosen(self) -> list[Torrent]:
        """The marked torrents, or else the selected one; says so when there is none."""
        chosen = self.query_one(TorrentTable).marked or [one for one in [self._selected] if one]
        if not chosen:
            self._tell("No torrent is selected. Press a to add one.")
        return chosen

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen())

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        torrent = await self.app.push_screen_wait(AddScreen(self.api))
        if torrent:
            self._tell(f"Added {_name(torrent)}")
            self.query_one(TorrentTable).select(torrent.id)
            self._poller.wake()

    def action_pause(self) -> None:
        self._ask_server(self.api.pause, self._chosen(), "Paused")

    def action_resume(self) -> None:
        self._ask_server(self.api.resume, self._chosen(), "Resumed")

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        chosen = self._chosen()
        if not chosen:
            return
        its = "Its" if len(chosen) == 1 else "Their"
        consequences = (
            f"{its} data on the server is deleted too, unless somebody else there has the same torrent.\n"
            "For a while u takes the delete back.\n"
            "Files that you have fetched to this machine stay."
        )
        transfers = [transfer for torrent in chosen if (transfer := self._transfers.get(torrent.id))]
        if any(transfer.phase.active for transfer in transfers):
            it = "it" if len(chosen) == 1 else "some of them"
            consequences += f"\nYou are fetching {it} right now: that stops, and cannot go on later."
        question = ConfirmScreen(f"Delete {_names(chosen)} from the server?", consequences, "delete")
        if await self.app.push_screen_wait(question):
            for transfer in transfers:
                self._transfers.forget(transfer)
            self._deleted = chosen
            self._ask_server(self.api.delete, chosen, "Deleted", " · u takes it back")

    def action_undo_delete(self) -> None:
        if not self._deleted:
            self._tell("Nothing was deleted since the app started.")
            return
        deleted, self._deleted = self._deleted, []
        self._ask_server(self.api.restore, deleted, "Taken back")

    @on(DataTable.RowSelected)
    def action_fetch(self) -> None:
        chosen = self._chosen()
        if not self._transfers.take_over(self.api):
            self.notify(self._transfers.elsewhere, timeout=12, markup=False)
            return
        finished = [torrent for torrent in chosen if torrent.state == State.FINISHED]
        started = sum(self._transfers.start(self.api, torrent) for torrent in finished)
        if len(chosen) == 1 and not finished:
            torrent = chosen[0]
            self._tell(
                f"Not finished on the server yet ({words.percent(torrent.progress)}): {_name(torrent)}"
            )
        elif len(chosen) == 1 and not started:
            self._tell(f"Is being fetched already: {_name(chosen[0])}")
        elif len(chosen) > 1:
            self._tell(
                f"Fetching {started} of {len(chosen)} torrents; the others are not finished or under way."
            )
            self._unmark()
        self.show_transfers()

    def action_stop(self) -> None:
        """Pause fetching the selected torrent, or else what was started last."""
        selected = self._transfers.get(self._selected.id) if self._selected else None
        transfer = selected if selected and selected.phase.active else self._transfers.active[-1]
        self._transfers.pause(transfer)

    def action_transfers(self) -> None:
        self.app.push_screen(TransfersScreen(self.api, self._transfers, self._conflict_chosen))

    def _conflict_chosen(self, conflict: Conflict) -> None:
        self._preferences.conflict = conflict.value
        self.post_message(self.PreferencesChanged())

    def action_commands(self) -> None:
        if torrent := self._selected:
            self.app.push_screen(CommandsScreen(self.api, torrent))

    # --- filter, marks, order

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self.query_one(TorrentTable).filter_by(event.value)
        self._show_rows()

    @on(Input.Submitted, "#filter")
    def _keep_filter(self, event: Input.Submitted) -> None:
        event.input.display = bool(event.value.strip())
        self.query_one(TorrentTable).focus()

    def action_back(self) -> None:
        """Take back the filter first, then the marks."""
        field = self.query_one("#filter", Input)
        if field.display:
            field.clear()
            field.display = False
            self.query_one(TorrentTable).focus()
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
        self._tell(f"Sorted by {SORT_NAMES[self._preferences.sort]}{backwards}")
        self.post_message(self.PreferencesChanged())

    def _sort(self) -> None:
        if self._preferences.sort not in SORTS:
            self._preferences.sort = "added"
        self.query_one(TorrentTable).sort_by(self._preferences.sort, reverse=self._preferences.reverse)

    def show_transfers(self) -> None:
        """A transfer began or ended."""
        self.query_one(TransferPanel).draw()
        self.refresh_bindings()

    @work(exit_on_error=False)
    async def _ask_server(
        self, ask: Callable[[str], Awaitable[object]], chosen: list[Torrent], done: str, hint: str = ""
    ) -> None:
        """One after the other; a refusal of one does not keep the others back."""
        errors: list[ClientError] = []
        for torrent in chosen:
            try:
                await ask(torrent.id)
            except NotLoggedIn as error:
                self.post_message(self.SessionEnded(str(error)))
                return
            except ClientError as error:
                errors.append(error)
        for refusal in errors[:_TOASTS]:
            self.notify(words.clean(str(refusal)), severity="error", timeout=8, markup=False)
        if len(errors) < len(chosen):
            all_but = f", {len(errors)} refused" if errors else ""
            self._tell(f"{done} {_names(chosen)}{all_but}{hint}")
            self._poller.wake()
        if len(chosen) > 1:
            self._unmark()

    def _tell(self, text: str) -> None:
        self.query_one(SummaryBar).say(text)


def _name(torrent: Torrent) -> str:
    return words.clean(torrent.name) or torrent.id


def _names(torrents: list[Torrent]) -> str:
    return _name(torrents[0]) if len(torrents) == 1 else words.count(len(torrents), "torrent")
