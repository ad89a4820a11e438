"""Which releases are wanted: of one show, or of all in the preferences."""

from dataclasses import asdict
from types import SimpleNamespace

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Footer, Static

from torrent_proxy_client import watchlist_words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app import wish_form
from torrent_proxy_client.app.screens.form_editor import FormEditor, T
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.bars import SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.form_fields import FormFields
from torrent_proxy_client.watchlist import Entry, Preferences

_HINT = "Lists with commas, the best first. Left empty: as shown; none: an empty list."


class _WishEditor(FormEditor[T]):
    WHAT = "your wishes"

    def __init__(self, api: ApiClient, fields: FormFields) -> None:
        super().__init__()
        self._api = api
        self._fields = fields

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Static(_HINT, id="only", markup=False)
        yield self._fields
        yield SummaryBar()
        yield Footer(compact=True)

    def head(self, what: str, right: str) -> None:
        self.query_one(TitleBar).spread(Text(what, style="bold"), Text(right, style=QUIET))

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())


class EntryEditor(_WishEditor[Entry]):
    def __init__(self, api: ApiClient, entry: Entry, preferences: Preferences) -> None:
        groups = wish_form.wish_groups(
            wish_form.inherited_by_entries(preferences, entry), "in your preferences"
        )
        of = SimpleNamespace(
            **asdict(entry.wishes),
            from_episode=entry.from_episode,
            offset=entry.offset,
            end_with_show=entry.end_with_show,
        )
        super().__init__(api, FormFields(groups + wish_form.SHOW, of))
        self._entry = entry

    def on_mount(self) -> None:
        self.head(f"Wishes for {watchlist_words.title(self._entry.show)}", "holds from now on")

    async def send(self, wishes: dict[str, object]) -> Entry | None:
        other = self.changed(wishes)
        of_wishes = {name: value for name, value in other.items() if name in asdict(self._entry.wishes)}
        of_entry = {name: value for name, value in other.items() if name not in of_wishes}
        asked = of_entry | ({"wishes": of_wishes} if of_wishes else {})
        return await self._api.watchlist.change(self._entry.id, asked) if asked else None


class PreferencesEditor(_WishEditor[Preferences]):
    WHAT = "your preferences"

    def __init__(self, api: ApiClient, preferences: Preferences) -> None:
        inherited = wish_form.inherited_by_preferences(preferences)
        groups = wish_form.wish_groups(inherited, "the server does")
        super().__init__(api, FormFields(groups, preferences.wishes))

    def on_mount(self) -> None:
        self.head("Preferences", "for every show that says nothing else")

    async def send(self, wishes: dict[str, object]) -> Preferences | None:
        other = self.changed(wishes)
        return await self._api.watchlist.change_preferences(other) if other else None
