"""What state every episode is in, and when what people follow airs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from torrents import services
from watchlist.calendar import calendar
from watchlist.choosing import advance
from watchlist.episodes import EpisodeState, episodes_of, summaries
from watchlist.models import Candidate, Entry, Episode, Show
from watchlist.tests.taking import (
    again,
    arrive,
    choose_for,
    claim_of,
    engine_is_there,
    follow,
    found,
    show_of,
    work,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now


@pytest.fixture
def entry(alice: User) -> Entry:
    """Of a show whose third of four episodes aired two hours ago."""
    engine_is_there()
    entry = follow(alice, show_of(episodes=4))
    for number, hours in ((1, -14 * 24 - 2), (2, -7 * 24 - 2), (3, -2), (4, 7 * 24 - 2)):
        airs(entry.show, number, timedelta(hours=hours))
    return entry


def airs(show: Show, number: int, after: timedelta) -> datetime:
    return Episode.objects.create(show=show, number=number, airs_at=NOW() + after).airs_at


def states(entry: Entry) -> dict[float, str]:
    return {one.number: one.state.value for one in episodes_of(entry) if not one.special}


def episode(entry: Entry, number: float, special: str = "") -> EpisodeState:
    (one,) = [one for one in episodes_of(entry) if (one.special, one.number) == (special, number)]
    return one


def take(entry: Entry, *numbers: float, **fields: object) -> Candidate:
    one = found(entry, *numbers, **fields)  # type: ignore[arg-type]
    choose_for(entry.user)
    work()
    return again(one)


def test_an_episode_has_aired_for_a_day_and_is_missing_then_since_it_aired(entry: Entry) -> None:
    assert states(entry) == {1: "missing", 2: "missing", 3: "aired", 4: "not_aired"}
    first = episode(entry, 1)
    assert first.missing_since == first.airs_at == Episode.objects.get(number=1).airs_at
    assert episode(entry, 3).missing_since is None


def test_what_was_found_and_not_taken_yet_tells_of_the_best_release(entry: Entry) -> None:
    entry.delay_seconds = 3600
    entry.save()
    found(entry, 1, preference=[1])
    best = found(entry, 1, preference=[0], group="Best", version=2)
    choose_for(entry.user)
    one = episode(entry, 1)
    assert one.state == "found"
    assert (one.title, one.group, one.version, one.candidate_id) == (best.title, "Best", 2, best.pk)
    assert one.missing_since is None


def test_what_is_under_way_and_there_names_its_torrent(entry: Entry) -> None:
    one = take(entry, 1, 2)
    assert states(entry) == {1: "downloading", 2: "downloading", 3: "aired", 4: "not_aired"}
    assert episode(entry, 2).claim_id == claim_of(one).pk
    arrive(one)
    assert states(entry) == {1: "have", 2: "have", 3: "aired", 4: "not_aired"}


def test_an_episode_that_is_there_before_it_airs_is_there(entry: Entry) -> None:
    arrive(take(entry, 4))
    assert episode(entry, 4).state == "have"


def test_what_takes_its_place_is_told(entry: Entry) -> None:
    arrive(take(entry, 1))
    newer = take(entry, 1, version=2)
    one = episode(entry, 1)
    assert one.state == "have"
    assert newer.title in one.message


def test_what_its_owner_removed_before_it_was_there_is_unwanted_and_says_why(entry: Entry) -> None:
    one = take(entry, 1)
    services.remove_torrent(claim=claim_of(one))
    advance()
    assert episode(entry, 1).state == "unwanted"
    assert "You removed its torrent" in episode(entry, 1).message


def test_what_is_before_the_first_wanted_episode_is_unwanted_unless_it_is_there(entry: Entry) -> None:
    arrive(take(entry, 1))
    entry.from_episode = 3
    entry.save()
    found(entry, 2)
    assert states(entry) == {1: "have", 2: "unwanted", 3: "aired", 4: "not_aired"}


def test_what_could_not_be_had_says_so(entry: Entry) -> None:
    one = found(entry, 1)
    one.state, one.message = Candidate.State.FAILED, "It is no torrent."
    one.save()
    assert episode(entry, 1).state == "missing"
    assert "It is no torrent." in episode(entry, 1).message


def test_specials_and_recaps_are_listed_where_a_release_of_them_is_known(entry: Entry) -> None:
    found(entry, 1, special="OVA")
    found(entry, 2.5)
    listed = [(one.special, one.number) for one in episodes_of(entry)]
    assert listed == [("", 1), ("", 2), ("", 2.5), ("", 3), ("", 4), ("OVA", 1)]
    assert episode(entry, 1, "OVA").airs_at is None


def test_a_finished_show_without_airing_times_has_aired(alice: User) -> None:
    show = show_of(episodes=2, status="FINISHED", ends_on=date(2013, 3, 20))
    entry = follow(alice, show)
    assert states(entry) == {1: "missing", 2: "missing"}
    assert episode(entry, 1).missing_since == datetime(2013, 3, 20, tzinfo=UTC)


def test_of_a_show_of_which_nothing_is_known_nothing_is_missing(alice: User) -> None:
    entry = follow(alice, show_of(episodes=2, status="", provider="manual"))
    assert states(entry) == {1: "not_aired", 2: "not_aired"}
    assert "not known" in episode(entry, 1).message


def test_a_film_is_one_episode(alice: User) -> None:
    assert states(follow(alice, show_of(episodes=None, format="MOVIE", status="FINISHED"))) == {1: "missing"}


def test_a_show_without_an_end_has_the_episodes_that_are_known(alice: User) -> None:
    entry = follow(alice, show_of(episodes=None))
    assert states(entry) == {}
    airs(entry.show, 3, timedelta(days=2))
    found(entry, 1)
    assert states(entry) == {1: "found", 2: "missing", 3: "not_aired"}
    assert episode(entry, 2).missing_since is None


def test_what_airs_before_an_episode_of_the_future_has_aired(alice: User) -> None:
    entry = follow(alice, show_of(episodes=4))
    airs(entry.show, 3, timedelta(days=2))
    assert states(entry) == {1: "missing", 2: "missing", 3: "not_aired", 4: "not_aired"}


def test_a_summary_counts_what_the_list_shows(entry: Entry) -> None:
    arrive(take(entry, 1))
    take(entry, 3)
    summary = summaries([entry])[entry.pk]
    assert (summary.aired, summary.have, summary.downloading, summary.found, summary.missing) == (
        3,
        1,
        1,
        0,
        1,
    )
    assert summary.missing_since == Episode.objects.get(number=2).airs_at
    assert (summary.next_episode, summary.next_airs_at) == (4, Episode.objects.get(number=4).airs_at)


def test_the_summary_of_a_show_of_which_nothing_is_known_is_empty(alice: User) -> None:
    summary = summaries([entry := follow(alice, show_of(episodes=None))])[entry.pk]
    assert (summary.aired, summary.missing, summary.next_episode) == (None, 0, None)


def test_many_entries_take_as_many_queries_as_one(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    engine_is_there()
    for _ in range(30):
        entry = follow(alice, show_of(episodes=3))
        airs(entry.show, 1, -timedelta(days=3))
        take(entry, 1)
        found(entry, 2)
    entries = list(Entry.objects.all())
    with django_assert_max_num_queries(4):
        told = summaries(entries)
    assert [one.downloading + one.found for one in told.values()] == [2] * 30


def test_the_calendar_shows_what_airs_of_what_somebody_follows(alice: User, bob: User, entry: Entry) -> None:
    paused = follow(alice, show_of("Harbour"), state="paused")
    airs(paused.show, 1, timedelta(days=1))
    for state in ("ended", "left", "removed"):
        other = follow(alice, show_of(), state=state)
        airs(other.show, 1, timedelta(days=1))
    airs(follow(bob).show, 1, timedelta(days=1))
    take(entry, 3)
    listed = calendar(user=alice, since=NOW() - timedelta(days=1), until=NOW() + timedelta(days=7))
    assert [(one.title, one.number, one.state.value) for one in listed] == [
        ("Lighthouse", 3, "downloading"),
        ("Harbour", 1, "not_aired"),
        ("Lighthouse", 4, "not_aired"),
    ]
    assert [one.entry_id for one in listed] == [entry.pk, paused.pk, entry.pk]


def test_two_people_have_their_own_states_of_one_show(bob: User, entry: Entry) -> None:
    his = follow(bob, entry.show)
    take(entry, 1)
    assert (states(entry)[1], states(his)[1]) == ("downloading", "missing")
    window = {"since": NOW() - timedelta(days=30), "until": NOW()}
    assert [one.state.value for one in calendar(user=bob, **window)] == ["missing", "missing", "aired"]
