"""The list of torrents: fixed columns that fill the width, and updates that touch only what changed."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rich.text import Text
from textual.binding import Binding
from textual.events import Resize
from textual.widgets import DataTable

from torrent_proxy_client import words
from torrent_proxy_client.app.filtering import Filter
from torrent_proxy_client.app.theme import STATE_COLOURS
from torrent_proxy_client.models import Changes, Torrent

_WIDE = 110  # columns of the table from which on there is room for everything
_SCROLLBAR = 1
_MARGIN = 1

_LABEL = 3  # a label takes at most a third of the name's column


class Shown(NamedTuple):
    """Of a cell; only the name's has a label, which stands at its right end."""

    text: str
    style: str = ""
    label: str = ""


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


def _named(column: Column, content: Shown) -> Text:
    """The name, cut so that the label behind it stays in sight."""
    if not content.label:
        return column.cell(content.text)
    label = Text(content.label)
    label.truncate(column.width // _LABEL, overflow="ellipsis")
    name = Text(content.text)
    name.truncate(column.width - label.cell_len - 1, overflow="ellipsis", pad=True)
    return Text.assemble(name, " ", label)


Rank = tuple[float | str, str]  # the id makes the order stable

_LAST = "\U0010ffff"  # sorts behind every label

SORT_NAMES = {
    "added": "when it was added, newest first",
    "name": "name",
    "state": "state",
    "progress": "progress",
    "down": "speed",
    "size": "size",
    "label": "label",
    "completed": "when it was finished, the latest first",
    "eta": "time left",
    "up": "speed to others",
}
SORTS: dict[str, Callable[[Torrent], float | str]] = {
    "added": lambda torrent: -torrent.added_at.timestamp() if torrent.added_at else 0.0,
    "name": lambda torrent: words.clean(torrent.name).casefold(),
    "state": lambda torrent: words.state(torrent),
    "progress": lambda torrent: -torrent.progress,
    "down": lambda torrent: -float(torrent.download_speed),
    "size": lambda torrent: -float(torrent.size or 0),
    "label": lambda torrent: words.clean(torrent.label).casefold() or _LAST,
    "completed": lambda torrent: -torrent.completed_at.timestamp() if torrent.completed_at else 0.0,
    "eta": lambda torrent: math.inf if torrent.eta is None else float(torrent.eta),
    "up": lambda torrent: -float(torrent.upload_speed),
}
"""What rows can be sorted by; the most interesting end comes first."""


class NameCell(Text):
    """Says whose row it is: DataTable.sort sees cells only."""

    torrent_id = ""


class TorrentTable(DataTable[Text]):
    """Sorted, filtered and marked as the person wants; the cursor stays on its torrent whatever happens."""

    BINDINGS = [
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", cell_padding=0, show_row_labels=False)
        self._torrents: Mapping[str, Torrent] = {}
        self._shown: dict[str, dict[str, Shown]] = {}
        self._ranks: dict[str, Rank] = {}
        self._columns: list[Column] = []
        self._wanted_cursor = ""
        self._complete = False  # all pages of the first answer are here
        self._sort_by, self._reverse = "added", False
        self._filter = Filter()
        self._marked: set[str] = set()
        self._range_from = ""

    @property
    def marked(self) -> list[Torrent]:
        """In the order of the list; what the filter hides is not among them."""
        rows = (str(row.key.value) for row in self.ordered_rows) if self._marked else ()
        return [self._torrents[key] for key in rows if key in self._marked]

    @property
    def filter(self) -> Filter:
        return self._filter

    @property
    def has_matches(self) -> bool:
        return any(map(self._filter.fits, self._torrents.values()))

    def filter_by(self, wanted: Filter) -> None:
        self._filter = wanted
        self._rebuild()

    def sort_by(self, column: str, *, reverse: bool) -> None:
        """`column` is one of SORTS."""
        self._sort_by, self._reverse = column, reverse
        self._rebuild()

    def mark(self) -> None:
        """Mark the selected torrent, or take its mark away, and go on to the next one."""
        if key := self._cursor_key():
            self._marked ^= {key}
            self._range_from = key
            self._draw_marks({key})
            self.action_cursor_down()

    def mark_range(self) -> None:
        """Mark everything from the torrent that was marked last to the selected one."""
        keys = [str(row.key.value) for row in self.ordered_rows]
        if keys and self._range_from in keys:
            first, last = sorted((keys.index(self._range_from), self.cursor_row))
            self._marked.update(keys[first : last + 1])
            self._draw_marks(set(keys))

    def invert_marks(self) -> None:
        """With nothing marked this marks all that is shown."""
        self._marked = set(self._shown) - self._marked
        self._draw_marks(set(self._shown))

    def clear_marks(self) -> None:
        marked, self._marked = self._marked, set()
        self._draw_marks(marked)

    def _draw_marks(self, keys: set[str]) -> None:
        if not self._columns:
            return
        name = self._columns[0]
        for key in keys & self._shown.keys():
            torrent = self._torrents[key]
            self.update_cell(key, name.key, self._cell(torrent, name, self._shown[key][name.key]))

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
        self._marked.difference_update(changes.removed)
        gone = [key for key in changes.removed if key in self._shown]
        gone += [
            torrent.id
            for torrent in changes.torrents
            if torrent.id in self._shown and not self._filter.fits(torrent)
        ]
        for torrent_id in gone:
            del self._shown[torrent_id]
            self.remove_row(torrent_id)
        moved = False
        for torrent in changes.torrents:
            if torrent.id in self._shown:
                rank = self._ranks[torrent.id]
                self._update(torrent)
                moved |= rank != self._ranks[torrent.id]
            elif torrent.id in torrents and self._filter.fits(torrent):
                self._add(torrent)
                moved = True
        if moved:
            self._sort()
        if moved or gone:
            self._restore(cursor, top)

    def on_resize(self, event: Resize) -> None:
        if columns_for(self.size.width) != self._columns:
            self._rebuild()

    def _rebuild(self) -> None:
        if not self.size.width:
            self._columns = []  # hidden: to be built when it is shown
            return
        cursor, top = self._cursor_key(), self.scroll_y
        self._columns = columns_for(self.size.width)
        self._shown.clear()
        self._ranks.clear()
        self._marked &= self._torrents.keys()
        self.clear(columns=True)
        for column in self._columns:
            # The list is newest first unless the person sorts by a column.
            arrow = ("▲" if self._reverse else "▼") if column.key == self._sort_by else ""
            label = self._spaced(column, column.cell(f"{column.label}{arrow}"))
            self.add_column(label, key=column.key, width=label.cell_len)
        for torrent in self._torrents.values():
            if self._filter.fits(torrent):
                self._add(torrent)
        self._sort()
        self._restore(cursor, top)

    def _add(self, torrent: Torrent) -> None:
        contents = _contents(torrent, self._columns)
        self._shown[torrent.id] = contents
        self._ranks[torrent.id] = self._rank(torrent)
        cells = [self._cell(torrent, column, contents[column.key]) for column in self._columns]
        self.add_row(*cells, key=torrent.id)

    def _update(self, torrent: Torrent) -> None:
        before, contents = self._shown[torrent.id], _contents(torrent, self._columns)
        self._shown[torrent.id] = contents
        self._ranks[torrent.id] = self._rank(torrent)
        for column in self._columns:
            content = contents[column.key]
            if content != before[column.key]:
                self.update_cell(torrent.id, column.key, self._cell(torrent, column, content))

    def _cell(self, torrent: Torrent, column: Column, content: Shown) -> Text:
        if column.key != "name":
            return self._spaced(column, column.cell(content.text, content.style))
        cell = self._spaced(column, _named(column, content), marked=torrent.id in self._marked)
        name = NameCell(cell.plain, style="bold" if torrent.id in self._marked else "", no_wrap=True)
        name.torrent_id = torrent.id
        return name

    def _spaced(self, column: Column, cell: Text, *, marked: bool = False) -> Text:
        if column.key == "name":
            cell = Text.assemble("●" if marked else " " * _MARGIN, cell, no_wrap=True)
        if column is not self._columns[-1]:
            cell.pad_right(_gap(self.size.width))
        return cell

    def _rank(self, torrent: Torrent) -> Rank:
        return SORTS[self._sort_by](torrent), torrent.id

    def _sort(self) -> None:
        self.sort("name", key=lambda cell: self._ranks[cell.torrent_id], reverse=self._reverse)

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
        "name": Shown(words.clean(torrent.name) or torrent.id, label=words.label(torrent.label)),
        "state": Shown(words.state(torrent), colour),
        "progress": Shown(words.progress(torrent.progress, progress_width), colour),
        "down": Shown(words.speed(torrent.download_speed)),
        "up": Shown(words.speed(torrent.upload_speed)),
        "eta": Shown(words.duration(torrent.eta)),
        "size": Shown(words.size(torrent.size)),
    }
