"""One of a few, in a single line."""

from collections.abc import Mapping
from typing import Any

from textual.binding import Binding
from textual.message import Message
from textual.widgets import Static

from torrent_proxy_client import words


class Choice(Static, can_focus=True):
    """`‹ single episodes only ›`: Space, a click, or left and right choose another one."""

    BINDINGS = [
        Binding("space,right", "turn(1)", show=False),
        Binding("left", "turn(-1)", show=False),
    ]

    class Changed(Message):
        pass

    def __init__(self, choices: Mapping[Any, str], value: object, *, id: str) -> None:
        """What each value is called; a value of a newer server is called as it is."""
        super().__init__(markup=False, id=id)
        self._choices = {**choices} if value in choices else {**choices, value: words.clean(str(value))}
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
