"""Numbers, states and names as a person reads them. Plain text only: no colours, no markup."""

import re
import unicodedata
from datetime import date, datetime

from rich.cells import cell_len

from torrent_proxy_client.models import State, Torrent

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC: window titles, clipboard, links
    r"|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b."
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_EIGHTHS = " ▏▎▍▌▋▊▉"

_STATES: dict[str, str] = {
    State.WAITING: "Waiting",
    State.METADATA: "Looking up",
    State.CHECKING: "Checking",
    State.QUEUED: "In queue",
    State.DOWNLOADING: "Downloading",
    State.STALLED: "No sources",
    State.PAUSED: "Paused",
    State.FINISHED: "Finished",
    State.ERROR: "Error",
}

_WHY: dict[str, str] = {
    State.WAITING: "The server has accepted it and starts it as soon as it can.",
    State.METADATA: "Looking for somebody who knows which files belong to this magnet link.",
    State.CHECKING: "Checking the data that is already on the server.",
    State.QUEUED: "Waits for its turn.",
    State.DOWNLOADING: "The server is downloading it.",
    State.STALLED: "Nobody is sending data right now. It goes on by itself when somebody does.",
    State.PAUSED: "Paused. Resume it to go on.",
    State.FINISHED: "Complete on the server. Fetch it to bring it to this machine.",
    State.ERROR: "Something went wrong on the server.",
}


_WAITS_FOR: dict[str, str] = {
    "user_disk": "space in your quota",
    "user_active": "one of your other downloads",
    "user_traffic": "your next month",
    "box_disk": "space on the server",
    "box_active": "other people's downloads",
    "box_traffic": "the server's next month",
}

_EVENTS: dict[str, str] = {
    "added": "Added",
    "started": "Began to download",
    "completed": "Complete",
    "handed_over": "Fetched",
    "removed": "Deleted",
    "restored": "Taken back",
    "blocked": "Blocked",
}


def clean(text: str) -> str:
    """One printable line: no control characters, escape sequences, bidi overrides, zero-width characters."""
    text = _ESCAPES.sub("", text).replace("\t", " ").replace("\n", " ")
    return "".join(char for char in text if unicodedata.category(char) not in _INVISIBLE)


def state(torrent: Torrent) -> str:
    """At most eleven columns for the states of today; a state of a newer server is shown as it came."""
    return state_name(torrent.state)


def state_name(value: str) -> str:
    return _STATES.get(value) or clean(value).capitalize() or "Unknown"


def why(torrent: Torrent) -> str:
    """The server's explanation, or ours where it gave none; may be empty."""
    return clean(torrent.message) or _WHY.get(torrent.state, "")


def waits_for(value: str) -> str:
    """`space in your quota`; what a newer server says is shown as it came."""
    return _WAITS_FOR.get(value) or clean(value).replace("_", " ")


def event(kind: str) -> str:
    return _EVENTS.get(kind) or clean(kind).replace("_", " ").capitalize() or "Unknown"


def label(text: str) -> str:
    """`#linux`; empty for none."""
    return f"#{shown}" if (shown := clean(text).strip()) else ""


def ratio(uploaded: int, size: int | None) -> str:
    """How many times its size went out to others, `0.34`; empty while the size is unknown."""
    return f"{uploaded / size:.2f}" if size else ""


def size(count: int | None) -> str:
    """`0 B`, `999 B`, `1.5 kB`, `12.3 GB`: at most seven columns, decimal units; `–` when unknown."""
    if count is None:
        return "–"
    value = float(max(count, 0))
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if round(value, 1) < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def speed(count: float) -> str:
    """Like `size`, per second; empty for none, so that a column of idle torrents stays quiet."""
    return f"{size(round(count))}/s" if count >= 1 else ""


def duration(seconds: float | None) -> str:
    """`45s`, `2m 10s`, `3h 05m`, `4d 2h`: at most six columns; empty when unknown."""
    if seconds is None or seconds < 0:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h {whole % 3600 // 60:02}m"
    days = whole // 86_400
    if days < 10:
        return f"{days}d {whole % 86_400 // 3600}h"
    return f"{days}d" if days < 1000 else ""


def percent(fraction: float) -> str:
    """Rounded down: 100 % means complete."""
    return f"{int(fraction * 100 + 1e-9)} %"  # 0.29 * 100 is a little less than 29


def bar(fraction: float, width: int) -> str:
    """`████▌░░░`, exactly `width` columns."""
    eighths = int(min(max(fraction, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[rest] if rest else "")
    return drawn.ljust(width, "░")


def progress(fraction: float, width: int) -> str:
    """Bar and per cent, together `width` columns: `████▌░░░  56 %`."""
    return f"{bar(fraction, width - 6)} {percent(fraction):>5}"


def end_of(text: str, width: int) -> str:
    """The end, which tells more of a path than its beginning: `…/downloads/film.mkv`, at most `width` columns."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"


def clock(moment: datetime) -> str:
    """Time of day on this machine, `12:03:10`."""
    return moment.astimezone().strftime("%H:%M:%S")


def moment(when: datetime) -> str:
    """Day and time on this machine, `22 Nov 12:03`."""
    return when.astimezone().strftime("%d %b %H:%M")


def day(when: date) -> str:
    """`1 December`"""
    return f"{when.day} {when:%B}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
