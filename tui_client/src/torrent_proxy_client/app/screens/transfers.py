"""The queue of what is fetched to this machine: pause, go on, take out, clear, find the files."""

from collections.abc import Callable

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.reveal import reveal
from torrent_proxy_client.app.transfers import Transfer, Transfers
from torrent_proxy_client.app.widgets.transfer_panel import transfer_line
from torrent_proxy_client.partfile import Conflict

_REFRESH = 0.5  # seconds
_NOTHING = "Nothing is being fetched. Select a finished torrent in the list and press f."


class TransfersScreen(ModalScreen[None]):
    """`chose` is told which conflict policy the person chose."""

    BINDINGS = [
        Binding("p,space", "pause", "pause", key_display="p"),
        Binding("x", "remove", "take out"),
        Binding("l", "clear", "clear"),
        Binding("o", "reveal", "folder"),
        Binding("k", "conflict", "same name"),
        Binding("escape,t", "dismiss", "close", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, transfers: Transfers, chose: Callable[[Conflict], None]) -> None:
        super().__init__()
        self._api = api
        self._transfers = transfers
        self._chose = chose

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="transfers"):
            yield Static("Transfers to this machine", classes="dialog-title", markup=False)
            yield OptionList(id="queue")
            yield Static(id="transfer-path", markup=False)
            yield Static(id="conflict", markup=False)
            yield Static(
                "p pause or go on · x take out · l clear ended · o open folder\n"
                "k change what happens to files of the same name · Esc close",
                classes="dialog-keys",
                markup=False,
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.set_interval(_REFRESH, self._draw)
        self.query_one(OptionList).focus()
        self.call_after_refresh(self._draw)

    def on_option_list_option_highlighted(self) -> None:
        self._draw_path()

    @property
    def _selected(self) -> Transfer | None:
        queue = self.query_one(OptionList)
        option = queue.highlighted_option
        return self._transfers.get(option.id) if option and option.id else None

    def _draw(self) -> None:
        queue = self.query_one(OptionList)
        width = max(queue.content_size.width - 4, 40)
        transfers = self._transfers.all
        if [option.id for option in queue.options] != [transfer.torrent.id for transfer in transfers]:
            highlighted = queue.highlighted or 0
            queue.clear_options()
            queue.add_options([Option(_row(transfer, width), transfer.torrent.id) for transfer in transfers])
            if transfers:
                queue.highlighted = min(highlighted, len(transfers) - 1)
        else:
            for transfer in transfers:
                queue.replace_option_prompt(transfer.torrent.id, _row(transfer, width))
        queue.display = bool(transfers)
        self._draw_path()
        same_name = {
            Conflict.KEEP_BOTH: "is kept, the new one becomes NAME (2)",
            Conflict.SKIP: "is kept, the new one is not fetched",
            Conflict.OVERWRITE: "is replaced once the new one is here whole",
        }[self._transfers.conflict]
        self.query_one("#conflict", Static).update(
            f"A different file of the same name {same_name} ({self._transfers.conflict})."
        )

    def _draw_path(self) -> None:
        transfer = self._selected
        text = (self._transfers.elsewhere or _NOTHING) if not self._transfers.all else ""
        place = self.query_one("#transfer-path", Static)
        if transfer:
            path = words.clean(str(transfer.path or self._transfers.directory))
            # On one line: what wraps in the middle of a name cannot be read, or copied.
            text = f"In {words.end_of(path, max(place.content_size.width, 40) - 3)}"
        place.update(words.clean(self._transfers.trouble or text))

    def action_pause(self) -> None:
        if transfer := self._selected:
            if transfer.phase.active:
                self._transfers.pause(transfer)
            elif transfer.is_of(self._api):
                self._transfers.start(self._api, transfer.torrent)
            self._draw()

    def action_remove(self) -> None:
        if transfer := self._selected:
            self._transfers.forget(transfer)
            self._draw()

    def action_clear(self) -> None:
        self._transfers.clear_finished()
        self._draw()

    def action_reveal(self) -> None:
        transfer = self._selected
        path = transfer.path if transfer and transfer.path else self._transfers.directory
        if not reveal(path):
            self.notify(f"It is in {words.clean(str(path))}", timeout=12, markup=False)

    def action_conflict(self) -> None:
        policies = list(Conflict)
        self._transfers.conflict = policies[(policies.index(self._transfers.conflict) + 1) % len(policies)]
        self._chose(self._transfers.conflict)
        self._draw()


def _row(transfer: Transfer, width: int) -> Text:
    line = transfer_line(transfer, width)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
