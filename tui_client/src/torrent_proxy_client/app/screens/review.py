"""Releases that may be of shows somebody follows: of which, only they can say."""

from collections.abc import Collection

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, OptionList, Static
from textual.widgets.option_list import Option

from torrent_proxy_client import feed_words, watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.screens.watch_help import WatchHelpScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.app.widgets.tick import Tick
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.watchlist import Show
from torrent_proxy_client.watchlist_decisions import Question

_NOTHING = (
    "Nothing to review.\n\n"
    "What may be of one of your shows, and cannot be placed for certain, stands here until you decide."
)
_NONE_OF_MINE = "none"


class ReviewScreen(TableScreen):
    BINDINGS = [
        Binding("n", "none", "none of mine"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    HINTS = (Hint("Enter", "say of which show it is", "open"),)
    COLUMNS = (Column("release"), Column("may be of", 26), Column("seen", 12))

    def __init__(self, api: ApiClient) -> None:
        super().__init__(api)
        self._questions: dict[str, Question] = {}

    async def ask(self) -> None:
        self._questions = {one.id: one for one in await self.api.watchlist.questions()}

    def draw(self) -> None:
        self.head("Review", words.count(len(self._questions), "release"))
        self.show_rows({key: _cells(one) for key, one in self._questions.items()}, _NOTHING)

    def about(self, key: str) -> Text:
        one = self._questions[key]
        why = feed_words.reasons(one.reasons, one.title)
        feed = f"from {words.clean(one.feed)}" if one.feed else ""
        return Text(f"{words.clean(one.title)}\n{why}\n").append(feed, style=QUIET)

    @on(DataTable.RowSelected)
    @work(exit_on_error=False)
    async def action_open(self) -> None:
        one = self._questions.get(self.rows.selected)
        if one and self.is_active:
            entries = await self.answer(self.api.watchlist.all())
            if entries is None or not self.is_active:  # Enter may be pressed twice
                return
            followed = {entry.show.id for entry in entries if entry.state == "followed"}
            said = await self.app.push_screen_wait(AnswerScreen(self.api, one, followed))
            if said:
                self.tell(said)
                self.look()

    @work(exit_on_error=False)
    async def action_none(self) -> None:
        if one := self._questions.get(self.rows.selected):
            question = ConfirmScreen(
                "Is it of none of your shows?",
                f"{words.clean(one.title)}\n\nReleases of that name are not asked about again.",
                "none",
            )
            if await self.app.push_screen_wait(question):
                await self.done(
                    self.api.watchlist.answer(one.id, None),
                    "None of your shows; that name is not asked about again",
                )

    def action_help(self) -> None:
        self.app.push_screen(WatchHelpScreen())


class AnswerScreen(TellsMistakes, ModalScreen[str]):
    """Hands back what was decided, in words; empty when nothing was."""

    BINDINGS = [
        Binding("r", "remember", "remember or not"),
        Binding("escape,q", "dismiss('')", "cancel", key_display="esc"),
    ]

    def __init__(self, api: ApiClient, question: Question, followed: Collection[int]) -> None:
        super().__init__()
        self._followed = followed
        self._api = api
        self._question = question
        self._answering = False

    def compose(self) -> ComposeResult:
        one = self._question
        options = [Option(Text(_named(show, show.id in self._followed)), str(show.id)) for show in one.shows]
        with Vertical(classes="dialog"):
            yield Static("Of which show is it?", classes="dialog-title", markup=False)
            yield Static(words.clean(one.title), markup=False)
            yield Static(
                Text(feed_words.reasons(one.reasons, one.title), style=QUIET), id="why", markup=False
            )
            yield OptionList(*options, Option("None of mine", _NONE_OF_MINE), id="choices", markup=False)
            yield Tick("Remember: releases of this name are of that show", True, id="remember")
            yield Static(id="hint", classes="bad", markup=False)
            yield Static("Enter choose · r remember or not · Esc cancel", classes="dialog-keys", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = 0
        options.focus()
        self.query_one("#hint").display = False

    def action_remember(self) -> None:
        self.query_one(Tick).toggle()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        if not self._answering:
            self._answer(event.option.id or _NONE_OF_MINE)

    @work(exit_on_error=False)
    async def _answer(self, chosen: str) -> None:
        self._answering = True
        remember = self.query_one(Tick).value
        show = next((show for show in self._question.shows if str(show.id) == chosen), None)
        try:
            await self._api.watchlist.answer(self._question.id, show.id if show else None, remember=remember)
        except NotLoggedIn:
            self.dismiss("")  # the list of torrents notices by itself, and asks to log in
        except ClientError as error:
            hint = self.query_one("#hint", Static)
            hint.display = True
            hint.update(f"✗ {words.clean(str(error))}")
        else:
            what = watchlist_words.title(show) if show else "None of your shows"
            self.dismiss(f"{what}; remembered for this name" if remember else f"{what}, this time")
        finally:
            self._answering = False


def _named(show: Show, followed: bool) -> str:
    """`Lighthouse (followed, TV, 12 episodes, Autumn 2026)`"""
    about = ", ".join(
        part for part in ("followed" if followed else "", watchlist_words.about_show(show)) if part
    )
    return f"{watchlist_words.title(show)} ({about})" if about else watchlist_words.title(show)


def _cells(one: Question) -> list[str]:
    return [
        words.clean(one.title),
        ", ".join(watchlist_words.told_apart(one.shows)) or "?",
        words.moment(one.seen_at) if one.seen_at else "",
    ]
