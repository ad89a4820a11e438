"""What everybody asks every second reads a few rows by an index, however many there are."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from torrents.listing import EVERYTHING, NEWEST_FIRST, Position, page_of
from torrents.models import ChangeCounter, Claim, LiveState, Torrent
from torrents.services import changes_since, default_engine
from torrents.tests.factories import person

BESIDE = 2000
EMPTY = {"torrents_claimtraffic", "torrents_torrentfile"}  # here


@pytest.fixture
def crowded(alice: User) -> User:
    """Alice with 300 torrents on a box that holds 2,000 of others, too."""
    engine = default_engine()
    others = [person(f"other{number}") for number in range(20)]
    torrents = Torrent.objects.bulk_create(
        Torrent(engine=engine, infohash_v1=f"{number:040x}", name=f"Show {number}", metainfo=bytes(100))
        for number in range(BESIDE + 300)
    )
    LiveState.objects.bulk_create(LiveState(torrent=torrent) for torrent in torrents)
    Claim.objects.bulk_create(
        Claim(user=others[number % 20] if number < BESIDE else alice, torrent=torrent, change=number)
        for number, torrent in enumerate(torrents)
    )
    ChangeCounter.objects.create(user=alice, value=BESIDE + 300)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return alice


def plan_of(queries: CaptureQueriesContext) -> str:
    """Of the query that read the claims."""
    (sql,) = [query["sql"] for query in queries if 'FROM "torrents_claim"' in query["sql"]]
    assert "metainfo" not in sql
    assert "trackers" not in sql
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}".replace("%", "%%"))
        return "\n".join(row[0] for row in cursor.fetchall())


def read_whole(plan: str) -> set[str]:
    return set(re.findall(r"Seq Scan on (\w+)", plan)) - {"torrents_engine"}  # which has one row


def test_the_first_page_is_read_by_the_index_of_the_newest(crowded: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert len(page_of(user=crowded, wanted=EVERYTHING, sort=NEWEST_FIRST, limit=20).claims) == 20
    plan = plan_of(queries)
    assert "claim_newest" in plan
    assert read_whole(plan) <= EMPTY


def test_a_later_page_is_read_by_it_too(crowded: User) -> None:
    middle = Claim.objects.of(crowded).newest_first()[150]
    with CaptureQueriesContext(connection) as queries:
        page_of(
            user=crowded,
            wanted=EVERYTHING,
            sort=NEWEST_FIRST,
            position=Position(middle.added_at, middle.pk),
            limit=20,
        )
    assert "claim_newest" in plan_of(queries)


def test_what_changed_is_read_by_the_index_of_changes(crowded: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert len(changes_since(user=crowded, change=BESIDE + 279, limit=500).claims) == 20
    plan = plan_of(queries)
    assert "claim_changes" in plan
    assert read_whole(plan) <= EMPTY
