"""Commands for people's own tools, ready to copy."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.theme import BUSY, QUIET
from torrent_proxy_client.clipboard import copy_to_system
from torrent_proxy_client.commands_to_copy import remote_path, scp_command, sftp_command
from torrent_proxy_client.errors import ClientError, NotLoggedIn, Refused
from torrent_proxy_client.handover import Link, TransferCredentials
from torrent_proxy_client.models import Torrent

T = TypeVar("T")

_NONE = "This server offers no links and no SFTP. Press Esc, then f to fetch with this client."


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    text: str
    note: str = ""


class CommandsScreen(TellsMistakes, ModalScreen[None]):
    """Asks the server for a link and for SFTP credentials when it opens; shows only what the server offers."""

    BINDINGS = [
        *(Binding(str(number), f"copy({number})", f"copy {number}", show=False) for number in range(1, 5)),
        Binding("escape,c", "dismiss", "close", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, torrent: Torrent) -> None:
        super().__init__()
        self._api = api
        self._torrent = torrent
        self._lines: list[Line] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="commands"):
            title = f"Commands for {words.clean(self._torrent.name) or self._torrent.id}"
            yield Static(title, classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static("Asking the server …", id="lines", markup=False)
            yield Static("", id="copied", markup=False)
            yield Static("Press a number to copy · Esc close", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._ask()

    @work(exit_on_error=False)
    async def _ask(self) -> None:
        try:
            link = await _offered(self._api.links(self._torrent.id))
            credentials = None
            if await self._api.sftp_server():
                credentials = await _offered(self._api.transfer_credentials())
        except NotLoggedIn:
            self.dismiss(None)
            return
        except ClientError as error:
            self.query_one("#lines", Static).update(f"✗ {words.clean(str(error))}")
            return
        self._lines = lines(self._torrent, link, credentials)
        self.query_one("#lines", Static).update(lines_text(self._lines) if self._lines else _NONE)

    def action_copy(self, number: int) -> None:
        if number > len(self._lines):
            return
        line = self._lines[number - 1]
        if not copy_to_system(line.text):
            self.app.copy_to_clipboard(line.text)
        self.query_one("#copied", Static).update(f"✓ Copied: {line.label}")


async def _offered(ask: Awaitable[T]) -> T | None:
    """None where the server does not know how."""
    try:
        return await ask
    except Refused as error:
        if error.status not in (404, 405):
            raise
        return None


def lines(torrent: Torrent, link: Link | None, credentials: TransferCredentials | None) -> list[Line]:
    found = []
    if link and link.curl:
        found.append(Line("curl", _one_line(link.curl), _until(link.expires_at)))
    if credentials and credentials.sftp:
        server = credentials.sftp
        path = remote_path(torrent, link)
        found.append(Line("sftp", _one_line(sftp_command(server, credentials, path))))
        found.append(Line("scp", _one_line(scp_command(server, credentials, path))))
        fingerprint = f"host key {words.clean(server.host_key_fingerprint)}"
        note = f"{_until(credentials.expires_at)}; for {words.clean(server.host)}, {fingerprint}"
        found.append(Line("password", _one_line(credentials.secret), note))
    return found


def lines_text(found: list[Line]) -> Text:
    text = Text()
    for number, line in enumerate(found, 1):
        text.append(f"{number} {line.label}\n", style=f"bold {BUSY}").append(f"{line.text}\n")
        if line.note:
            text.append(f"{line.note}\n", style=QUIET)
    text.rstrip()
    return text


def _one_line(command: str) -> str:
    """Pasting must not run anything by itself, nor steer the terminal."""
    return words.clean(command)


def _until(moment: datetime | None) -> str:
    return f"valid until {words.moment(moment)}" if moment else "valid for a short time"
