"""When a show has ended for who follows it."""

import pytest

from accounts.models import User
from watchlist.choosing import advance
from watchlist.models import Entry
from watchlist.tests.taking import (
    arrive,
    engine_is_there,
    follow,
    show_of,
    taken,
    there,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(alice: User) -> Entry:
    engine_is_there()
    return follow(alice)


def finished_show(**fields: object) -> dict[str, object]:
    return {"show": show_of(episodes=2, status="FINISHED"), **fields}


def test_a_show_ends_when_everything_of_it_is_there(alice: User) -> None:
    engine_is_there()
    entry = follow(alice, **finished_show())  # type: ignore[arg-type]
    there(entry, 1)
    entry.refresh_from_db()
    assert entry.state == "followed"
    there(entry, 2)
    entry.refresh_from_db()
    assert entry.state == "ended"


@pytest.mark.parametrize(
    "fields",
    [
        {"end_with_show": False},
        {"show_status": "RELEASING"},
        {"show_episodes": None},
        {"state": "paused"},
    ],
)
def test_a_show_goes_on(alice: User, fields: dict[str, object]) -> None:
    engine_is_there()
    entry = follow(alice, show_of(episodes=1, status="FINISHED"))
    one = taken(entry, 1)
    for name, value in fields.items():
        if name.startswith("show_"):
            setattr(entry.show, name.removeprefix("show_"), value)
        else:
            setattr(entry, name, value)
    entry.show.save()
    entry.save()
    arrive(one)
    entry.refresh_from_db()
    assert entry.state == fields.get("state", "followed")


def test_only_wanted_episodes_count_for_the_end_and_recaps_do_not(alice: User) -> None:
    engine_is_there()
    entry = follow(alice, show_of(episodes=3, status="FINISHED"), from_episode=2)
    there(entry, 2)
    there(entry, 2.5)
    entry.refresh_from_db()
    assert entry.state == "followed"
    there(entry, 3)
    entry.refresh_from_db()
    assert entry.state == "ended"


def test_a_show_ends_when_its_provider_says_so_later(alice: User) -> None:
    engine_is_there()
    entry = follow(alice, show_of(episodes=1, status="RELEASING"))
    there(entry, 1)
    entry.show.status = "FINISHED"
    entry.show.save()
    advance()
    entry.refresh_from_db()
    assert entry.state == "ended"
