"""How fast a torrent may be, how long it is given to others, and in which order it is downloaded."""

from collections.abc import Callable
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static

from torrent_proxy_client import amounts, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes, refusal
from torrent_proxy_client.app.widgets.tick import Tick
from torrent_proxy_client.errors import ClientError, NotLoggedIn, Refused
from torrent_proxy_client.models import Torrent


@dataclass(frozen=True, slots=True)
class Field:
    name: str  # of the API
    title: str
    placeholder: str
    text: Callable[[Torrent], str]
    parse: Callable[[str], object]


FIELDS = (
    Field("download_limit", "Download", "no limit, or such as 500 kB/s",
          lambda torrent: amounts.speed_text(torrent.download_limit), amounts.parse_speed),
    Field("upload_limit", "Upload", "no limit, or such as 500 kB/s",
          lambda torrent: amounts.speed_text(torrent.upload_limit), amounts.parse_speed),
    Field("seed_ratio", "Seed until ratio", "the server's default, or such as 1.5",
          lambda torrent: amounts.ratio_text(torrent.seed_ratio), amounts.parse_ratio),
    Field("seed_seconds", "Seed for", "the server's default, or such as 12 h",
          lambda torrent: amounts.time_text(torrent.seed_seconds), amounts.parse_time),
)  # fmt: skip
_SEQUENTIAL = "From the first piece to the last, to watch while it downloads"
_HINT = "Others who have the same torrent may want more of it than you."


class LimitsScreen(TellsMistakes, ModalScreen[Torrent | None]):
    """Hands back the torrent as it is then; stays open, all that was typed kept, when something is refused."""

    BINDINGS = [
        Binding("enter,ctrl+s", "save", "save", key_display="enter"),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, torrent: Torrent) -> None:
        super().__init__()
        self._api = api
        self._torrent = torrent
        self._saving = False

    def compose(self) -> ComposeResult:
        name = words.clean(self._torrent.name) or self._torrent.id
        with Vertical(classes="dialog", id="limits"):
            yield Static(f"Limits of {name}", classes="dialog-title", markup=False)
            with Grid():
                for field in FIELDS:
                    yield Label(field.title)
                    yield Input(
                        field.text(self._torrent), placeholder=field.placeholder, id=field.name, compact=True
                    )
            yield Tick(_SEQUENTIAL, self._torrent.sequential, id="sequential")
            yield Static(_HINT, id="limits-hint", markup=False)
            yield Static(
                "Enter save · Tab next · Space tick · Esc cancel", classes="dialog-keys", markup=False
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one(f"#{FIELDS[0].name}").focus()

    @on(Input.Changed)
    def _check(self) -> None:
        self._wishes()

    @on(Input.Submitted)
    def action_save(self) -> None:
        wishes = self._wishes()
        if wishes is not None and not self._saving:
            self._save(wishes)

    def _wishes(self) -> dict[str, object] | None:
        """What differs from how it is; None, and a sentence on the screen, when something cannot be meant."""
        wishes: dict[str, object] = {}
        for field in FIELDS:
            text = self.query_one(f"#{field.name}", Input).value
            try:
                # What was not touched stays exactly as it is.
                if text != field.text(self._torrent):
                    wishes[field.name] = field.parse(text)
            except amounts.BadAmount as error:
                self._hint(f"{field.title}: {error}", bad=True)
                return None
        sequential = self.query_one("#sequential", Tick).value
        if sequential != self._torrent.sequential:
            wishes["sequential"] = sequential
        self._hint(_HINT)
        return wishes

    @work(exit_on_error=False)
    async def _save(self, wishes: dict[str, object]) -> None:
        self._saving = True
        try:
            self._hint("Saving …")
            self.dismiss(await self._api.change(self._torrent.id, wishes) if wishes else None)
        except NotLoggedIn:
            self.dismiss(None)  # the app notices by itself, and asks to log in
        except ClientError as error:
            title = next((field.title for field in FIELDS if field.name == getattr(error, "attr", None)), "")
            self._hint(f"{title}: {refusal(error)}" if title else refusal(error), bad=True)
            if isinstance(error, Refused) and title:
                self.query_one(f"#{error.attr}").focus()
        finally:
            self._saving = False

    def _hint(self, text: str, *, bad: bool = False) -> None:
        hint = self.query_one("#limits-hint", Static)
        hint.set_classes("bad" if bad else "")
        hint.update(("✗ " if bad else "") + words.clean(text))
