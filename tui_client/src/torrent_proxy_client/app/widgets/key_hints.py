"""The keys for which the footer has no room, or the ones that work on what is marked."""

from rich.text import Text
from textual.widgets import Static

from torrent_proxy_client import words
from torrent_proxy_client.app.theme import BUSY

Keys = tuple[tuple[str, str], ...]

LIST: Keys = (
    ("/", "filter"),
    ("Space", "mark"),
    ("s S", "sort"),
    ("c", "commands"),
    ("t", "transfers"),
    ("Enter", "fetch"),
)
FILTERED: Keys = (*LIST, ("Esc", "show all"))
MARKED: Keys = (
    ("p r d f", "for all"),
    ("Space", "mark"),
    ("v", "range"),
    ("i", "invert"),
    ("Esc", "unmark"),
)


class KeyHints(Static):
    def __init__(self) -> None:
        super().__init__(hints(LIST), markup=False)

    def show(self, *, marked: int, filtered: bool) -> None:
        if marked:
            self.update(hints(MARKED, f"{marked} marked "))
        else:
            self.update(hints(FILTERED if filtered else LIST))


def hints(keys: Keys, before: str = "") -> Text:
    text = Text(words.clean(before), style="bold", no_wrap=True, overflow="ellipsis")
    for key, what in keys:
        text.append(f" {key}", style=f"bold {BUSY}").append(f" {what} ", style="not bold")
    return text
