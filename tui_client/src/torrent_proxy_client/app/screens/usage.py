"""How much of their limits a person has taken, and what waits because of them."""

from collections.abc import Iterable

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes, refusal
from torrent_proxy_client.app.theme import BUSY, QUIET, WAITING
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import Torrent
from torrent_proxy_client.reports import Limit, Limits

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
        try:
            text = usage_text(await self._api.limits())
        except NotLoggedIn:
            self.dismiss(None)  # the app notices by itself, and asks to log in
            return
        except ClientError as error:
            text = Text(f"✗ {refusal(error)}")
        text.append("\n\n").append_text(waiting_text(self._mirror.torrents.values()))
        self.query_one("#usage", Static).update(text)


def usage_text(limits: Limits) -> Text:
    again = (
        f"; starts again from nothing on {words.day(limits.traffic_resets_on)}"
        if limits.traffic_resets_on
        else ""
    )
    text = Text()
    for title, limit, used, note in (
        ("Disk", limits.disk, _bytes(limits.disk), "all your torrents, finished or not"),
        ("Downloads", limits.active, f"{limits.active.used} of {limits.active.limit}", "at the same time"),
        ("Fetched", limits.traffic, _bytes(limits.traffic), f"this month{again}"),
    ):
        text.append(f"{title:10} ", style=f"bold {BUSY}")
        text.append(f"{words.bar(_share(limit), _BAR)} {used}\n")
        text.append(f"{'':10} {note}\n", style=QUIET)
    text.rstrip()
    if notice := words.clean(limits.seeding_notice):
        text.append(f"\n\n{notice}", style=WAITING)
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


def _bytes(limit: Limit) -> str:
    return f"{words.size(limit.used)} of {words.size(limit.limit)}"


def _share(limit: Limit) -> float:
    return limit.used / limit.limit if limit.limit else 1.0
