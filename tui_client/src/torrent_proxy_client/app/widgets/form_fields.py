"""A form: fields in groups, what is typed in them, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Checkbox, Input, Label, Static

from torrent_proxy_client import words
from torrent_proxy_client.amounts import BadAmount
from torrent_proxy_client.app.form import ChoiceField, Field, Groups, TextField, TickField
from torrent_proxy_client.app.widgets.choice import Choice
from torrent_proxy_client.app.widgets.tick import Tick


class FormFields(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Each field shows, and reads, what `of` has under its name."""

    BINDINGS = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("pageup", "page_up", show=False),
    ]

    class Changed(Message):
        """Something else is typed, ticked or chosen."""

    def __init__(self, groups: Groups, of: object) -> None:
        super().__init__()
        self._groups = groups
        self._of = of
        self.fields = tuple(field for _, fields in groups for field in fields)

    def compose(self) -> ComposeResult:
        for title, fields in self._groups:
            yield from self.compose_group(title, fields)

    def compose_group(self, title: str, fields: Iterable[Field]) -> ComposeResult:
        yield Static(title, classes="group", markup=False)
        for field in fields:
            yield from self._compose_field(field)

    def _compose_field(self, field: Field) -> ComposeResult:
        value = getattr(self._of, field.name)
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
        yield wrong_line(field.name)

    def on_mount(self) -> None:
        self.query_one(f"#{self.fields[0].name}").focus()

    @on(Input.Changed)
    @on(Checkbox.Changed)
    @on(Choice.Changed)
    def _tell_change(self) -> None:
        self.post_message(self.Changed())

    @on(Input.Submitted)
    def _go_on(self) -> None:
        self.screen.focus_next()

    @property
    def titles(self) -> dict[str, str]:
        """By field; these can be marked as wrong."""
        return {field.name: field.title for field in self.fields}

    def untouched(self) -> dict[str, object]:
        """What `read` gives while nothing is touched."""
        return {name: as_json(getattr(self._of, name)) for name in self.titles}

    def read(self) -> tuple[dict[str, object], dict[str, str]]:
        """(what was wished for, in the API's words; by field why it cannot be meant)"""
        wishes: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for field in self.fields:
            try:
                wishes[field.name] = self._value(field)
            except BadAmount as error:
                wrong[field.name] = str(error)
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
                return as_json(getattr(self._of, name)) if text == field.text(self._of) else field.read(text)

    def mark(self, wrong: Mapping[str, str]) -> None:
        """Say at each of these fields what is wrong with it, and nothing at the others."""
        for name in self.titles:
            line = self.query_one(f"#wrong-{name}", Static)
            line.display = name in wrong
            line.update(f"✗ {words.clean(wrong.get(name, ''))}")

    def go_to(self, name: str) -> None:
        self.query_one(f"#{name}").focus()
        self.query_one(f"#wrong-{name}").scroll_visible()


def as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def wrong_line(name: str) -> Static:
    line = Static(id=f"wrong-{name}", classes="wrong bad", markup=False)
    line.display = False
    return line
