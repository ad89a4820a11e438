"""Another name for a feed."""

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.feeds import Feed

_HINT = "Only you see it."


class RenameScreen(TellsMistakes, ModalScreen[str | None]):
    """Hands back the new name; stays open, input kept, when that is refused."""

    BINDINGS = [Binding("escape", "dismiss(None)", "cancel", key_display="esc")]

    def __init__(self, api: ApiClient, feed: Feed) -> None:
        super().__init__()
        self._api = api
        self._feed = feed

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"Name of {words.clean(self._feed.name)}", classes="dialog-title", markup=False)
            yield Input(value=self._feed.name, placeholder="A name of your own")
            yield Static(_HINT, id="hint", markup=False)
            yield Static("Enter save · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        self._save(event.value.strip())

    @work(exit_on_error=False, exclusive=True)
    async def _save(self, name: str) -> None:
        hint = self.query_one("#hint", Static)
        try:
            self.dismiss((await self._api.feeds.change(self._feed.id, {"name": name})).name)
        except NotLoggedIn:
            self.dismiss(None)  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            hint.set_classes("bad")
            hint.update(f"✗ {words.clean(str(error))}")
