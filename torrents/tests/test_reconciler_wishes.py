"""The engine gets what two or three people want of one torrent, and keeps getting it."""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from django.utils import timezone

from accounts.models import User
from torrents import admission, services
from torrents.claim_wishes import Wishes, change_wishes
from torrents.engines.base import EngineState
from torrents.engines.fake import FakeEngine
from torrents.metainfo import Source, build_magnet, parse_magnet
from torrents.models import Claim, LiveState
from torrents.states import state_of
from torrents.tests.factories import State, add, fresh_magnet, magnet
from torrents.tests.reconciler_box import EVERYTHING, Box, Moody, seen
from torrents.wishes import UserLimits

NOTES, EPISODE = 0, 1  # of `show`


def choose(claim: Claim, *files: int) -> None:
    change_wishes(claim=claim, wishes={"files": files or None})


def wish(claim: Claim, **wishes: Any) -> None:
    change_wishes(claim=claim, wishes=cast("Wishes", wishes))


def wanted_files(box: Box, claim: Claim) -> set[int]:
    key = box.held()[claim.torrent_id].key
    return {file.index for file in FakeEngine.files(box.engine, key) if file.wanted}


def limits(box: Box, claim: Claim) -> tuple[int | None, int | None]:
    held = box.held()[claim.torrent_id]
    return held.download_limit, held.upload_limit


def trackers(box: Box, claim: Claim) -> int:
    return FakeEngine.swarm(box.engine, box.held()[claim.torrent_id].key).trackers_failing


@pytest.fixture
def offered(box: Box, show: Source, tmp_path: Path) -> Source:
    """A torrent that somebody in the swarm has."""
    assert show.metainfo is not None
    box.engine.offer(show.metainfo, tmp_path / "swarm" / "show")
    return show


def test_only_the_chosen_files_are_downloaded(box: Box, alice: User, offered: Source) -> None:
    claim = add(alice, offered)
    choose(claim, NOTES)
    box.rounds(3)
    assert wanted_files(box, claim) == {NOTES}
    box.engine.advance(EVERYTHING)
    assert [path.name for path in claim.torrent.data_dir.rglob("*.*")] == ["notes.txt"]


def test_files_that_anybody_chose_are_downloaded(
    box: Box, alice: User, bob: User, charlie: User, offered: Source
) -> None:
    mine, theirs, third = add(alice, offered), add(bob, offered), add(charlie, offered)
    choose(mine, NOTES)
    choose(theirs, NOTES)
    choose(third, NOTES)
    box.rounds(3)
    assert wanted_files(box, mine) == {NOTES}
    choose(theirs, EPISODE)
    box.rounds()
    assert wanted_files(box, mine) == {EPISODE, NOTES}
    services.remove_torrent(claim=theirs)
    choose(third, EPISODE)
    choose(mine, EPISODE)
    box.rounds()
    assert wanted_files(box, mine) == {EPISODE}
    services.pause_torrent(claim=third)
    choose(mine, NOTES)
    box.rounds()
    assert wanted_files(box, mine) == {NOTES}


def test_limits_and_order_follow_the_wishes(box: Box, alice: User, bob: User, show: Source) -> None:
    mine, theirs = add(alice, show), add(bob, show)
    wish(mine, download_limit=5000, upload_limit=2000, sequential=True)
    box.rounds()
    assert limits(box, mine) == (None, None)
    wish(theirs, download_limit=7000, upload_limit=1500)
    box.rounds()
    assert limits(box, mine) == (7000, 2000)
    assert box.held()[mine.torrent_id].sequential
    services.pause_torrent(claim=mine)
    box.rounds()
    assert limits(box, mine) == (7000, 1500)
    assert not box.held()[mine.torrent_id].sequential


def test_a_persons_own_limit_is_shared_out_over_what_only_they_hold(
    box: Box, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = {alice.pk: UserLimits(download=100_000)}
    monkeypatch.setattr("torrents.engine_wishes._limits", lambda: limit)
    first, second, shared = add(alice), add(alice), add(alice)
    add(bob, magnet(v1=shared.torrent.infohash_v1))
    box.rounds()
    assert [limits(box, claim)[0] for claim in (first, second, shared)] == [50_000, 50_000, None]
    services.pause_torrent(claim=first)
    box.rounds()
    assert limits(box, second)[0] == 100_000


def test_trackers_that_a_later_person_brings_reach_the_engine(box: Box, alice: User, bob: User) -> None:
    infohash = fresh_magnet().infohash_v1
    ways = [f"http://{name}.example/announce" for name in ("a", "b")]
    sources = [
        parse_magnet(build_magnet(infohash_v1=infohash, infohash_v2=None, trackers=[way])) for way in ways
    ]
    claim = add(alice, sources[0])
    box.rounds()
    assert trackers(box, claim) == 1
    add(bob, sources[1])
    box.rounds()
    assert trackers(box, claim) == 2


class Counting(Moody):
    """Notes which changes it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def set_limits(self, keys: Collection[str], *, download: int | None, upload: int | None) -> None:
        self.asked.append("limits")
        super().set_limits(keys, download=download, upload=upload)

    def set_sequential(self, keys: Collection[str], *, sequential: bool) -> None:
        self.asked += ["sequential"] if keys else []
        super().set_sequential(keys, sequential=sequential)

    def set_wanted_files(self, key: str, indexes: Collection[int] | None) -> None:
        self.asked.append("files")
        super().set_wanted_files(key, indexes)

    def add_trackers(self, key: str, urls: Collection[str]) -> None:
        self.asked.append("trackers")
        super().add_trackers(key, urls)


@pytest.fixture
def counting(box: Box) -> Counting:
    box.engine = Counting()
    box.restart()
    return box.engine


def test_what_is_as_wished_is_not_asked_for_again(
    box: Box, counting: Counting, alice: User, show: Source
) -> None:
    claim = add(alice, show)
    wish(claim, files=[NOTES], download_limit=5000, sequential=True)
    box.rounds(4)
    counting.asked.clear()
    box.rounds(5)
    assert counting.asked == []


def test_after_a_restart_of_the_engine_wishes_are_seen_to_again(
    box: Box, counting: Counting, alice: User, show: Source
) -> None:
    claim = add(alice, show)
    wish(claim, files=[NOTES], download_limit=5000)
    box.rounds(4)
    counting.away = True
    box.rounds()
    key = box.held()[claim.torrent_id].key
    counting.away = False
    counting.set_wanted_files(key, None)
    counting.set_limits([key], download=None, upload=None)
    box.rounds(2, woken=False)
    assert wanted_files(box, claim) == {NOTES}
    assert limits(box, claim) == (5000, None)


def test_a_wish_that_cannot_be_granted_holds_up_nobody(
    box: Box, alice: User, bob: User, offered: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, other = add(alice, offered), add(bob, paused=True)
    choose(claim, NOTES)
    box.engine.fails_to = "choose"
    services.resume_torrent(claim=other)
    box.rounds(3)
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED
    assert box.held()[other.torrent_id].state == EngineState.METADATA
    assert services.default_engine().reachable
    box.engine.fails_to = ""
    monkeypatch.setattr("torrents.engine_wishes.time.monotonic", lambda: 10.0**9)
    box.rounds()
    assert wanted_files(box, claim) == {NOTES}
    assert box.held()[claim.torrent_id].state != EngineState.STOPPED


def test_a_magnet_starts_in_the_round_that_learns_its_metadata(
    box: Box, alice: User, offered: Source
) -> None:
    claim = add(alice, magnet(v1=offered.infohash_v1))
    box.rounds(1)
    box.engine.advance()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED
    box.rounds(1, woken=False)
    assert box.held()[claim.torrent_id].state == EngineState.DOWNLOADING


def test_a_magnet_that_everybody_paused_fetches_its_metadata_and_waits(
    box: Box, alice: User, bob: User, offered: Source
) -> None:
    claim = add(alice, magnet(v1=offered.infohash_v1), paused=True)
    add(bob, magnet(v1=offered.infohash_v1), paused=True)
    box.rounds()
    assert state_of(seen(claim)) == State.PAUSED
    box.engine.advance()
    box.rounds()
    box.engine.advance(EVERYTHING)
    assert box.held()[claim.torrent_id].downloaded == 0
    choose(claim, NOTES)
    services.resume_torrent(claim=claim)
    box.rounds()
    box.engine.advance(EVERYTHING)
    assert box.held()[claim.torrent_id].downloaded == 5


def test_a_claim_that_waits_does_not_make_it_look_for_metadata(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "decide", lambda **_: False)
    claim = add(alice)
    Claim.objects.update(waits_for=Claim.WaitsFor.USER_ACTIVE)
    box.rounds()
    assert box.held() == {}
    Claim.objects.update(waits_for="")
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.METADATA
    Claim.objects.update(waits_for=Claim.WaitsFor.USER_ACTIVE)
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED


def test_only_so_many_paused_magnets_look_for_metadata_the_newest_first(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.engine_wishes.PAUSED_LOOKUPS", 2)
    claims = [add(alice, paused=True) for _ in range(4)]
    for age, claim in enumerate(reversed(claims)):
        Claim.objects.filter(pk=claim.pk).update(added_at=timezone.now() - timedelta(hours=age))
    box.rounds()
    assert set(box.held()) == {claim.torrent_id for claim in claims[2:]}


def test_a_magnet_that_was_stopped_without_metadata_never_starts_as_it_is(
    box: Box, alice: User, offered: Source
) -> None:
    claim = add(alice, magnet(v1=offered.infohash_v1))
    box.rounds()
    box.engine.stop([box.held()[claim.torrent_id].key])
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.METADATA
    box.engine.advance()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED
    assert box.held()[claim.torrent_id].downloaded == 0


def test_nothing_is_downloaded_while_the_size_is_not_recorded(box: Box, alice: User, offered: Source) -> None:
    claim = add(alice, magnet(v1=offered.infohash_v1))
    box.rounds()
    box.engine.advance()
    box.engine.fails_to = "files"
    box.rounds(3)
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED


def test_a_new_reconciler_goes_on_with_what_is_there(box: Box, alice: User, show: Source) -> None:
    claim = add(alice, show)
    wish(claim, files=[NOTES], download_limit=5000)
    box.rounds(4)
    before = seen(claim).change
    box.restart()
    box.rounds(3)
    assert seen(claim).change == before
    assert wanted_files(box, claim) == {NOTES}


def test_a_private_torrent_keeps_to_its_own_trackers(
    box: Box, counting: Counting, alice: User, show: Source
) -> None:
    claim = add(alice, show)
    type(claim.torrent).objects.update(private=True, trackers=["http://a.example/announce"])
    box.rounds(3)
    assert "trackers" not in counting.asked


def test_the_state_is_waiting_until_the_engine_has_heard_that_more_is_wanted(
    alice: User, show: Source
) -> None:
    claim = add(alice, show)
    LiveState.objects.update(state=State.FINISHED, progress=1)
    assert state_of(seen(claim)) == State.WAITING
    assert list(Claim.objects.of(alice).in_states([State.WAITING])) == [claim]
    assert not Claim.objects.of(alice).in_states([State.FINISHED]).exists()
