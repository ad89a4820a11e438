"""Which items or decisions to show: all, those with one outcome, those of one rule."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static

Choice = tuple[str, str]  # what the API calls it, empty for all; what people read


class ChooseScreen(ModalScreen[str | None]):
    """Hands back the chosen one; None when nothing was chosen."""

    BINDINGS = [Binding("escape,o", "dismiss(None)", "cancel", key_display="esc")]

    def __init__(self, choices: Sequence[Choice], current: str) -> None:
        super().__init__()
        self._choices = choices
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Show only", classes="dialog-title", markup=False)
            yield OptionList(*(text for _, text in self._choices), id="choices", markup=False)
            yield Static("Enter show · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = [value for value, _ in self._choices].index(self._current)
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])
