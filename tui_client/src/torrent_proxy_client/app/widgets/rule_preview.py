"""What a rule would take, while it is being written. Only what is in sight is drawn: there may be hundreds."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from torrent_proxy_client import feed_words, words
from torrent_proxy_client.feeds import Preview, Previewed

_ABOUT_TITLES = {"must_contain", "regex", "feed"}


class PreviewList(ScrollView, can_focus=True):
    """Titles with taken or not, and the reason below those that are not."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[tuple[str, bool]] = []  # text, and whether it is what matters

    def show(self, items: Sequence[Previewed]) -> None:
        self._lines = lines_of(items)
        self._resize()

    def on_resize(self) -> None:
        self._resize()

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        number, width = y + self.scroll_offset.y, self.size.width
        if number >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        text, bold = self._lines[number]
        line = Text(text, no_wrap=True)
        line.truncate(width, overflow="ellipsis")
        style = self.rich_style + Style(bold=bold)
        return Strip([Segment(line.plain, style)]).adjust_cell_length(width, style)


class RulePreview(Vertical):
    """A sentence, and the titles. What was found last stays while it is being asked anew."""

    def compose(self) -> ComposeResult:
        yield Static(id="preview-says", markup=False)
        yield PreviewList()

    def say(self, text: str) -> None:
        self.query_one("#preview-says", Static).update(words.clean(text))

    def show(self, found: Preview, *, pasted: bool) -> None:
        of = "pasted titles" if pasted else "in your feeds"
        self.say(f"Takes {found.taken} of {found.of} {of}" if found.of else _nothing(pasted))
        self.query_one(PreviewList).show(found.items)


def _nothing(pasted: bool) -> str:
    return (
        "No titles are pasted." if pasted else "Your feeds hold nothing to try it on. Ctrl+T: paste titles."
    )


def lines_of(items: Sequence[Previewed]) -> list[tuple[str, bool]]:
    """What is taken first, then what is taken nearly, then what the rule is not about; the newest first in each."""
    lines = []
    for item in sorted(items, key=_distance):
        lines.append((f"{'✓' if item.taken else '–'} {words.clean(item.title)}", item.taken))
        if not item.taken:
            lines.append((f"    {feed_words.reasons(item.reasons, item.title)}", False))
    return lines


def _distance(item: Previewed) -> int:
    if item.taken:
        return 0
    return 2 if any(why.what in _ABOUT_TITLES for why in item.reasons) else 1
