"""The calendar of followed shows in the app, and the review of what cannot be placed for certain."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from torrent_proxy_client.app.screens import table
from torrent_proxy_client.app.screens.calendar import CalendarScreen
from torrent_proxy_client.app.screens.review import AnswerScreen, ReviewScreen
from torrent_proxy_client.app.screens.show import ShowScreen
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, running
from tui_client.tests.waiting import eventually
from tui_client.tests.watching import open_shows, reach, rows_are_there


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOOK_EVERY", 0.05)


def noon(days: int) -> datetime:
    """Here, so many days from today."""
    today = datetime.now(UTC).astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days)


async def open_calendar(person: Person) -> None:
    await open_shows(person)
    await reach(person, CalendarScreen, "c")


async def open_review(person: Person) -> None:
    await open_shows(person)
    await reach(person, ReviewScreen, "r")


async def test_the_calendar_tells_by_days_what_airs_and_what_became_of_it(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    entry = server.watchlist.add_entry("Lighthouse")
    for days, number, state in ((-1, 3, "have"), (0, 4, "missing"), (0, 5, "aired"), (4, 6, "not_aired")):
        airing = {"airs_at": noon(days).isoformat(), "number": number, "entry_id": entry, "state": state}
        server.watchlist.airings.append({**airing, "title": "Light [/b]"})
    async with running(store, tmp_path) as person:
        await open_calendar(person)
        await person.sees(
            "yesterday 12:00 Light [/b] 3 ✓ there today 12:00 Light [/b] 4 ✗ missing 12:00 Light [/b] 5 ○ aired",
            f"{noon(4):%a %d %b} 12:00 Light [/b] 6 · not aired",
            "airing times read",
        )
        await rows_are_there(person)
        await reach(person, ShowScreen, "enter")
        await person.sees("No episodes are known yet.")


async def test_the_calendar_turns_to_other_weeks_and_back(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    def asked_from(days: int) -> bool:
        """From today."""
        return (
            days == (datetime.fromisoformat(server.watchlist.calendars[-1][0]).date() - noon(0).date()).days
        )

    async with running(store, tmp_path) as person:
        await open_calendar(person)
        await person.sees("Nothing of your shows airs in these days.")
        for key, first_day in (("right", 6), ("left", -1), ("left", -8), ("t", -1)):
            await person.press(key)
            await eventually(partial(asked_from, first_day))
    since, until = map(datetime.fromisoformat, server.watchlist.calendars[0])
    assert timedelta(days=8) < until - since < timedelta(days=10)  # a day may have 23 or 25 hours


async def test_a_release_is_placed_and_its_name_remembered(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    shows = [
        server.watchlist.add_show("Lighthouse [/b]"),
        server.watchlist.add_show("Lighthouse 2", year=2027),
    ]
    server.watchlist.follow(shows[1])
    server.watchlist.add_question("[Lumen] Lighthouse - 13 [/b]", *shows)
    async with running(store, tmp_path) as person:
        await open_shows(person)
        await person.sees("1 to review (r)")
        await reach(person, ReviewScreen, "r")
        await person.sees(
            "[Lumen] Lighthouse - 13 [/b]", "title: wanted a name of one show only", "from Shows"
        )
        await rows_are_there(person)
        await reach(person, AnswerScreen, "enter")
        await person.sees(
            "Of which show is it?",
            "Lighthouse [/b] (TV, 12 episodes, Autumn 2026, airing)",
            "Lighthouse 2 (followed, TV, 12 episodes, Autumn 2026, airing)",
        )
        await person.press("down", "enter")
        await person.sees("Nothing to review.", "Lighthouse 2; remembered for this name")
    assert server.watchlist.wishes == [{"show_id": 2, "remember": True}]


async def test_a_release_is_placed_this_time_only(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_question("Light 13", server.watchlist.add_show("Lighthouse"))
    async with running(store, tmp_path) as person:
        await open_review(person)
        await rows_are_there(person)
        await reach(person, AnswerScreen, "enter")
        await person.press("r", "enter")
        await person.sees("Lighthouse, this time")
    assert server.watchlist.wishes == [{"show_id": 1, "remember": False}]


async def test_a_release_of_none_of_ones_shows_is_said_so_after_asking(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for title in ("Light 13", "Harbour 2"):
        server.watchlist.add_question(title)
    async with running(store, tmp_path) as person:
        await open_review(person)
        await rows_are_there(person)
        await person.press("n")
        await person.sees("Is it of none of your shows?", "Light 13", "not asked about again")
        await person.press("y")
        await person.sees("None of your shows; that name is not asked about again", "1 release")
        await rows_are_there(person)
        await reach(person, AnswerScreen, "enter")
        await person.press("enter")
        await person.sees("Nothing to review.", "None of your shows; remembered for this name")
    assert server.watchlist.wishes == [{"show_id": None, "remember": True}] * 2


async def test_an_answer_that_is_refused_leaves_the_question_open(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_question("Light 13", server.watchlist.add_show("Lighthouse"))
    server.watchlist.refuse = Problem(409, "settled", "This was decided already [/b].")
    async with running(store, tmp_path) as person:
        await open_review(person)
        await rows_are_there(person)
        await reach(person, AnswerScreen, "enter")
        await person.press("enter")
        await person.sees("✗ This was decided already [/b].", "Of which show is it?")
