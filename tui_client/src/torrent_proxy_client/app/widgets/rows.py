"""A table of a few hundred rows, one column of which takes what room the others leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.binding import Binding
from textual.widgets import DataTable

_GAP = 2  # columns between two cells


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    width: int = 0  # 0: the rest


class Rows(DataTable[Text]):
    """Keeps its cursor on the row of the same key, whatever comes and goes."""

    BINDINGS = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self, *columns: Column) -> None:
        super().__init__(cursor_type="row", cell_padding=0, show_row_labels=False)
        self._wanted_columns = columns
        self._cells: Mapping[str, Sequence[str]] = {}
        self._drawn_width = 0
        self._to_select = ""  # as soon as it is drawn

    @property
    def selected(self) -> str:
        """The key of the row under the cursor; empty where there is none."""
        if not self.row_count or not self.is_valid_row_index(self.cursor_row):
            return ""
        return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value)

    def show(self, rows: Mapping[str, Sequence[str]]) -> None:
        """Cells by the key of their row, in the order of the rows; they are cut to their columns."""
        if list(rows.items()) != list(self._cells.items()):
            self._cells = dict(rows)
            self._draw()

    def select(self, key: str) -> None:
        """Put the cursor on this row, which was shown before."""
        self._to_select = key
        self._draw()

    def on_resize(self) -> None:
        if self.size.width != self._drawn_width:
            self._draw()

    def _draw(self) -> None:
        if not self.size.width:
            self._drawn_width = 0
            return  # hidden: drawn when it is shown
        selected, row, top = self._to_select or self.selected, self.cursor_row, self.scroll_y
        self._drawn_width = self.size.width
        widths = self._widths()
        self.clear(columns=True)
        for column, width in zip(self._wanted_columns, widths, strict=True):
            self.add_column(Text(column.title), width=width)
        for key, cells in self._cells.items():
            self.add_row(*(_cell(text, width) for text, width in zip(cells, widths, strict=True)), key=key)
        if self._cells:
            again = self.get_row_index(selected) if selected in self._cells else row
            self.move_cursor(row=min(again, self.row_count - 1), scroll=bool(self._to_select))
            if not self._to_select:
                self.scroll_to(y=top, animate=False)
        self._to_select = ""

    def _widths(self) -> list[int]:
        taken = sum(column.width + _GAP for column in self._wanted_columns if column.width)
        rest = max(self.size.width - self.scrollbar_size_vertical - taken, 10)
        return [column.width + _GAP if column.width else rest for column in self._wanted_columns]


def _cell(text: str, width: int) -> Text:
    cell = Text(text, no_wrap=True)
    cell.truncate(width - _GAP, overflow="ellipsis", pad=True)
    return cell
