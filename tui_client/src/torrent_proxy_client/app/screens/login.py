"""Log in to a server."""

from collections.abc import Callable

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.errors import ClientError, UntrustedCertificate
from torrent_proxy_client.transport import see_fingerprint


class LoginScreen(TellsMistakes, Screen[None]):
    """`connect` gives a client for a server address, or raises BadServerAddress.

    `pin` makes the certificate with that fingerprint the trusted one of a server.
    """

    AUTO_FOCUS = ""  # on_mount puts it where something is missing
    BINDINGS = [Binding("ctrl+q", "app.quit", "quit")]

    class LoggedIn(Message):
        def __init__(self, api: ApiClient) -> None:
            super().__init__()
            self.api = api

    def __init__(
        self,
        connect: Callable[[str], ApiClient],
        pin: Callable[[str, str], None],
        *,
        server: str,
        username: str,
        sentence: str = "",
    ) -> None:
        super().__init__()
        self._connect = connect
        self._pin = pin
        self._server = server
        self._username = username
        self._sentence = sentence
        self._trying = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="login"):
            yield Static("Torrent Proxy", classes="dialog-title", markup=False)
            yield Static(self._sentence, id="login-sentence", markup=False)
            yield Input(self._server, placeholder="https://box.example.net", id="server")
            yield Input(self._username, id="user")
            yield Input(password=True, id="password")
            yield Static(id="login-error", markup=False)
            yield Button("Log in", variant="primary", id="log-in")
            yield Static("Enter log in · Tab next field · Ctrl+Q quit", classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        for field, title in (("server", "Server"), ("user", "User"), ("password", "Password")):
            self.query_one(f"#{field}", Input).border_title = title
        self.query_one("#login-sentence").display = bool(self._sentence)
        self._first_empty().focus()

    def on_input_submitted(self) -> None:
        self._submit()

    def on_button_pressed(self) -> None:
        self._submit()

    def _first_empty(self) -> Input:
        fields = list(self.query(Input))
        return next((field for field in fields if not field.value.strip()), fields[-1])

    def _submit(self) -> None:
        empty = self._first_empty()
        if not empty.value.strip():
            empty.focus()
            self._tell(f"{empty.border_title} is missing.")
        elif not self._trying:
            self._log_in(*(field.value for field in self.query(Input)))

    @work(exit_on_error=False)
    async def _log_in(self, server: str, username: str, password: str) -> None:
        self._trying = True
        self._tell("Logging in …", bad=False)
        try:
            api = self._connect(server)
            try:
                await api.log_in(username.strip(), password)
            except UntrustedCertificate as error:
                if error.changed or not await self._trusts(api.server):
                    raise
                api = self._connect(server)
                await api.log_in(username.strip(), password)
        except ClientError as error:
            self._tell(str(error))
            self.query_one("#password").focus()
        else:
            self.post_message(self.LoggedIn(api))
        finally:
            self._trying = False

    async def _trusts(self, server: str) -> bool:
        """Show the fingerprint of a certificate that nobody vouches for; pin it if the person says so."""
        fingerprint = await see_fingerprint(server)
        question = ConfirmScreen(
            "Nobody vouches for this server's certificate.",
            f"Its fingerprint is\n\n{fingerprint}\n\nCompare it with the one that whoever runs the server "
            "gave you. Trust it only if they are the same: else somebody in between reads your password.",
            "trust",
        )
        if not await self.app.push_screen_wait(question):
            return False
        self._pin(server, fingerprint)
        return True

    def _tell(self, text: str, *, bad: bool = True) -> None:
        error = self.query_one("#login-error", Static)
        error.set_class(bad, "bad")
        error.update(f"✗ {words.clean(text)}" if bad else text)
