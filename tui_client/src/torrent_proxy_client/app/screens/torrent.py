"""Everything about one torrent, in tabs; and what its owner can change of it."""

import asyncio
from collections.abc import Awaitable, Callable

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static, TabbedContent, TabPane

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app import telling
from torrent_proxy_client.app.live import Following
from torrent_proxy_client.app.mistakes import TellsMistakes, refusal
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.help import HelpScreen
from torrent_proxy_client.app.screens.label import LabelScreen, labels_of
from torrent_proxy_client.app.screens.limits import LimitsScreen
from torrent_proxy_client.app.theme import STATE_COLOURS
from torrent_proxy_client.app.widgets.bars import AwayBanner, SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.file_list import FileList
from torrent_proxy_client.errors import ClientError, NotLoggedIn, Refused
from torrent_proxy_client.models import State, Torrent, TorrentFile

LOOK_EVERY = 4.0  # seconds, at files that are coming or at the swarm; the server reads them every three
_FILES_A_SECOND = 500  # a long list is asked for less often
_ASKING = "Asking the server …"
_TABS = ("overview", "files", "swarm", "history")
_KEYS_OF_TAB = {
    "overview": {"label", "limits", "pause", "resume"},
    "files": {"choose", "all", "none", "invert", "save"},
}
_GONE = "This torrent is not in your list any more."
_NO_FILES = "The files are not known yet. They will be as soon as somebody tells what belongs to the link."
_NO_CHOICE = "Your server is older than this app: all files are downloaded."


class TorrentScreen(TellsMistakes, Screen[bool]):
    """Follows the list for what that knows; asks for the rest only while its tab is open. Hands back whether the
    torrent is to be fetched now."""

    BINDINGS = [
        *(Binding(str(number), f"tab('{tab}')", show=False) for number, tab in enumerate(_TABS, 1)),
        Binding("left", "next_tab(-1)", show=False, priority=True),
        Binding("right", "next_tab(1)", show=False, priority=True),
        Binding("l", "label", "label"),
        Binding("e", "limits", "edit limits"),
        Binding("p", "pause", "pause"),
        Binding("r", "resume", "resume"),
        Binding("space,enter", "choose", "choose", key_display="space"),
        Binding("a", "all", "all"),
        Binding("n", "none", "none"),
        Binding("i", "invert", "invert"),
        Binding("s", "save", "save"),
        Binding("escape,q", "close(False)", "back", key_display="esc"),
        Binding("f", "close(True)", "fetch"),
        Binding("question_mark", "help", "help", key_display="?"),
    ]

    def __init__(self, api: ApiClient, torrent: Torrent, following: Following) -> None:
        super().__init__()
        self._api = api
        self._torrent = torrent  # as it was last seen
        self._following = following

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield AwayBanner()
        with TabbedContent():
            with TabPane("1 Overview", id="overview"), VerticalScroll():
                yield Static(id="overview-text", markup=False)
            with TabPane("2 Files", id="files"):
                yield Static(_ASKING, id="choice", markup=False)
                yield FileList()
                yield Static(id="unsaved", markup=False)
            with TabPane("3 Swarm", id="swarm"), VerticalScroll():
                yield Static(_ASKING, id="swarm-text", markup=False)
            with TabPane("4 History", id="history"), VerticalScroll():
                yield Static(_ASKING, id="history-text", markup=False)
        yield SummaryBar()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        self._following.news.subscribe(self, self._show_news)
        self._following.link.subscribe(self, self.query_one(AwayBanner).show)
        self._show_torrent()

    # --- what is shown

    @property
    def _tab(self) -> str:
        return self.query_one(TabbedContent).active

    @property
    def _is_there(self) -> bool:
        return self._torrent.id in self._following.mirror.torrents

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return False  # a key that was pressed while it opened
        of_a_tab = any(action in keys for keys in _KEYS_OF_TAB.values())
        return not of_a_tab or action in _KEYS_OF_TAB.get(self._tab, ())

    def action_tab(self, tab: str) -> None:
        self.query_one(TabbedContent).active = tab

    def action_next_tab(self, by: int) -> None:
        self.action_tab(_TABS[(_TABS.index(self._tab) + by) % len(_TABS)])

    @on(TabbedContent.TabActivated)
    def _tab_opened(self) -> None:
        self.query_one(f"#{self._tab}").query(f"{FileList.__name__}, VerticalScroll").first().focus()
        self.refresh_bindings()
        self._look(self._tab)

    def _show_news(self, _: None) -> None:
        before = self._torrent
        self._torrent = self._following.mirror.torrents.get(before.id, before)
        self._show_torrent()
        if _what_tabs_depend_on(self._torrent) != _what_tabs_depend_on(before):
            self._look(self._tab)

    def _show_torrent(self) -> None:
        torrent = self._torrent
        state = Text(words.state(torrent), style=STATE_COLOURS.get(torrent.state, ""))
        name = Text(words.clean(torrent.name) or torrent.id, style="bold")
        self.query_one(TitleBar).spread(name, state)
        text = telling.overview(torrent) if self._is_there else Text(_GONE)
        self.query_one("#overview-text", Static).update(text)

    @work(exit_on_error=False, exclusive=True, group="look")
    async def _look(self, tab: str) -> None:
        """Ask for what the open tab shows; again and again where that changes by itself."""
        looks: dict[str, Callable[[], Awaitable[float | None]]] = {
            "files": self._look_at_files,
            "swarm": self._look_at_swarm,
            "history": self._look_at_history,
        }
        while tab in looks:
            try:
                pause = await looks[tab]()
            except NotLoggedIn:
                return  # the list notices by itself, and asks to log in
            except ClientError as error:
                place = "choice" if tab == "files" else f"{tab}-text"
                self.query_one(f"#{place}", Static).update(f"✗ {refusal(error) if self._is_there else _GONE}")
                is_final = isinstance(error, Refused) and error.status in (404, 405)
                pause = None if is_final else getattr(error, "retry_after", None) or LOOK_EVERY
            if pause is None:
                return
            await asyncio.sleep(pause)

    # Each gives the seconds after which it is worth looking again; None: not until something happens.

    async def _look_at_files(self) -> float | None:
        files = await self._api.files(self._torrent.id)
        self.query_one(FileList).show(files)
        self._show_choice()
        return None if self._torrent.state == State.FINISHED else LOOK_EVERY + len(files) / _FILES_A_SECOND

    async def _look_at_swarm(self) -> float | None:
        found = await self._api.swarm(self._torrent.id)
        self.query_one("#swarm-text", Static).update(telling.swarm(found))
        return LOOK_EVERY

    async def _look_at_history(self) -> float | None:
        told = await self._api.history(self._torrent.id)
        self.query_one("#history-text", Static).update(telling.history(told))
        return None

    # --- files

    @on(FileList.Chosen)
    def _show_choice(self) -> None:
        listed = self.query_one(FileList)
        files, wanted = listed.files, listed.wanted
        self.query_one("#choice", Static).update(telling.choice(files, wanted) if files else _NO_FILES)
        unsaved = self.query_one("#unsaved", Static)
        unsaved.display = bool(files) and (listed.changed or not listed.choosable)
        changed = (
            f"Not saved yet: s saves, Esc goes back. {telling.consequence(self._torrent, files, wanted)}"
        )
        unsaved.update(changed if listed.choosable else _NO_CHOICE)

    def action_choose(self) -> None:
        self.query_one(FileList).toggle()

    def action_all(self) -> None:
        self.query_one(FileList).choose(file.index for file in self.query_one(FileList).files)

    def action_none(self) -> None:
        self.query_one(FileList).choose(())

    def action_invert(self) -> None:
        listed = self.query_one(FileList)
        listed.choose(file.index for file in listed.files if file.index not in listed.wanted)

    @work(exit_on_error=False, exclusive=True, group="save")
    async def action_save(self) -> None:
        listed = self.query_one(FileList)
        files, wanted = listed.files, listed.wanted
        if not listed.changed:
            self._tell("Nothing to save: the choice is as the server has it.")
        elif not wanted:
            self._tell(telling.consequence(self._torrent, files, wanted))
        elif await self._may_give_up(telling.given_up(files, wanted)):
            everything = len(wanted) == len(files)
            wishes = {"files": None if everything else sorted(wanted)}
            if await self._change(self._api.change(self._torrent.id, wishes)):
                self._tell(f"Saved: {telling.choice(files, wanted)}")
                self._look(self._tab)

    async def _may_give_up(self, files: list[TorrentFile]) -> bool:
        if not files:
            return True
        many = len(files) > 1
        they, them, are = ("They", "them", "are") if many else ("It", "it", "is")
        question = ConfirmScreen(
            f"Give up {words.count(len(files), 'file')} that {are} complete on the server?",
            f"{they} can then not be fetched from there any more. Choosing {them} again later brings {them} back, but "
            "may mean downloading anew.\nWhat you have fetched to this machine stays.",
            "give up",
        )
        return await self.app.push_screen_wait(question)

    # --- what else can be changed

    @work(exit_on_error=False)
    async def action_label(self) -> None:
        known = labels_of(self._following.mirror.torrents.values())
        label = await self.app.push_screen_wait(LabelScreen(self._api, [self._torrent], known))
        if label is not None:
            self._tell(f"Labelled {words.label(label)}" if label else "Label taken away")
            self._following.wake()

    @work(exit_on_error=False)
    async def action_limits(self) -> None:
        if await self.app.push_screen_wait(LimitsScreen(self._api, self._torrent)):
            self._tell("Limits saved")
            self._following.wake()

    @work(exit_on_error=False)
    async def action_pause(self) -> None:
        if await self._change(self._api.pause(self._torrent.id)):
            self._tell("Paused")

    @work(exit_on_error=False)
    async def action_resume(self) -> None:
        if await self._change(self._api.resume(self._torrent.id)):
            self._tell("Resumed")

    async def _change(self, asked: Awaitable[Torrent]) -> bool:
        """Whether the server did what it was asked; says so when not."""
        try:
            await asked
        except NotLoggedIn:
            return False  # the list notices by itself, and asks to log in
        except ClientError as error:
            text = refusal(error) if self._is_there else _GONE
            self.notify(text, severity="error", timeout=8, markup=False)
            return False
        self._following.wake()
        return True

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen())

    @work(exit_on_error=False, exclusive=True, group="close")
    async def action_close(self, fetch: bool) -> None:
        question = ConfirmScreen(
            "Leave without saving your choice of files?", "It stays as the server has it.", "leave"
        )
        if not self.query_one(FileList).changed or await self.app.push_screen_wait(question):
            self.dismiss(fetch)

    def _tell(self, text: str) -> None:
        self.query_one(SummaryBar).say(text)


def _what_tabs_depend_on(torrent: Torrent) -> tuple[object, ...]:
    """When this changes, files and history are others; what merely moves is seen at the next look."""
    return torrent.state, torrent.size, torrent.handed_over
