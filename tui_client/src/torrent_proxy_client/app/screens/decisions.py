"""The history of the automation: what the rules decided, the latest first."""

from rich.text import Text
from textual import work
from textual.binding import Binding

from torrent_proxy_client import feed_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.screens.choose import ChooseScreen
from torrent_proxy_client.app.screens.paged import PagedScreen
from torrent_proxy_client.app.theme import QUIET
from torrent_proxy_client.app.widgets.key_hints import Hint
from torrent_proxy_client.app.widgets.rows import Column
from torrent_proxy_client.feed_calls import PAGE
from torrent_proxy_client.feeds import Decision, Feed, Rule
from torrent_proxy_client.paging import Page

_NOTHING = "Your rules have decided nothing yet. What they take, or nearly take, stands here."


class DecisionsScreen(PagedScreen[Decision]):
    BINDINGS = [Binding("r", "rule", show=False)]  # stands in the line above the footer
    HINTS = (Hint("r", "only what one rule decided", "rule"),)
    COLUMNS = (Column("when", 12), Column("rule", 14), Column("outcome", 14), Column("item"))

    def __init__(self, api: ApiClient) -> None:
        super().__init__(api)
        self._rule: Rule | None = None
        self._feeds: dict[str, Feed] = {}

    @property
    def wanted(self) -> tuple[str, ...]:
        return *super().wanted, self._rule.id if self._rule else ""

    @property
    def wanted_in_words(self) -> str:
        rule = f"by {words.clean(self._rule.name)}" if self._rule else ""
        return ", ".join(part for part in (super().wanted_in_words, rule) if part)

    async def ask(self) -> None:
        if not self._feeds:
            self._feeds = {feed.id: feed for feed in await self.api.feeds.all()}
        await super().ask()

    async def page(self, *, cursor: str = "", limit: int = PAGE) -> Page[Decision]:
        return await self.api.feeds.decisions(
            search=self.search,
            outcome=self.outcome,
            rule=self._rule.id if self._rule else "",
            cursor=cursor,
            limit=limit,
        )

    def draw(self) -> None:
        self.head("History of your rules", self.how_many)
        rows = {_key(one): _cells(one) for one in self.found}
        self.show_rows(rows, self.nothing(_NOTHING))

    def about(self, key: str) -> Text:
        one = next((one for one in self.found if _key(one) == key), None)
        if one is None:
            return Text()
        feed = self._feeds.get(one.feed or "")
        origin = f"from {words.clean(feed.name)}" if feed else "from a feed that you follow no more"
        return Text(f"{words.clean(one.title)}\n{feed_words.decision(one, one.title)}\n").append(
            origin, style=QUIET
        )

    @work(exit_on_error=False)
    async def action_rule(self) -> None:
        """Show what one rule decided."""
        rules = await self.answer(self.api.feeds.rules())
        if rules is None:
            return
        choices = [("", "all"), *((rule.id, words.clean(rule.name)) for rule in rules)]
        known = {rule.id: rule for rule in rules}
        current = self._rule.id if self._rule and self._rule.id in known else ""
        chosen = await self.app.push_screen_wait(ChooseScreen(choices, current))
        if chosen is not None:
            self._rule = known.get(chosen)
            self._only(self.outcome)

    def show_all(self) -> None:
        self._rule = None
        super().show_all()


def _key(one: Decision) -> str:
    """Decisions have no name of their own: a rule decides once about an item, and people take it once by hand."""
    return f"{one.rule}/{one.rule_name}/{one.feed}/{one.number}/{one.at}"


def _cells(one: Decision) -> list[str]:
    return [
        words.moment(one.at) if one.at else "",
        words.clean(one.rule_name) or "by hand",
        feed_words.outcome(one.outcome),
        words.clean(one.title),
    ]
