"""All keys, and what the states mean."""

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from torrent_proxy_client.app.theme import BUSY

_KEYS = (
    ("Enter", "all about it: files to choose, swarm, history, limits"),
    ("a", "add a torrent: magnet link, URL or .torrent file"),
    ("p  r", "pause and resume the selected torrent on the server"),
    ("d  u", "delete it from the server (asks), and take that back"),
    ("f", "fetch it: bring its files from the server to here"),
    ("x", "pause fetching; what has arrived is kept, f goes on"),
    ("t", "transfers: pause, take out, find files, same names"),
    ("c", "commands to copy for curl, sftp and scp"),
    ("l", "label it, with a word of your own"),
    ("/", "filter by words of name, state or label; Esc shows all"),
    ("o", "show only one state, or only one label"),
    ("s  S", "sort by the next column, or backwards (or click it)"),
    ("Space", "mark it; p r d f l then work on all that are marked"),
    ("v  i  Esc", "mark up to here, invert the marks, take them away"),
    ("e", "feeds, and rules that take from them by themselves"),
    ("w", "shows you follow: episodes, calendar, your list"),
    ("m", "my limits: disk, downloads, traffic, and what waits"),
    ("↑ ↓", "select another torrent (Tab: scroll the details)"),
    ("Ctrl+L", "log out"),
    ("q", "quit; what is unfinished goes on at the next start"),
)
_TORRENT_KEYS = (
    ("1 2 3 4", "overview, files, swarm, history (also ← →)"),
    ("l  e", "its label; its limits: speeds, seeding, order"),
    ("Space", "in the files: choose one or not, or a whole folder"),
    ("a n i  s", "all, none, invert; save the choice"),
    ("Esc", "back to the list"),
)
_STATES = (
    ("Waiting", "accepted; the server starts it as soon as it can"),
    ("Looking up", "a magnet link whose files are not known yet"),
    ("In queue", "waits until others are done"),
    ("No sources", "nobody sends right now; goes on by itself"),
    ("Finished", "complete on the server, ready to fetch"),
)


Section = tuple[str, tuple[tuple[str, str], ...]]  # title; keys, and what they do


class HelpScreen(ModalScreen[None]):
    BINDINGS = [Binding("escape", "dismiss", "close", key_display="esc")]

    closing = "The server downloads torrents for you. When one is finished, fetch brings it to this machine."

    def sections(self) -> tuple[Section, ...]:
        return ("", _KEYS), ("Where a torrent is open", _TORRENT_KEYS), ("States", _STATES)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Help", classes="dialog-title", markup=False)
            with VerticalScroll():
                yield Static(help_text(self.sections(), self.closing))
            yield Static("Esc close · ↑ ↓ scroll", classes="dialog-keys", markup=False)
        yield Footer(compact=True)


def help_text(sections: tuple[Section, ...], closing: str) -> Text:
    text = Text()
    for title, rows in sections:
        text.append(f"{title}\n" if title else "", style="bold")
        for left, right in rows:
            text.append(f"{left:10} ", style=f"bold {BUSY}").append(f"{right}\n")
        text.append("\n")
    return text.append(closing)
