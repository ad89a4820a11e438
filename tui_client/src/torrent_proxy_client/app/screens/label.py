"""Give torrents a label: a word of the person's own, to find them by."""

from collections.abc import Iterable

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.filtering import folded
from torrent_proxy_client.app.mistakes import TellsMistakes, refusal
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.models import Torrent

LONGEST = 64  # characters, as the server takes them
_HINT = "A word of your own. Empty takes the label away."


class LabelScreen(TellsMistakes, ModalScreen[str | None]):
    """Hands back the label that was given; stays open, input kept, when that is refused."""

    BINDINGS = [
        Binding("escape", "dismiss(None)", "cancel", key_display="esc"),
        Binding("down", "to_known", show=False),
    ]

    def __init__(self, api: ApiClient, torrents: list[Torrent], known: list[str]) -> None:
        super().__init__()
        self._api = api
        self._torrents = torrents
        self._known = known
        self._saving = False

    def compose(self) -> ComposeResult:
        labels = {torrent.label for torrent in self._torrents}
        one = self._torrents[0]
        what = (
            (words.clean(one.name) or one.id)
            if len(self._torrents) == 1
            else f"{len(self._torrents)} torrents"
        )
        with Vertical(classes="dialog"):
            yield Static(f"Label of {what}", classes="dialog-title", markup=False)
            yield Input(
                value=labels.pop() if len(labels) == 1 else "",
                placeholder="No label",
            )
            yield OptionList(id="known", markup=False)
            yield Static(_HINT, id="label-hint", markup=False)
            yield Static(
                "Enter save · ↓ choose one you have · Esc cancel", classes="dialog-keys", markup=False
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._suggest("")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _check(self, event: Input.Changed) -> None:
        self._suggest(event.value)
        if len(event.value.strip()) > LONGEST:
            self._hint(
                f"A label has {LONGEST} characters at most; this has {len(event.value.strip())}.", "bad"
            )
        else:
            self._hint(_HINT)

    def _suggest(self, typed: str) -> None:
        """Those that hold what was typed; all while that is nothing, or one of them."""
        fitting = [label for label in self._known if folded(typed.strip()) in folded(label)]
        shown = self._known if typed.strip() in self._known else fitting
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(Text(words.label(label)), label) for label in shown])
        options.display = bool(shown)

    def action_to_known(self) -> None:
        options = self.query_one(OptionList)
        if options.display and not options.has_focus:
            options.highlighted = 0
            options.focus()

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        self._save(event.option.id or "")

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        if len(event.value.strip()) <= LONGEST:
            self._save(event.value.strip())

    @work(exit_on_error=False)
    async def _save(self, label: str) -> None:
        if self._saving:
            return
        self._saving = True
        try:
            self._hint("Saving …")
            for torrent in self._torrents:
                await self._api.change(torrent.id, {"label": label})
        except NotLoggedIn:
            self.dismiss(None)  # the app notices by itself, and asks to log in
        except ClientError as error:
            self._hint(refusal(error), "bad")
        else:
            self.dismiss(label)
        finally:
            self._saving = False

    def _hint(self, text: str, kind: str = "") -> None:
        hint = self.query_one("#label-hint", Static)
        hint.set_classes(kind)
        hint.update(("✗ " if kind else "") + words.clean(text))


def labels_of(torrents: Iterable[Torrent]) -> list[str]:
    """All that are in use."""
    return sorted({torrent.label for torrent in torrents if torrent.label}, key=str.casefold)
