"""A show that somebody follows: how each of its episodes is."""

from collections.abc import Awaitable

from rich.text import Text
from textual import on, work
from textual.binding import Binding
from textual.widgets import DataTable

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.entry_table import EntryTable
from torrent_proxy_client.app.screens.releases import ReleasesScreen
from torrent_proxy_client.app.screens.show_names import ShowNamesScreen
from torrent_proxy_client.app.screens.watch_decisions import WatchDecisionsScreen
from torrent_proxy_client.app.screens.wish_editor import EntryEditor
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.feed_words import Torrents
from torrent_proxy_client.watchlist import Entry, Episode

_NOTHING = (
    "No episodes are known yet. They show here as they are announced, or as releases of them come.\n\n"
    "n: the names it has in releases."
)


class ShowScreen(EntryTable):
    BINDINGS = [
        Binding("e", "wishes", "wishes"),
        Binding("n", "names", "names"),
        Binding("c", "releases", "releases"),
        Binding("p", "pause", "pause"),
        Binding("h", "history", "history"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    HINTS = (Hint("Enter", "its releases: take another one", "episode"),)
    COLUMNS = (
        Column("episode", 7),
        Column("state", 13),
        Column("when", 18),
        Column("group", 13),
        Column("release"),
    )

    def __init__(self, api: ApiClient, entry: Entry, torrents: Torrents) -> None:
        """`torrents` is kept up to date by others."""
        super().__init__(api, entry)
        self._torrents = torrents
        self._episodes: dict[str, Episode] = {}

    async def ask(self) -> None:
        entry = await self.api.watchlist.entry(self.entry.id)
        episodes = await self.api.watchlist.episodes(self.entry.id)
        # Together: between two answers a row may be selected.
        self.entry, self._episodes = entry, {_key(one): one for one in episodes}

    def draw(self) -> None:
        self.head(watchlist_words.title(self.entry.show), watchlist_words.about_show(self.entry.show))
        self.warn(watchlist_words.told_entry(self.entry))
        self.show_rows({key: _cells(one) for key, one in self._episodes.items()}, _NOTHING)

    def about(self, key: str) -> Text:
        told = watchlist_words.told_episode(self._episodes[key], self._torrents)
        summary = watchlist_words.told_summary(self.entry.summary)
        return Text("\n".join(told)).append(f"\nAll in all: {summary}", style=QUIET)

    # --- what can be done

    @work(exit_on_error=False)
    async def action_pause(self) -> None:
        await self.done(*pausing(self.api, self.entry))

    @work(exit_on_error=False)
    async def action_wishes(self) -> None:
        preferences = await self.answer(self.api.watchlist.preferences())
        if preferences is None:
            return
        if await self.app.push_screen_wait(EntryEditor(self.api, self.entry, preferences)):
            self.tell("Saved; it holds for what is taken from now on")
            self.look()

    def action_names(self) -> None:
        self.app.push_screen(ShowNamesScreen(self.api, self.entry))

    @on(DataTable.RowSelected)
    def action_episode(self) -> None:
        if episode := self._episodes.get(self.rows.selected):
            self.app.push_screen(ReleasesScreen(self.api, self.entry, episode))

    def action_releases(self) -> None:
        self.app.push_screen(ReleasesScreen(self.api, self.entry, None))

    def action_history(self) -> None:
        self.app.push_screen(WatchDecisionsScreen(self.api, self.entry))


def pausing(api: ApiClient, entry: Entry) -> tuple[Awaitable[Entry], str]:
    """Pausing a show, or going on with one for which nothing is taken; and what is to be said then."""
    name = watchlist_words.title(entry.show)
    if entry.state == "followed":
        said = f"Paused {name}: nothing is taken for it"
        return api.watchlist.change(entry.id, {"state": "paused"}), said
    return api.watchlist.change(entry.id, {"state": "followed"}), f"Following {name} again"


def _key(one: Episode) -> str:
    return f"{one.special} {one.number}"


def _cells(one: Episode) -> list[str]:
    return [
        watchlist_words.episode_name(one.special, one.number),
        watchlist_words.episode_state(one.state),
        watchlist_words.episode_when(one),
        watchlist_words.release_group(one),
        words.clean(one.title),
    ]
