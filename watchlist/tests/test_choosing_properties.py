"""Releases, versions, failures, stalls and removals in any order: one release an episode, and nothing that is needed
goes.

`CHOOSING_STEPS` tries it at length.
"""

import os
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import transaction
from django.db.models import F, Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from feeds.grabs import add_due
from feeds.models import Grab as Download
from feeds.models import Item
from torrents import services
from torrents.models import Claim, ClaimEvent, Torrent
from torrents.tests.factories import finish, person
from watchlist.choosing import ChoiceRefused, advance, take_candidate
from watchlist.models import Candidate, Entry, Grab
from watchlist.tests.taking import State, choose_for, engine_is_there, follow, found, item_of, show_of

STEPS = int(os.environ.get("CHOOSING_STEPS", "400"))
STEPS_EACH = 40  # of an example
EPISODES = st.sampled_from([(1.0,), (1.0,), (2.0,), (3.0,), (1.0, 2.0), (1.0, 2.0, 3.0)])
PICKS = st.integers(0, 30)  # one of the rows there are


class Choosing(RuleBasedStateMachine):
    """Two people, three entries; every second item is one of a few torrents, which several entries may find."""

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self.removed_by_owner: set[Any] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        engine_is_there()
        self.people = [person("Alice"), person("bob")]
        show = show_of(episodes=3)
        self.entries = [
            follow(self.people[0], show),
            follow(self.people[0], show_of("Harbour", episodes=3)),
            follow(self.people[1], show),
        ]
        self.shared = [item_of(f"shared {number}", infohash=f"{number}" * 40) for number in range(1, 4)]

    @rule(
        entry=st.integers(0, 2),
        numbers=EPISODES,
        version=st.integers(0, 3),
        group=st.sampled_from(["A", "A", "B", ""]),
        preference=st.integers(0, 1),
        item=st.integers(0, 11),
    )
    def find(
        self, entry: int, numbers: tuple[float, ...], version: int, group: str, preference: int, item: int
    ) -> None:
        one = self.entries[entry]
        if item < len(self.shared):
            chosen = self.shared[item]
            if Candidate.objects.filter(entry=one, item=chosen).exists():
                return
        elif item < 2 * len(self.shared):  # the same torrent, from another feed
            like = self.shared[item - len(self.shared)]
            chosen = item_of("the same", download=like.download)
        else:
            chosen = item_of("another", download="" if item == 11 else None)
        found(one, *numbers, version=version, group=group, preference=[preference], item=chosen)
        choose_for(one.user)

    @rule()
    def add(self) -> None:
        add_due()

    @rule()
    def look_after(self) -> None:
        advance()

    @rule(pick=PICKS)
    def complete(self, pick: int) -> None:
        if (torrent := _one(Torrent.objects.filter(refused=""), pick)) is not None:
            finish([torrent])

    @rule(pick=PICKS)
    def stall(self, pick: int) -> None:
        if (one := _one(Candidate.objects.filter(state=State.TAKEN), pick)) is not None:
            Candidate.objects.filter(pk=one.pk).update(idle_seconds=25 * 3600)

    @rule(pick=PICKS)
    def fail(self, pick: int) -> None:
        if (one := _one(Download.objects.filter(state="due"), pick)) is not None:
            Download.objects.filter(pk=one.pk).update(state="failed", message="It is no torrent.")

    @rule(pick=PICKS)
    def refuse(self, pick: int) -> None:
        if (one := _one(Torrent.objects.filter(completed_at=None), pick)) is not None:
            Torrent.objects.filter(pk=one.pk).update(refused="The engine cannot read it.")

    @rule(pick=PICKS)
    def remove(self, pick: int) -> None:
        if (claim := _one(Claim.objects.all(), pick)) is not None:
            services.remove_torrent(claim=claim)
            self.removed_by_owner.add(claim.pk)

    @rule(pick=PICKS)
    def restore(self, pick: int) -> None:
        gone = Claim.with_removed.exclude(removed_at=None)
        if (claim := _one(gone, pick)) is not None:
            services.restore_torrent(claim=claim)
            self.removed_by_owner.discard(claim.pk)

    @rule()
    def let_the_grace_period_pass(self) -> None:
        grace = timedelta(seconds=configured.REMOVAL_GRACE_SECONDS)
        Claim.with_removed.exclude(removed_at=None).update(removed_at=F("removed_at") - grace)
        services.retire_unclaimed_torrents()

    @rule(pick=PICKS)
    def take_instead(self, pick: int) -> None:
        if (one := _one(Candidate.objects.all(), pick)) is not None:
            try:
                taken = take_candidate(user=one.entry.user, candidate=one)
            except ChoiceRefused:
                return
            if taken.download is not None:
                self.removed_by_owner.discard(taken.download.claim_id)

    @rule(pick=PICKS)
    def take_by_a_rule(self, pick: int) -> None:
        untaken = Item.objects.exclude(grabs__user=self.people[0])
        item = _one(untaken.filter(infohash=""), pick)
        if item is not None and item.download:
            Download.objects.create(
                user=self.people[0],
                item=item,
                title=item.title,
                download=item.download,
                state="waiting" if pick % 2 else "due",
                due_at=item.seen_at,
            )

    @rule(entry=st.integers(0, 2), state=st.sampled_from(["paused", "followed", "followed"]))
    def change(self, entry: int, state: str) -> None:
        Entry.objects.filter(pk=self.entries[entry].pk).update(state=state)

    @rule()
    def settle(self) -> None:
        """Nothing happens for a while."""
        for _ in range(6):
            add_due()
            advance()
        assert advance() == 0
        assert not Candidate.objects.filter(leaving=True).exists()
        for claim in Claim.objects.filter(origin="watchlist", completed_at=None, torrent__refused=""):
            needed = Candidate.objects.filter(entry__user=claim.user, claim_id=claim.pk)
            assert needed.filter(state__in=(State.TAKEN, State.HAVE)).exists() or _was_taken_back(claim)

    @invariant()
    def every_episode_lives_on_what_is_taken(self) -> None:
        for grab in Grab.objects.select_related("candidate", "successor"):
            assert grab.candidate.entry_id == grab.entry_id
            assert grab.candidate.state in (State.TAKEN, State.HAVE, State.REMOVED)
            if grab.successor is not None:  # the one case in which an episode is downloaded beside another
                assert (grab.candidate.state, grab.successor.state) == (State.HAVE, State.TAKEN)
            for one in (grab.candidate, grab.successor):
                assert one is None or (one.special == grab.special and grab.number in one.numbers)

    @invariant()
    def nothing_is_taken_for_nothing(self) -> None:
        for one in Candidate.objects.filter(state__in=(State.TAKEN, State.HAVE)):
            assert Grab.objects.filter(Q(candidate=one) | Q(successor=one)).exists()

    @invariant()
    def what_an_episode_lives_on_is_removed_by_nobody_but_its_owner(self) -> None:
        held = set(Claim.objects.values_list("pk", flat=True))
        for one in Candidate.objects.filter(state__in=(State.TAKEN, State.HAVE)).exclude(claim_id=None):
            assert one.claim_id in held | self.removed_by_owner


def _was_taken_back(claim: Claim) -> bool:
    """By its owner, after it was given up: then it is theirs."""
    return ClaimEvent.objects.filter(claim_id=claim.pk, kind=ClaimEvent.Kind.RESTORED).exists()


def _one(rows: Any, pick: int) -> Any:
    found_rows = list(rows.order_by("pk"))
    return found_rows[pick % len(found_rows)] if found_rows else None


@pytest.mark.django_db
@pytest.mark.timeout(max(300, STEPS))
def test_in_any_order_an_episode_comes_from_one_release_and_nothing_needed_goes() -> None:
    run_state_machine_as_test(
        Choosing,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_EACH),
            stateful_step_count=STEPS_EACH,
            deadline=None,
            database=None,
            derandomize="CHOOSING_STEPS" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
