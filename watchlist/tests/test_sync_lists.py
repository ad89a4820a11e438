"""Lists of people, read on schedule and on demand, and what becomes of them here."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from watchlist import sync
from watchlist.linking import change_link, link_by_name, link_by_token, sync_now, unlink
from watchlist.list_entries import wanted_shows
from watchlist.models import Entry, Link, Show
from watchlist.sync import sync_due_lists
from watchlist.tests import anilist_server as faults
from watchlist.tests.anilist_server import AniListServer, Fault
from watchlist.tests.anilist_world import Listed, Person
from watchlist.tests.clock import Clock

TOKEN = "aaaa.eyJleHAiOiAxODAwMDAwMDAwfQ.cccc"


@pytest.fixture
def service(anilist: AniListServer, clock: Clock) -> AniListServer:
    for number in range(1, 10):
        anilist.world.add_show(number, f"Lighthouse {number}")
    anilist.world.add_show(18, "Night Harbour", isAdult=True)
    return anilist


@pytest.fixture
def keeper(service: AniListServer) -> Person:
    return service.world.add_person("Keeper", Listed(1, progress=3), Listed(2, "PLANNING"), Listed(18))


@pytest.fixture
def link(alice: User, keeper: Person) -> Link:
    """Whose list was read once."""
    link = link_by_name(user=alice, provider="anilist", name="Keeper")
    sync_due_lists()
    link.refresh_from_db()
    return link


def entries(user: User) -> dict[str, Any]:
    rows = Entry.objects.filter(user=user).select_related("show")
    return {entry.show.external_id: entry for entry in rows}


def states(user: User) -> dict[str, str]:
    return {external_id: entry.state for external_id, entry in entries(user).items()}


def read_again(clock: Clock) -> None:
    clock.move(minutes=21)
    sync_due_lists()


def test_what_is_watched_is_followed_from_the_next_episode_on(alice: User, link: Link) -> None:
    [entry] = entries(alice).values()
    assert (entry.show.external_id, entry.origin, entry.state) == ("1", "list", "followed")
    assert (entry.list_status, entry.list_progress, entry.from_episode) == ("CURRENT", 3, 4)
    assert entry.look_back


def test_of_a_list_no_more_is_stored_than_what_is_followed(alice: User, link: Link) -> None:
    assert set(Show.objects.values_list("external_id", flat=True)) == {"1"}


def test_a_list_says_when_it_was_read_and_when_it_will_be(link: Link, clock: Clock) -> None:
    assert link.synced_at == clock.now()
    assert link.next_sync_at == clock.now() + timedelta(minutes=20)
    assert (link.message, link.failing_since, link.leased_until) == ("", None, None)


def test_nobody_asks_again_before_it_is_due(link: Link, service: AniListServer, clock: Clock) -> None:
    asked = len(service.asked)
    clock.move(minutes=19)
    sync_due_lists()
    assert len(service.asked) == asked


def test_progress_on_the_list_moves_here_and_the_first_episode_stays(
    alice: User, link: Link, keeper: Person, clock: Clock
) -> None:
    keeper.listed[0].progress = 7
    read_again(clock)
    entry = entries(alice)["1"]
    assert (entry.list_progress, entry.from_episode) == (7, 4)


def test_a_show_that_is_no_longer_watched_leaves_and_may_come_back(
    alice: User, link: Link, keeper: Person, clock: Clock
) -> None:
    Entry.objects.update(look_back=False)
    keeper.listed[0].status = "DROPPED"
    read_again(clock)
    assert states(alice) == {"1": "left"}
    keeper.listed[0].status = "REPEATING"
    read_again(clock)
    assert states(alice) == {"1": "followed"}
    assert entries(alice)["1"].look_back


def test_a_show_that_is_gone_from_the_list_leaves(
    alice: User, link: Link, keeper: Person, clock: Clock
) -> None:
    del keeper.listed[0]
    read_again(clock)
    assert (states(alice), entries(alice)["1"].list_status) == ({"1": "left"}, "")


@pytest.mark.parametrize("state", ["removed", "paused", "ended"])
def test_what_a_person_has_said_here_stays(
    alice: User, link: Link, keeper: Person, clock: Clock, state: str
) -> None:
    Entry.objects.update(state=state)
    read_again(clock)
    keeper.listed[0].status = "DROPPED"
    read_again(clock)
    keeper.listed[0].status = "CURRENT"
    read_again(clock)
    assert states(alice) == {"1": state}


def test_what_was_found_by_searching_stays_followed_whatever_the_list_says(
    alice: User, link: Link, keeper: Person, clock: Clock
) -> None:
    Entry.objects.update(origin=Entry.Origin.SEARCH)
    keeper.listed[0].status = "DROPPED"
    read_again(clock)
    entry = entries(alice)["1"]
    assert (entry.state, entry.list_status) == ("followed", "DROPPED")


def test_an_entry_in_a_custom_list_only_is_followed(
    alice: User, link: Link, keeper: Person, clock: Clock
) -> None:
    keeper.listed.append(Listed(3, custom=("mine",), hidden=True))
    read_again(clock)
    assert set(entries(alice)) == {"1", "3"}


def test_shows_for_adults_come_only_where_that_was_chosen(alice: User, link: Link, clock: Clock) -> None:
    assert "18" not in entries(alice)
    change_link(link=link, include_adult=True)
    sync_due_lists()
    assert states(alice)["18"] == "followed"
    change_link(link=link, include_adult=False)
    sync_due_lists()
    assert states(alice)["18"] == "left"


def test_other_parts_of_the_list_are_followed_where_that_was_chosen(alice: User, link: Link) -> None:
    change_link(link=link, statuses=["PLANNING"])
    sync_due_lists()
    assert states(alice) == {"1": "left", "2": "followed"}


def test_a_choice_made_while_the_list_is_read_is_not_lost(
    alice: User, link: Link, service: AniListServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.move(minutes=21)

    def after_the_answer(*arguments: Any) -> Any:
        monkeypatch.undo()
        change_link(link=link, statuses=["PLANNING"])
        return wanted_shows(*arguments)

    monkeypatch.setattr(sync, "wanted_shows", after_the_answer)
    with monkeypatch.context():
        sync_due_lists()
    sync_due_lists()
    assert states(alice) == {"1": "left", "2": "followed"}


def test_no_more_is_followed_than_the_box_allows_and_that_is_said(
    alice: User, link: Link, keeper: Person, clock: Clock, settings: Settings
) -> None:
    settings.WATCHLIST_PER_USER = 3
    keeper.listed += [Listed(number) for number in range(4, 9)]
    read_again(clock)
    assert list(states(alice).values()) == ["followed"] * 3
    link.refresh_from_db()
    assert "allows: 3 of your list are left out" in link.message
    del keeper.listed[3:6]
    read_again(clock)
    link.refresh_from_db()
    assert link.message == ""


def test_of_a_list_that_is_too_long_what_is_followed_is_read(
    alice: User, link: Link, keeper: Person, service: AniListServer, clock: Clock
) -> None:
    keeper.listed += [Listed(9, "COMPLETED") for _entry in range(2600)]
    read_again(clock)
    link.refresh_from_db()
    assert (link.long, link.message, link.synced_at) == (True, "", clock.now())
    assert states(alice) == {"1": "followed"}
    service.asked.clear()
    read_again(clock)
    assert [asked.variables["statuses"] for asked in service.asked] == [["CURRENT", "REPEATING"]]


def test_of_a_list_too_long_even_so_its_owner_is_told_what_to_do(
    alice: User, link: Link, keeper: Person, clock: Clock
) -> None:
    keeper.listed += [Listed(1) for _entry in range(2600)]
    for _minute in range(3):
        clock.move(minutes=21)
        sync_due_lists()
    link.refresh_from_db()
    assert link.message.endswith("Choose fewer parts.")


def test_a_profile_that_became_private_is_said_so_and_nothing_is_lost(
    alice: User, link: Link, keeper: Person, clock: Clock
) -> None:
    keeper.private = True
    read_again(clock)
    link.refresh_from_db()
    assert "private" in link.message
    assert (link.failing_since, link.failures) == (clock.now(), 1)
    assert link.next_sync_at == clock.now() + timedelta(hours=1)
    assert states(alice) == {"1": "followed"}
    keeper.private = False
    clock.move(hours=2)
    sync_due_lists()
    link.refresh_from_db()
    assert (link.message, link.failing_since, link.failures) == ("", None, 0)


def test_a_token_that_has_ended_is_said_so(alice: User, service: AniListServer, clock: Clock) -> None:
    hermit = service.world.add_person("Hermit", Listed(1), private=True, token=TOKEN)
    link = link_by_token(user=alice, provider="anilist", token=TOKEN)
    sync_due_lists()
    assert states(alice) == {"1": "followed"}
    hermit.token = ""
    read_again(clock)
    link.refresh_from_db()
    assert "code" in link.message
    assert states(alice) == {"1": "followed"}


def test_a_token_that_was_written_with_another_key_holds_up_nobody(
    alice: User, bob: User, service: AniListServer, keeper: Person, settings: Settings
) -> None:
    service.world.add_person("Hermit", Listed(1), private=True, token=TOKEN)
    locked = link_by_token(user=alice, provider="anilist", token=TOKEN)
    link_by_name(user=bob, provider="anilist", name="Keeper")
    settings.SECRET_KEY = "another key, and the old one is forgotten"
    sync_due_lists()
    assert states(bob) == {"1": "followed"}
    assert "Link again" in Link.objects.defer("token").get(pk=locked.pk).message


def test_while_the_service_is_closed_no_list_is_blamed(
    link: Link, service: AniListServer, clock: Clock
) -> None:
    service.always(faults.DISABLED)
    read_again(clock)
    before = link.synced_at
    link.refresh_from_db()
    assert (link.message, link.failures, link.leased_until, link.synced_at) == ("", 0, None, before)
    assert link.next_sync_at <= clock.now()


def test_one_list_that_cannot_be_read_does_not_keep_others_waiting(
    alice: User, bob: User, link: Link, keeper: Person, service: AniListServer, clock: Clock
) -> None:
    link_by_name(user=bob, provider="anilist", name="Keeper")
    clock.move(minutes=21)
    service.fail(faults.DOWN)
    assert sync_due_lists() == "1 lists read, 1 failed"
    link.refresh_from_db()
    assert link.synced_at == clock.now()


def test_what_nobody_has_thought_of_is_kept_to_one_list(
    alice: User, bob: User, link: Link, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = link_by_name(user=bob, provider="anilist", name="Keeper")
    clock.move(minutes=21)

    def fail_once(link: Link, listed: Any) -> Any:
        if link.pk == other.pk:
            raise RuntimeError("nobody has thought of this")
        return wanted_shows(link, listed)

    monkeypatch.setattr(sync, "wanted_shows", fail_once)
    assert sync_due_lists() == "1 lists read, 1 failed"
    other.refresh_from_db()
    assert other.message.startswith("Your list could not be stored.")


def test_the_list_that_waited_longest_is_read_first(
    alice: User, bob: User, link: Link, service: AniListServer, clock: Clock
) -> None:
    other = link_by_name(user=bob, provider="anilist", name="Keeper")
    Link.objects.filter(pk=other.pk).update(next_sync_at=clock.now() - timedelta(minutes=5))
    Link.objects.filter(pk=link.pk).update(next_sync_at=clock.now() - timedelta(minutes=4))
    service.fail(None, faults.DISABLED)
    sync_due_lists()
    other.refresh_from_db()
    assert other.synced_at == clock.now()


def test_a_worker_that_was_killed_leaves_the_list_to_the_next(
    link: Link, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.move(minutes=21)

    def killed(*_arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(sync, "apply_list", killed)
    with pytest.raises(KeyboardInterrupt):
        sync_due_lists()
    monkeypatch.undo()
    assert sync_due_lists() == "0 lists read, 0 failed"  # still leased
    clock.move(minutes=5)
    assert sync_due_lists() == "1 lists read, 0 failed"


def test_who_lost_the_lease_stores_nothing(
    alice: User, link: Link, keeper: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.move(minutes=21)
    keeper.listed.append(Listed(3))

    def too_late(*arguments: Any) -> Any:
        Link.objects.update(leased_until=clock.now() + timedelta(minutes=9))
        return wanted_shows(*arguments)

    monkeypatch.setattr(sync, "wanted_shows", too_late)
    sync_due_lists()
    assert set(entries(alice)) == {"1"}


def test_people_whose_account_is_disabled_are_not_asked_for(
    alice: User, link: Link, service: AniListServer, clock: Clock
) -> None:
    alice.is_active = False
    alice.save()
    asked = len(service.asked)
    read_again(clock)
    assert len(service.asked) == asked


def test_somebody_who_asks_twice_in_a_minute_asks_once(
    link: Link, service: AniListServer, clock: Clock
) -> None:
    clock.move(minutes=2)
    asked = len(service.asked)
    assert sync_now(link=link)
    assert not sync_now(link=link)
    sync_due_lists()
    assert len(service.asked) == asked + 1
    assert not sync_now(link=link)
    clock.move(minutes=2)
    assert sync_now(link=link)


def test_unlinking_with_keeping_leaves_the_shows_followed(alice: User, link: Link) -> None:
    unlink(link=link, keep=True)
    entry = entries(alice)["1"]
    assert (entry.state, entry.origin, entry.list_status) == ("followed", "search", "")
    assert not Link.objects.exists()


def test_unlinking_without_keeping_lets_go_of_what_the_list_brought(alice: User, link: Link) -> None:
    searched = Show.objects.create(provider="anilist", external_id="7", romaji="Lighthouse 7")
    Entry.objects.create(user=alice, show=searched, origin=Entry.Origin.SEARCH)
    unlink(link=link, keep=False)
    assert states(alice) == {"1": "left", "7": "followed"}


def test_the_row_holds_no_word_of_the_token(alice: User, service: AniListServer) -> None:
    service.world.add_person("Hermit", private=True, token=TOKEN)
    link = link_by_token(user=alice, provider="anilist", token=TOKEN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT watchlist_link::text FROM watchlist_link")
        [(row,)] = cursor.fetchall()
    assert "Hermit" in row
    assert not any(part in row for part in TOKEN.split("."))
    assert Link.objects.get(pk=link.pk).token == TOKEN


def test_a_broken_list_is_tried_again_after_a_while(link: Link, service: AniListServer, clock: Clock) -> None:
    service.fail(Fault(200, b"<html>"))
    read_again(clock)
    link.refresh_from_db()
    assert link.next_sync_at == clock.now() + timedelta(minutes=2)
    assert link.message.startswith("AniList does not work at the moment")
