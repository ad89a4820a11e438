"""The engine follows the rows, and the rows follow the engine, round by round."""

import re
import shutil
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from torrents import services
from torrents.engines.base import EngineState
from torrents.metainfo import Source, parse_torrent
from torrents.models import LiveState, Removal, Torrent
from torrents.services import changes_since, default_engine
from torrents.states import message_of, state_of
from torrents.tests.factories import State, add, fresh_magnet, hybrid_torrent, magnet
from torrents.tests.reconciler_box import EVERYTHING, Box, download, seen


def test_what_somebody_adds_reaches_the_engine(box: Box, alice: User, show: Source) -> None:
    claim = add(alice, show)
    box.rounds(1)
    held = box.held()[claim.torrent_id]
    assert held.infohash_v1 == show.infohash_v1
    assert held.save_path == str(claim.torrent.data_dir)
    assert claim.torrent.data_dir.is_dir()


def test_what_is_added_paused_arrives_stopped(box: Box, alice: User, show: Source) -> None:
    claim = add(alice, show, paused=True)
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED


def test_an_engine_that_takes_long_for_each_add_is_asked_how_it_is_in_between(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = [add(alice) for _ in range(3)]
    monkeypatch.setattr("torrents.reconciler.ADD_SECONDS", 0.01)
    monkeypatch.setattr(box.engine, "add_seconds", 0.02)
    for count in (1, 2, 3):
        box.rounds(1)
        assert len(box.held()) == count
    assert box.held().keys() == {claim.torrent_id for claim in claims}


def test_an_added_torrent_waits_while_the_engine_is_away_and_says_so(box: Box, alice: User) -> None:
    box.rounds(1)
    box.engine.away = True
    box.rounds(1)
    claim = add(alice)
    box.rounds()
    assert state_of(seen(claim)) == State.WAITING
    assert "engine is away" in message_of(seen(claim))
    box.engine.away = False
    box.rounds(2, woken=False)  # the wish was heard while the engine was away, and is not forgotten
    assert claim.torrent_id in box.held()
    assert state_of(seen(claim)) == State.METADATA
    assert "away" not in message_of(seen(claim))


def test_an_engine_that_never_answered_shows_no_figures_from_before(box: Box, alice: User) -> None:
    box.engine.away = True
    claim = add(alice)
    box.rounds(1)
    assert message_of(seen(claim)).endswith("when the engine is back.")


def test_a_torrent_that_the_engine_lost_is_added_again_from_what_is_stored(
    box: Box, alice: User, show: Source
) -> None:
    claim = add(alice, magnet(v1=show.infohash_v1))
    assert show.metainfo is not None
    box.engine.offer(show.metainfo)
    box.rounds()
    box.engine.advance()
    box.rounds()
    box.engine.lose(box.held()[claim.torrent_id].key)
    box.rounds(1, woken=False)
    assert box.held()[claim.torrent_id].has_metadata


def test_a_torrent_in_its_grace_period_is_not_added_again(box: Box, alice: User) -> None:
    claim = add(alice)
    box.rounds()
    services.remove_torrent(claim=claim)
    box.engine.lose(box.held()[claim.torrent_id].key)
    box.rounds()
    assert box.held() == {}


def test_the_metadata_of_a_magnet_is_stored(box: Box, alice: User, show: Source) -> None:
    claim = add(alice, magnet(v1=show.infohash_v1))
    assert show.metainfo is not None
    box.engine.offer(show.metainfo)
    box.rounds()
    assert state_of(seen(claim)) == State.METADATA
    box.engine.advance()
    box.rounds()
    torrent = Torrent.objects.get()
    assert (torrent.metainfo, torrent.name, torrent.size) == (show.metainfo, "show", 100_005)
    assert torrent.private is False
    assert [(file.path, file.size) for file in torrent.files.order_by("index")] == list(show.files or ())
    assert state_of(seen(claim)) == State.DOWNLOADING


def test_a_hybrid_whose_key_changes_stays_with_its_owner(box: Box, alice: User, tmp_path: Path) -> None:
    hybrid = parse_torrent(hybrid_torrent(tmp_path / "swarm"))
    assert hybrid.metainfo is not None
    claim = add(alice, magnet(v1=hybrid.infohash_v1))
    box.engine.offer(hybrid.metainfo)
    box.rounds()
    before = box.held()[claim.torrent_id].key
    box.engine.advance()
    box.rounds()
    after = box.held()[claim.torrent_id].key
    assert before != after
    assert seen(claim).torrent_id == claim.torrent_id
    assert Torrent.objects.get().infohash_v2 == hybrid.infohash_v2
    box.engine.advance(EVERYTHING)
    box.rounds()
    assert state_of(seen(claim)) == State.FINISHED


def test_both_halves_of_a_hybrid_become_one_when_its_metadata_arrives(
    box: Box, alice: User, bob: User, tmp_path: Path
) -> None:
    hybrid = parse_torrent(hybrid_torrent(tmp_path / "swarm"))
    assert hybrid.metainfo is not None
    mine, theirs = add(alice, magnet(v1=hybrid.infohash_v1)), add(bob, magnet(v2=hybrid.infohash_v2))
    box.engine.offer(hybrid.metainfo)
    box.rounds()
    assert len(box.held()) == 2
    box.engine.advance()
    box.rounds(4)
    box.engine.advance(EVERYTHING)
    box.rounds(4)
    assert seen(mine).torrent_id == seen(theirs).torrent_id
    assert {state_of(seen(mine)), state_of(seen(theirs))} == {State.FINISHED}
    assert set(box.held()) == {seen(mine).torrent_id}
    assert not Removal.objects.exists()


def test_completion_is_noted_for_those_who_want_it_running(
    box: Box, alice: User, bob: User, show: Source, tmp_path: Path
) -> None:
    running, paused = add(alice, show), add(bob, show, paused=True)
    download(box, show, tmp_path)
    assert seen(running).completed_at is not None
    assert seen(paused).completed_at is None
    assert Torrent.objects.get().completed_at is not None
    assert (state_of(seen(running)), state_of(seen(paused))) == (State.FINISHED, State.PAUSED)


def test_completion_is_taken_back_when_the_data_went_missing(
    box: Box, alice: User, show: Source, tmp_path: Path
) -> None:
    claim = add(alice, show)
    download(box, show, tmp_path)
    Torrent.objects.get().files.update(sha256="ab")
    box.engine.lose(box.held()[claim.torrent_id].key)
    box.rounds()  # added again, and the engine finds nothing on the disk
    assert seen(claim).completed_at is None
    assert state_of(seen(claim)) == State.DOWNLOADING
    assert set(Torrent.objects.get().files.values_list("sha256", flat=True)) == {""}
    box.engine.advance(EVERYTHING)
    box.rounds()
    assert seen(claim).completed_at is not None


def test_a_completion_that_came_with_a_failing_round_is_not_lost(
    box: Box, alice: User, bob: User, show: Source, tmp_path: Path
) -> None:
    claim, other = add(alice, show), add(bob, paused=True)
    assert show.metainfo is not None
    box.engine.offer(show.metainfo, tmp_path / "swarm" / "show")
    box.rounds()
    box.engine.advance(EVERYTHING)
    services.resume_torrent(claim=other)
    box.engine.fails_to = "start"
    box.rounds(1)
    box.engine.fails_to = ""
    box.rounds(1, woken=False)
    assert state_of(seen(claim)) == State.FINISHED


def test_a_completion_that_a_dying_reconciler_saw_is_noted_by_the_next(
    box: Box, alice: User, show: Source, tmp_path: Path
) -> None:
    claim = add(alice, show)
    assert show.metainfo is not None
    box.engine.offer(show.metainfo, tmp_path / "swarm" / "show")
    box.rounds()
    box.engine.advance(EVERYTHING)
    box.engine.poll()  # all that it did with the news
    box.restart()
    box.rounds(1)
    assert state_of(seen(claim)) == State.FINISHED


@pytest.mark.parametrize("what", ["files", "export"])
def test_one_torrents_metadata_that_cannot_be_had_holds_up_nobody(
    box: Box, alice: User, bob: User, show: Source, what: str
) -> None:
    add(alice, magnet(v1=show.infohash_v1))
    assert show.metainfo is not None
    box.engine.offer(show.metainfo)
    box.rounds()
    box.engine.advance()
    box.engine.fails_to = what
    other = add(bob)
    box.rounds()
    assert state_of(seen(other)) == State.METADATA
    assert default_engine().reachable


def test_when_the_engine_goes_away_nothing_moves_and_everybody_is_told_once(
    box: Box, alice: User, bob: User, show: Source
) -> None:
    claim = add(alice, show)
    finished_one = add(bob)
    assert show.metainfo is not None
    box.engine.offer(show.metainfo)
    box.rounds()
    box.engine.advance(1000)
    box.rounds()
    assert seen(claim).torrent.live.download_speed == 1000
    before = seen(claim).change
    box.engine.away = True
    box.rounds(3, woken=False)
    now = seen(claim)
    assert (now.torrent.live.download_speed, now.torrent.live.seeds, now.torrent.live.eta) == (0, 0, None)
    assert now.change == before + 1
    assert "away" in message_of(now)
    assert finished_one.pk in {claim.pk for claim in changes_since(user=bob, change=0, limit=9).claims}
    box.engine.away = False
    box.rounds(1, woken=False)
    assert seen(claim).torrent.live.download_speed == 1000
    assert message_of(seen(claim)) == ""


def test_finished_torrents_are_not_told_about_an_absence(
    box: Box, alice: User, show: Source, tmp_path: Path
) -> None:
    claim = add(alice, show)
    download(box, show, tmp_path)
    before = seen(claim).change
    box.engine.away = True
    box.rounds()
    assert seen(claim).change == before
    assert message_of(seen(claim)) == ""


def test_a_rejected_torrent_says_why_and_is_not_asked_for_again(box: Box, alice: User) -> None:
    box.engine.rejects = "It has too many files for this engine."
    claim = add(alice)
    box.rounds(3)
    assert state_of(seen(claim)) == State.ERROR
    assert message_of(seen(claim)) == "It has too many files for this engine."
    box.engine.rejects = ""
    box.rounds(3)
    assert box.held() == {}


def test_adding_a_rejected_torrent_again_tries_again(box: Box, alice: User) -> None:
    source = fresh_magnet()
    box.engine.rejects = "Not today."
    claim = add(alice, source)
    box.rounds()
    box.engine.rejects = ""
    add(alice, source)
    box.rounds()
    assert state_of(seen(claim)) == State.METADATA
    assert box.held().keys() == {claim.torrent_id}


def test_a_torrent_rejected_after_the_engine_lost_it_recovers_when_added_again(box: Box, alice: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    box.rounds()
    box.engine.lose(box.held()[claim.torrent_id].key)
    box.engine.rejects = "Not today."
    box.rounds()
    assert state_of(seen(claim)) == State.ERROR
    box.engine.rejects = ""
    add(alice, source)
    box.rounds()
    assert state_of(seen(claim)) == State.METADATA


def test_pausing_stops_and_resuming_starts(box: Box, alice: User, bob: User, show: Source) -> None:
    mine, theirs = add(alice, show), add(bob, show)
    box.rounds()
    services.pause_torrent(claim=mine)
    box.rounds()
    assert box.held()[mine.torrent_id].state != EngineState.STOPPED
    services.pause_torrent(claim=theirs)
    box.rounds()
    assert box.held()[mine.torrent_id].state == EngineState.STOPPED
    services.resume_torrent(claim=mine)
    box.rounds()
    assert box.held()[mine.torrent_id].state != EngineState.STOPPED


def test_what_somebody_stops_in_the_engine_itself_is_started_again(box: Box, alice: User) -> None:
    claim = add(alice)
    box.rounds()
    box.engine.stop([box.held()[claim.torrent_id].key])
    box.rounds(1, woken=False)
    assert box.held()[claim.torrent_id].state != EngineState.STOPPED


def test_removing_the_last_claim_stops_the_torrent_at_once(box: Box, alice: User) -> None:
    claim = add(alice)
    box.rounds()
    services.remove_torrent(claim=claim)
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED


def test_a_failed_torrent_is_tried_again_by_itself(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.reconciler.RELOAD_EVERY", 0)
    claim = add(alice)
    box.rounds()
    box.engine.fail(box.held()[claim.torrent_id].key)
    box.rounds()
    assert state_of(seen(claim)) == State.ERROR
    assert "tried again" in message_of(seen(claim))
    box.rounds(2, woken=False)
    assert state_of(seen(claim)) == State.METADATA


def written(queries: CaptureQueriesContext) -> list[str]:
    statements = [query["sql"] for query in queries]
    return [sql for sql in statements if not sql.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]


def test_the_space_that_is_left_is_what_the_volume_says(box: Box, downloads: Path) -> None:
    box.rounds()
    assert default_engine().free_space is None

    downloads.mkdir()
    box.rounds()
    assert default_engine().free_space == pytest.approx(shutil.disk_usage(downloads).free, rel=0.01)


def test_a_round_in_which_nothing_changed_writes_only_the_engines_heartbeat(
    box: Box, alice: User, show: Source, tmp_path: Path
) -> None:
    add(alice, show)
    add(alice)
    add(alice, paused=True)
    download(box, show, tmp_path)
    box.rounds(2)
    box.rounds(1, woken=False)
    with CaptureQueriesContext(connection) as queries:
        box.rounds(1, woken=False)
    (heartbeat,) = written(queries)
    assert heartbeat.startswith('UPDATE "torrents_engine"')


def test_what_moves_is_written_without_reading_metainfo(box: Box, alice: User, show: Source) -> None:
    add(alice, show)
    assert show.metainfo is not None
    box.engine.offer(show.metainfo)
    box.rounds()
    box.engine.advance(1000)
    with CaptureQueriesContext(connection) as queries:
        box.rounds(1, woken=False)
    assert LiveState.objects.get().downloaded == 1000
    assert not any(re.search(r'"metainfo"(,| FROM)', sql) for sql in written(queries))


def test_a_restarted_reconciler_writes_nothing_that_is_so_already(
    box: Box, alice: User, show: Source
) -> None:
    claim = add(alice, show)
    box.rounds(3)
    before = seen(claim).change
    box.restart()
    box.rounds(3)
    assert seen(claim).change == before
