"""The shows that somebody follows, and how many of their episodes are there."""

from collections.abc import Callable

from rich.text import Text
from textual import on, work
from textual.binding import Binding
from textual.events import Click
from textual.widgets import DataTable, Input, Static

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.filtering import folded
from torrent_proxy_client.app.screens.accounts import AccountsScreen
from torrent_proxy_client.app.screens.add_show import AddShowScreen
from torrent_proxy_client.app.screens.calendar import CalendarScreen
from torrent_proxy_client.app.screens.choose import ChooseScreen
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.listing import ListScreen
from torrent_proxy_client.app.screens.review import ReviewScreen
from torrent_proxy_client.app.screens.show import ShowScreen, pausing
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.screens.watch_decisions import WatchDecisionsScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.screens.wish_editor import PreferencesEditor
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.feed_words import Torrents
from torrent_proxy_client.preferences import Preferences
from torrent_proxy_client.watchlist import Entry

_NOTHING = (
    "You follow no shows yet.\n\nPress a to search one, or l to link your list: then its shows are followed.\n"
    "Their episodes are taken from your feeds as they come."
)
_MISSING = "missing"
_ONLY = (
    ("", "all"),
    (_MISSING, "with missing episodes"),
    *((state, told) for state, told in watchlist_words.ENTRY_STATES.items() if state != "removed"),
)
_LAST = float("inf")
Rank = tuple[float | str, str]
_SORTS: dict[str, tuple[str, Callable[[Entry], float | str]]] = {
    "name": ("name", lambda entry: ""),
    "next": (
        "next episode, the soonest first",
        lambda entry: entry.summary.next_airs_at.timestamp() if entry.summary.next_airs_at else _LAST,
    ),
    "missing": ("missing episodes, the most first", lambda entry: -float(entry.summary.missing)),
    "state": ("state", watchlist_words.entry_state),
    "added": (
        "when it was added, newest first",
        lambda entry: -entry.added_at.timestamp() if entry.added_at else 0.0,
    ),
}
"""What rows can be sorted by, then by name: in words, and how; the most interesting end comes first."""


class ShowsScreen(TableScreen):
    BINDINGS = [
        Binding("a", "add", "add"),
        Binding("p", "pause", "pause"),
        Binding("d", "remove", "remove"),
        Binding("c", "calendar", "calendar"),
        Binding("r", "review", "review"),
        Binding("l", "accounts", "my list"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape", "back", "back", key_display="esc"),
        # These stand in the line above the footer.
        Binding("slash", "filter", show=False),
        Binding("o", "only", show=False),
        Binding("s", "sort", show=False),
        Binding("S", "sort_backwards", show=False),
        Binding("e", "preferences", show=False),
        Binding("h", "history", show=False),
        Binding("u", "undo_remove", show=False),
        Binding("q", "leave", show=False),
    ]
    HINTS = (
        Hint("Enter", "episodes", "open"),
        Hint("/", "filter", "filter"),
        Hint("o", "only", "only"),
        Hint("s S", "sort", "sort"),
        Hint("e", "preferences", "preferences"),
        Hint("h", "history", "history"),
        Hint("u", "undo", "undo_remove"),
    )
    COLUMNS = (
        Column("show"),
        Column("state", 8),
        Column("there", 7),
        Column("missing", 7),
        Column("next episode", 14),
    )
    SEARCH = "Words of its names; Enter keeps, Esc shows all"

    def __init__(self, api: ApiClient, torrents: Torrents, preferences: Preferences) -> None:
        """`torrents` is kept up to date by others."""
        super().__init__(api)
        self._torrents = torrents
        self._preferences = preferences
        self._entries: dict[str, Entry] = {}
        self._answered = False
        self._trouble = ""
        self._to_review = 0
        self._words = ""
        self._state = ""
        self._removed: Entry | None = None  # by the last remove

    async def ask(self) -> None:
        entries = await self.api.watchlist.all()
        questions = await self.api.watchlist.questions()
        self._trouble = watchlist_words.trouble(await self.api.watchlist.providers())
        self._entries = {entry.id: entry for entry in entries if entry.state != "removed"}
        self._answered = True
        self._to_review = len(questions)

    def draw(self) -> None:
        if not self._answered:
            return
        entries = self._entries.values()
        missing = sum(bool(entry.summary.missing) for entry in entries)
        parts = [words.count(len(entries), "show")]
        parts += [f"{missing} with missing episodes"] if missing else []
        parts += [f"{self._to_review} to review (r)"] if self._to_review else []
        self.head("Shows", ", ".join(parts))
        self.warn(self._trouble)
        shown = sorted((entry for entry in entries if self._fits(entry)), key=self._rank)
        if self._preferences.shows_reverse:
            shown.reverse()
        nothing = "Nothing matches.\n\nEsc shows all." if self._filtered else _NOTHING
        self.show_rows({entry.id: _cells(entry) for entry in shown}, nothing)

    def about(self, key: str) -> Text:
        entry = self._entries[key]
        show = entry.show
        told = watchlist_words.told_entry(entry) or watchlist_words.told_summary(entry.summary)
        names = ", ".join(watchlist_words.other_titles(show)[:2])
        whence = watchlist_words.came_from(entry)
        quiet = [watchlist_words.about_show(show), *([whence] if whence else [])]
        return (
            Text(f"{watchlist_words.title(show)}\n", style="bold")
            .append(f"{told}\n", style="not bold")
            .append(" · ".join(part for part in quiet if part), style=f"not bold {QUIET}")
            .append(f"\n{names}", style=f"not bold {QUIET}")
        )

    @property
    def _selected(self) -> Entry | None:
        return self._entries.get(self.rows.selected)

    # --- which, in which order

    @property
    def _filtered(self) -> bool:
        return bool(self._words or self._state)

    def _fits(self, entry: Entry) -> bool:
        if self._state == _MISSING and not entry.summary.missing:
            return False
        if self._state not in ("", _MISSING, entry.state):
            return False
        show = entry.show
        names = " ".join((watchlist_words.title(show), *watchlist_words.other_titles(show)))
        return all(word in folded(names) for word in folded(self._words).split())

    @property
    def _order(self) -> tuple[str, Callable[[Entry], float | str]]:
        return _SORTS.get(self._preferences.shows_sort, _SORTS["name"])

    def _rank(self, entry: Entry) -> Rank:
        _, rank = self._order
        return rank(entry), watchlist_words.title(entry.show).casefold()

    def action_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self._words = event.value
        self.draw()

    @on(Input.Submitted, "#filter")
    def _keep_filter(self, event: Input.Submitted) -> None:
        event.input.display = bool(self._words.strip())
        self.rows.focus()

    @work(exit_on_error=False)
    async def action_only(self) -> None:
        chosen = await self.app.push_screen_wait(ChooseScreen(_ONLY, self._state))
        if chosen is not None:
            self._only(chosen)

    def _only(self, state: str) -> None:
        self._state = state
        line = self.query_one("#only", Static)
        line.display = bool(state)
        line.update(f"Only {dict(_ONLY)[state]} · Esc shows all")
        self.draw()

    @on(Click, "#only")
    def _show_all(self) -> None:
        field = self.query_one("#filter", Input)
        with self.prevent(Input.Changed):
            field.clear()
        field.display = False
        self._words = ""
        self.rows.focus()
        self._only("")

    def action_back(self) -> None:
        """Take back the filter first."""
        if self._filtered or self.query_one("#filter").display:
            self._show_all()
        else:
            self.dismiss()

    def action_leave(self) -> None:
        self.dismiss()

    def action_sort(self) -> None:
        sorts, now = list(_SORTS), self._preferences.shows_sort
        self._preferences.shows_sort = sorts[(sorts.index(now) + 1) % len(sorts) if now in sorts else 0]
        self._sorted()

    def action_sort_backwards(self) -> None:
        self._preferences.shows_reverse = not self._preferences.shows_reverse
        self._sorted()

    def _sorted(self) -> None:
        self.draw()
        told, _ = self._order
        self.tell(f"Sorted by {told}{', backwards' if self._preferences.shows_reverse else ''}")
        self.post_message(ListScreen.PreferencesChanged())

    # --- what can be done

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        entry = await self.app.push_screen_wait(AddShowScreen(self.api))
        if entry:
            self._entries[entry.id] = entry
            self.draw()
            self.rows.select(entry.id)
            hidden = "" if self._fits(entry) else ", but the filter hides it (Esc shows all)"
            self.tell(
                f"Following {watchlist_words.title(entry.show)}{hidden}; Enter, then e: your wishes for it"
            )
            self.look()

    @work(exit_on_error=False)
    async def action_pause(self) -> None:
        if entry := self._selected:
            await self.done(*pausing(self.api, entry))

    @work(exit_on_error=False)
    async def action_remove(self) -> None:
        if entry := self._selected:
            name = watchlist_words.title(entry.show)
            question = ConfirmScreen(
                f"Follow {name} no more?",
                "Nothing is taken for it any more, also while your list has it.\n"
                "What was taken stays in your list of torrents. u takes this back.",
                "remove",
            )
            if await self.app.push_screen_wait(question) and await self.done(
                self.api.watchlist.remove(entry.id), f"Removed {name} · u takes it back"
            ):
                self._removed = entry

    @work(exit_on_error=False)
    async def action_undo_remove(self) -> None:
        entry, self._removed = self._removed, None
        if entry is None:
            self.tell("Nothing was removed since this screen was opened.")
            return
        paused = ", still paused" if entry.state == "paused" else ""
        said = f"Following {watchlist_words.title(entry.show)} again{paused}"
        if not await self.done(self.api.watchlist.restore(entry.id), said):
            self._removed = entry

    @work(exit_on_error=False)
    async def action_preferences(self) -> None:
        preferences = await self.answer(self.api.watchlist.preferences())
        if preferences is None:
            return
        if await self.app.push_screen_wait(PreferencesEditor(self.api, preferences)):
            self.tell("Preferences saved; they hold for every show that says nothing else")

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        if entry := self._selected:
            self.app.push_screen(ShowScreen(self.api, entry, self._torrents))

    def action_calendar(self) -> None:
        self.app.push_screen(CalendarScreen(self.api, self._torrents))

    def action_review(self) -> None:
        self.app.push_screen(ReviewScreen(self.api))

    def action_accounts(self) -> None:
        self.app.push_screen(AccountsScreen(self.api))

    def action_history(self) -> None:
        self.app.push_screen(WatchDecisionsScreen(self.api))

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())


def _cells(entry: Entry) -> list[str]:
    summary = entry.summary
    return [
        watchlist_words.title(entry.show),
        watchlist_words.entry_state(entry),
        watchlist_words.have(summary),
        watchlist_words.missing(summary),
        watchlist_words.next_episode(summary),
    ]
