"""The change feed: a client that applies every answer holds exactly what its person holds."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from proxy_site import compiled_query
from torrents import engine_records, services
from torrents.api.serializers import TorrentSerializer
from torrents.metainfo import Source
from torrents.models import ChangeCounter, Claim, Tombstone, Torrent
from torrents.services import Changes, changes_since
from torrents.tests.factories import State, add, fresh_magnet, live, magnet, person

pytestmark = pytest.mark.usefixtures("downloads")


class Mirror:
    """What a client holds that knows nothing but the answers it gets."""

    def __init__(self, user: User, *, limit: int = 500) -> None:
        self.held: dict[uuid.UUID, Any] = {}
        self.answers: list[Changes] = []
        self._user = user
        self._limit = limit
        self._since = 0

    def poll(self) -> None:
        for _ in range(100):
            answer = changes_since(user=self._user, change=self._since, limit=self._limit)
            self.answers.append(answer)
            if answer.reset:
                self.held.clear()
            self.held.update((claim.pk, TorrentSerializer(claim).data) for claim in answer.claims)
            for claim_id in answer.removed:
                self.held.pop(claim_id, None)
            self._since = answer.change
            if not answer.more:
                return
        pytest.fail("there is always more to fetch")


def truth(user: User) -> dict[uuid.UUID, Any]:
    return {claim.pk: TorrentSerializer(claim).data for claim in Claim.objects.of(user)}


def touch(*claims: Claim, state: str = State.STALLED) -> None:
    engine_records.record_live_states([live(claim.torrent, state) for claim in claims])


def test_from_zero_comes_everything_and_nothing_removed(alice: User, bob: User) -> None:
    claims = [add(alice) for _ in range(3)]
    services.remove_torrent(claim=claims.pop())
    add(bob)
    answer = changes_since(user=alice, change=0, limit=500)
    assert {claim.pk for claim in answer.claims} == {claim.pk for claim in claims}
    assert (answer.removed, answer.more, answer.reset) == ([], False, False)


def test_somebody_without_torrents_gets_an_empty_answer(alice: User) -> None:
    assert changes_since(user=alice, change=0, limit=5) == Changes(0, False, False, [], [])


def test_nobody_is_told_that_somebody_else_adds_the_same_torrent(alice: User, bob: User) -> None:
    source = fresh_magnet()
    add(alice, source)
    mirror = Mirror(alice)
    mirror.poll()

    services.pause_torrent(claim=add(bob, source))

    mirror.poll()
    assert mirror.answers[-1].claims == []


def test_when_nothing_changed_one_query_says_so(alice: User) -> None:
    add(alice)
    since = changes_since(user=alice, change=0, limit=500).change
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = changes_since(user=alice, change=since, limit=500)
    assert answer == Changes(since, False, False, [], [])
    assert len(queries) == 1


def test_an_answer_takes_the_same_few_queries_however_long_it_is(alice: User) -> None:
    for _ in range(3):
        add(alice)
    with CaptureQueriesContext(connection) as few:
        TorrentSerializer(changes_since(user=alice, change=0, limit=500).claims, many=True).data  # noqa: B018
    for _ in range(10):
        add(alice)
    with CaptureQueriesContext(connection) as many:
        TorrentSerializer(changes_since(user=alice, change=0, limit=500).claims, many=True).data  # noqa: B018
    assert len(few) == len(many) <= 3
    assert not any("metainfo" in query["sql"] for query in many)


def test_a_removal_is_told_once_to_its_person_only(alice: User, bob: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    add(bob, source)
    since = {user: changes_since(user=user, change=0, limit=9).change for user in (alice, bob)}
    services.remove_torrent(claim=claim)
    answer = changes_since(user=alice, change=since[alice], limit=9)
    assert (answer.removed, answer.claims) == ([claim.pk], [])
    assert changes_since(user=alice, change=answer.change, limit=9).removed == []
    assert changes_since(user=bob, change=since[bob], limit=9).removed == []


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_a_removal_between_the_reading_of_the_counter_and_of_the_rows_is_not_missed(
    alice: User, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    gone, *others = [add(alice) for _ in range(4)]
    mirror = Mirror(alice, limit=limit)
    mirror.poll()
    services.pause_torrent(claim=others[0])
    together = compiled_query.rows_together

    def in_between(*statements: Any) -> Any:
        monkeypatch.setattr(services, "rows_together", together)
        services.remove_torrent(claim=gone)
        touch(*others)
        return together(*statements)

    monkeypatch.setattr(services, "rows_together", in_between)
    for _ in range(2):
        mirror.poll()
    assert mirror.held == truth(alice)


def test_a_page_never_ends_within_one_change(alice: User) -> None:
    claims = [add(alice) for _ in range(10)]
    touch(*claims)  # all ten in one change
    late = add(alice)
    answer = changes_since(user=alice, change=0, limit=3)
    assert (len(answer.claims), answer.more) == (10, True)
    rest = changes_since(user=alice, change=answer.change, limit=3)
    assert ([claim.pk for claim in rest.claims], rest.more) == ([late.pk], False)


def test_a_client_ahead_of_a_restored_database_starts_afresh(alice: User) -> None:
    claim = add(alice)
    answer = changes_since(user=alice, change=1000, limit=9)
    assert (answer.reset, [claim.pk for claim in answer.claims]) == (True, [claim.pk])
    assert not changes_since(user=alice, change=answer.change, limit=9).reset


def test_a_client_that_slept_longer_than_removals_are_kept_starts_afresh(alice: User) -> None:
    mirror = Mirror(alice)
    gone, stays = add(alice), add(alice)
    mirror.poll()
    services.remove_torrent(claim=gone)
    assert services.prune_tombstones(older_than=timedelta(days=1)) == 0
    assert services.prune_tombstones(older_than=timedelta(0)) == 1
    mirror.poll()
    assert mirror.answers[-1].reset
    assert set(mirror.held) == {stays.pk}


def test_a_client_that_heard_of_every_pruned_removal_goes_on(alice: User) -> None:
    mirror = Mirror(alice)
    services.remove_torrent(claim=add(alice))
    add(alice)
    mirror.poll()
    services.prune_tombstones(older_than=timedelta(0))
    add(alice)
    mirror.poll()
    assert not any(answer.reset for answer in mirror.answers)
    assert mirror.held == truth(alice)


def test_starting_afresh_in_small_pages_comes_to_an_end_after_pruning(alice: User) -> None:
    for _ in range(10):
        add(alice)
    services.remove_torrent(claim=add(alice))
    services.prune_tombstones(older_than=timedelta(0))
    mirror = Mirror(alice, limit=2)
    mirror.poll()
    assert mirror.held == truth(alice)
    assert not any(answer.reset for answer in mirror.answers)


def test_pruning_forgets_nobody_elses_removals(alice: User, bob: User) -> None:
    for user in (alice, bob):
        services.remove_torrent(claim=add(user))
    Tombstone.objects.filter(user=alice).update(removed_at=F("removed_at") - timedelta(days=31))
    assert services.prune_tombstones(older_than=timedelta(days=30)) == 1
    assert Tombstone.objects.get().user == bob


HALVES = [(f"{number:040x}", f"{number:064x}") for number in range(0xA1, 0xA4)]


class Box:
    """Two people on one box; each operation picks among what is there by number."""

    def __init__(self) -> None:
        self.people = [person(f"user{uuid.uuid4().hex}") for _ in range(2)]

    def source(self, pick: int) -> Source:
        v1, v2 = HALVES[pick % len(HALVES)]
        return magnet(v1=v1) if pick % 2 else magnet(v2=v2)

    def claim(self, pick: int) -> Claim | None:
        claims = list(Claim.objects.order_by("added_at", "pk"))
        return claims[pick % len(claims)] if claims else None

    def operations(self) -> list[Callable[[int], None]]:
        return [
            self.add,
            self.remove,
            self.pause,
            self.resume,
            self.move,
            self.complete,
            self.merge,
            self.prune,
        ]

    def add(self, pick: int) -> None:
        add(self.people[pick % 2], self.source(pick // 2))

    def remove(self, pick: int) -> None:
        if claim := self.claim(pick):
            services.remove_torrent(claim=claim)

    def pause(self, pick: int) -> None:
        if claim := self.claim(pick):
            services.pause_torrent(claim=claim)

    def resume(self, pick: int) -> None:
        if claim := self.claim(pick):
            services.resume_torrent(claim=claim)

    def move(self, pick: int) -> None:
        torrents = Torrent.objects.order_by("pk")[pick % 3 :]
        states = [live(torrent, State.DOWNLOADING, progress=pick / 1000) for torrent in torrents]
        engine_records.record_live_states(states)

    def complete(self, pick: int) -> None:
        torrents = Torrent.objects.order_by("pk")[pick % 3 :]
        engine_records.record_live_states([live(torrent, State.FINISHED, progress=1) for torrent in torrents])

    def merge(self, pick: int) -> None:
        v1, v2 = HALVES[pick % len(HALVES)]
        if torrent := Torrent.objects.matching(v1, v2).first():
            engine_records.record_infohashes(torrent_id=torrent.pk, v1=v1, v2=v2)

    def prune(self, pick: int) -> None:
        services.prune_tombstones(older_than=timedelta(0))


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 999)), max_size=25),
    limits=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_a_client_that_applies_the_answers_holds_the_truth(
    steps: list[tuple[int, int]], limits: tuple[int, int]
) -> None:
    with undone():
        box = Box()
        operations = box.operations()
        mirrors = [Mirror(user, limit=limit) for user, limit in zip(box.people, limits, strict=True)]
        for kind, pick in steps:
            if kind < len(operations):
                operations[kind](pick)
            else:
                mirrors[kind - len(operations)].poll()
        for user, mirror in zip(box.people, mirrors, strict=True):
            mirror.poll()
            assert mirror.held == truth(user)


@pytest.mark.django_db(transaction=True)
def test_a_client_that_polls_while_ten_writers_write_ends_with_the_truth() -> None:
    alice, bob = person("alice"), person("bob")
    shared = [fresh_magnet() for _ in range(8)]
    claims = [add(user, source) for source in shared for user in (alice, bob)]
    mirror = Mirror(alice, limit=5)
    writing = threading.Event()
    start = threading.Barrier(11, timeout=30)

    def add_and_remove(number: int) -> None:
        claim = add((alice, bob)[number % 2])
        if number % 3:
            services.remove_torrent(claim=claim)

    def pause_or_resume(number: int) -> None:
        verb = services.pause_torrent if number % 2 else services.resume_torrent
        verb(claim=claims[number % len(claims)])

    def watch(number: int) -> None:
        some = claims[number % 5 :: 2]
        engine_records.record_live_states(
            [live(claim.torrent, State.DOWNLOADING, download_speed=number) for claim in some]
        )

    def complete_or_not(number: int) -> None:
        state, progress = (State.FINISHED, 1.0) if number % 2 else (State.STALLED, 0.5)
        engine_records.record_live_states([live(claims[0].torrent, state, progress=progress)])

    def write(kind: Callable[[int], None]) -> None:
        try:
            start.wait()
            for number in range(20):
                kind(number)
        finally:
            connection.close()

    def read() -> None:
        try:
            start.wait()
            while writing.is_set():
                mirror.poll()
        finally:
            connection.close()

    kinds = [add_and_remove, add_and_remove, add_and_remove, pause_or_resume, pause_or_resume]
    kinds += [pause_or_resume, watch, watch, watch, complete_or_not]
    writing.set()
    with ThreadPoolExecutor(11) as pool:
        reader = pool.submit(read)
        try:
            for writer in [pool.submit(write, kind) for kind in kinds]:
                writer.result(timeout=60)
        finally:
            writing.clear()
        reader.result(timeout=60)
    mirror.poll()
    assert mirror.held == truth(alice)
    assert len(mirror.answers) > 2
    assert not any(answer.reset for answer in mirror.answers)
    assert ChangeCounter.objects.get(pk=alice.pk).value >= max(
        claim["change"] for claim in mirror.held.values()
    )
