"""Follow a show that no provider knows, by the names it has in releases."""

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static, TextArea

from torrent_proxy_client import amounts, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.watchlist import Entry

_HINT = "One name a line, the first is what it is called. Releases with one of these names are its episodes."


class ShowByHandScreen(TellsMistakes, ModalScreen[Entry | None]):
    """Hands back the show that is followed now; stays open, all that was typed kept, when it is refused."""

    BINDINGS = [
        Binding("ctrl+s", "save", "follow", key_display="^s"),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, title: str) -> None:
        super().__init__()
        self._api = api
        self._title = title
        self._saving = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog form"):
            yield Static("Follow a show by hand", classes="dialog-title", markup=False)
            yield TextArea(self._title, id="names", tab_behavior="focus")
            with Grid():
                yield Label("Episodes")
                yield Input(
                    placeholder="how many there will be; empty: not known", id="episodes", compact=True
                )
            yield Static(_HINT, id="hint", markup=False)
            yield Static("Ctrl+S follow · Tab next · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        names = self.query_one(TextArea)
        names.move_cursor(names.document.end)
        names.focus()

    @on(Input.Submitted)
    def action_save(self) -> None:
        lines = self.query_one(TextArea).text.splitlines()
        names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        try:
            episodes = amounts.parse_count(self.query_one(Input).value, empty="not known")
        except amounts.BadAmount as error:
            self._hint(f"Episodes: {error}", bad=True)
            return
        if not names:
            self._hint("Write what it is called first.", bad=True)
        elif not self._saving:
            self._save(names, episodes)

    @work(exit_on_error=False)
    async def _save(self, names: list[str], episodes: int | None) -> None:
        self._saving = True
        try:
            self._hint("Following …")
            title, *others = names
            self.dismiss(await self._api.watchlist.follow_by_hand(title, titles=others, episodes=episodes))
        except NotLoggedIn:
            self.dismiss(None)  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            self._hint(str(error), bad=True)
        finally:
            self._saving = False

    def _hint(self, text: str, *, bad: bool = False) -> None:
        hint = self.query_one("#hint", Static)
        hint.set_classes("bad" if bad else "")
        hint.update(("✗ " if bad else "") + words.clean(text))
