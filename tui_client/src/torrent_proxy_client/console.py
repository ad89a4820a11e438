"""Tables and a progress line on a plain terminal."""

import shutil
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.cells import cell_len, set_cell_size

from torrent_proxy_client import usage_words, words
from torrent_proxy_client.handover import DeviceSession
from torrent_proxy_client.models import Torrent
from torrent_proxy_client.reports import Usage

_NARROWEST_NAME = 20


def torrent_table(torrents: Sequence[Torrent]) -> str:
    """One line a torrent; names are cut only where a terminal would wrap them."""
    name_width = 0
    if sys.stdout.isatty():
        name_width = max(shutil.get_terminal_size().columns - 64, _NARROWEST_NAME)
    lines = [f"{'ID':8}  {'STATE':11}  {'PROGRESS':14}  {'DOWN':>10}  {'SIZE':>8}  NAME"]
    for torrent in torrents:
        name = words.clean(torrent.name)
        if name_width and cell_len(name) > name_width:
            name = set_cell_size(name, name_width - 1) + "…"
        columns = (
            f"{words.clean(torrent.id)[:8]:8}",
            f"{words.state(torrent):11}",
            words.progress(torrent.progress, 14),
            f"{words.speed(torrent.download_speed):>10}",
            f"{words.size(torrent.size):>8}",
            name,
        )
        lines.append("  ".join(columns))
    return "\n".join(lines)


def session_table(sessions: Sequence[DeviceSession]) -> str:
    """One line a session; the one of this machine is marked."""
    lines = [f"  {'ID':36}  {'LAST USED':12}  DEVICE"]
    for session in sessions:
        used = session.last_used_at or session.created_at
        lines.append(
            f"{'*' if session.current else ' '} {words.clean(session.id):36}  "
            f"{words.moment(used) if used else '–':12}  {words.clean(session.device_name) or 'unknown'}"
        )
    return "\n".join([*lines, "* this one. End one: torrent-proxy sessions --end ID"])


def usage_table(usage: Usage) -> str:
    """A line a limit with its notes below, then what waits and why peers get less."""
    lines = []
    for row in usage_words.rows(usage):
        bar = "" if row.share is None else f"{words.progress(row.share, 20)}  "
        lines.append(f"{row.title:{usage_words.TITLE_WIDTH}}  {bar}{row.figure}")
        lines += [f"{'':{usage_words.TITLE_WIDTH}}  {note}" for note in row.notes]
    lines += usage_words.waiting(usage)
    if notice := words.clean(usage.seeding_notice):
        lines.append(notice)
    return "\n".join(lines)


def columns(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Each as wide as its widest cell; the last one is not padded."""
    lines = [titles, *rows]
    widths = [max(cell_len(line[number]) for line in lines) for number in range(len(titles) - 1)]
    return "\n".join(
        "  ".join(
            [*(set_cell_size(cell, width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        )
        for line in lines
    )


class ProgressLine:
    """One line on standard error that is drawn over again; nothing at all when that is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draw("")

    def show(self, label: str, fraction: float, speed: float, eta: float | None) -> None:
        """`speed` in bytes per second, `eta` in seconds."""
        figures = f"{words.progress(fraction, 20)}  {words.speed(speed):>10}  {words.duration(eta):>8}"
        room = max(shutil.get_terminal_size().columns - cell_len(figures) - 3, 10)
        self._draw(f"{set_cell_size(words.clean(label), room)}  {figures}")

    def say(self, sentence: str) -> None:
        """A line of its own, which stays; also when standard error is no terminal."""
        self._draw("")
        print(words.clean(sentence), file=sys.stderr, flush=True)

    def _draw(self, text: str) -> None:
        if self._shown:
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
