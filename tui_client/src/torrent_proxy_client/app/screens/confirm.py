"""A question whose answer changes something; Enter alone never says yes."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Static


class ConfirmScreen(ModalScreen[bool]):
    """`verb` is what yes does, one word: "delete"."""

    BINDINGS = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no, cancel"),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, consequences: str, verb: str) -> None:
        super().__init__()
        self._question = question
        self._consequences = consequences
        self._verb = verb

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield Static(self._consequences, markup=False)
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel", id="no")
                yield Button(self._verb.capitalize(), id="yes", variant="error")
            yield Static(f"y {self._verb} · n or Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
