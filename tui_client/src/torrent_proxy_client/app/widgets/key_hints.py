"""The keys for which the footer has no room, or the ones that work on what is marked."""

from dataclasses import dataclass

from rich.text import Text
from textual.events import Click, Resize
from textual.widgets import Static

from torrent_proxy_client import words
from torrent_proxy_client.app.theme import BUSY


@dataclass(frozen=True, slots=True)
class Hint:
    """A click on it does `action`, of the screen."""

    key: str
    what: str
    action: str = ""

    @property
    def width(self) -> int:
        return len(f" {self.key} {self.what} ")


LIST = (
    Hint("Enter", "details", "details"),
    Hint("/", "filter", "filter"),
    Hint("o", "only", "only"),
    Hint("s S", "sort", "sort"),
    Hint("l", "label", "label"),
    Hint("Space", "mark", "mark"),
    Hint("m", "my limits", "usage"),
    Hint("t", "transfers", "transfers"),
    Hint("c", "commands", "commands"),
    Hint("e", "feeds and rules", "feeds"),
    Hint("w", "shows", "shows"),
)
FILTERED = (*LIST, Hint("Esc", "show all", "back"))
MARKED = (
    Hint("p r d f l", "for all"),
    Hint("Space", "mark", "mark"),
    Hint("v", "range", "mark_range"),
    Hint("i", "invert", "invert_marks"),
    Hint("Esc", "unmark", "back"),
)


class KeyHints(Static):
    """As many lines as it takes."""

    def __init__(self, hints: tuple[Hint, ...] = LIST) -> None:
        super().__init__(markup=False)
        self._before = ""
        self._hints = hints
        self._lines: list[list[Hint]] = []

    def show(self, *, marked: int, filtered: bool) -> None:
        self._before = f"{marked} marked " if marked else ""
        self._hints = MARKED if marked else FILTERED if filtered else LIST
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self._draw()

    async def on_click(self, event: Click) -> None:
        hint = self._at(event.x, event.y)
        if hint and hint.action:
            await self.app.run_action(hint.action, self.screen)

    def _draw(self) -> None:
        self._lines = lines_of(self._hints, self.size.width, len(self._before))
        self.styles.height = max(len(self._lines), 1)
        text = Text(words.clean(self._before), style="bold", no_wrap=True, overflow="ellipsis")
        for number, line in enumerate(self._lines):
            text.append("\n" if number else "")
            for hint in line:
                text.append(f" {hint.key}", style=f"bold {BUSY}").append(f" {hint.what} ", style="not bold")
        self.update(text)

    def _at(self, x: int, y: int) -> Hint | None:
        left = len(self._before) if y == 0 else 0
        for hint in self._lines[y] if y < len(self._lines) else []:
            if left <= x < left + hint.width:
                return hint
            left += hint.width
        return None


def lines_of(hints: tuple[Hint, ...], width: int, before: int = 0) -> list[list[Hint]]:
    """Broken between hints, so that a key and its word stay together; `before` columns of the first line are taken."""
    lines: list[list[Hint]] = [[]]
    left = width - before
    for hint in hints:
        if hint.width > left and lines[-1]:
            lines.append([])
            left = width
        lines[-1].append(hint)
        left -= hint.width
    return lines
