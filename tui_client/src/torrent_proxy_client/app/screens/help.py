"""All keys, and what the states mean."""

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from torrent_proxy_client.app.theme import BUSY

_KEYS = (
    ("a", "add a torrent: magnet link, URL or .torrent file"),
    ("p  r", "pause and resume the selected torrent on the server"),
    ("d  u", "delete it from the server (asks first), and take that back"),
    ("f, Enter", "fetch it: bring its files from the server to here"),
    ("x", "pause fetching; what has arrived is kept, f goes on"),
    ("t", "transfers: pause, take out, find files, same names"),
    ("c", "commands to copy for curl, sftp and scp"),
    ("/", "filter by words of name or state; Esc shows all"),
    ("Space", "mark it; p r d f then work on all that are marked"),
    ("v  i  Esc", "mark up to here, invert the marks, take them away"),
    ("s  S", "sort by the next column, or backwards"),
    ("↑ ↓", "select another torrent (Tab: scroll the details)"),
    ("Ctrl+L", "log out"),
    ("q", "quit; what is unfinished goes on at the next start"),
)
_STATES = (
    ("Waiting", "accepted; the server starts it as soon as it can"),
    ("Looking up", "a magnet link whose files are not known yet"),
    ("In queue", "waits until others are done"),
    ("No sources", "nobody sends right now; goes on by itself"),
    ("Finished", "complete on the server, ready to fetch"),
)


class HelpScreen(ModalScreen[None]):
    BINDINGS = [Binding("escape", "dismiss", "close", key_display="esc")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Help", classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static(help_text())
            yield Static("Esc close · ↑ ↓ scroll", classes="dialog-keys", markup=False)
        yield Footer(compact=True)


def help_text() -> Text:
    text = Text()
    for rows in (_KEYS, _STATES):
        for left, right in rows:
            text.append(f"{left:10} ", style=f"bold {BUSY}").append(f"{right}\n")
        text.append("\n")
    text.append(
        "The server downloads torrents for you. When one is finished, fetch brings it to this machine."
    )
    return text
