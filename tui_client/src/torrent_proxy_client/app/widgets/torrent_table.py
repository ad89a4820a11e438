"""The list of torrents: fixed columns that fill the width, and updates that touch only what changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text
from textual.binding import Binding
from textual.events import Resize
from textual.widgets import DataTable

from torrent_proxy_client import words
from torrent_proxy_client.app.theme import STATE_COLOURS
from torrent_proxy_client.models import Changes, Torrent

_WIDE = 110  # columns of the table from which on there is room for everything
_SCROLLBAR = 1
_MARGIN = 1

Shown = tuple[str, str]  # text and style of a cell


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    label: str
    width: int
    right: bool = False

    def cell(self, text: str, style: str = "") -> Text:
        """`text` cut or padded to the column, with the gap to the next one."""
        cell = Text(text, style=style, no_wrap=True)
        if self.right:
            cell.pad_left(max(self.width - cell.cell_len, 0))
        cell.truncate(self.width, overflow="ellipsis", pad=True)
        return cell


def columns_for(width: int) -> list[Column]:
    """The columns of a table of `width`; the name takes what the others leave."""
    wide = width >= _WIDE
    fixed = [
        Column("state", "State", 11),
        Column("progress", "Progress", 20 if wide else 12),
        Column("down", "Down", 9, right=True),
        *([Column("up", "Up", 9, right=True)] if wide else []),
        Column("eta", "ETA", 6, right=True),
        Column("size", "Size", 7, right=True),
    ]
    gap = _gap(width)
    name = width - _SCROLLBAR - _MARGIN - sum(column.width + gap for column in fixed)
    return [Column("name", "Name", max(name, 8)), *fixed]


def _gap(width: int) -> int:
    return 2 if width >= _WIDE else 1


class NameCell(Text):
    """Carries what rows are sorted by: DataTable.sort sees cells only."""

    order: tuple[float, str] = (0.0, "")


class TorrentTable(DataTable[Text]):
    """Newest first. The cursor stays on its torrent whatever happens around it."""

    BINDINGS = [
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", cell_padding=0, show_row_labels=False)
        self._torrents: Mapping[str, Torrent] = {}
        self._shown: dict[str, dict[str, Shown]] = {}
        self._columns: list[Column] = []
        self._wanted_cursor = ""
        self._complete = False  # all pages of the first answer are here

    @property
    def selected(self) -> Torrent | None:
        return self._torrents.get(self._cursor_key()) if self.row_count else None

    def select(self, torrent_id: str) -> None:
        """Move the cursor there, now or when it arrives."""
        if torrent_id in self._shown:
            self.move_cursor(row=self.get_row_index(torrent_id))
        else:
            self._wanted_cursor = torrent_id

    def show(self, torrents: Mapping[str, Torrent], changes: Changes) -> None:
        """Bring the rows up to `torrents`, which `changes` has been applied to."""
        self._torrents = torrents
        if changes.reset or not self._columns:
            self._rebuild()
        else:
            self._apply(torrents, changes)
        if not self._complete:
            self._complete = not changes.more
            self.move_cursor(row=0)

    def _apply(self, torrents: Mapping[str, Torrent], changes: Changes) -> None:
        cursor, top = self._cursor_key(), self.scroll_y
        for torrent_id in changes.removed:
            if self._shown.pop(torrent_id, None) is not None:
                self.remove_row(torrent_id)
        added = False
        for torrent in changes.torrents:
            if torrent.id in self._shown:
                self._update(torrent)
            elif torrent.id in torrents:
                self._add(torrent)
                added = True
        if added:
            self._sort()
        if added or changes.removed:
            self._restore(cursor, top)

    def on_resize(self, event: Resize) -> None:
        if columns_for(self.size.width) != self._columns:
            self._rebuild()

    def _rebuild(self) -> None:
        if not self.size.width:
            return
        cursor, top = self._cursor_key(), self.scroll_y
        self._columns = columns_for(self.size.width)
        self._shown.clear()
        self.clear(columns=True)
        for column in self._columns:
            label = self._spaced(column, column.cell(column.label))
            self.add_column(label, key=column.key, width=label.cell_len)
        for torrent in self._torrents.values():
            self._add(torrent)
        self._sort()
        self._restore(cursor, top)

    def _add(self, torrent: Torrent) -> None:
        contents = _contents(torrent, self._columns)
        self._shown[torrent.id] = contents
        cells = [self._cell(torrent, column, contents[column.key]) for column in self._columns]
        self.add_row(*cells, key=torrent.id)

    def _update(self, torrent: Torrent) -> None:
        before, contents = self._shown[torrent.id], _contents(torrent, self._columns)
        self._shown[torrent.id] = contents
        for column in self._columns:
            content = contents[column.key]
            if content != before[column.key]:
                self.update_cell(torrent.id, column.key, self._cell(torrent, column, content))

    def _cell(self, torrent: Torrent, column: Column, content: Shown) -> Text:
        cell = self._spaced(column, column.cell(*content))
        if column.key != "name":
            return cell
        name = NameCell(cell.plain, no_wrap=True)
        name.order = (-torrent.added_at.timestamp() if torrent.added_at else 0.0, torrent.id)
        return name

    def _spaced(self, column: Column, cell: Text) -> Text:
        if column.key == "name":
            cell.pad_left(_MARGIN)
        if column is not self._columns[-1]:
            cell.pad_right(_gap(self.size.width))
        return cell

    def _sort(self) -> None:
        self.sort("name", key=lambda cell: cell.order)

    def _cursor_key(self) -> str:
        if not self.row_count or not self.is_valid_row_index(self.cursor_row):
            return ""
        return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value)

    def _restore(self, cursor: str, top: float) -> None:
        if self._wanted_cursor in self._shown:
            self.move_cursor(row=self.get_row_index(self._wanted_cursor))
            self._wanted_cursor = ""
        elif cursor in self._shown:
            self.move_cursor(row=self.get_row_index(cursor), scroll=False)
            self.scroll_to(y=top, animate=False)


def _contents(torrent: Torrent, columns: list[Column]) -> dict[str, Shown]:
    """What each cell shows; also what is compared to find out what changed."""
    progress_width = next(column.width for column in columns if column.key == "progress")
    colour = STATE_COLOURS.get(torrent.state, "")
    return {
        "name": (words.clean(torrent.name) or torrent.id, ""),
        "state": (words.state(torrent), colour),
        "progress": (words.progress(torrent.progress, progress_width), colour),
        "down": (words.speed(torrent.download_speed), ""),
        "up": (words.speed(torrent.upload_speed), ""),
        "eta": (words.duration(torrent.eta), ""),
        "size": (words.size(torrent.size), ""),
    }
