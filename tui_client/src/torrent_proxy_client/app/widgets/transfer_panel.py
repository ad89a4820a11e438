"""What is being fetched to this machine, and what became of it."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from torrent_proxy_client import words
from torrent_proxy_client.app.theme import BAD, BUSY, GOOD, QUIET, WAITING
from torrent_proxy_client.app.transfers import Phase, Transfer, Transfers

_REFRESH = 0.5  # seconds
_SIGNS = {
    Phase.WAITING: ("…", QUIET),
    Phase.RUNNING: ("↓", BUSY),
    Phase.DONE: ("✓", GOOD),
    Phase.AWAY: ("~", WAITING),
    Phase.PAUSED: ("■", QUIET),
    Phase.LOGGED_OUT: ("…", WAITING),
    Phase.FAILED: ("✗", BAD),
}


class TransferPanel(VerticalScroll, can_focus=False):
    """Hidden until there is a first transfer; what runs stands first."""

    def __init__(self, transfers: Transfers) -> None:
        super().__init__()
        self._transfers = transfers
        self._text = Static(markup=False)
        self._drawn = ""
        self.border_title = Text(f"Fetching to {words.clean(str(transfers.directory))}").markup
        self.display = False

    def compose(self) -> ComposeResult:
        yield self._text

    def on_mount(self) -> None:
        self.set_interval(_REFRESH, self.draw)
        self.draw()

    def draw(self) -> None:
        newest_first = self._transfers.all[::-1]
        transfers = sorted(newest_first, key=lambda transfer: not transfer.phase.active)
        width = self._text.content_size.width or self.app.size.width - 2
        text = Text("\n").join(transfer_line(transfer, width) for transfer in transfers)
        if text.markup != self._drawn:
            self._drawn = text.markup
            self._text.update(text)
        self.display = bool(transfers)


def transfer_line(transfer: Transfer, width: int) -> Text:
    """One line while it runs; how it ended may take a second one."""
    sign, colour = _SIGNS[transfer.phase]
    text = Text(f"{sign} ", style=colour)
    progress = transfer.progress
    if transfer.phase is Phase.WAITING:
        return text.append(_cut(transfer.name, width - 24)).append("  waits for its turn", style=QUIET)
    if transfer.phase is Phase.AWAY:
        text.append(_cut(transfer.name, width // 3)).append("  waiting for network", style=WAITING)
        return text.append(f"  {words.clean(transfer.sentence)}", style=QUIET)
    if transfer.phase is not Phase.RUNNING:
        text.append(_cut(transfer.name, width // 3))
        return text.append(
            f"  {transfer.sentence}", style=colour if transfer.phase is Phase.FAILED else QUIET
        )
    if progress is None:
        return text.append(_cut(transfer.name, width - 14)).append("  starting", style=QUIET)
    bar = words.progress(progress.fraction, 20 if width >= 110 else 12)
    done = f"{words.size(progress.done):>7} of {words.size(progress.total)}  " if width >= 110 else ""
    figures = f"{bar}  {done}{words.speed(progress.speed):>9}  {words.duration(progress.eta):>6}"
    name = Text(f"by SFTP  {transfer.name}" if progress.by_sftp else transfer.name)
    name.truncate(max(width - len(figures) - 4, 10), overflow="ellipsis", pad=True)
    text.append_text(name).append(f"  {figures}", style=BUSY)
    if progress.note:
        text.append(f"\n  {words.clean(progress.note)}", style=WAITING)
    return text


def _cut(name: str, width: int) -> Text:
    text = Text(name)
    text.truncate(max(width, 10), overflow="ellipsis")
    return text
