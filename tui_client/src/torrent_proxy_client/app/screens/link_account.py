"""Link an account at a service that keeps lists of shows: by its public name, or by a code."""

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.clipboard import copy_to_system
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.watchlist_accounts import Account, Provider


class _LinkScreen(TellsMistakes, ModalScreen[Account | None]):
    """Hands back the account that was linked; stays open, what was typed kept, when it is refused."""

    BINDINGS = [Binding("escape", "dismiss(None)", "cancel", key_display="esc")]

    def __init__(self, api: ApiClient, provider: Provider) -> None:
        super().__init__()
        self._api = api
        self._provider = provider
        self._linking = False

    async def link(self, typed: str) -> Account:
        """Raises ClientError."""
        raise NotImplementedError

    @property
    def _title(self) -> str:
        return watchlist_words.provider_title(self._provider)

    @property
    def _unofficial(self) -> str:
        return watchlist_words.UNOFFICIAL.get(self._provider.name, "")

    def on_mount(self) -> None:
        self.query_one("#hint").display = False
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        if not typed:
            self.hint("Nothing is written yet.", bad=True)
        elif not self._linking:
            self._link(typed)

    @work(exit_on_error=False)
    async def _link(self, typed: str) -> None:
        self._linking = True
        try:
            self.hint(f"Asking {self._title} …")
            self.dismiss(await self.link(typed))
        except NotLoggedIn:
            self.dismiss(None)  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            self.hint(str(error), bad=True)
        finally:
            self._linking = False

    def hint(self, text: str, *, bad: bool = False) -> None:
        line = self.query_one("#hint", Static)
        line.display = True
        line.set_classes("bad" if bad else "")
        line.update(("✗ " if bad else "") + words.clean(text))


class LinkByNameScreen(_LinkScreen):
    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"Link {self._title} by name", classes="dialog-title", markup=False)
            yield Input(placeholder="Your name there", id="name")
            yield Static(
                "The server reads your public list, as everybody can, and never writes to it. Is it private, link it "
                f"by a code instead. {self._unofficial}",
                markup=False,
            )
            yield Static(id="hint", markup=False)
            yield Static("Enter link · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    async def link(self, typed: str) -> Account:
        return await self._api.watchlist.link_by_name(self._provider.name, typed)


class LinkByCodeScreen(_LinkScreen):
    """The code is had in a browser, on whichever machine."""

    BINDINGS = [Binding("ctrl+y", "copy", "copy the address", key_display="^y")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"Link {self._title} by code", classes="dialog-title", markup=False)
            yield Static("1 Open this address in a browser, and allow it there:", markup=False)
            yield Static(self._address, id="code-url", markup=False)
            yield Static("2 Paste the code that it shows:", markup=False)
            yield Input(placeholder="The code", id="token", password=True)
            yield Static(
                "The code opens more of your account than is used: the server only reads your list. It stores the "
                f"code encrypted, and deletes it when you unlink; {self._title} lets you revoke it. "
                f"{self._unofficial}",
                markup=False,
            )
            yield Static(id="hint", markup=False)
            keys = "Enter link · Ctrl+Y copy the address · Esc cancel"
            yield Static(keys, classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    @property
    def _address(self) -> str:
        return words.clean(self._provider.code_url)

    def action_copy(self) -> None:
        if not copy_to_system(self._address):
            self.app.copy_to_clipboard(self._address)
        self.hint("✓ Copied the address")

    async def link(self, typed: str) -> Account:
        return await self._api.watchlist.link_by_token(self._provider.name, typed)
