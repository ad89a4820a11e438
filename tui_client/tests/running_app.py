"""Running the app without a terminal, and reading what it shows."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from unittest import mock

from textual.events import Paste
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from torrent_proxy_client.app.app import TorrentProxyApp
from torrent_proxy_client.app.screens.torrent import TorrentScreen
from torrent_proxy_client.app.transfers import Phase
from torrent_proxy_client.session import SessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.waiting import eventually

_HOPS = 4  # a key goes from the app to the screen, the widget, its parents and back
_FRAMES = str.maketrans(dict.fromkeys("│─╭╮╰╯▌", " "))


class Person:
    """Presses keys and reads the screen."""

    def __init__(self, pilot: Pilot[None], app: TorrentProxyApp) -> None:
        self._pilot = pilot
        self.app = app

    @property
    def lines(self) -> list[str]:
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def press(self, *keys: str) -> None:
        # Textual waits until the process is idle, up to a second a key: next to a busy server it never is.
        with mock.patch("textual.app.wait_for_idle", self._settled):
            await self._pilot.press(*keys)

    async def _settled(self, *_: float) -> None:
        """Until the app and its widgets have done what they were told, and what followed from that."""
        for _hop in range(_HOPS):
            answers: dict[asyncio.Task[Literal[True]], MessagePump] = {}
            for pump in (self.app, *self.app.screen_stack, *self.app.screen.walk_children()):
                event = asyncio.Event()
                if pump.call_later(event.set):
                    answers[asyncio.create_task(event.wait())] = pump
            async with asyncio.timeout(60):
                # One that is going away answers no more.
                while unanswered := {
                    task for task, pump in answers.items() if pump.is_running and not task.done()
                }:
                    await asyncio.wait(unanswered, timeout=0.05)
            for answer in answers:
                answer.cancel()

    async def paste(self, text: str) -> None:
        await eventually(lambda: isinstance(self.app.focused, Input))
        assert self.app.focused
        self.app.focused.post_message(Paste(text))
        await self._pilot.pause()

    async def click(self, widget: type[Widget], x: int, y: int) -> None:
        """At this place of the widget."""
        with mock.patch("textual.app.wait_for_idle", self._settled):
            await self._pilot.click(widget, offset=(x, y))

    async def resize(self, width: int, height: int) -> None:
        await self._pilot.resize_terminal(width, height)

    async def sees(self, *texts: str) -> None:
        """Waits for all of them; line breaks and frames count as spaces."""
        try:
            await eventually(lambda: all(text in self._flowing for text in texts))
        except AssertionError:
            raise AssertionError(f"did not see {texts} in\n{self.text}") from None

    async def no_longer_sees(self, text: str) -> None:
        await eventually(lambda: text not in self._flowing)

    @property
    def _flowing(self) -> str:
        return " ".join(self.text.translate(_FRAMES).split())


@asynccontextmanager
async def running(
    store: SessionStore,
    downloads: Path,
    *,
    size: tuple[int, int] = (80, 24),
    server: str = "",
    state: Path | None = None,
) -> AsyncIterator[Person]:
    """`state` is where the queue and choices are kept; without it they are forgotten."""
    with tempfile.TemporaryDirectory() as forgotten:
        app = TorrentProxyApp(store, downloads, state or Path(forgotten), server=server, poll_interval=0.05)
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Person(pilot, app)


async def open_tab(person: Person, name: str, key: str) -> None:
    """Of the selected torrent, as soon as `name` is on the screen: `key` is that of a tab, or of what to do there."""
    await person.sees(name)
    await person.press("enter")
    await eventually(lambda: isinstance(person.app.screen, TorrentScreen))
    await person.press(key)


def asked(server: FakeServer, what: str) -> int:
    """How often the server was asked for this."""
    return sum(path.endswith(f"/{what}/") for _, path, _ in server.requests)


def phases(person: Person) -> list[Phase]:
    """Of all transfers."""
    return [transfer.phase for transfer in person.app.transfers.all]


def stored(state: Path) -> list[dict[str, object]]:
    """What the queue's file says."""
    (file,) = state.glob("queue-*.json")
    return list(json.loads(file.read_bytes())["transfers"])
