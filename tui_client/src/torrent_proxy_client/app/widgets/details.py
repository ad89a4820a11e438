"""Everything about the selected torrent: its whole name, why it is in its state, its files."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from torrent_proxy_client import words
from torrent_proxy_client.app.history import Step
from torrent_proxy_client.app.theme import BAD, QUIET, STATE_COLOURS
from torrent_proxy_client.models import State, Torrent, TorrentFile

_MOST_FILES = 200


class Details(VerticalScroll):
    """Takes the focus so that a long list of files can be scrolled with the keyboard."""

    def __init__(self) -> None:
        super().__init__()
        self._text = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self._text

    def show(
        self, torrent: Torrent | None, files: tuple[TorrentFile, ...], steps: tuple[Step, ...] = ()
    ) -> None:
        self._text.update(details_text(torrent, files, steps) if torrent else "")


def details_text(torrent: Torrent, files: tuple[TorrentFile, ...], steps: tuple[Step, ...] = ()) -> Text:
    text = Text(words.clean(torrent.name) or torrent.id, style="bold")
    text.append(f"\n{words.state(torrent)}", style=f"not bold {STATE_COLOURS.get(torrent.state, '')}")
    why_style = BAD if torrent.state == State.ERROR else ""
    if why := words.why(torrent):
        text.append(f"  {why}", style=f"not bold {why_style}")
    text.append(f"\n{figures(torrent)}", style=f"not bold {QUIET}")
    wanted = [file for file in files if file.wanted]
    for file in wanted[:_MOST_FILES]:
        text.append(f"\n{words.size(file.size):>7}  ", style=f"not bold {QUIET}")
        text.append(words.clean(file.path), style="not bold")
    if len(wanted) > _MOST_FILES:
        text.append(f"\n… and {len(wanted) - _MOST_FILES} more", style=f"not bold {QUIET}")
    if unwanted := len(files) - len(wanted):
        text.append(f"\n{words.count(unwanted, 'file')} not chosen", style=f"not bold {QUIET}")
    for moment, what in history(torrent, steps):
        text.append(f"\n{words.moment(moment)}  {what}", style=f"not bold {QUIET}")
    return text


def figures(torrent: Torrent) -> str:
    """`56 % of 5.9 GB · ↓ 19.6 MB/s  ↑ 1.2 MB/s · 12 seeds, 31 peers`; only what says something."""
    parts = []
    if torrent.size is not None:
        parts.append(f"{words.percent(torrent.progress)} of {words.size(torrent.size)}")
    speeds = [("↓", torrent.download_speed), ("↑", torrent.upload_speed)]
    if moving := "  ".join(f"{sign} {words.speed(speed)}" for sign, speed in speeds if speed >= 1):
        parts.append(moving)
    if torrent.seeds or torrent.peers:
        parts.append(f"{words.count(torrent.seeds, 'seed')}, {words.count(torrent.peers, 'peer')}")
    if torrent.origin in ("feed", "watchlist"):
        parts.append(f"added by a {torrent.origin}")
    return " · ".join(parts)


def history(torrent: Torrent, steps: tuple[Step, ...]) -> list[Step]:
    """Adding and finishing as the server dates them, and between them the states that we saw."""
    seen = [(moment, words.state_name(state)) for moment, state in steps[1:] if state != State.FINISHED]
    dated = [(torrent.added_at, "added"), (torrent.completed_at, "finished")]
    return sorted([*seen, *((moment, what) for moment, what in dated if moment)])
