"""Add a torrent by pasting whatever leads to one."""

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static

from torrent_proxy_client import sources, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.models import Torrent


class AddScreen(TellsMistakes, ModalScreen[Torrent | None]):
    """Hands back the torrent that was added; stays open, input kept, when it is refused."""

    BINDINGS = [Binding("escape", "cancel", "cancel", key_display="esc")]

    def __init__(self, api: ApiClient) -> None:
        super().__init__()
        self._api = api
        self._adding = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Add a torrent", classes="dialog-title", markup=False)
            yield Input(placeholder="Magnet link, URL of a .torrent, or path of a .torrent file")
            yield Static("Paste it here.", id="add-hint", markup=False)
            yield Static("Enter add · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        if not event.value.strip():
            self._hint("Paste it here.")
            return
        try:
            source = sources.recognise(event.value)
        except sources.NotASource as error:
            self._hint(str(error))
        else:
            self._hint(f"This is a {source.kind}.", "good")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._adding:
            self._add(event.value)

    @work(exit_on_error=False)
    async def _add(self, text: str) -> None:
        self._adding = True
        try:
            source = sources.recognise(text)
            self._hint("Adding …")
            torrent = await sources.add(self._api, source)
        except NotLoggedIn:
            self.dismiss(None)  # the app notices by itself, and asks to log in
        except ClientError as error:
            self._hint(str(error), "bad")
        else:
            self.dismiss(torrent)
        finally:
            self._adding = False

    def action_cancel(self) -> None:
        self.dismiss(None)

    def _hint(self, text: str, kind: str = "") -> None:
        hint = self.query_one("#add-hint", Static)
        hint.set_classes(kind)
        sign = {"good": "✓ ", "bad": "✗ "}.get(kind, "")
        hint.update(sign + words.clean(text))
