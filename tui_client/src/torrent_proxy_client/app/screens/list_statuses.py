"""What of somebody's list is followed; and what becomes of that when the account is unlinked."""

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Static

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.widgets.tick import Tick
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.watchlist_accounts import Account

_KEEP = "Go on following the shows that came from the list"


class ListStatusesScreen(TellsMistakes, ModalScreen[Account | None]):
    """Hands back the account as it is then; stays open, what was ticked kept, when it is refused."""

    BINDINGS = [
        Binding("enter,ctrl+s", "save", "save", key_display="enter"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, account: Account) -> None:
        super().__init__()
        self._api = api
        self._account = account
        known = watchlist_words.LIST_STATUSES
        self._statuses = [*known, *(status for status in account.statuses if status not in known)]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="statuses"):
            yield Static("Which shows of your list to follow", classes="dialog-title", markup=False)
            for number, status in enumerate(self._statuses):
                name = watchlist_words.LIST_STATUSES.get(status) or words.clean(status)
                yield Tick(name, status in self._account.statuses, id=f"status-{number}")
            yield Tick("Also what is for adults", self._account.include_adult, id="include_adult")
            yield Static(
                "What is ticked no more leaves your shows with the next sync.", id="hint", markup=False
            )
            yield Static(
                "Enter save · Space tick · ↑ ↓ move · Esc cancel", classes="dialog-keys", markup=False
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#status-0").focus()

    @work(exit_on_error=False, exclusive=True)
    async def action_save(self) -> None:
        chosen = [
            status
            for number, status in enumerate(self._statuses)
            if self.query_one(f"#status-{number}", Tick).value
        ]
        adult = self.query_one("#include_adult", Tick).value
        try:
            account = await self._api.watchlist.change_account(
                self._account.provider, statuses=chosen, include_adult=adult
            )
        except NotLoggedIn:
            self.dismiss(None)  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            hint = self.query_one("#hint", Static)
            hint.set_classes("bad")
            hint.update(f"✗ {words.clean(str(error))}")
        else:
            self.dismiss(account)


class UnlinkScreen(ModalScreen[bool | None]):
    """Hands back whether the shows stay followed; None: it stays linked. Enter alone never says yes."""

    BINDINGS = [
        Binding("y", "unlink", "unlink"),
        Binding("n,escape", "dismiss(None)", "no, cancel"),
        Binding("down,right", "app.focus_next", show=False),
        Binding("up,left", "app.focus_previous", show=False),
    ]

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            name = words.clean(self._account.name or self._account.provider)
            yield Static(f"Unlink {name}?", classes="dialog-title", markup=False)
            yield Static(
                "The server reads your list no more, and deletes what it keeps to do so.", markup=False
            )
            yield Tick(_KEEP, True, id="keep")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel", id="no")
                yield Button("Unlink", id="yes", variant="error")
            yield Static("y unlink · ↑ Space tick · n or Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.action_unlink()
        else:
            self.dismiss(None)

    def action_unlink(self) -> None:
        self.dismiss(self.query_one("#keep", Tick).value)
