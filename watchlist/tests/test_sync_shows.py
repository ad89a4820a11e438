"""Airing times, details and relations of what people follow."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from watchlist import shows, sync
from watchlist.models import Entry, Episode, Provider, Relation, Show
from watchlist.records import RelationRecord, ShowRecord
from watchlist.shows import store_shows
from watchlist.sync import sync_airing, sync_details
from watchlist.tests import anilist_server as faults
from watchlist.tests.anilist_server import AniListServer
from watchlist.tests.clock import BEGINNING, Clock


@pytest.fixture
def service(anilist: AniListServer, clock: Clock) -> AniListServer:
    anilist.clock = clock.seconds
    return anilist


@pytest.fixture
def followed(alice: User, service: AniListServer) -> Show:
    """Airing each week; the second episode aired yesterday."""
    service.world.add_show(1, "Lighthouse")
    for episode in range(1, 5):
        service.world.add_airing(1, episode, BEGINNING - timedelta(days=1) + timedelta(weeks=episode - 2))
    return follow(alice, 1)


def follow(user: User, number: int, **fields: Any) -> Show:
    show = Show.objects.create(provider="anilist", external_id=str(number), **fields)
    Entry.objects.create(user=user, show=show, origin=Entry.Origin.SEARCH)
    return show


def times(show: Show) -> dict[int, datetime]:
    return dict(Episode.objects.filter(show=show).values_list("number", "airs_at"))


def move(service: AniListServer, episode: int, by: timedelta) -> None:
    for row in service.world.schedules:
        if row["episode"] == episode:
            row["airingAt"] += int(by.total_seconds())


def read_again(clock: Clock) -> None:
    clock.move(minutes=7)
    sync_airing()


def test_a_show_that_is_new_is_read_with_its_past(followed: Show) -> None:
    sync_airing()
    yesterday = BEGINNING - timedelta(days=1)
    assert times(followed) == {episode: yesterday + timedelta(weeks=episode - 2) for episode in range(1, 5)}


def test_airing_times_say_how_old_they_are(followed: Show, clock: Clock) -> None:
    sync_airing()
    followed.refresh_from_db()
    assert followed.airing_at == Provider.objects.get().airing_at == clock.now()


def test_airing_times_are_read_again_when_they_are_due_and_not_before(
    followed: Show, service: AniListServer, clock: Clock
) -> None:
    sync_airing()
    clock.move(minutes=5)
    sync_airing()
    assert len(service.asked) == 1
    clock.move(minutes=2)
    sync_airing()
    assert len(service.asked) == 2


def test_an_episode_that_moves_moves_here(followed: Show, service: AniListServer, clock: Clock) -> None:
    sync_airing()
    before = times(followed)[3]
    move(service, 3, timedelta(days=1))
    read_again(clock)
    assert times(followed)[3] == before + timedelta(days=1)


def test_an_episode_that_aired_and_is_put_off_after_all_moves(
    followed: Show, service: AniListServer, clock: Clock
) -> None:
    sync_airing()
    move(service, 2, timedelta(days=3))
    read_again(clock)
    assert times(followed)[2] == BEGINNING + timedelta(days=2)


def test_an_episode_to_come_that_is_told_no_more_is_none(
    followed: Show, service: AniListServer, clock: Clock
) -> None:
    sync_airing()
    service.world.schedules = [row for row in service.world.schedules if row["episode"] != 4]
    read_again(clock)
    assert set(times(followed)) == {1, 2, 3}


def test_what_has_aired_stays_though_the_service_forgets_it(
    followed: Show, service: AniListServer, clock: Clock
) -> None:
    sync_airing()
    service.world.schedules = [row for row in service.world.schedules if row["episode"] > 2]
    read_again(clock)
    assert set(times(followed)) == {1, 2, 3, 4}


def test_what_moved_while_the_box_was_off_is_noticed(
    followed: Show, service: AniListServer, clock: Clock
) -> None:
    sync_airing()
    move(service, 3, timedelta(hours=5))
    clock.move(days=20)
    sync_airing()
    assert times(followed)[3] == BEGINNING + timedelta(days=6, hours=5)


def test_shows_that_are_over_or_followed_by_nobody_are_not_asked_for(
    alice: User, followed: Show, service: AniListServer
) -> None:
    follow(alice, 2, status="FINISHED")
    Show.objects.create(provider="anilist", external_id="3")
    left = follow(alice, 4)
    Entry.objects.filter(show=left).update(state=Entry.State.LEFT)
    sync_airing()
    assert [asked.variables["ids"] for asked in service.asked] == [[1]]


def test_shows_of_everybody_are_read_in_one_request(
    alice: User, bob: User, followed: Show, service: AniListServer, clock: Clock
) -> None:
    Entry.objects.create(user=bob, show=followed, origin=Entry.Origin.SEARCH)
    for number in range(2, 200):
        service.world.add_airing(number, 1, BEGINNING + timedelta(days=2))
        follow(bob, number)
    sync_airing()
    service.asked.clear()
    read_again(clock)
    assert len(service.asked) == 1
    assert Episode.objects.count() == 198 + 4


def test_a_run_ends_when_nobody_may_be_asked_and_the_next_goes_on(
    alice: User, service: AniListServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "NEW_AIRING_AT_ONCE", 1)
    for number in range(1, 16):
        follow(alice, number)
    sync_airing()
    assert Show.objects.exclude(airing_at=None).count() == 6
    clock.move(minutes=2)
    sync_airing()
    assert Show.objects.exclude(airing_at=None).count() == 12


def test_a_run_that_takes_too_long_leaves_the_rest_to_the_next(
    alice: User, service: AniListServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "NEW_AIRING_AT_ONCE", 1)
    for number in range(1, 6):
        follow(alice, number)
    service.before = lambda: clock.move(seconds=20)
    sync_airing()
    assert Show.objects.exclude(airing_at=None).count() == 3


def test_while_one_worker_reads_no_other_does(
    followed: Show, service: AniListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = sync._read_airing

    def beside_another(*arguments: Any) -> None:
        monkeypatch.setattr(sync, "_read_airing", read)
        assert sync_airing() == "airing times of 0 shows read"
        read(*arguments)

    monkeypatch.setattr(sync, "_read_airing", beside_another)
    assert sync_airing() == "airing times of 1 shows read"
    assert len(service.asked) == 1


def test_a_worker_that_was_killed_is_replaced_when_its_lease_is_over(followed: Show, clock: Clock) -> None:
    Provider.objects.create(name="anilist", airing_leased_until=clock.now() + sync.LEASE)
    sync_airing()
    assert times(followed) == {}
    clock.move(minutes=5)
    sync_airing()
    assert len(times(followed)) == 4


def test_when_the_service_is_away_what_is_stored_stays_with_its_age(
    followed: Show, service: AniListServer, clock: Clock
) -> None:
    sync_airing()
    service.always(faults.DISABLED)
    read_again(clock)
    assert len(times(followed)) == 4
    assert Provider.objects.get().airing_at == BEGINNING


def test_details_come_with_relations_and_what_is_only_mentioned_is_a_stub(
    alice: User, service: AniListServer
) -> None:
    service.world.add_show(7, "The Making of Lighthouse", format="SPECIAL")
    service.world.add_show(1, "Lighthouse", relations=[("SIDE_STORY", 7)], episodes=12)
    show = follow(alice, 1)
    sync_details()
    show.refresh_from_db()
    assert (show.title, show.episodes) == ("Lighthouse", 12)
    stub = Show.objects.get(external_id="7")
    assert (stub.title, stub.fetched_at, stub.relations_at) == ("The Making of Lighthouse", None, None)
    assert Relation.objects.get().other == stub


def test_all_seasons_before_and_after_are_read(alice: User, service: AniListServer, clock: Clock) -> None:
    service.world.add_show(1, "Lighthouse")
    for number in range(2, 7):
        service.world.add_show(number, f"Lighthouse {number}", relations=[("PREQUEL", number - 1)])
    follow(alice, 6)
    for _minute in range(3):  # each season tells of the one before it
        sync_details()
        clock.move(minutes=2)
    assert Show.objects.exclude(fetched_at=None).count() == 6


def test_details_of_what_is_airing_are_read_daily_and_of_the_rest_weekly(
    alice: User, service: AniListServer, clock: Clock
) -> None:
    service.world.add_show(1, "Lighthouse")
    service.world.add_show(2, "Harbour", status="FINISHED")
    follow(alice, 1)
    follow(alice, 2)
    sync_details()
    service.asked.clear()
    clock.move(hours=25)
    sync_details()
    assert [asked.variables for asked in service.asked] == [{"ids0": [1]}]
    clock.move(days=7)
    service.asked.clear()
    sync_details()
    assert [asked.variables for asked in service.asked] == [{"ids0": [1, 2]}]


def test_a_show_that_the_service_has_deleted_is_not_asked_for_again_and_again(
    alice: User, service: AniListServer
) -> None:
    follow(alice, 404, romaji="Lighthouse")
    sync_details()
    sync_details()
    assert len(service.asked) == 1
    assert Show.objects.get().title == "Lighthouse"


def test_shows_that_nobody_needs_are_forgotten_after_a_month_and_relatives_are_not(
    alice: User, service: AniListServer, clock: Clock
) -> None:
    service.world.add_show(1, "Lighthouse")
    service.world.add_show(2, "Lighthouse 2", relations=[("PREQUEL", 1)])
    follow(alice, 2)
    sync_details()
    sync_details()
    store_shows("anilist", [ShowRecord(external_id="9", romaji="Harbour")])
    clock.move(days=29)
    assert sync.forget() == 0
    clock.move(days=2)
    assert sync.forget() == 1
    assert set(Show.objects.values_list("external_id", flat=True)) == {"1", "2"}


def test_a_show_that_somebody_follows_just_then_is_not_forgotten(
    alice: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = Show.objects.create(provider="anilist", external_id="1", romaji="Lighthouse")
    unused = shows._unused

    def followed_meanwhile(provider: str) -> list[int]:
        found = unused(provider)
        Entry.objects.create(user=alice, show=show, origin=Entry.Origin.SEARCH)
        return found

    monkeypatch.setattr(shows, "_unused", followed_meanwhile)
    assert sync.forget() == 0
    assert Entry.objects.get().show == show


def test_relations_that_are_told_no_more_go(db: None) -> None:
    other = RelationRecord(kind="SEQUEL", show=ShowRecord(external_id="2", romaji="Lighthouse 2"))
    store_shows("anilist", [ShowRecord(external_id="1", relations=(other,))])
    store_shows("anilist", [ShowRecord(external_id="1")])  # not asked for: they stay
    assert Relation.objects.count() == 1
    store_shows("anilist", [ShowRecord(external_id="1", relations=())])
    assert Relation.objects.count() == 0


def test_what_is_known_of_a_show_is_not_overwritten_by_a_mention(db: None) -> None:
    store_shows("anilist", [ShowRecord(external_id="2", romaji="Lighthouse 2", episodes=12)])
    other = RelationRecord(kind="SEQUEL", show=ShowRecord(external_id="2", romaji="Lighthouse II"))
    store_shows("anilist", [ShowRecord(external_id="1", relations=(other,))])
    assert Show.objects.get(external_id="2").episodes == 12


def test_a_stub_becomes_a_show_when_it_is_read(db: None, clock: Clock) -> None:
    other = RelationRecord(kind="SEQUEL", show=ShowRecord(external_id="2", romaji="Lighthouse 2"))
    store_shows("anilist", [ShowRecord(external_id="1", relations=(other,))])
    store_shows("anilist", [ShowRecord(external_id="2", romaji="Lighthouse 2", episodes=12)])
    show = Show.objects.get(external_id="2")
    assert (show.episodes, show.fetched_at) == (12, clock.now())
