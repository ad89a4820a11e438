"""One of a few, in a single line."""

from collections.abc import Mapping

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Static


class Choice(Static, can_focus=True):
    """`‹ single episodes only ›`: Space, a click, or left and right choose another one."""

    BINDINGS = [
        Binding("space,right", "turn(1)", show=False),
        Binding("left", "turn(-1)", show=False),
    ]

    class Changed(Message):
        pass

    def __init__(self, choices: Mapping[str, str], value: str, *, id: str) -> None:
        super().__init__(markup=False, id=id)
        self._choices = dict(choices) | ({} if value in choices else {value: value})
        self.value = value

    def on_mount(self) -> None:
        self._draw()

    def on_click(self) -> None:
        self.action_turn(1)

    def action_turn(self, by: int) -> None:
        values = list(self._choices)
        self.value = values[(values.index(self.value) + by) % len(values)]
        self._draw()
        self.post_message(self.Changed())

    def _draw(self) -> None:
        self.update(f"‹ {self._choices[self.value]} ›")
