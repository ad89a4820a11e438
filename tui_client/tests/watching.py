"""Ways to the screens of followed shows."""

from typing import Any

from textual.screen import Screen

from torrent_proxy_client.app.screens.show import ShowScreen
from torrent_proxy_client.app.screens.shows import ShowsScreen
from torrent_proxy_client.app.widgets.rows import Rows
from tui_client.tests.running_app import Person
from tui_client.tests.waiting import eventually


async def reach(person: Person, screen: type[Screen[Any]], *keys: str) -> None:
    await person.press(*keys)
    await eventually(lambda: isinstance(person.app.screen, screen))


async def rows_are_there(person: Person) -> None:
    """And the keys go to them."""
    await eventually(lambda: isinstance(person.app.focused, Rows) and person.app.focused.row_count > 0)


async def open_shows(person: Person) -> None:
    await person.sees("w shows")
    await reach(person, ShowsScreen, "w")


async def open_show(person: Person) -> None:
    """The first."""
    await open_shows(person)
    await rows_are_there(person)
    await reach(person, ShowScreen, "enter")
