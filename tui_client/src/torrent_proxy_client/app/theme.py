"""One calm theme. Meaning is never in the colour alone: a word or a sign always says the same."""

from textual.theme import Theme

from torrent_proxy_client.models import State

GOOD = "#8fbf7f"
BUSY = "#7fb2d9"
WAITING = "#d8b26a"
BAD = "#e07a78"
QUIET = "#8b93a3"

STATE_COLOURS: dict[str, str] = {
    State.FINISHED: GOOD,
    State.DOWNLOADING: BUSY,
    State.METADATA: WAITING,
    State.STALLED: WAITING,
    State.ERROR: BAD,
    State.PAUSED: QUIET,
}

CALM = Theme(
    name="calm",
    dark=True,
    primary=BUSY,
    secondary="#9aa5c9",
    accent="#c3a6d8",
    success=GOOD,
    warning=WAITING,
    error=BAD,
    foreground="#d7dbe2",
    background="#171a20",
    surface="#1d2128",
    panel="#262b34",
    variables={"footer-key-foreground": BUSY, "border-blurred": "#3a414d"},
)
