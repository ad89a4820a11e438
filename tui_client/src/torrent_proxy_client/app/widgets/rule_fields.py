"""A rule as a form; which feeds it looks at is ticked."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from torrent_proxy_client import words
from torrent_proxy_client.app.rule_form import FEEDS, GROUPS
from torrent_proxy_client.app.widgets.form_fields import FormFields, wrong_line
from torrent_proxy_client.app.widgets.tick import Tick
from torrent_proxy_client.feeds import Feed, Rule

_FEEDS_AFTER = 2  # groups


class RuleFields(FormFields):
    def __init__(self, rule: Rule, feeds: Sequence[Feed]) -> None:
        super().__init__(GROUPS, rule)
        self._rule = rule
        self._feeds = feeds

    def compose(self) -> ComposeResult:
        for number, (title, fields) in enumerate(GROUPS):
            if number == _FEEDS_AFTER:
                yield from self._compose_feeds()
            yield from self.compose_group(title, fields)

    def _compose_feeds(self) -> ComposeResult:
        yield Static(f"{FEEDS} (none ticked: all)", classes="group", id="feeds", markup=False)
        for feed in self._feeds:
            with Horizontal(classes="row"):
                ticked = feed.id in self._rule.feeds
                yield Tick(words.clean(feed.name), ticked, id=f"feed-{feed.id}")
        if not self._feeds:
            yield Static("You follow no feeds yet.", classes="row", markup=False)
        yield wrong_line("feeds")

    @property
    def titles(self) -> dict[str, str]:
        return super().titles | {"feeds": FEEDS}

    def read(self) -> tuple[dict[str, object], dict[str, str]]:
        wishes, wrong = super().read()
        ticked = [feed.id for feed in self._feeds if self.query_one(f"#feed-{feed.id}", Tick).value]
        # The rule may name them in another order.
        wishes["feeds"] = list(self._rule.feeds) if set(ticked) == set(self._rule.feeds) else ticked
        return wishes, wrong

    def go_to(self, name: str) -> None:
        if name == "feeds":
            self.query_one("#feeds").scroll_visible()
            self.query_one("#wrong-feeds").scroll_visible()
        else:
            super().go_to(name)
