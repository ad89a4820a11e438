"""The list of torrents and what can be done with them."""

from collections.abc import Awaitable, Callable

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.live import LinkChanged, Poller, TorrentsChanged
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.add import AddScreen
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.help import HelpScreen
from torrent_proxy_client.app.transfers import Transfers
from torrent_proxy_client.app.widgets.bars import AwayBanner, SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.details import Details
from torrent_proxy_client.app.widgets.torrent_table import TorrentTable
from torrent_proxy_client.app.widgets.transfer_panel import TransferPanel
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import State, Torrent, TorrentFile

_NOTHING = "Nothing here yet.\n\nPress a to add a magnet link, the URL of a .torrent, or a .torrent file."
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
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]

    class SessionEnded(Message):
        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(self, api: ApiClient, transfers: Transfers, *, poll_interval: float = 1.0) -> None:
        super().__init__()
        self.api = api
        self._transfers = transfers
        self._mirror = Mirror()
        self._poller = Poller(api, self._mirror, self.post_message, interval=poll_interval)
        self._files: dict[str, tuple[TorrentFile, ...]] = {}
        self._looked_at: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar(self.api.session.username, self.api.server)
        yield AwayBanner()
        with Container(id="body"):
            with Vertical(id="list"):
                yield Static(_FIRST_LOOK, id="empty", markup=False)
                yield TorrentTable()
            yield Details()
        yield TransferPanel(self._transfers)
        yield SummaryBar()
        yield Footer(compact=True)

    def on_mount(self) -> None:
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
        self._show_empty(not torrents)
        self.query_one("#empty", Static).update(_NOTHING)
        self.query_one(TorrentTable).show(torrents, message.changes)
        self.query_one(SummaryBar).show(torrents.values())
        self._show_details()

    @on(LinkChanged)
    def _show_link(self, message: LinkChanged) -> None:
        self.query_one(AwayBanner).show(message.away)
        if message.away and not message.away.last_answer:
            self.query_one("#empty", Static).update(_NO_ANSWER)

    @on(DataTable.RowHighlighted)
    def _show_details(self) -> None:
        torrent = self._selected
        files = self._files.get(torrent.id, ()) if torrent else ()
        self.query_one(Details).show(torrent, files)
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
            self.query_one(Details).show(self._selected, self._files[torrent_id])

    def _show_empty(self, empty: bool) -> None:
        self.query_one("#empty").display = empty
        self.query_one(Details).display = not empty
        table = self.query_one(TorrentTable)
        if table.display == empty:
            table.display = not empty
            if not empty:
                table.focus()

    # --- what the person does

    @property
    def _selected(self) -> Torrent | None:
        return self.query_one(TorrentTable).selected

    def _chosen(self) -> Torrent | None:
        """The selected torrent; says so when there is none."""
        if self._selected is None:
            self._tell("No torrent is selected. Press a to add one.")
        return self._selected

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
        if torrent := self._chosen():
            self._ask_server(lambda: self.api.pause(torrent.id), f"Paused {_name(torrent)}")

    def action_resume(self) -> None:
        if torrent := self._chosen():
            self._ask_server(lambda: self.api.resume(torrent.id), f"Resumed {_name(torrent)}")

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        torrent = self._chosen()
        if torrent is None:
            return
        consequences = (
            "Its data on the server is deleted too, unless somebody else there has the same torrent.\n"
            "Files that you have fetched to this machine stay."
        )
        transfer = self._transfers.get(torrent.id)
        if transfer and transfer.phase.active:
            consequences += "\nYou are fetching it right now: that stops, and cannot go on later."
        question = ConfirmScreen(f"Delete {_name(torrent)} from the server?", consequences, "delete")
        if await self.app.push_screen_wait(question):
            if transfer:
                self._transfers.stop(transfer)
            self._ask_server(lambda: self.api.delete(torrent.id), f"Deleted {_name(torrent)}")

    @on(DataTable.RowSelected)
    def action_fetch(self) -> None:
        torrent = self._chosen()
        if torrent is None:
            return
        if torrent.state != State.FINISHED:
            self._tell(
                f"Not finished on the server yet ({words.percent(torrent.progress)}): {_name(torrent)}"
            )
        elif not self._transfers.start(self.api, torrent):
            self._tell(f"Is being fetched already: {_name(torrent)}")
        self.show_transfers()

    def action_stop(self) -> None:
        """Stop fetching the selected torrent, or else what was started last."""
        selected = self._transfers.get(self._selected.id) if self._selected else None
        transfer = selected if selected and selected.phase.active else self._transfers.active[-1]
        self._transfers.stop(transfer)

    def show_transfers(self) -> None:
        """A transfer began or ended."""
        self.query_one(TransferPanel).draw()
        self.refresh_bindings()

    @work(exit_on_error=False)
    async def _ask_server(self, ask: Callable[[], Awaitable[object]], done: str) -> None:
        try:
            await ask()
        except NotLoggedIn as error:
            self.post_message(self.SessionEnded(str(error)))
        except ClientError as error:
            self.notify(words.clean(str(error)), severity="error", timeout=8, markup=False)
        else:
            self._tell(done)
            self._poller.wake()

    def _tell(self, text: str) -> None:
        self.query_one(SummaryBar).say(text)


def _name(torrent: Torrent) -> str:
    return words.clean(torrent.name) or torrent.id
