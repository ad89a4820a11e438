"""Paste titles to try a rule, or the recognition of shows, on."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Static, TextArea


class TitlesScreen(ModalScreen[list[str] | None]):
    """Hands back the titles; None when nothing is to change."""

    BINDINGS = [
        Binding("ctrl+s,ctrl+t", "use", "try", key_display="^s"),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc"),
    ]

    def __init__(self, titles: list[str], what: str, hint: str) -> None:
        super().__init__()
        self._what = what
        self._hint = hint
        self._titles = titles

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._what, classes="dialog-title", markup=False)
            yield TextArea("\n".join(self._titles), id="titles")
            yield Static(self._hint, markup=False)
            yield Static("Ctrl+S try · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()

    def action_use(self) -> None:
        text = self.query_one(TextArea).text
        self.dismiss([line.strip() for line in text.splitlines() if line.strip()])
