"""Trackers and peers as counts, read only while somebody looks; and why a torrent stalls, in words."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from torrents import engine_records, services, swarm
from torrents.engines.base import EngineError, SwarmCounts
from torrents.metainfo import Source
from torrents.models import Claim, Engine, Interest, LiveState, Swarm, Torrent
from torrents.services import default_engine
from torrents.states import message_of
from torrents.swarm import interesting, note_interest, record_swarms, swarm_message, swarm_of
from torrents.tests.factories import State, add, client_of, fresh_magnet, live
from torrents.tests.reconciler_box import Box, seen

COUNTS = (
    "trackers_working",
    "trackers_failing",
    "trackers_waiting",
    "known_seeds",
    "known_peers",
    "availability",
)


def url(claim: Claim) -> str:
    return f"/api/v1/torrents/{claim.pk}/swarm/"


def look_away() -> None:
    Interest.objects.update(until=timezone.now())


def reads(box: Box, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that the engine is asked for from now on."""
    asked: list[str] = []
    ask = box.engine.swarm

    def count(key: str) -> SwarmCounts:
        asked.append(key)
        return ask(key)

    monkeypatch.setattr(box.engine, "swarm", count)
    return asked


def test_who_looks_gets_nulls_at_first_and_counts_soon(box: Box, alice: User, show: Source) -> None:
    claim = add(alice, show)
    assert show.metainfo is not None
    box.engine.offer(show.metainfo)
    first = client_of(alice).get(url(claim)).json()
    assert [first[name] for name in (*COUNTS, "checked_at", "age")] == [None] * 8
    box.rounds()
    now = client_of(alice).get(url(claim)).json()
    assert [now[name] for name in COUNTS] == [0, 0, 0, 1, 0, 1.0]
    assert 0 <= now["age"] < 30
    assert now["connected_seeds"] == 1


def test_the_request_asks_the_engine_nothing(box: Box, alice: User) -> None:
    claim = add(alice)
    box.rounds()
    box.engine.away = True
    assert client_of(alice).get(url(claim)).status_code == 200


def test_the_swarm_of_somebody_elses_torrent_does_not_exist(alice: User, bob: User) -> None:
    claim = add(alice)
    assert client_of(bob).get(url(claim)).status_code == 404
    assert not Interest.objects.exists()


def test_only_what_somebody_looks_at_is_read(box: Box, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm, "READ_AGAIN", 0)
    looked_at, _ = add(alice), add(alice)
    box.rounds()
    asked = reads(box, monkeypatch)
    note_interest(looked_at.torrent_id)
    box.rounds(3)
    assert asked == [box.held()[looked_at.torrent_id].key] * 3
    look_away()
    box.rounds(3)
    assert len(asked) == 3


def test_a_few_are_read_in_a_round_and_all_in_turn(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swarm, "READ_AGAIN", 3600)
    claims = [add(alice) for _ in range(2 * swarm.READ_AT_ONCE + 1)]
    box.rounds()
    for claim in claims:
        note_interest(claim.torrent_id)
    asked = reads(box, monkeypatch)
    box.rounds(2)
    assert len(asked) == 2 * swarm.READ_AT_ONCE
    box.rounds(2)
    assert sorted(asked) == sorted(torrent.key for torrent in box.held().values())


def test_the_reconciler_is_woken_by_the_first_look_only(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[None] = []
    claim = add(alice)
    monkeypatch.setattr(swarm, "wake_reconciler", lambda: woken.append(None))
    for _ in range(3):
        note_interest(claim.torrent_id)
    assert len(woken) == 1
    look_away()
    note_interest(claim.torrent_id)
    assert len(woken) == 2


def test_looking_on_writes_nothing_for_a_while_and_then_goes_on(alice: User) -> None:
    claim = add(alice)
    note_interest(claim.torrent_id)
    with CaptureQueriesContext(connection) as queries:
        note_interest(claim.torrent_id)
    assert not [query for query in queries if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]
    Interest.objects.update(until=timezone.now() + swarm.INTEREST / 3)
    note_interest(claim.torrent_id)
    assert Interest.objects.get().until > timezone.now() + swarm.INTEREST / 2


def test_looking_at_what_is_just_gone_is_no_error(db: None) -> None:
    note_interest(uuid.uuid4())
    assert not interesting(default_engine())


def test_an_engine_that_does_not_tell_is_asked_again_later(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(key: str) -> SwarmCounts:
        raise EngineError("Not now.")

    monkeypatch.setattr(swarm, "READ_AGAIN", 0)
    claim = add(alice)
    note_interest(claim.torrent_id)
    with monkeypatch.context() as moody:
        moody.setattr(box.engine, "swarm", refuse)
        box.rounds(2)
    assert swarm_of(claim) is None
    assert default_engine().reachable
    box.rounds(1)
    assert swarm_of(claim) is not None


def test_counts_of_a_torrent_that_went_meanwhile_are_dropped(alice: User) -> None:
    record_swarms({uuid.uuid4(): counts()})
    assert not Swarm.objects.exists()


def counts(
    working: int = 0, failing: int = 0, waiting: int = 0, seeds: int | None = 0, copies: float | None = 0.0
) -> SwarmCounts:
    return SwarmCounts(working, failing, waiting, known_seeds=seeds, known_peers=None, availability=copies)


@pytest.fixture
def stalled(alice: User) -> Claim:
    claim = add(alice)
    Engine.objects.update(reachable=True, connection="connected", version="1")
    engine_records.record_live_states([live(claim.torrent, State.STALLED)])
    return claim


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (counts(seeds=0), "Nobody who has all of it is known"),
        (counts(working=1, seeds=0), "Nobody who has all of it is known"),
        (counts(working=1, seeds=3), "3 are said to have all of it, but none is connected"),
        (counts(working=1, seeds=1), "One is said to have all of it"),
        (counts(failing=2, seeds=0), "None of its 2 trackers answers"),
        (counts(failing=1, seeds=None), "Its tracker does not answer"),
        (counts(waiting=1, failing=1), "The trackers are being asked"),
    ],
)
def test_a_stalled_torrent_says_why(stalled: Claim, read: SwarmCounts, words: str) -> None:
    record_swarms({stalled.torrent_id: read})
    message = client_of(stalled.user).get(url(stalled)).json()["message"]
    assert words in message
    assert message.endswith((".", "!"))


def test_unknown_counts_are_null(stalled: Claim) -> None:
    record_swarms({stalled.torrent_id: counts(seeds=None, copies=None)})
    answer = client_of(stalled.user).get(url(stalled)).json()
    assert (answer["known_seeds"], answer["known_peers"], answer["availability"]) == (None, None, None)


def test_who_has_a_part_only_is_told_as_a_share(stalled: Claim) -> None:
    LiveState.objects.update(peers=2)
    record_swarms({stalled.torrent_id: counts(copies=0.63)})
    assert "have only 63% of it together" in swarm_message(seen(stalled), swarm_of(stalled))


def test_a_firewall_of_the_box_is_named_where_it_may_be_the_reason(stalled: Claim) -> None:
    record_swarms({stalled.torrent_id: counts(seeds=2)})
    Engine.objects.update(connection="firewalled")
    assert "The box is behind a firewall too" in swarm_message(seen(stalled), swarm_of(stalled))


def test_words_about_the_swarm_are_for_torrents_that_want_something_of_it(stalled: Claim) -> None:
    record_swarms({stalled.torrent_id: counts(failing=1)})
    services.pause_torrent(claim=stalled)
    assert "You paused it" in swarm_message(seen(stalled), swarm_of(stalled))
    Engine.objects.update(reachable=False)
    services.resume_torrent(claim=stalled)
    assert "engine is away" in swarm_message(seen(stalled), swarm_of(stalled))


@pytest.mark.parametrize(
    ("connected", "words"),
    [
        ({"seeds": 1, "peers": 1}, "they are busy with others"),
        ({"peers": 1}, "lack parts of it themselves"),
        ({}, "Nobody is sending it right now"),
    ],
)
def test_the_list_says_why_as_far_as_it_knows(stalled: Claim, connected: dict[str, int], words: str) -> None:
    LiveState.objects.update(**connected)
    assert words in message_of(seen(stalled))


@pytest.mark.parametrize(("free", "full"), [(10**12, False), (10**6, True), (None, False)])
def test_a_full_disk_is_named(stalled: Claim, free: int | None, full: bool) -> None:
    LiveState.objects.update(state=State.ERROR)
    Torrent.objects.update(size=10**9)
    Engine.objects.update(free_space=free)
    assert ("too little space" in message_of(seen(stalled))) == full


def test_a_search_that_takes_long_says_so_and_everybody_is_told_once(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.reconciler.RELOAD_EVERY", 0)
    claim = add(alice)
    box.rounds()
    assert "some minutes" in message_of(seen(claim))
    before = seen(claim).change
    Claim.objects.update(added_at=timezone.now() - timedelta(minutes=11))
    box.rounds(3, woken=False)
    assert "more than 10 minutes" in message_of(seen(claim))
    assert seen(claim).change == before + 1


def test_who_has_just_added_it_does_not_learn_that_others_search_for_long(
    box: Box, alice: User, bob: User
) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    Torrent.objects.update(added_at=timezone.now() - timedelta(hours=1))
    Claim.objects.update(added_at=timezone.now() - timedelta(hours=1))
    theirs = add(bob, source)
    box.rounds()
    assert "more than 10 minutes" in message_of(seen(claim))
    assert "some minutes" in message_of(seen(theirs))


def test_words_cost_no_queries_but_for_free_space_where_something_failed(stalled: Claim) -> None:
    for state in State:
        LiveState.objects.update(state=state)
        claim = seen(stalled)
        with CaptureQueriesContext(connection) as queries:
            message_of(claim)
        assert len(queries) == (state == State.ERROR)
