"""Twenty writers at once on real connections, and readers that poll meanwhile: nothing is missed."""

import contextlib
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.models import User
from torrents import engine_records, services
from torrents.models import Claim, Tombstone, Torrent
from torrents.tests.factories import State, add, client_of, fresh_magnet, live, person

pytestmark = pytest.mark.usefixtures("downloads")
STEPS = 15


@dataclass
class Reader:
    """A client that knows what the API tells it and nothing else."""

    api: APIClient
    limit: int
    since: int = 0
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls: int = 0
    told_twice: list[str] = field(default_factory=list)
    told_back: list[str] = field(default_factory=list)

    def poll(self) -> None:
        for _ in range(200):
            answer = self.api.get(
                "/api/v1/torrents/changes/", {"since": self.since, "limit": self.limit}
            ).json()
            assert not answer["reset"]
            self.polls += 1
            for torrent in answer["torrents"]:
                known = self.held.get(torrent["id"])
                if known is not None and torrent["change"] < known["change"]:
                    self.told_back.append(torrent["id"])
                # What is committed between the counter and the rows comes once more; within one's past it must not.
                if known is not None and torrent["change"] == known["change"] <= self.since:
                    self.told_twice.append(torrent["id"])
                self.held[torrent["id"]] = torrent
            for claim_id in answer["removed"]:
                self.held.pop(claim_id, None)
            self.since = answer["change"]
            if not answer["more"]:
                return
        pytest.fail("there is always more to fetch")


def listed(api: APIClient) -> dict[str, dict[str, Any]]:
    page = api.get("/api/v1/torrents/", {"limit": 200}).json()
    assert page["next"] is None
    return {torrent["id"]: torrent for torrent in page["results"]}


class Writers:
    """What goes on in a box: people add, pause and remove, the reconciler writes what the engine says."""

    def __init__(self, people: list[User]) -> None:
        self._people = people
        self._shared = [fresh_magnet() for _ in range(12)]
        self.claims = [add(user, source) for source in self._shared for user in people]

    def people_add_and_remove(self, chance: random.Random) -> None:
        claim = add(
            chance.choice(self._people), None if chance.random() < 0.5 else chance.choice(self._shared)
        )
        if chance.random() < 0.6:
            self._apply(services.remove_torrent, claim)

    def people_pause_and_resume(self, chance: random.Random) -> None:
        self._apply(
            chance.choice([services.pause_torrent, services.resume_torrent]), chance.choice(self.claims)
        )

    def the_reconciler_writes(self, chance: random.Random) -> None:
        torrents = list(
            Torrent.objects.filter(pk__in=[each.torrent_id for each in chance.sample(self.claims, 6)])
        )
        state, progress = chance.choice(
            [(State.DOWNLOADING, 0.4), (State.STALLED, 0.7), (State.FINISHED, 1.0)]
        )
        engine_records.record_live_states(
            [
                live(torrent, state, progress=progress, download_speed=chance.randrange(99))
                for torrent in torrents
            ]
        )

    @staticmethod
    def _apply(verb: Callable[..., object], claim: Claim) -> None:
        with contextlib.suppress(Claim.DoesNotExist):  # another writer was first
            verb(claim=claim)


@pytest.mark.django_db(transaction=True)
def test_readers_that_poll_beside_twenty_writers_end_with_what_the_list_shows() -> None:
    people = [person(f"person{number}") for number in range(3)]
    writers = Writers(people)
    readers = [Reader(client_of(user), limit) for user in people for limit in (2, 500)]
    kinds = [writers.people_add_and_remove, writers.people_pause_and_resume, writers.the_reconciler_writes]
    start = threading.Barrier(20 + len(readers), timeout=60)
    writing = threading.Event()
    writing.set()

    def write(number: int) -> None:
        chance = random.Random(number)
        try:
            start.wait()
            for _ in range(STEPS):
                kinds[number % len(kinds)](chance)
        finally:
            connection.close()

    def read(reader: Reader) -> None:
        try:
            start.wait()
            while writing.is_set():
                reader.poll()
        finally:
            connection.close()

    with ThreadPoolExecutor(20 + len(readers)) as pool:
        reading = [pool.submit(read, reader) for reader in readers]
        try:
            for written in [pool.submit(write, number) for number in range(20)]:
                written.result(timeout=120)
        finally:
            writing.clear()
        for done in reading:
            done.result(timeout=120)
    for reader in readers:
        reader.poll()
        assert reader.held == listed(reader.api)
        assert (reader.told_twice, reader.told_back) == ([], [])
        assert reader.polls > 2


@pytest.mark.django_db(transaction=True)
def test_a_reader_waits_for_no_writer_and_hears_of_it_when_it_commits() -> None:
    alice = person("alice")
    claim = add(alice)
    reader = Reader(client_of(alice), 500)
    reader.poll()
    locked, finish = threading.Event(), threading.Event()

    def pause_slowly() -> None:
        try:
            with transaction.atomic():
                services.pause_torrent(claim=claim)
                locked.set()
                assert finish.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(pause_slowly)
        assert locked.wait(30)
        reader.poll()  # does not hang on the counter's row
        assert reader.held[str(claim.pk)]["state"] == "waiting"
        finish.set()
        writing.result(timeout=30)
    reader.poll()
    assert reader.held[str(claim.pk)]["state"] == "paused"


def test_what_was_taken_back_is_not_told_as_gone(alice: User) -> None:
    """One id, first removed, then there again: the claim counts, not its tombstone."""
    reader = Reader(client_of(alice), 500)
    claim = add(alice)
    reader.poll()
    Tombstone.objects.create(user=alice, claim_id=claim.pk, change=claim.change + 1)
    services.pause_torrent(claim=claim)
    services.resume_torrent(claim=claim)
    reader.poll()
    assert list(reader.held) == [str(claim.pk)]
