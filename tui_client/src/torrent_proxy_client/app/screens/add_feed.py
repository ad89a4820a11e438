"""Follow a feed by pasting its address."""

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.widgets.tick import Tick
from torrent_proxy_client.errors import ClientError, NotLoggedIn, Refused
from torrent_proxy_client.feeds import Feed

_HINT = "The server checks it at once. Your rules take what appears in it from then on."
_FIELDS = (
    ("url", "Address", "https://… of an RSS or Atom feed; paste it here"),
    ("name", "Name", "as you like; else the server finds one"),
    ("username", "User", "only where the feed asks for one"),
    ("password", "Password", "only where the feed asks for one"),
)


class AddFeedScreen(TellsMistakes, ModalScreen[Feed | None]):
    """Hands back the feed that was added; stays open, all that was typed kept, when it is refused."""

    BINDINGS = [
        Binding("enter,ctrl+s", "save", "add", key_display="enter"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc"),
    ]

    def __init__(self, api: ApiClient) -> None:
        super().__init__()
        self._api = api
        self._adding = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog form"):
            yield Static("Follow a feed", classes="dialog-title", markup=False)
            with Grid():
                for name, title, placeholder in _FIELDS:
                    yield Label(title)
                    yield Input(placeholder=placeholder, id=name, compact=True, password=name == "password")
            yield Tick("Rules may also take what is in it now", id="back_catalogue")
            yield Static(_HINT, id="hint", markup=False)
            yield Static(
                "Enter add · Tab next · Space tick · Esc cancel", classes="dialog-keys", markup=False
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#url").focus()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._hint(_HINT)

    @on(Input.Submitted)
    def action_save(self) -> None:
        if not self._text("url").strip():
            self._hint("Paste the address of a feed first.", bad=True)
            self.query_one("#url").focus()
        elif not self._adding:
            self._add()

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    @work(exit_on_error=False)
    async def _add(self) -> None:
        self._adding = True
        try:
            self._hint("Adding …")
            feed = await self._api.feeds.follow(
                self._text("url").strip(),
                name=self._text("name").strip(),
                username=self._text("username").strip(),
                password=self._text("password"),
                back_catalogue=self.query_one(Tick).value,
            )
        except NotLoggedIn:
            self.dismiss(None)  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            titles = {name: title for name, title, _ in _FIELDS}
            wrong = error.attr if isinstance(error, Refused) and error.attr in titles else None
            self._hint(f"{titles[wrong]}: {error}" if wrong else str(error), bad=True)
            if wrong:
                self.query_one(f"#{wrong}").focus()
        else:
            self.dismiss(feed)
        finally:
            self._adding = False

    def _hint(self, text: str, *, bad: bool = False) -> None:
        hint = self.query_one("#hint", Static)
        hint.set_classes("bad" if bad else "")
        hint.update(("✗ " if bad else "") + words.clean(text))
