"""How much of their limits a person has taken, and what waits because of them."""

from collections.abc import Iterable

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from torrent_proxy_client import usage_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes, refusal
from torrent_proxy_client.app.theme import BUSY, QUIET, WAITING
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import Torrent
from torrent_proxy_client.reports import Usage

_BAR = 14  # columns


class UsageScreen(TellsMistakes, ModalScreen[None]):
    """Asks the server when it opens, and when the person wants it anew."""

    BINDINGS = [
        Binding("r", "ask", "ask again"),
        Binding("escape,m", "dismiss", "close", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, mirror: Mirror) -> None:
        super().__init__()
        self._api = api
        self._mirror = mirror

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Your limits on the server", classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static("Asking the server …", id="usage", markup=False)
            yield Static("r ask again · ↑ ↓ scroll · Esc close", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.action_ask()

    @work(exit_on_error=False, exclusive=True)
    async def action_ask(self) -> None:
        notice = ""
        try:
            usage = await self._api.usage()
            text, notice = usage_text(usage), words.clean(usage.seeding_notice)
        except NotLoggedIn:
            self.dismiss(None)  # the app notices by itself, and asks to log in
            return
        except ClientError as error:
            text = Text(f"✗ {refusal(error)}")
        text.rstrip()
        text.append("\n\n").append_text(waiting_text(self._mirror.torrents.values()))
        if notice:
            text.append(f"\n\n{notice}", style=WAITING)
        self.query_one("#usage", Static).update(text)


def usage_text(usage: Usage) -> Text:
    text = Text()
    for row in usage_words.rows(usage):
        text.append(f"{row.title:{usage_words.TITLE_WIDTH}} ", style=f"bold {BUSY}")
        bar = "" if row.share is None else f"{words.bar(row.share, _BAR)} "
        text.append(f"{bar}{row.figure}\n")
        for note in row.notes:
            text.append(f"{'':{usage_words.TITLE_WIDTH}} {note}\n", style=QUIET)
    return text


def waiting_text(torrents: Iterable[Torrent]) -> Text:
    """What does not start yet, and for what it waits."""
    waiting = [torrent for torrent in torrents if torrent.waits_for]
    if not waiting:
        return Text("Nothing waits for room.", style=QUIET)
    text = Text(f"{words.count(len(waiting), 'torrent')} waiting for room:", style="bold")
    for torrent in sorted(waiting, key=lambda torrent: words.clean(torrent.name).casefold()):
        text.append(f"\n{words.clean(torrent.name) or torrent.id}", style="not bold")
        text.append(f"\n  waits for {words.waits_for(torrent.waits_for)}", style=f"not bold {WAITING}")
        if why := words.clean(torrent.message):
            text.append(f". {why}", style=f"not bold {QUIET}")
    return text
