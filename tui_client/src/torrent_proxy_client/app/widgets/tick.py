"""A box to tick."""

from textual.binding import Binding
from textual.content import Content
from textual.widgets import Checkbox


class Tick(Checkbox, inherit_bindings=False):
    """Ticked or not, and not by colour alone. Enter is the dialog's."""

    BINDINGS = [Binding("space", "toggle_button", show=False)]

    def __init__(self, label: str, value: bool = False, *, id: str) -> None:
        """In one line; names in the label are not read as markup."""
        super().__init__(Content(label), value, id=id, compact=True)

    def render(self) -> Content:
        self.BUTTON_INNER = "x" if self.value else " "
        return super().render()
