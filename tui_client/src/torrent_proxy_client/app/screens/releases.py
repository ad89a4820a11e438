"""The releases of a show, or of one episode of it, and taking another one than was chosen."""

from rich.text import Text
from textual import on, work
from textual.binding import Binding
from textual.widgets import DataTable

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.entry_table import EntryTable
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.watchlist import Candidate, Entry, Episode

_NOTHING = (
    "No release that you want has come yet.\n\n"
    "h, where the show is open, tells what came and why it was not taken. e changes your wishes."
)
_TAKEN = ("taken", "have")


class ReleasesScreen(EntryTable):
    BINDINGS = [
        Binding("t", "take", "take this one instead"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    COLUMNS = (
        Column("episode", 7),
        Column("state", 13),
        Column("group", 13),
        Column("release"),
        Column("found", 12),
    )

    def __init__(self, api: ApiClient, entry: Entry, episode: Episode | None) -> None:
        """None: of all its episodes."""
        super().__init__(api, entry)
        self._episode = episode
        self._found: dict[str, Candidate] = {}

    async def ask(self) -> None:
        found = await self.api.watchlist.candidates(self.entry.id)
        self._found = {one.id: one for one in found if self._episode is None or one.holds(self._episode)}

    def draw(self) -> None:
        name = watchlist_words.title(self.entry.show)
        episode = self._episode
        which = f" {watchlist_words.episode_name(episode.special, episode.number)}" if episode else ""
        self.head(f"Releases of {name}{which}", words.count(len(self._found), "release"))
        self.show_rows({key: _cells(one) for key, one in self._found.items()}, _NOTHING)

    def about(self, key: str) -> Text:
        one = self._found[key]
        lines = [words.clean(one.title)]
        if one.message:
            lines.append(words.clean(one.message))
        elif one.state in _TAKEN:
            lines.append("This one was chosen.")
        else:
            lines.append("t takes it instead of what was, or would be, chosen.")
        episodes = watchlist_words.episodes(one.numbers, one.special)
        return Text("\n".join(lines)).append(f"\nepisodes: {episodes}", style=QUIET)

    @on(DataTable.RowSelected)
    @work(exit_on_error=False)
    async def action_take(self) -> None:
        one = self._found.get(self.rows.selected)
        if one is None or not self.is_active:
            return
        if one.state in _TAKEN:
            self.tell("This one was chosen already")
            return
        question = ConfirmScreen(
            "Take this release instead?",
            f"{words.clean(one.title)}\n\nThe server downloads it. What is there for the same episodes stays until "
            "this one is there.",
            "take",
        )
        if await self.app.push_screen_wait(question):
            await self.done(
                self.api.watchlist.take(self.entry.id, one.id), f"Taking {words.clean(one.title)}"
            )


def _cells(one: Candidate) -> list[str]:
    version = f" v{one.version}" if one.version > 1 else ""
    return [
        watchlist_words.episodes(one.numbers, one.special),
        watchlist_words.candidate_state(one),
        f"{words.clean(one.group)}{version}",
        words.clean(one.title),
        words.moment(one.found_at) if one.found_at else "",
    ]
