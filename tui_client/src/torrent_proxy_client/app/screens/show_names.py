"""The names that a show has in releases, besides those that its provider knows."""

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static

from torrent_proxy_client import amounts, watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.entry_table import EntryTable
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.watchlist import Alias, Entry

_HINT = "As it stands in the release's name, without group and episode."


class ShowNamesScreen(EntryTable):
    """Those of its provider are shown too; only one's own can be taken away."""

    BINDINGS = [
        Binding("a", "add", "add a name"),
        Binding("d", "remove", "remove"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    COLUMNS = (Column("name in releases"), Column("season", 6), Column("from", 12))

    def __init__(self, api: ApiClient, entry: Entry) -> None:
        super().__init__(api, entry)
        self._own: dict[str, Alias] = {}

    async def ask(self) -> None:
        self.entry = await self.api.watchlist.entry(self.entry.id)
        self._own = {f"own {alias.id}": alias for alias in self.entry.aliases}

    def draw(self) -> None:
        show = self.entry.show
        self.head(f"Names of {watchlist_words.title(show)}", "how its releases are recognised")
        rows = {key: _cells(alias) for key, alias in self._own.items()}
        for name in (watchlist_words.title(show), *watchlist_words.other_titles(show)):
            rows[f"known {name}"] = [name, "", words.clean(show.provider) or "the server"]
        self.show_rows(rows)

    def about(self, key: str) -> Text:
        alias = self._own.get(key)
        if alias is None:
            return Text("Known of the show itself. a adds a name of your own.", style=QUIET)
        where = "where a release states " + (
            "no season" if alias.season is None else f"season {alias.season}"
        )
        return Text(f"{words.clean(alias.name)}\nmeans this show, {where}. Only for you.")

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        if alias := await self.app.push_screen_wait(AddNameScreen(self.api, self.entry)):
            self.tell(f"{words.clean(alias.name)} means this show from now on")
            self.look()

    @work(exit_on_error=False)
    async def action_remove(self) -> None:
        """Without asking: adding it again is as quick."""
        alias = self._own.get(self.rows.selected)
        if alias is None:
            self.tell("Only names of your own can be taken away")
            return
        asked = self.api.watchlist.remove_alias(self.entry.id, alias.id)
        await self.done(asked, f"Removed {words.clean(alias.name)}")


class AddNameScreen(TellsMistakes, ModalScreen[Alias | None]):
    """Hands back the name that was added; stays open, input kept, when it is refused."""

    BINDINGS = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, entry: Entry) -> None:
        super().__init__()
        self._api = api
        self._entry = entry

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog form"):
            title = f"Another name of {watchlist_words.title(self._entry.show)}"
            yield Static(title, classes="dialog-title", markup=False)
            with Grid():
                yield Label("Name")
                yield Input(placeholder="such as Lighthouse S2", id="name", compact=True)
                yield Label("With season")
                yield Input(placeholder="the one that releases state; empty: none", id="season", compact=True)
            yield Static(_HINT, id="hint", markup=False)
            yield Static("Enter add · Tab next · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self.query_one("#name").focus()

    @on(Input.Submitted)
    def _submit(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        try:
            season = amounts.parse_count(self.query_one("#season", Input).value, empty="none")
        except amounts.BadAmount as error:
            self._refuse(f"With season: {error}")
            return
        if name:
            self._add(name, season)
        else:
            self._refuse("Write the name first.")

    @work(exit_on_error=False, exclusive=True)
    async def _add(self, name: str, season: int | None) -> None:
        try:
            self.dismiss(await self._api.watchlist.add_alias(self._entry.id, name, season=season))
        except NotLoggedIn:
            self.dismiss(None)  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            self._refuse(str(error))

    def _refuse(self, text: str) -> None:
        hint = self.query_one("#hint", Static)
        hint.set_classes("bad")
        hint.update(f"✗ {words.clean(text)}")


def _cells(alias: Alias) -> list[str]:
    season = "none" if alias.season is None else str(alias.season)
    return [words.clean(alias.name), season, "you"]
