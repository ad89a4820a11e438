"""The app: who is logged in, which screen shows, and the transfers, which outlive the screens."""

import os
from pathlib import Path

from textual import on, work
from textual.app import App
from textual.notifications import SeverityLevel

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.login import LoginScreen
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.app.theme import CALM
from torrent_proxy_client.app.transfers import Phase, Transfer, Transfers
from torrent_proxy_client.errors import BadServerAddress, ClientError
from torrent_proxy_client.partfile import Conflict
from torrent_proxy_client.paths import config_dir, download_dir, state_dir
from torrent_proxy_client.pins import Pins
from torrent_proxy_client.preferences import Preferences
from torrent_proxy_client.server_url import parse_server_url
from torrent_proxy_client.session import FileSessionStore, Session, SessionStore


class TorrentProxyApp(TellsMistakes, App[None]):
    TITLE = "Torrent Proxy"
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        store: SessionStore,
        downloads: Path,
        state: Path,
        *,
        server: str = "",
        username: str = "",
        poll_interval: float = 1.0,
    ) -> None:
        """Unfinished transfers and the person's choices are kept in `state`.

        `server` and `username` take precedence over those of the stored session.
        """
        super().__init__()
        self._poll_interval = poll_interval
        self._store = store
        self._preferred = (server, username)
        self._clients: dict[tuple[str, str | None], ApiClient] = {}
        self._state = state
        self._pins = Pins(state)
        self._preferences = Preferences.load(state)
        conflict = Conflict(self._preferences.conflict)
        self.transfers = Transfers(downloads, state, self._transfer_changed, conflict=conflict)

    def on_mount(self) -> None:
        self.register_theme(CALM)
        self.theme = CALM.name
        session = self._store.load()
        server, _ = self._preferred
        if session and session.logged_in and _same_server(server or session.server, session.server):
            try:
                api = self._connect(session.server)
            except ClientError as error:
                self.push_screen(self._login_screen(str(error)))
                return
            self.push_screen(self._main_screen(api))
            self._go_on_fetching(api)
            return
        self.push_screen(self._login_screen())

    async def on_unmount(self) -> None:
        await self.transfers.leave()
        for client in self._clients.values():
            await client.aclose()

    def _connect(self, server: str) -> ApiClient:
        """One client a server, so that transfers go on with the session of the next login."""
        server = parse_server_url(server)
        fingerprint = self._pins.get(server)
        if (server, fingerprint) not in self._clients:
            api = ApiClient(server, store=self._store, fingerprint=fingerprint)
            self._clients[server, fingerprint] = api
        return self._clients[server, fingerprint]

    def _pin(self, server: str, fingerprint: str) -> None:
        """Trust the certificate with this fingerprint, and no other, from now on."""
        self._pins.set(parse_server_url(server), fingerprint)

    @on(LoginScreen.LoggedIn)
    def _logged_in(self, message: LoginScreen.LoggedIn) -> None:
        self.switch_screen(self._main_screen(message.api))
        self._go_on_fetching(message.api)

    def _go_on_fetching(self, api: ApiClient) -> None:
        if not self.transfers.take_over(api):
            self.notify(self.transfers.elsewhere, timeout=12, markup=False)
            return
        self.transfers.go_on(api)
        if going_on := self.transfers.restore(api):
            self.notify(f"Going on with {words.count(going_on, 'unfinished transfer')}.", markup=False)

    @on(MainScreen.PreferencesChanged)
    def _keep_preferences(self) -> None:
        try:
            self._preferences.save(self._state)
        except OSError as error:
            self.notify(f"Your choice cannot be kept: {error}", severity="warning", markup=False)

    @on(MainScreen.SessionEnded)
    def _session_ended(self, message: MainScreen.SessionEnded) -> None:
        self._show_login(message.sentence)

    def _show_login(self, sentence: str = "") -> None:
        if any(isinstance(screen, LoginScreen) for screen in self.screen_stack):
            return
        # A dialog may lie above the main screen.
        while len(self.screen_stack) > 2:
            self.pop_screen()
        self.switch_screen(self._login_screen(sentence))

    def _main_screen(self, api: ApiClient) -> MainScreen:
        return MainScreen(api, self.transfers, self._preferences, poll_interval=self._poll_interval)

    def _login_screen(self, sentence: str = "") -> LoginScreen:
        known = self._store.load() or Session("", "")
        server, username = self._preferred
        return LoginScreen(
            self._connect,
            self._pin,
            server=server or known.server,
            username=username or known.username,
            sentence=sentence,
        )

    def _transfer_changed(self, transfer: Transfer) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                screen.show_transfers()
                if screen is self.screen:
                    return
        if transfer.phase.finished:
            severity: SeverityLevel = "information" if transfer.phase is Phase.DONE else "error"
            self.notify(f"{transfer.name}: {transfer.sentence}", severity=severity, timeout=12, markup=False)

    async def _may_stop_transfers(self, verb: str) -> bool:
        active = len(self.transfers.active)
        if not active:
            return True
        question = ConfirmScreen(
            f"{words.count(active, 'transfer')} still running. {verb.capitalize()} all the same?",
            "What has arrived is kept, and they go on by themselves when you come back.",
            verb,
        )
        return await self.push_screen_wait(question)

    async def action_quit(self) -> None:
        self._quit()

    @work(exit_on_error=False, exclusive=True, group="leave")
    async def _quit(self) -> None:
        if await self._may_stop_transfers("quit"):
            await self.transfers.leave()
            self.exit()

    @work(exit_on_error=False, exclusive=True, group="leave")
    async def action_log_out(self) -> None:
        screen = self.screen
        if isinstance(screen, MainScreen) and await self._may_stop_transfers("log out"):
            await self.transfers.leave()
            self._show_login("You are logged out.")
            try:
                await screen.api.log_out()
            except ClientError as error:
                self.notify(str(error), severity="error", markup=False)


def _same_server(typed: str, server: str) -> bool:
    try:
        return parse_server_url(typed) == server
    except BadServerAddress:
        return False


def run_app() -> int:
    """Run the app in this terminal; returns the exit code."""
    app = TorrentProxyApp(
        FileSessionStore(config_dir()),
        download_dir(),
        state_dir(),
        server=os.environ.get("TORRENT_PROXY_SERVER", ""),
        username=os.environ.get("TORRENT_PROXY_USER", ""),
    )
    app.run()
    return app.return_code or 0
