"""Several workers at the same moment: each list once, nothing lost, and no error for anybody."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import UserFactory
from watchlist.linking import change_link, link_by_name
from watchlist.models import Entry, Link, Relation, Show
from watchlist.records import AiringRecord, RelationRecord, ShowRecord
from watchlist.shows import store_airing, store_shows
from watchlist.sync import sync_all, sync_due_lists
from watchlist.tests.anilist_server import AniListServer
from watchlist.tests.anilist_world import Listed
from watchlist.tests.clock import BEGINNING

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*verbs: Callable[[], Any]) -> list[Any]:
    """What each came to, begun at the same moment, each on a connection of its own."""
    ready = threading.Barrier(len(verbs))

    def run(verb: Callable[[], Any]) -> Any:
        try:
            ready.wait(30)
            return verb()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


@pytest.fixture
def people(transactional_db: None, anilist: AniListServer, settings: Settings) -> list[User]:
    """Who watch the same twenty shows."""
    settings.ANILIST_REQUESTS_PER_MINUTE = 1000
    for number in range(1, 21):
        anilist.world.add_show(number, f"Lighthouse {number}")
    people = [UserFactory.create() for _person in range(6)]
    for user in people:
        anilist.world.add_person(user.username, *(Listed(number) for number in range(1, 21)))
        link_by_name(user=user, provider="anilist", name=user.username)
    anilist.asked.clear()
    return people


def test_every_list_is_read_by_one_worker(people: list[User], anilist: AniListServer) -> None:
    at_once(*[sync_due_lists] * 4)
    sync_due_lists()
    assert len(anilist.asked) == len(people)
    assert Entry.objects.count() == 20 * len(people)
    assert Show.objects.count() == 20


def test_everything_at_once_meets_no_error(
    people: list[User], anilist: AniListServer, caplog: pytest.LogCaptureFixture
) -> None:
    def choose() -> None:
        for link in Link.objects.defer("token"):
            change_link(link=link, statuses=["CURRENT"])

    at_once(sync_all, choose, sync_all, choose, sync_all)
    sync_all()
    assert Entry.objects.filter(state="followed").count() == 20 * len(people)
    assert "Traceback" not in caplog.text


def test_shows_stored_at_once_in_different_orders_wait_for_nobody_for_ever(transactional_db: None) -> None:
    def record(number: int, *others: int) -> ShowRecord:
        relations = tuple(
            RelationRecord(kind="SEQUEL", show=ShowRecord(external_id=str(other))) for other in others
        )
        return ShowRecord(external_id=str(number), romaji=f"Lighthouse {number}", relations=relations)

    def store(numbers: range) -> None:
        for _time in range(2):
            shows = store_shows("anilist", [record(number, number + 1, number - 1) for number in numbers])
            airing = [
                AiringRecord(external_id=external_id, episode=1, airs_at=BEGINNING) for external_id in shows
            ]
            store_airing(shows, airing, since=BEGINNING, until=BEGINNING, read_at=BEGINNING)

    at_once(*[lambda numbers=numbers: store(numbers) for numbers in (range(1, 60), range(59, 0, -1)) * 2])
    assert Show.objects.exclude(fetched_at=None).count() == 59
    assert Relation.objects.count() == 2 * 59
