"""Write a rule, and see meanwhile what it would take."""

import asyncio
from collections.abc import Sequence

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Footer

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.feed_help import FeedHelpScreen
from torrent_proxy_client.app.screens.form_editor import FormEditor
from torrent_proxy_client.app.screens.titles import TitlesScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.bars import SummaryBar, TitleBar
from torrent_proxy_client.app.widgets.form_fields import FormFields
from torrent_proxy_client.app.widgets.rule_fields import RuleFields
from torrent_proxy_client.app.widgets.rule_preview import RulePreview
from torrent_proxy_client.errors import ClientError, NotLoggedIn, Refused, ServerAway
from torrent_proxy_client.feeds import Feed, Rule

STILL = 0.4  # seconds without a key after which the preview is asked for
AGAIN = 5.0  # seconds, while the server is away
_TITLES_HINT = "One a line. Leave it empty to try it on what is in your feeds."
_BEGIN = "Type what titles must contain: what the rule would take shows here."


class RuleEditor(FormEditor[Rule]):
    """Hands back the rule that was saved."""

    BINDINGS = [Binding("ctrl+t", "titles", "try on titles", key_display="^t")]
    WHAT = "the rule"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]

    def __init__(self, api: ApiClient, rule: Rule, feeds: Sequence[Feed]) -> None:
        """A rule without an id is a new one."""
        super().__init__()
        self._api = api
        self._rule = rule
        self._feeds = feeds
        self._titles: list[str] = []  # pasted; none: what is in the feeds
        self._changed = asyncio.Event()  # since the preview was asked for
        self.is_new = not rule.id

    def compose(self) -> ComposeResult:
        yield TitleBar()
        with Container(id="editor"):
            yield RuleFields(self._rule, self._feeds)
            yield RulePreview()
        yield SummaryBar()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        name = words.clean(self._rule.name)
        what = f"Rule {name}" if self._rule.id else "New rule"
        right = Text("sees what comes from now on", style=QUIET)
        self.query_one(TitleBar).spread(Text(what, style="bold"), right)
        self._preview.say(_BEGIN)
        self._keep_previewing()
        if self._rule.id:
            self._changed.set()

    @property
    def _preview(self) -> RulePreview:
        return self.query_one(RulePreview)

    # --- the preview

    @on(FormFields.Changed)
    def _note_change(self) -> None:
        self._changed.set()

    @work(exit_on_error=False)
    async def _keep_previewing(self) -> None:
        """One request at a time, when nothing was typed for a moment."""
        while True:
            await self._changed.wait()
            while self._changed.is_set():
                self._changed.clear()
                await asyncio.sleep(STILL)
            if self._touched or self._rule.id:
                await self._look()

    @property
    def _touched(self) -> bool:
        wishes, wrong = self.form.read()
        return bool(wrong) or bool(self._titles) or bool(self.changed(wishes))

    async def _look(self) -> None:
        wishes, wrong = self.form.read()
        if wrong:
            self.form.mark(wrong)
            self._preview.say("What it takes shows here as soon as what is marked ✗ is mended.")
            return
        if not wishes["name"]:
            del wishes["name"]
        try:
            found = await self._api.feeds.preview(wishes, titles=self._titles or None)
        except NotLoggedIn:
            return  # the list of torrents notices by itself, and asks to log in
        except Refused as error:
            self.show_refusal(error)
            if error.retry_after:
                self.set_timer(error.retry_after, self._changed.set)
        except ClientError as error:
            self._preview.say(f"✗ {error}")
            if isinstance(error, ServerAway):
                self.set_timer(error.retry_after or AGAIN, self._changed.set)
        else:
            self.form.mark({})
            self._preview.show(found, pasted=bool(self._titles))

    def show_refusal(self, error: Refused) -> str:
        field = super().show_refusal(error)
        self._preview.say(f"✗ {self.form.titles[field]}: {error}" if field else f"✗ {error}")
        return field

    @work(exit_on_error=False)
    async def action_titles(self) -> None:
        asking = TitlesScreen(self._titles, "Try the rule on titles of your own", _TITLES_HINT)
        titles = await self.app.push_screen_wait(asking)
        if titles is not None:
            self._titles = titles
            self._changed.set()

    # --- saving

    def lacking(self, wishes: dict[str, object]) -> dict[str, str]:
        return {} if wishes["name"] else {"name": "Give the rule a name, to know it by."}

    async def send(self, wishes: dict[str, object]) -> Rule | None:
        if not self._rule.id:
            return await self._api.feeds.make_rule(wishes)
        other = self.changed(wishes)
        return await self._api.feeds.change_rule(self._rule.id, other) if other else None

    def action_help(self) -> None:
        self.app.push_screen(FeedHelpScreen())
