"""Downloads wait for room and start by themselves when there is some: rows and engine together, round by round."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from torrents import admission, budgets, engine_records, services
from torrents.allowances import size_of
from torrents.engines.base import EngineState
from torrents.files import NotFinished, require_finished
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim, Torrent, Traffic
from torrents.services import default_engine
from torrents.states import message_of, state_of
from torrents.tests.factories import (
    State,
    add,
    at_once,
    finish,
    finished,
    fresh_magnet,
    hybrid_torrent,
    live,
    magnet,
)
from torrents.tests.reconciler_box import EVERYTHING, Box, download, seen
from torrents.tree import Tree

SHOW = 100_005  # bytes
WaitsFor = Claim.WaitsFor


def limit(user: User, **limits: int | None) -> None:
    User.objects.filter(pk=user.pk).update(**limits)


def offer(box: Box, source: Source, tmp_path: Path) -> None:
    assert source.metainfo is not None
    box.engine.offer(source.metainfo, tmp_path / "swarm" / "show")


@pytest.fixture
def other(tmp_path: Path) -> Source:
    """Another torrent of the same size, that nobody offers."""
    return parse_torrent(hybrid_torrent(tmp_path / "other"))


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how much space the volume of the downloads has left."""

    def set_free(size: int) -> None:
        monkeypatch.setattr("torrents.reconciler.free_space", lambda: size)

    return set_free


# --- one person


def test_what_does_not_fit_waits_from_the_first_answer_on(alice: User, show: Source) -> None:
    limit(alice, disk_quota=SHOW - 1)
    claim = add(alice, show)
    assert (claim.waits_for, state_of(seen(claim))) == (WaitsFor.USER_DISK, State.WAITING)


def test_what_waits_lies_stopped_in_the_engine(box: Box, alice: User, show: Source) -> None:
    limit(alice, disk_quota=SHOW - 1)
    claim = add(alice, show)
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED
    assert state_of(seen(claim)) == State.WAITING


def test_it_starts_by_itself_when_its_owner_removes_something(
    box: Box, alice: User, show: Source, other: Source
) -> None:
    limit(alice, disk_quota=SHOW + 5)
    first, second = add(alice, show), add(alice, other)
    box.rounds()
    assert [seen(claim).waits_for for claim in (first, second)] == ["", WaitsFor.USER_DISK]
    services.remove_torrent(claim=first)
    box.rounds(1)
    assert seen(second).waits_for == ""
    assert box.held()[second.torrent_id].state != EngineState.STOPPED


def test_it_starts_by_itself_when_an_admin_raises_the_quota(
    box: Box, alice: User, show: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.reconciler.RELOAD_EVERY", 0)
    limit(alice, disk_quota=1)
    claim = add(alice, show)
    box.rounds()
    limit(alice, disk_quota=None)
    box.rounds(1, woken=False)
    assert seen(claim).waits_for == ""
    assert box.held()[claim.torrent_id].state != EngineState.STOPPED


def test_it_starts_by_itself_in_the_next_month(
    box: Box, alice: User, show: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(alice, monthly_traffic_limit=SHOW + 10)
    monkeypatch.setattr("torrents.allowances.utc_today", lambda: date(2026, 12, 31))
    Traffic.objects.create(user=alice, day=date(2026, 12, 5), channel="https", sent=11)
    claim = add(alice, show)
    box.rounds()
    assert seen(claim).waits_for == WaitsFor.USER_TRAFFIC
    assert "1 January" in message_of(seen(claim))
    monkeypatch.setattr("torrents.allowances.utc_today", lambda: date(2027, 1, 1))
    box.rounds()
    assert seen(claim).waits_for == ""


def test_it_starts_by_itself_when_another_of_the_person_has_finished(
    box: Box, alice: User, show: Source, other: Source, tmp_path: Path
) -> None:
    limit(alice, active_torrent_limit=1)
    first, second = add(alice, show), add(alice, other)
    offer(box, show, tmp_path)
    box.rounds()
    assert seen(second).waits_for == WaitsFor.USER_ACTIVE
    box.engine.advance(EVERYTHING)
    box.rounds(2, woken=False)
    assert (state_of(seen(first)), seen(second).waits_for) == (State.FINISHED, "")


@pytest.mark.parametrize("received", [1, EVERYTHING])
def test_a_magnet_that_turns_out_too_large_is_stopped_and_not_handed_over(
    box: Box, alice: User, show: Source, tmp_path: Path, received: int
) -> None:
    limit(alice, disk_quota=SHOW - 1)
    claim = add(alice, magnet(v1=show.infohash_v1))
    offer(box, show, tmp_path)
    box.rounds()
    assert state_of(seen(claim)) == State.METADATA
    box.engine.advance()
    box.engine.advance(received)  # the engine does not wait for us
    box.rounds(1)
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED
    box.rounds(3)
    now = seen(claim)
    assert (state_of(now), now.waits_for, now.completed_at) == (State.WAITING, WaitsFor.USER_DISK, None)
    assert "can never fit" in message_of(now)
    with pytest.raises(NotFinished, match="can never fit"):
        require_finished(now)
    limit(alice, disk_quota=SHOW)
    box.rounds()
    box.engine.advance(EVERYTHING)
    box.rounds()
    assert state_of(seen(claim)) == State.FINISHED


def test_magnets_beyond_the_bound_wait_for_their_turn(box: Box, alice: User, settings: Settings) -> None:
    settings.METADATA_LOOKUPS = 2
    claims = [add(alice) for _ in range(3)]
    box.rounds()
    (waiting,) = [claim for claim in claims if seen(claim).waits_for]
    assert seen(waiting).waits_for == WaitsFor.USER_ACTIVE
    assert waiting.torrent_id not in box.held()
    assert "takes its turn" in message_of(seen(waiting))


def test_chosen_files_alone_count(box: Box, alice: User, show: Source, tmp_path: Path) -> None:
    limit(alice, disk_quota=SHOW - 1)
    claim = add(alice, show)
    box.rounds()  # the engine names the files
    smallest = claim.torrent.files.order_by("size")[0]
    for chosen, size in (([smallest.index], smallest.size), ([], 0)):
        Claim.objects.filter(pk=claim.pk).update(chosen_files=chosen)
        assert size_of(seen(claim)) == size
        box.rounds(1)
        assert (seen(claim).waits_for, seen(claim).admitted_size) == ("", size)


# --- two and three on one torrent


def test_what_others_completed_is_handed_over_only_when_it_fits(
    box: Box, alice: User, bob: User, show: Source, tmp_path: Path
) -> None:
    add(alice, show)
    download(box, show, tmp_path)
    own = finished(bob, {"own": b"x" * 10})
    limit(bob, disk_quota=SHOW + 9)
    claim = add(bob, show)
    box.rounds()
    assert (state_of(seen(claim)), seen(claim).completed_at) == (State.WAITING, None)
    assert Tree(bob).path_of(claim.pk) is None
    services.remove_torrent(claim=own)
    box.rounds(1)
    assert state_of(seen(claim)) == State.FINISHED
    assert Tree(bob).path_of(claim.pk) == "/show"


def test_a_torrent_of_three_completes_for_those_who_have_room(
    box: Box, alice: User, bob: User, charlie: User, show: Source, tmp_path: Path
) -> None:
    limit(bob, disk_quota=SHOW - 1)
    mine, theirs, paused = add(alice, show), add(bob, show), add(charlie, show, paused=True)
    download(box, show, tmp_path)
    states = [state_of(seen(claim)) for claim in (mine, theirs, paused)]
    assert states == [State.FINISHED, State.WAITING, State.PAUSED]


def test_whoever_waits_does_not_stop_it_for_those_who_do_not(
    box: Box, alice: User, bob: User, show: Source
) -> None:
    mine = add(alice, show)
    limit(bob, disk_quota=1)
    theirs = add(bob, show)
    box.rounds()
    assert box.held()[mine.torrent_id].state != EngineState.STOPPED
    assert (state_of(seen(mine)), state_of(seen(theirs))) == (State.STALLED, State.WAITING)


def test_resuming_what_others_completed_is_no_way_around_the_quota(
    box: Box, alice: User, bob: User, show: Source, tmp_path: Path
) -> None:
    add(alice, show)
    limit(bob, disk_quota=SHOW - 1)
    claim = add(bob, show, paused=True)
    download(box, show, tmp_path)
    services.resume_torrent(claim=claim)
    box.rounds()
    assert (state_of(seen(claim)), seen(claim).completed_at) == (State.WAITING, None)


def test_what_is_taken_back_has_to_fit_again(box: Box, alice: User, show: Source, tmp_path: Path) -> None:
    claim = add(alice, show)
    download(box, show, tmp_path)
    for quota, waits_for in ((SHOW, ""), (SHOW - 1, WaitsFor.USER_DISK)):
        limit(alice, disk_quota=quota)
        again = seen(claim)
        admission.settle_again(again)
        assert (again.waits_for, again.admitted_size) == (waits_for, None)
        assert (again.completed_at is None) == bool(waits_for)


def test_a_magnet_that_is_merged_with_a_finished_torrent_is_no_way_around_the_quota(
    box: Box, alice: User, bob: User, tmp_path: Path
) -> None:
    hybrid = parse_torrent(hybrid_torrent(tmp_path / "swarm"))
    limit(bob, disk_quota=10)
    theirs = add(bob, magnet(v2=hybrid.infohash_v2))
    add(alice, magnet(v1=hybrid.infohash_v1))
    offer(box, hybrid, tmp_path)
    box.rounds()
    box.engine.advance()
    box.rounds(4)
    box.engine.advance(EVERYTHING)
    box.rounds(4)
    assert Torrent.objects.get().completed_at is not None
    assert (state_of(seen(theirs)), seen(theirs).completed_at) == (State.WAITING, None)


@pytest.mark.django_db(transaction=True)
def test_two_finished_torrents_that_a_person_adds_at_once_fit_only_once(alice: User, bob: User) -> None:
    limit(bob, disk_quota=150)
    sources = [fresh_magnet(), fresh_magnet()]
    for source in sources:
        torrent = add(alice, source).torrent
        engine_records.record_live_states([live(torrent, State.FINISHED, progress=1)])
        Torrent.objects.filter(pk=torrent.pk).update(size=100)
    claims = at_once(*[lambda source=source: add(bob, source) for source in sources])
    assert sorted(seen(claim).waits_for for claim in claims) == ["", WaitsFor.USER_DISK]
    assert sum(seen(claim).completed_at is not None for claim in claims) == 1


# --- the box


def test_below_the_disks_floor_everything_stops_and_goes_on_well_above_it(
    box: Box, alice: User, show: Source, settings: Settings, free: Callable[[int], None]
) -> None:
    settings.DISK_FLOOR = 8 * SHOW
    free(20 * SHOW)
    claim = add(alice, show)
    box.rounds()
    for size, waits_for in ((8 * SHOW - 1, "box_disk"), (9 * SHOW, "box_disk"), (10 * SHOW, "")):
        free(size)
        box.rounds()
        assert seen(claim).waits_for == waits_for
        assert (box.held()[claim.torrent_id].state == EngineState.STOPPED) == bool(waits_for)


def test_over_the_months_egress_of_the_box_new_downloads_wait(
    box: Box, alice: User, bob: User, show: Source, settings: Settings
) -> None:
    settings.MONTHLY_EGRESS_LIMIT = 1000
    Traffic.objects.create(user=bob, day=date.today(), channel="sftp", sent=1000)  # noqa: DTZ011
    claim = add(alice, show)
    box.rounds()
    assert seen(claim).waits_for == WaitsFor.BOX_TRAFFIC


def test_the_box_runs_as_many_as_it_may(
    box: Box, alice: User, bob: User, show: Source, other: Source, settings: Settings
) -> None:
    settings.MAX_ACTIVE_TORRENTS = 1
    first, second = add(alice, show), add(bob, other)
    box.rounds()
    assert [seen(claim).waits_for for claim in (first, second)] == ["", WaitsFor.BOX_ACTIVE]


# --- what is written


@pytest.mark.django_db(transaction=True)
def test_deciding_and_adding_at_once_never_give_the_same_room_twice(alice: User, bob: User) -> None:
    for _ in range(5):
        Claim.objects.all().delete()
        limit(bob, disk_quota=150)
        ready = fresh_magnet()
        Torrent.objects.filter(pk=add(alice, ready).torrent_id).update(size=100)
        finish([Torrent.objects.get(infohash_v1=ready.infohash_v1)])
        claim = add(bob)
        Torrent.objects.filter(pk=claim.torrent_id).update(size=100)
        engine = default_engine()
        at_once(lambda: admission.decide(engine=engine, free_space=None), lambda: add(bob, ready))  # noqa: B023
        admission.decide(engine=engine, free_space=None)
        taken = Claim.objects.filter(user=bob).exclude(admitted_size=None, completed_at=None)
        assert taken.count() == 1


def test_nothing_is_written_where_nothing_changed(alice: User, show: Source, other: Source) -> None:
    limit(alice, active_torrent_limit=1)
    add(alice, show), add(alice, other), add(alice), add(alice, paused=True)
    engine = default_engine()
    assert admission.decide(engine=engine, free_space=None)
    with CaptureQueriesContext(connection) as queries:
        assert not admission.decide(engine=engine, free_space=None)
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert [sql.split()[0] for sql in statements] == ["SELECT", "SELECT"]


def test_only_those_who_wait_for_something_else_now_are_told(alice: User, bob: User, show: Source) -> None:
    mine, theirs = add(alice, show), add(bob, show)
    engine = default_engine()
    admission.decide(engine=engine, free_space=None)
    before = seen(mine).change, seen(theirs).change
    limit(bob, disk_quota=1)
    Claim.objects.filter(pk=theirs.pk).update(admitted_size=None)
    assert admission.decide(engine=engine, free_space=None)
    assert seen(theirs).waits_for == WaitsFor.USER_DISK
    assert (seen(mine).change, seen(theirs).change) == (before[0], before[1] + 1)


def test_being_let_in_for_its_size_alone_is_no_news(alice: User, show: Source) -> None:
    claim = add(alice, show)
    before = seen(claim).change
    assert not admission.decide(engine=default_engine(), free_space=None)
    assert (seen(claim).admitted_size, seen(claim).change) == (SHOW, before)


@pytest.mark.parametrize("verb", [services.pause_torrent, services.remove_torrent])
def test_a_wish_that_comes_while_we_decide_is_not_overwritten(
    alice: User, show: Source, monkeypatch: pytest.MonkeyPatch, verb: Callable[..., object]
) -> None:
    claim = add(alice, show)
    decide = budgets.decide

    def decide_slowly(*args: Any) -> Any:
        decisions = decide(*args)
        monkeypatch.setattr(budgets, "decide", decide)  # once: after that, locks keep wishes waiting
        verb(claim=claim)
        return decisions

    monkeypatch.setattr(budgets, "decide", decide_slowly)
    admission.decide(engine=default_engine(), free_space=0)
    assert not Claim.with_removed.filter(removed_at=None, admitted_size__isnull=False).exists()
    assert not Claim.with_removed.exclude(waits_for="").exists()


def test_the_list_finds_what_waits_by_that_state_alone(
    box: Box, alice: User, bob: User, show: Source
) -> None:
    add(bob, show)
    limit(alice, disk_quota=1)
    claim = add(alice, show)
    box.rounds()
    for state in State:
        found = Claim.objects.of(alice).in_states([state]).exists()
        assert found == (state == state_of(seen(claim))), state
