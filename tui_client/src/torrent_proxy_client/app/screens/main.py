"""The list of torrents and what can be done with them."""

from collections.abc import Awaitable, Callable

from textual import on, work
from textual.binding import Binding
from textual.widgets import DataTable

from torrent_proxy_client import words
from torrent_proxy_client.app.screens.add import AddScreen
from torrent_proxy_client.app.screens.commands import CommandsScreen
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.feeds import FeedsScreen
from torrent_proxy_client.app.screens.help import HelpScreen
from torrent_proxy_client.app.screens.label import LabelScreen, labels_of
from torrent_proxy_client.app.screens.listing import TOASTS, ListScreen, name_of
from torrent_proxy_client.app.screens.shows import ShowsScreen
from torrent_proxy_client.app.screens.torrent import TorrentScreen
from torrent_proxy_client.app.screens.transfers import TransfersScreen
from torrent_proxy_client.app.screens.usage import UsageScreen
from torrent_proxy_client.app.widgets.torrent_table import TorrentTable
from torrent_proxy_client.app.widgets.transfer_panel import TransferPanel
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.models import State, Torrent
from torrent_proxy_client.partfile import Conflict


class MainScreen(ListScreen):
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
        Binding("l", "label", show=False),
        Binding("m", "usage", show=False),
        Binding("c", "commands", show=False),
        Binding("e", "feeds", show=False),
        Binding("w", "shows", show=False),
        Binding("t", "transfers", show=False),
        Binding("u", "undo_delete", show=False),
    ]

    _deleted: tuple[Torrent, ...] = ()  # by the last delete

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._transfers.active) if action == "stop" else True

    def _chosen(self) -> list[Torrent]:
        """The marked torrents, or else the selected one; says so when there is none."""
        chosen = self.query_one(TorrentTable).marked or [one for one in [self.selected] if one]
        if not chosen:
            self.tell("No torrent is selected. Press a to add one.")
        return chosen

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen())

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        torrent = await self.app.push_screen_wait(AddScreen(self.api))
        if torrent:
            table = self.query_one(TorrentTable)
            hidden = "" if table.filter.fits(torrent) else ", but the filter hides it (Esc shows all):"
            self.tell(f"Added{hidden} {name_of(torrent)}")
            table.select(torrent.id)
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
            self._deleted = tuple(chosen)
            self._ask_server(self.api.delete, chosen, "Deleted", " · u takes it back")

    def action_undo_delete(self) -> None:
        if not self._deleted:
            self.tell("Nothing was deleted since the app started.")
            return
        deleted, self._deleted = self._deleted, ()
        self._ask_server(self.api.restore, list(deleted), "Taken back")

    def action_fetch(self) -> None:
        self._fetch(self._chosen())

    def _fetch(self, chosen: list[Torrent]) -> None:
        if not self._transfers.take_over(self.api):
            self.notify(self._transfers.elsewhere, timeout=12, markup=False)
            return
        finished = [torrent for torrent in chosen if torrent.state == State.FINISHED]
        started = sum(self._transfers.start(self.api, torrent) for torrent in finished)
        if len(chosen) == 1 and not finished:
            torrent = chosen[0]
            self.tell(
                f"Not finished on the server yet ({words.percent(torrent.progress)}): {name_of(torrent)}"
            )
        elif len(chosen) == 1 and not started:
            self.tell(f"Is being fetched already: {name_of(chosen[0])}")
        elif len(chosen) > 1:
            self.tell(
                f"Fetching {started} of {len(chosen)} torrents; the others are not finished or under way."
            )
            self._unmark()
        self.show_transfers()

    def action_stop(self) -> None:
        """Pause fetching the selected torrent, or else what was started last."""
        selected = self._transfers.get(self.selected.id) if self.selected else None
        transfer = selected if selected and selected.phase.active else self._transfers.active[-1]
        self._transfers.pause(transfer)

    def action_transfers(self) -> None:
        self.app.push_screen(TransfersScreen(self.api, self._transfers, self._conflict_chosen))

    def _conflict_chosen(self, conflict: Conflict) -> None:
        self._preferences.conflict = conflict.value
        self.post_message(self.PreferencesChanged())

    @on(DataTable.RowSelected)
    @work(exit_on_error=False)
    async def action_details(self) -> None:
        if (torrent := self.selected) and self.is_current:
            fetch = await self.app.push_screen_wait(TorrentScreen(self.api, torrent, self._following))
            if fetch and (torrent := self._mirror.torrents.get(torrent.id)):
                self._fetch([torrent])

    @work(exit_on_error=False)
    async def action_label(self) -> None:
        if chosen := self._chosen():
            known = labels_of(self._mirror.torrents.values())
            label = await self.app.push_screen_wait(LabelScreen(self.api, chosen, known))
            if label is not None:
                self.tell(f"Labelled {_names(chosen)} {words.label(label)}" if label else "Label taken away")
                self._poller.wake()
                self._unmark()

    def action_usage(self) -> None:
        self.app.push_screen(UsageScreen(self.api, self._mirror))

    def action_feeds(self) -> None:
        self.app.push_screen(FeedsScreen(self.api, self._mirror.torrents))

    def action_shows(self) -> None:
        self.app.push_screen(ShowsScreen(self.api, self._mirror.torrents, self._preferences))

    def action_commands(self) -> None:
        if torrent := self.selected:
            self.app.push_screen(CommandsScreen(self.api, torrent))

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
        for refusal in errors[:TOASTS]:
            self.notify(words.clean(str(refusal)), severity="error", timeout=8, markup=False)
        if len(errors) < len(chosen):
            all_but = f", {len(errors)} refused" if errors else ""
            self.tell(f"{done} {_names(chosen)}{all_but}{hint}")
            self._poller.wake()
        if len(chosen) > 1:
            self._unmark()


def _names(torrents: list[Torrent]) -> str:
    return name_of(torrents[0]) if len(torrents) == 1 else words.count(len(torrents), "torrent")
