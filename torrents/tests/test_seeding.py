"""How long a finished torrent is given to other peers, and what of that the engine is told."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from torrents import admission, services
from torrents.engines.base import EngineState
from torrents.metainfo import Source, parse_magnet
from torrents.models import Claim, LiveState, SwarmTraffic, Torrent, Traffic
from torrents.seeding import SeedingPolicy, SeedingRules, SeedingWish, may_seed, seeding_over
from torrents.services import default_engine
from torrents.states import state_of
from torrents.tests.factories import State, add
from torrents.tests.reconciler_box import EVERYTHING, Box, download, seen

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
RULES = SeedingRules(default=SeedingPolicy(1.0, 10 * HOUR), most=SeedingPolicy(3.0, 100 * HOUR))
TORRENT = uuid.uuid4()


def wish(
    ratio: float | None = None, seconds: int | None = None, *, uploaded: int = 50, hours: float = 1
) -> SeedingWish:
    """For a torrent of 100 bytes that was complete so many hours ago."""
    return SeedingWish(TORRENT, NOW - hours * HOUR, uploaded, 100, ratio, seconds)


def over(*wishes: SeedingWish, budget_left: bool = True) -> bool:
    return seeding_over(wishes, rules=RULES, budget_left=budget_left, now=NOW) == {TORRENT}


@pytest.mark.parametrize(
    ("ratio", "hours", "expected"),
    [(0.99, 9.99, True), (1.0, 1, False), (0.1, 10, False), (5.0, 50, False)],
)
def test_a_policy_ends_with_its_ratio_or_its_time(ratio: float, hours: float, expected: bool) -> None:
    assert may_seed(ratio=ratio, seeded_for=hours * HOUR, policy=RULES.default) is expected


def test_nothing_is_seeded_with_a_ratio_of_nothing() -> None:
    assert not may_seed(ratio=0, seeded_for=0 * HOUR, policy=SeedingPolicy(0, HOUR))


def test_whoever_wishes_nothing_gets_the_boxs_default() -> None:
    assert not over(wish(uploaded=99))
    assert over(wish(uploaded=100))
    assert over(wish(hours=10))


def test_nobody_gets_more_than_the_most_that_may_be_asked_for() -> None:
    greedy = (1000.0, 10**18)
    assert not over(wish(*greedy, uploaded=299, hours=99))
    assert over(wish(*greedy, uploaded=300, hours=99))
    assert over(wish(*greedy, uploaded=299, hours=100))


def test_the_default_is_bounded_by_the_most_too() -> None:
    rules = SeedingRules(default=SeedingPolicy(9.0, 900 * HOUR), most=SeedingPolicy(2.0, 5 * HOUR))
    assert rules.policy(None, None) == SeedingPolicy(2.0, 5 * HOUR)


def test_of_several_people_the_longest_wish_wins() -> None:
    short, long = wish(0.1, uploaded=150), wish(2.0, uploaded=150)
    assert over(short, short)
    assert not over(short, long)


def test_two_wishes_that_are_both_over_do_not_make_a_longer_one() -> None:
    much_soon, little_late = (2.0, 2 * 3600), (0.5, 9 * 3600)
    assert over(wish(*much_soon, uploaded=100, hours=5), wish(*little_late, uploaded=100, hours=5))


def test_without_budget_nobody_seeds() -> None:
    assert over(wish(uploaded=0), budget_left=False)


def test_an_empty_torrent_has_a_ratio_too() -> None:
    empty = SeedingWish(TORRENT, NOW, 0, 0, None, None)
    assert not over(empty)


# --- on the engine


@pytest.fixture
def finished_show(box: Box, alice: User, show: Source, tmp_path: Path) -> Claim:
    claim = add(alice, show)
    download(box, show, tmp_path)
    assert box.held()[claim.torrent_id].state == EngineState.SEEDING
    return seen(claim)


def age(claim: Claim, hours: float) -> None:
    Torrent.objects.filter(pk=claim.torrent_id).update(completed_at=timezone.now() - hours * HOUR)


def test_a_torrent_that_was_seeded_long_enough_stops_and_stays_finished(
    box: Box, finished_show: Claim, settings: Settings
) -> None:
    age(finished_show, settings.SEEDING_HOURS + 1)
    box.rounds(3)
    assert box.held()[finished_show.torrent_id].state == EngineState.STOPPED
    assert state_of(seen(finished_show)) == State.FINISHED


def test_it_is_not_started_again_by_a_restarted_reconciler(
    box: Box, finished_show: Claim, settings: Settings
) -> None:
    age(finished_show, settings.SEEDING_HOURS + 1)
    box.rounds()
    box.restart()
    box.rounds(1)
    assert box.held()[finished_show.torrent_id].state == EngineState.STOPPED


def test_a_longer_wish_starts_it_again(box: Box, finished_show: Claim, settings: Settings) -> None:
    age(finished_show, settings.SEEDING_HOURS + 1)
    box.rounds()
    Claim.objects.update(seed_seconds=int(settings.SEEDING_HOURS + 2) * 3600)
    box.rounds()
    assert box.held()[finished_show.torrent_id].state == EngineState.SEEDING


def test_another_persons_wish_keeps_it_seeding(
    box: Box, finished_show: Claim, bob: User, show: Source, settings: Settings
) -> None:
    theirs = add(bob, show)
    Claim.objects.filter(pk=theirs.pk).update(seed_seconds=int(settings.SEEDING_HOURS + 2) * 3600)
    age(finished_show, settings.SEEDING_HOURS + 1)
    box.rounds()
    assert box.held()[finished_show.torrent_id].state == EngineState.SEEDING
    services.pause_torrent(claim=theirs)
    box.rounds()
    assert box.held()[finished_show.torrent_id].state == EngineState.STOPPED


@pytest.mark.parametrize("limit", ["SEEDING_MONTHLY_LIMIT", "MONTHLY_EGRESS_LIMIT"])
def test_seeding_ends_with_the_months_budget_and_handing_over_does_not(
    box: Box, finished_show: Claim, settings: Settings, limit: str
) -> None:
    setattr(settings, limit, 1000)
    today = datetime.now(UTC).date()
    SwarmTraffic.objects.create(engine=default_engine(), day=today, sent=1000)
    box.rounds()
    assert box.held()[finished_show.torrent_id].state == EngineState.STOPPED
    assert state_of(seen(finished_show)) == State.FINISHED


def test_what_was_handed_over_leaves_the_budget_of_seeding_alone(
    box: Box, finished_show: Claim, settings: Settings
) -> None:
    settings.SEEDING_MONTHLY_LIMIT = 1000
    Traffic.objects.create(user=finished_show.user, day=datetime.now(UTC).date(), channel="https", sent=5000)
    assert admission.seeding_over(default_engine()) == set()


def test_last_months_uploads_do_not_count(box: Box, finished_show: Claim, settings: Settings) -> None:
    settings.SEEDING_MONTHLY_LIMIT = 1000
    last_month = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    SwarmTraffic.objects.create(engine=default_engine(), day=last_month, sent=5000)
    assert admission.seeding_over(default_engine()) == set()


def test_finished_data_that_the_engine_lost_is_started_to_be_checked_although_seeding_is_over(
    box: Box, finished_show: Claim, settings: Settings
) -> None:
    age(finished_show, settings.SEEDING_HOURS + 1)
    box.rounds()
    box.engine.lose(box.held()[finished_show.torrent_id].key)
    box.rounds(1)
    # This engine finds nothing on the disk, so the torrent is downloaded again: it must not lie stopped.
    assert box.held()[finished_show.torrent_id].state == EngineState.DOWNLOADING
    box.rounds(2)
    assert box.held()[finished_show.torrent_id].state == EngineState.DOWNLOADING


# --- what was uploaded


def uploaded(box: Box, claim: Claim, count: int) -> None:
    """The engine's own count, as it stands now."""
    box.engine.uploaded[box.held()[claim.torrent_id].save_path] = count
    box.rounds(1)


def figures() -> tuple[int, int]:
    """Uploaded of the one torrent, and the month's in all."""
    return LiveState.objects.get().uploaded, sum(SwarmTraffic.objects.values_list("sent", flat=True))


def test_uploads_are_counted_per_torrent_and_for_the_month(box: Box, finished_show: Claim) -> None:
    uploaded(box, finished_show, 300)
    uploaded(box, finished_show, 1000)
    assert figures() == (1000, 1000)


def test_uploads_survive_that_the_engine_takes_the_torrent_anew(box: Box, finished_show: Claim) -> None:
    uploaded(box, finished_show, 1000)
    box.engine.lose(box.held()[finished_show.torrent_id].key)
    box.engine.uploaded.clear()
    box.rounds(3)
    assert figures() == (1000, 1000)
    uploaded(box, finished_show, 50)
    assert figures() == (1050, 1050)


def test_a_count_that_went_back_a_little_counts_nothing_twice(box: Box, finished_show: Claim) -> None:
    uploaded(box, finished_show, 1000)
    uploaded(box, finished_show, 990)  # the engine was killed before it had saved its counters
    uploaded(box, finished_show, 1010)
    assert figures() == (1020, 1020)


def test_what_was_sent_while_nobody_looked_counts_too(box: Box, finished_show: Claim) -> None:
    uploaded(box, finished_show, 1000)
    box.restart()
    uploaded(box, finished_show, 1500)
    assert figures() == (1500, 1500)


def test_a_torrent_that_the_engine_is_still_loading_counts_nothing_twice(
    box: Box, finished_show: Claim
) -> None:
    uploaded(box, finished_show, 1000)
    held, box.engine._torrents = box.engine._torrents, {}
    box.engine.rejects = "Not now."  # so that it is not added again meanwhile
    box.rounds(1)
    box.engine._torrents, box.engine.rejects = held, ""
    add(finished_show.user, parse_magnet(finished_show.torrent.magnet))
    box.rounds(2)
    assert figures() == (1000, 1000)


def test_the_ratio_counts_what_was_sent_before_the_engine_took_it_anew(
    box: Box, finished_show: Claim, settings: Settings
) -> None:
    settings.SEEDING_RATIO = 2.0
    size = finished_show.torrent.size or 0
    uploaded(box, finished_show, 2 * size - 1)
    box.engine.lose(box.held()[finished_show.torrent_id].key)
    box.engine.uploaded.clear()
    box.rounds()
    box.engine.advance(EVERYTHING)
    box.rounds()
    assert box.held()[finished_show.torrent_id].state == EngineState.SEEDING
    uploaded(box, finished_show, 1)
    box.rounds()
    assert box.held()[finished_show.torrent_id].state == EngineState.STOPPED
