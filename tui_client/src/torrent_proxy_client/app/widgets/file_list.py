"""A torrent's files as a tree, with a mark at each that is wanted. Only what is in sight is drawn: there may be
thousands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from torrent_proxy_client import words
from torrent_proxy_client.models import TorrentFile

_INDENT = 2
_MARK = 4  # columns of `[x] `
_FIGURES = 16  # columns of size and progress


@dataclass(frozen=True, slots=True)
class Row:
    """A file, or a folder with the files in it."""

    name: str
    depth: int
    files: tuple[TorrentFile, ...]
    folder: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def progress(self) -> float | None:
        """None where the server does not tell; of a folder that of all in it."""
        if any(file.progress is None for file in self.files):
            return None
        there = sum(file.size * (file.progress or 0.0) for file in self.files)
        return there / self.size if self.size else min((file.progress or 0.0) for file in self.files)


class FileList(ScrollView, can_focus=True):
    """Space toggles a file, or all of a folder. What is toggled is a draft until somebody saves it."""

    BINDINGS = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000)", show=False),
        Binding("end", "move(1000000)", show=False),
    ]

    class Chosen(Message):
        """The draft is another one."""

    def __init__(self) -> None:
        super().__init__()
        self._files: tuple[TorrentFile, ...] = ()
        self._saved: set[int] = set()  # indexes of the files that the server knows to be wanted
        self._rows: list[Row] = []
        self._cursor = 0
        self._draft: set[int] | None = None  # indexes; None: as the server has it

    @property
    def files(self) -> tuple[TorrentFile, ...]:
        return self._files

    @property
    def wanted(self) -> set[int]:
        """Indexes."""
        return self._saved if self._draft is None else self._draft

    @property
    def choosable(self) -> bool:
        return any(file.choosable for file in self._files)

    @property
    def changed(self) -> bool:
        return self._draft is not None and self._draft != self._saved

    def show(self, files: tuple[TorrentFile, ...]) -> None:
        """Keeps the cursor, and the draft as long as it is one of these files."""
        if [file.path for file in files] != [file.path for file in self._files]:
            self._draft = None
            self._cursor = 0
        self._files = files
        self._saved = {file.index for file in files if file.wanted}
        if not self.changed:
            self._draft = None
        self._rows = rows_of(files)
        self._resize()

    def choose(self, indexes: Iterable[int]) -> None:
        if self.choosable:
            self._draft = set(indexes)
        self.refresh()
        self.post_message(self.Chosen())

    def toggle(self) -> None:
        """The row under the cursor; a folder that is wanted in part becomes wanted as a whole."""
        if self._rows:
            indexes = {file.index for file in self._rows[self._cursor].files}
            wanted = set(self.wanted)
            self.choose(wanted - indexes if indexes <= wanted else wanted | indexes)

    def action_move(self, by: int) -> None:
        self._cursor = min(max(self._cursor + by, 0), max(len(self._rows) - 1, 0))
        self.scroll_to_region(Region(0, self._cursor, 1, 1), animate=False)
        self.refresh()

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(self.size.height - 1, 1))

    def on_click(self, event: Click) -> None:
        row = event.y + self.scroll_offset.y
        if row < len(self._rows):
            again, self._cursor = row == self._cursor, row
            if again or self._mark_at(self._rows[row], event.x):
                self.toggle()
            self.refresh()

    @staticmethod
    def _mark_at(row: Row, x: int) -> bool:
        left = row.depth * _INDENT
        return left <= x < left + _MARK

    def on_resize(self) -> None:
        self._resize()

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        width = self.size.width
        if number >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        line = line_of(self._rows[number], self.wanted, width)
        style = self.rich_style
        if number == self._cursor and self.has_focus:
            style += Style(reverse=True)
        return Strip([Segment(line.plain, style)]).adjust_cell_length(width, style)


def rows_of(files: Sequence[TorrentFile]) -> list[Row]:
    """By path, each folder before what is in it."""
    rows: list[Row] = []
    _add_rows(rows, sorted((_parts(file), file.index, file) for file in files), 0)
    return rows


_Placed = tuple[list[str], int, TorrentFile]  # the folders and the name; the index; the file


def _add_rows(rows: list[Row], placed: list[_Placed], depth: int) -> None:
    start = 0
    while start < len(placed):
        parts, _, file = placed[start]
        if len(parts) <= depth + 1:
            rows.append(Row(parts[-1], depth, (file,), folder=False))
            start += 1
            continue
        end = start
        while end < len(placed) and len(placed[end][0]) > depth + 1 and placed[end][0][depth] == parts[depth]:
            end += 1
        inside = placed[start:end]
        rows.append(Row(parts[depth], depth, tuple(file for _, _, file in inside), folder=True))
        _add_rows(rows, inside, depth + 1)
        start = end


def _parts(file: TorrentFile) -> list[str]:
    return [part for part in file.path.split("/") if part] or [file.path]


def line_of(row: Row, wanted: set[int], width: int) -> Text:
    """`  [x] name/             1.2 GB    56 %`"""
    chosen = sum(file.index in wanted for file in row.files)
    mark = "[x]" if chosen == len(row.files) else "[-]" if chosen else "[ ]"
    line = Text(f"{' ' * (row.depth * _INDENT)}{mark} {words.clean(row.name)}{'/' if row.folder else ''}")
    line.truncate(max(width - _FIGURES, 10), overflow="ellipsis", pad=True)
    done = "" if row.progress is None else words.percent(row.progress)
    return line.append(f" {words.size(row.size):>8} {done:>6}")
