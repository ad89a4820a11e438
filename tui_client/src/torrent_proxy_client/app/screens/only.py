"""Which torrents to show: all, those in one state, or those with one label."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static

from torrent_proxy_client.app.filtering import Filter
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.models import State, Torrent

_NAME = 54  # columns


class OnlyScreen(ModalScreen[Filter | None]):
    """Hands back `current` with another state or label; None when nothing was chosen."""

    BINDINGS = [Binding("escape,o", "dismiss(None)", "cancel", key_display="esc")]

    def __init__(self, torrents: Iterable[Torrent], current: Filter) -> None:
        super().__init__()
        self._choices = choices(list(torrents), current)
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Show only", classes="dialog-title", markup=False)
            yield OptionList(*(_line(wanted, count) for wanted, count in self._choices), id="choices")
            yield Static("Enter show · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        filters = [wanted for wanted, _ in self._choices]
        options.highlighted = filters.index(self._current) if self._current in filters else 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])


def choices(torrents: list[Torrent], current: Filter) -> list[tuple[Filter, int]]:
    """What can be shown, each with how many that are; the states in the order in which a torrent passes them."""
    every = replace(current, state=None, label=None)
    states = Counter(torrent.state for torrent in torrents)
    labels = Counter(torrent.label for torrent in torrents)
    unlabelled = labels.pop("", 0)
    known = [str(state) for state in State if state in states]
    unknown = sorted(state for state in states if state not in known)
    found = [(every, len(torrents))]
    found += [(replace(every, state=state), states[state]) for state in (*known, *unknown)]
    found += [(replace(every, label=label), labels[label]) for label in sorted(labels, key=str.casefold)]
    if labels and unlabelled:
        found.append((replace(every, label=""), unlabelled))
    return found


def _line(wanted: Filter, count: int) -> Text:
    what = replace(wanted, words="")
    name = Text(str(what) if what else "All", no_wrap=True)
    name.truncate(_NAME, overflow="ellipsis", pad=True)
    return name.append(f"{count:6}", style=QUIET)
