"""The lines above and below the list: who is where, what is wrong, and the sum of it all."""

import time
from collections.abc import Iterable

from rich.text import Text
from textual.timer import Timer
from textual.widgets import Static

from torrent_proxy_client import words
from torrent_proxy_client.app.live import Away
from torrent_proxy_client.models import State, Torrent

_SAID_FOR = 6.0  # seconds


class SpreadBar(Static):
    """One line with a text at either end."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._left, self._right = Text(), Text()

    def spread(self, left: Text, right: Text) -> None:
        self._left, self._right = left, right
        self.refresh()

    def render(self) -> Text:
        room = self.content_size.width
        text = Text(no_wrap=True, overflow="ellipsis")
        left = self._left.copy()
        left.truncate(max(room - self._right.cell_len - 2, 10), overflow="ellipsis")
        text.append_text(left)
        text.append(" " * max(room - left.cell_len - self._right.cell_len, 2))
        return text.append_text(self._right)


class TitleBar(SpreadBar):
    """What this screen is about on the left, who or how on the right."""


class AwayBanner(Static):
    """Shown while the server gives no answer; counts down to the next attempt."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._away: Away | None = None
        self.display = False

    def on_mount(self) -> None:
        self.set_interval(0.5, self._tell)

    def show(self, away: Away | None) -> None:
        self._away = away
        self.display = away is not None
        self._tell()

    def _tell(self) -> None:
        if self._away is not None:
            self.update(banner_text(self._away, time.monotonic()))


def banner_text(away: Away, now: float) -> str:
    """`now` is time.monotonic()."""
    left = round(away.retry_at - now)
    what = "Server in trouble" if away.reachable else "Server not reachable"
    again = f"trying again in {left} s" if left > 0 else "trying again now"
    text = f"{what} since {words.clock(away.since)}, {again}."
    if away.last_answer:
        text += f" What you see is from {words.clock(away.last_answer)}."
    return f"{text} {words.clean(away.reason)}"


class SummaryBar(SpreadBar):
    """How many torrents there are, and how fast the server is with all of them."""

    def __init__(self) -> None:
        super().__init__()
        self._summary = ("", "")
        self._said = ""
        self._silence: Timer | None = None

    def show(self, torrents: Iterable[Torrent]) -> None:
        self._summary = summary(list(torrents))
        self._draw()

    def say(self, text: str) -> None:
        """For a few seconds tell what was just done, in place of the counts; nothing moves or is covered."""
        if self._silence:
            self._silence.stop()
        self._said = words.clean(text)
        self._silence = self.set_timer(_SAID_FOR, self._fall_silent)
        self._draw()

    def _fall_silent(self) -> None:
        self._said = ""
        self._draw()

    def _draw(self) -> None:
        left, right = self._summary
        if self._said:
            self.spread(Text(self._said, style="bold"), Text())
        else:
            self.spread(Text(left), Text(right))


def summary(torrents: list[Torrent]) -> tuple[str, str]:
    """(`7 torrents · 1 downloading · 2 finished`, `↓ 19.6 MB/s  ↑ 1.2 MB/s`)"""
    parts = [words.count(len(torrents), "torrent")]
    for state, word in (
        (State.DOWNLOADING, "downloading"),
        (State.FINISHED, "finished"),
        (State.ERROR, "failed"),
    ):
        if number := sum(torrent.state == state for torrent in torrents):
            parts.append(f"{number} {word}")
    down = words.speed(sum(torrent.download_speed for torrent in torrents)) or "0 B/s"
    up = words.speed(sum(torrent.upload_speed for torrent in torrents)) or "0 B/s"
    return " · ".join(parts), f"↓ {down}  ↑ {up}"
