"""A form that fills the screen, is saved with Ctrl+S, and loses nothing that was typed into it by accident."""

from typing import Generic, TypeVar

from textual import work
from textual.binding import Binding
from textual.screen import Screen

from torrent_proxy_client.app.mistakes import TellsMistakes
from torrent_proxy_client.app.screens.confirm import ConfirmScreen
from torrent_proxy_client.app.widgets.bars import SummaryBar
from torrent_proxy_client.app.widgets.form_fields import FormFields
from torrent_proxy_client.errors import ClientError, NotLoggedIn, Refused

T = TypeVar("T")


class FormEditor(TellsMistakes, Screen[T | None], Generic[T]):
    """Hands back what was saved; stays open, all that was typed kept, when it is refused. Subclasses compose FormFields
    and a SummaryBar."""

    BINDINGS = [
        Binding("ctrl+s", "save", "save", key_display="^s"),
        Binding("f1", "help", "help", key_display="F1"),
        Binding("escape", "leave", "back", key_display="esc"),
    ]
    AUTO_FOCUS = ""
    WHAT = ""  # is saved: "the rule"
    is_new = False
    _saving = False

    async def send(self, wishes: dict[str, object]) -> T | None:
        """Have the server save what was wished for. Raises ClientError."""
        raise NotImplementedError

    def lacking(self, wishes: dict[str, object]) -> dict[str, str]:
        """By field, what must be there before it can be saved."""
        return {}

    @property
    def form(self) -> FormFields:
        return self.query_one(FormFields)

    def changed(self, wishes: dict[str, object]) -> dict[str, object]:
        """Of these only what differs from how it was."""
        before = self.form.untouched()
        return {name: value for name, value in wishes.items() if value != before[name]}

    def show_refusal(self, error: Refused) -> str:
        """At its field, whose name is handed back; empty where it is of none."""
        names = (error.attr or "").split(".")
        field = next((name for name in names if name in self.form.titles), "")
        if field:
            self.form.mark({field: str(error)})
        return field

    @work(exit_on_error=False)
    async def action_save(self) -> None:
        wishes, wrong = self.form.read()
        wrong = self.lacking(wishes) | wrong
        if wrong:
            self.form.mark(wrong)
            self.form.go_to(next(iter(wrong)))
        elif not self._saving:
            self._saving = True
            try:
                self.tell("Saving …")
                self.dismiss(await self.send(wishes))
            except NotLoggedIn:
                self.tell("Your session has ended.")
            except Refused as error:
                self.tell(f"✗ Not saved: {error}")
                if field := self.show_refusal(error):
                    self.form.go_to(field)
            except ClientError as error:
                self.tell(f"✗ Not saved: {error}")
            finally:
                self._saving = False

    @work(exit_on_error=False, exclusive=True, group="leave")
    async def action_leave(self) -> None:
        wishes, wrong = self.form.read()
        lost = "What you typed is lost." if self.is_new else "What you changed is lost."
        question = ConfirmScreen(f"Leave without saving {self.WHAT}?", f"{lost} Ctrl+S saves it.", "leave")
        changed = bool(wrong) or bool(self.changed(wishes))
        if not changed or await self.app.push_screen_wait(question):
            self.dismiss(None)

    def tell(self, text: str) -> None:
        self.query_one(SummaryBar).say(text)
