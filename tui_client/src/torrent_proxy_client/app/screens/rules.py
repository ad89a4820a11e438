"""The rules that take items from feeds, in the order in which they are asked."""

from rich.text import Text
from textual import on, work
from textual.binding import Binding
from textual.widgets import DataTable

from torrent_proxy_client import feed_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.screens.feed_help import FeedHelpScreen
from torrent_proxy_client.app.screens.rule_editor import RuleEditor
from torrent_proxy_client.app.screens.table import TableScreen
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.feeds import Feed, Rule

_NOTHING = (
    "You have no rules yet, so nothing is taken from your feeds by itself.\n\n"
    "Press a to make one: it shows what it would take while you type."
)


class RulesScreen(TableScreen):
    BINDINGS = [
        Binding("a", "make", "make one"),
        Binding("space", "switch", "on/off", key_display="space"),
        Binding("t", "dry_run", "dry run"),
        Binding("d", "delete", "delete"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("escape,q", "back", "back", key_display="esc"),
    ]
    HINTS = (Hint("Enter", "open it", "open"),)
    COLUMNS = (
        Column("", 3),
        Column("rule", 16),
        Column("wants"),
        Column("takes", 8),
        Column("feeds", 14),
    )

    def __init__(self, api: ApiClient) -> None:
        super().__init__(api)
        self._rules: dict[str, Rule] = {}
        self._feeds: tuple[Feed, ...] = ()

    async def ask(self) -> None:
        rules, feeds = await self.api.feeds.rules(), await self.api.feeds.all()
        # Together: between two answers a row may be selected.
        self._rules, self._feeds = {rule.id: rule for rule in rules}, feeds

    def draw(self) -> None:
        self.head("Rules", words.count(len(self._rules), "rule"))
        self.show_rows({rule.id: self._cells(rule) for rule in self._rules.values()}, _NOTHING)

    def _cells(self, rule: Rule) -> list[str]:
        return [
            "on" if rule.enabled else "off",
            words.clean(rule.name),
            feed_words.rule_about(rule),
            "dry run" if rule.dry_run else "for real",
            feed_words.rule_feeds(rule, self._feeds),
        ]

    def about(self, key: str) -> Text:
        rule = self._rules[key]
        lines = [
            feed_words.rule_about(rule),
            f"Looks at {feed_words.rule_feeds(rule, self._feeds).replace('all', 'all your feeds')}.",
        ]
        if not rule.enabled:
            lines.append("Switched off: it takes nothing.")
        elif rule.dry_run:
            lines.append("Dry run: it says in the history what it would take, and takes nothing.")
        return Text("\n".join(lines))

    @property
    def _selected(self) -> Rule | None:
        return self._rules.get(self.rows.selected)

    @work(exit_on_error=False)
    async def action_make(self) -> None:
        await self._edit(Rule.blank())

    @on(DataTable.RowSelected)
    @work(exit_on_error=False)
    async def action_open(self) -> None:
        if self.is_active and (rule := self._selected):
            await self._edit(rule)

    async def _edit(self, rule: Rule) -> None:
        saved = await self.app.push_screen_wait(RuleEditor(self.api, rule, self._feeds))
        if saved:
            self.tell(f"Saved {words.clean(saved.name)}; it sees what comes from now on")
            self.look()

    @work(exit_on_error=False)
    async def action_switch(self) -> None:
        if rule := self._selected:
            said = "Switched off: it takes nothing" if rule.enabled else "Switched on"
            await self.done(self.api.feeds.change_rule(rule.id, {"enabled": not rule.enabled}), said)

    @work(exit_on_error=False)
    async def action_dry_run(self) -> None:
        if rule := self._selected:
            said = "It takes for real now" if rule.dry_run else "Dry run: it says what it would take"
            await self.done(self.api.feeds.change_rule(rule.id, {"dry_run": not rule.dry_run}), said)

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        if rule := self._selected:
            question = ConfirmScreen(
                f"Delete the rule {words.clean(rule.name)}?",
                "What it took stays in your list of torrents.\n"
                "What it has waiting for a better release is given up.",
                "delete",
            )
            if await self.app.push_screen_wait(question):
                await self.done(self.api.feeds.delete_rule(rule.id), f"Deleted {words.clean(rule.name)}")

    def action_help(self) -> None:
        self.app.push_screen(FeedHelpScreen())
