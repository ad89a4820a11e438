"""A rule as a form: fields in groups, what is typed in them, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Checkbox, Input, Label, Static

from torrent_proxy_client import words
from torrent_proxy_client.amounts import BadAmount
from torrent_proxy_client.app.rule_form import (
    FIELDS,
    GROUPS,
    TITLES,
    ChoiceField,
    Field,
    TextField,
    TickField,
)
from torrent_proxy_client.app.widgets.choice import Choice
from torrent_proxy_client.app.widgets.tick import Tick
from torrent_proxy_client.feeds import Feed, Rule

_FEEDS_AFTER = 2  # groups


class RuleFields(VerticalScroll, can_focus=False, inherit_bindings=False):
    BINDINGS = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("pageup", "page_up", show=False),
    ]

    class Changed(Message):
        """Something else is typed, ticked or chosen."""

    def __init__(self, rule: Rule, feeds: Sequence[Feed]) -> None:
        super().__init__()
        self._rule = rule
        self._feeds = feeds

    def compose(self) -> ComposeResult:
        for number, (title, fields) in enumerate(GROUPS):
            if number == _FEEDS_AFTER:
                yield from self._compose_feeds()
            yield Static(title, classes="group", markup=False)
            for field in fields:
                yield from self._compose_field(field)

    def _compose_field(self, field: Field) -> ComposeResult:
        value = getattr(self._rule, field.name)
        with Horizontal(classes="row"):
            if isinstance(field, TickField):
                yield Tick(field.title, value, id=field.name)
            else:
                yield Label(field.title)
                if isinstance(field, TextField):
                    yield Input(
                        field.write(value),
                        placeholder=field.placeholder,
                        id=field.name,
                        compact=True,
                        select_on_focus=False,
                    )
                else:
                    yield Choice(field.choices, value, id=field.name)
        yield _wrong(field.name)

    def _compose_feeds(self) -> ComposeResult:
        yield Static(f"{TITLES['feeds']} (none ticked: all)", classes="group", id="feeds", markup=False)
        for feed in self._feeds:
            with Horizontal(classes="row"):
                ticked = feed.id in self._rule.feeds
                yield Tick(words.clean(feed.name), ticked, id=f"feed-{feed.id}")
        if not self._feeds:
            yield Static("You follow no feeds yet.", classes="row", markup=False)
        yield _wrong("feeds")

    def on_mount(self) -> None:
        self.query_one(f"#{FIELDS[0].name}").focus()

    @on(Input.Changed)
    @on(Checkbox.Changed)
    @on(Choice.Changed)
    def _tell_change(self) -> None:
        self.post_message(self.Changed())

    @on(Input.Submitted)
    def _go_on(self) -> None:
        self.screen.focus_next()

    def read(self) -> tuple[dict[str, object], dict[str, str]]:
        """(what was wished for, in the API's words; by field why it cannot be meant)"""
        wishes: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for field in FIELDS:
            try:
                wishes[field.name] = self._value(field)
            except BadAmount as error:
                wrong[field.name] = str(error)
        ticked = [feed.id for feed in self._feeds if self.query_one(f"#feed-{feed.id}", Tick).value]
        # The rule may name them in another order.
        wishes["feeds"] = list(self._rule.feeds) if set(ticked) == set(self._rule.feeds) else ticked
        return wishes, wrong

    def _value(self, field: Field) -> object:
        match field:
            case TickField(name):
                return self.query_one(f"#{name}", Tick).value
            case ChoiceField(name):
                return self.query_one(f"#{name}", Choice).value
            case TextField(name):
                text = self.query_one(f"#{name}", Input).value
                # What was not touched stays exactly as it is.
                return (
                    _as_json(getattr(self._rule, name))
                    if text == field.text(self._rule)
                    else field.read(text)
                )

    def mark(self, wrong: Mapping[str, str]) -> None:
        """Say at each of these fields what is wrong with it, and nothing at the others."""
        for name in TITLES:
            line = self.query_one(f"#wrong-{name}", Static)
            line.display = name in wrong
            line.update(f"✗ {words.clean(wrong.get(name, ''))}")

    def go_to(self, name: str) -> None:
        if name == "feeds":
            self.query_one("#feeds").scroll_visible()
        else:
            self.query_one(f"#{name}").focus()
        self.query_one(f"#wrong-{name}").scroll_visible()


def as_wishes(rule: Rule) -> dict[str, object]:
    """As the form reads it while nothing is touched."""
    return {name: _as_json(getattr(rule, name)) for name in TITLES}


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _wrong(name: str) -> Static:
    line = Static(id=f"wrong-{name}", classes="wrong bad", markup=False)
    line.display = False
    return line
