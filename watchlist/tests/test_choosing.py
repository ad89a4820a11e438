"""Which of the found releases are taken, for whom, and when."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from accounts.models import User
from feeds.models import Grab as Download
from torrents.models import Claim
from torrents.tests.factories import at_once
from watchlist import tasks
from watchlist.choosing import ChoiceRefused, advance, choose, take_candidate
from watchlist.models import Candidate, Entry, Grab
from watchlist.tests.taking import (
    State,
    again,
    arrive,
    choose_for,
    claim_of,
    engine_is_there,
    follow,
    found,
    item_of,
    served,
    show_of,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(alice: User) -> Entry:
    engine_is_there()
    return follow(alice)


def test_the_preferred_release_of_an_episode_is_taken_and_no_other(alice: User, entry: Entry) -> None:
    worse, best, other = found(entry, 1, preference=[2]), found(entry, 1, preference=[0]), found(entry, 1)
    other.preference = [1]
    other.save()
    assert choose_for(alice) == 1
    assert served(entry) == {1: best.pk}
    assert [again(one).state for one in (worse, best, other)] == [State.FOUND, State.TAKEN, State.FOUND]
    assert Download.objects.count() == 1


def test_of_releases_that_are_as_good_the_one_that_was_found_first_wins(alice: User, entry: Entry) -> None:
    found(entry, 1)
    first = found(entry, 1, ago=timedelta(hours=1))
    choose_for(alice)
    assert served(entry) == {1: first.pk}


def test_what_is_taken_becomes_a_torrent_that_says_which_show_it_is_of(alice: User, entry: Entry) -> None:
    entry.label = "shows"
    entry.save()
    one = found(entry, 3)
    choose_for(alice)
    work()
    claim = claim_of(one)
    assert (claim.user, claim.origin, claim.origin_detail) == (alice, "watchlist", "Lighthouse, episode 3")
    assert (claim.label, claim.wanted) == ("shows", "running")


def test_the_worker_adds_what_was_taken_without_waiting_for_its_next_minute(
    alice: User, entry: Entry
) -> None:
    found(entry, 3)
    tasks.decide()
    assert [queued.task["func"] for queued in OrmQ.objects.all()] == ["feeds.tasks.decide"]
    tasks.decide()
    assert OrmQ.objects.count() == 1  # nothing more was taken


def test_what_a_person_takes_is_added_as_soon(alice: User, entry: Entry) -> None:
    take_candidate(user=alice, candidate=found(entry, 3))
    assert [queued.task["func"] for queued in OrmQ.objects.all()] == ["feeds.tasks.decide"]


def test_it_can_start_paused(alice: User, entry: Entry) -> None:
    entry.start_paused = True
    entry.save()
    one = found(entry, 3)
    choose_for(alice)
    work()
    assert claim_of(one).wanted == "paused"


def test_a_better_release_is_waited_for_from_the_first_one_on(alice: User, entry: Entry) -> None:
    entry.delay_seconds = 3600
    entry.save()
    first = found(entry, 1, preference=[1], ago=timedelta(minutes=30))
    assert choose_for(alice) == 0
    better = found(entry, 1, preference=[0])
    Candidate.objects.filter(pk=first.pk).update(found_at=first.found_at - timedelta(minutes=31))
    advance()
    assert served(entry) == {1: better.pk}


def test_nothing_before_the_first_wanted_episode_is_taken(alice: User, entry: Entry) -> None:
    entry.from_episode = 5
    entry.save()
    found(entry, 4)
    fifth = found(entry, 5)
    special = found(entry, 1, special="OVA")
    choose_for(alice)
    assert served(entry) == {5: fifth.pk, 1: special.pk}


@pytest.mark.parametrize("state", ["paused", "ended", "left", "removed"])
def test_nothing_is_taken_of_a_show_that_is_not_followed(alice: User, entry: Entry, state: str) -> None:
    entry.state = state
    entry.save()
    found(entry, 1)
    assert choose_for(alice) == 0
    advance()
    assert not Grab.objects.exists()


def test_only_the_entries_asked_for_are_looked_at(alice: User, entry: Entry) -> None:
    other = follow(alice)
    found(entry, 1)
    found(other, 1)
    assert choose(user=alice, entries=[other]) == 1
    assert not served(entry)
    assert choose(user=alice, entries=[]) == 0


def test_a_special_is_another_episode_than_the_one_of_its_number(alice: User, entry: Entry) -> None:
    found(entry, 1)
    found(entry, 1, special="OVA")
    found(entry, 12.5)
    assert choose_for(alice) == 3


def test_a_batch_goes_before_single_episodes_where_most_is_lacking(alice: User, entry: Entry) -> None:
    single = found(entry, 1, preference=[0])
    batch = found(entry, 1, 2, 3, preference=[1])
    choose_for(alice)
    assert served(entry) == dict.fromkeys((1, 2, 3), batch.pk)
    assert again(single).state == State.FOUND


def test_a_batch_of_what_is_under_way_is_not_taken(alice: User, entry: Entry) -> None:
    first = found(entry, 1)
    choose_for(alice)
    found(entry, 1, 2, 3)
    assert choose_for(alice) == 0
    assert served(entry) == {1: first.pk}


def test_single_episodes_go_before_a_batch_that_holds_what_is_there(alice: User, entry: Entry) -> None:
    first = found(entry, 1)
    choose_for(alice)
    work()
    arrive(first)
    batch, second = found(entry, 1, 2, 3), found(entry, 2)
    choose_for(alice)
    assert served(entry) == {1: first.pk, 2: second.pk}
    work()
    arrive(second)
    # Nothing but the batch has the third.
    assert served(entry) == {1: first.pk, 2: second.pk, 3: batch.pk}


def test_of_a_batch_only_wanted_episodes_count(alice: User, entry: Entry) -> None:
    entry.from_episode = 3
    entry.save()
    batch = found(entry, 1, 2, 3, 4)
    choose_for(alice)
    assert served(entry) == {3: batch.pk, 4: batch.pk}
    assert advance() == 0


def test_the_second_batch_of_the_same_episodes_is_one_too_many(alice: User, entry: Entry) -> None:
    found(entry, 1, 2, 3)
    found(entry, 2, 3, 4)
    assert choose_for(alice) == 1


def test_of_two_versions_found_together_the_newer_is_taken(alice: User, entry: Entry) -> None:
    first, second = found(entry, 1, preference=[0]), found(entry, 1, version=2, preference=[0])
    first.group = "GROUP"
    first.save()
    choose_for(alice)
    assert served(entry) == {1: second.pk}


def test_what_cannot_be_taken_gives_way_to_the_next(alice: User, entry: Entry) -> None:
    without_torrent = found(entry, 1, item=item_of("Lighthouse - 1", download=""), ago=timedelta(hours=2))
    forgotten = found(entry, 1, ago=timedelta(hours=1))
    assert forgotten.item is not None
    forgotten.item.delete()
    last = found(entry, 1)
    assert choose_for(alice) == 1
    assert served(entry) == {1: last.pk}
    for one in (without_torrent, forgotten):
        assert again(one).state == State.FAILED
        assert one.message


def test_two_people_take_the_same_release_each_for_themselves(alice: User, bob: User, entry: Entry) -> None:
    his = follow(bob, entry.show)
    one = found(entry, 1)
    other = found(his, 1, item=one.item)
    choose_for(alice)
    assert again(other).state == State.FOUND
    choose_for(bob)
    work()
    assert {claim_of(one).user, claim_of(other).user} == {alice, bob}
    assert claim_of(one).torrent == claim_of(other).torrent


def test_what_a_rule_has_taken_is_not_downloaded_once_more(alice: User, entry: Entry) -> None:
    item = item_of("Lighthouse - 1")
    theirs = Download.objects.create(
        user=alice, item=item, title=item.title, download=item.download, state="due", due_at=item.seen_at
    )
    one = found(entry, 1, item=item)
    choose_for(alice)
    work()
    assert again(one).download == theirs
    assert Claim.objects.get().origin == "feed"
    arrive(one)
    assert again(one).state == State.HAVE


def test_what_a_rule_still_waits_with_is_taken_at_once(alice: User, entry: Entry) -> None:
    item = item_of("Lighthouse - 1", infohash="a" * 40)
    Download.objects.create(
        user=alice,
        item=item_of("The same", infohash="a" * 40),
        title="The same",
        infohash="a" * 40,
        state="waiting",
        due_at=item.seen_at + timedelta(days=1),
    )
    one = found(entry, 1, item=item)
    choose_for(alice)
    work()
    assert claim_of(one).user == alice
    assert Download.objects.count() == 1


def test_a_person_takes_another_release_instead_of_one_that_is_under_way(alice: User, entry: Entry) -> None:
    first, other = found(entry, 1), found(entry, 1, preference=[5])
    choose_for(alice)
    work()
    claim = claim_of(first)
    take_candidate(user=alice, candidate=other)
    assert served(entry) == {1: other.pk}
    assert again(first).state == State.REPLACED
    claim.refresh_from_db()
    assert claim.removed_at is not None  # and can be taken back


def test_what_is_there_stays_until_what_a_person_took_instead_is_there(alice: User, entry: Entry) -> None:
    first, other = found(entry, 1), found(entry, 1, preference=[5])
    choose_for(alice)
    work()
    arrive(first)
    take_candidate(user=alice, candidate=other)
    work()
    assert (again(first).state, again(other).state) == (State.HAVE, State.TAKEN)
    assert claim_of(first).removed_at is None
    arrive(other)
    assert (again(first).state, again(other).state) == (State.REPLACED, State.HAVE)
    assert claim_of(first).removed_at is not None
    assert claim_of(other).removed_at is None


def test_a_person_takes_what_was_replaced_once_more(alice: User, entry: Entry) -> None:
    first, other = found(entry, 1), found(entry, 1, preference=[5])
    choose_for(alice)
    work()
    take_candidate(user=alice, candidate=other)
    take_candidate(user=alice, candidate=first)
    work()
    assert served(entry) == {1: first.pk}
    assert claim_of(first).removed_at is None
    assert again(other).state == State.REPLACED
    assert other.claim_id is None  # it was never added


def test_taking_what_is_taken_changes_nothing(alice: User, entry: Entry) -> None:
    one = found(entry, 1)
    choose_for(alice)
    work()
    take_candidate(user=alice, candidate=one)
    assert claim_of(one).removed_at is None
    assert again(one).state == State.TAKEN


def test_a_person_may_take_an_episode_that_is_not_wanted_otherwise(alice: User, entry: Entry) -> None:
    entry.from_episode, entry.state = 5, "paused"
    entry.save()
    one = found(entry, 1)
    take_candidate(user=alice, candidate=one)
    assert served(entry) == {1: one.pk}


def test_what_cannot_be_taken_says_so(alice: User, entry: Entry) -> None:
    with pytest.raises(ChoiceRefused, match="episodes"):
        take_candidate(user=alice, candidate=found(entry))
    with pytest.raises(ChoiceRefused, match="torrent"):
        take_candidate(user=alice, candidate=found(entry, 1, item=item_of("x", download="")))
    assert not Grab.objects.exists()


def test_nobody_takes_a_release_of_somebody_elses_show(bob: User, entry: Entry) -> None:
    with pytest.raises(Candidate.DoesNotExist):
        take_candidate(user=bob, candidate=found(entry, 1))
    assert choose_for(bob) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_choose_at_once_take_each_episode_once(alice: User, entry: Entry) -> None:
    for number in range(1, 7):
        for preference in range(3):
            found(entry, number, preference=[preference])
    assert sum(at_once(*[lambda: choose_for(alice)] * 3)) == 6
    assert Grab.objects.count() == Download.objects.count() == 6
    assert Candidate.objects.filter(state=State.TAKEN).count() == 6


@pytest.mark.django_db(transaction=True)
def test_even_without_the_persons_lock_an_episode_has_one_grab(alice: User, entry: Entry) -> None:
    for number in range(1, 7):
        for preference in range(3):
            found(entry, number, preference=[preference])
    at_once(*[lambda: choose(user=alice)] * 3)
    assert Grab.objects.count() == 6
    taken = set(Candidate.objects.filter(state=State.TAKEN).values_list("pk", flat=True))
    assert taken == set(served(entry).values())


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_look_after_everybody_do_it_once(alice: User, bob: User, entry: Entry) -> None:
    his = follow(bob, show_of())
    for number in range(1, 4):
        found(entry, number)
        found(his, number)
    at_once(work, work, work)
    work()
    assert Claim.objects.count() == Grab.objects.count() == 6


def test_a_kill_before_the_torrent_is_added_loses_nothing(
    alice: User, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = found(entry, 1)
    choose_for(alice)

    def killed(*args: object, **kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("feeds.grabs.add_with_wishes", killed)
        with pytest.raises(SystemExit):
            work()
    assert not Claim.objects.exists()
    Download.objects.update(due_at=item_of("now").seen_at)  # its lease is over
    work()
    assert claim_of(one).user == alice
    assert Claim.objects.count() == 1
