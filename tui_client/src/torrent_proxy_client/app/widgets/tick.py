"""A box to tick."""

from textual.binding import Binding
from textual.content import Content
from textual.widgets import Checkbox


class Tick(Checkbox, inherit_bindings=False):
    """Ticked or not, and not by colour alone. Enter is the dialog's."""

    BINDINGS = [Binding("space", "toggle_button", show=False)]

    def render(self) -> Content:
        self.BUTTON_INNER = "x" if self.value else " "
        return super().render()
