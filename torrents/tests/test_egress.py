"""What peers still get when the machine has sent much of what it may send in a month."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from deploy.swarm import make_torrent
from torrents import egress
from torrents.egress import FLOOR, STOP_AT, THROTTLE_AT, PeerPolicy, Seeding, peer_policy
from torrents.engines.base import EngineState
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim
from torrents.tests.engines.harness import write_content
from torrents.tests.factories import add, client_of
from torrents.tests.reconciler_box import Box, download, seen

TB = 10**12
NOON = datetime(2026, 4, 16, 12, tzinfo=UTC)  # fourteen and a half days before May
MINUTE = timedelta(minutes=1)


def policy(
    share: float | None, *, ago: timedelta = MINUTE, now: datetime = NOON, most: int | None = None
) -> PeerPolicy:
    reported_at = None if share is None else now - ago
    return peer_policy(share=share, reported_at=reported_at, allowance=10 * TB, most=most, now=now)


def spent(policy: PeerPolicy, time: timedelta) -> float:
    """Bytes, by peers who take all that they get."""
    assert policy.upload_limit is not None
    return policy.upload_limit * time.total_seconds()


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, Seeding.NORMAL),
        (THROTTLE_AT - 0.001, Seeding.NORMAL),
        (THROTTLE_AT, Seeding.THROTTLED),
        (STOP_AT - 0.001, Seeding.THROTTLED),
        (STOP_AT, Seeding.STOPPED),
        (2.5, Seeding.STOPPED),
    ],
)
def test_seeding_follows_what_is_left_of_the_month(share: float, expected: Seeding) -> None:
    assert policy(share).seeding == expected


def test_without_a_report_ever_only_the_limit_of_speed_holds() -> None:
    assert policy(None) == PeerPolicy(Seeding.NORMAL, None)
    assert policy(None, most=10 * 1024) == PeerPolicy(Seeding.NORMAL, 10 * 1024)


@pytest.mark.parametrize("share", [THROTTLE_AT, 0.9, 0.94])
@pytest.mark.parametrize(
    "now", [NOON, datetime(2026, 4, 1, 1, tzinfo=UTC), datetime(2026, 4, 30, 23, tzinfo=UTC)]
)
def test_a_throttled_months_rest_lasts_to_its_end(share: float, now: datetime) -> None:
    rest = datetime(2026, 5, 1, tzinfo=UTC) - now
    throttled = policy(share, now=now)
    assert spent(throttled, rest) <= max((STOP_AT - share) * 10 * TB, FLOOR * rest.total_seconds())
    # And is used: but for the speed that an engine cannot exceed, and what rounding and the last minute take.
    if throttled.upload_limit is not None and FLOOR < throttled.upload_limit < 10**9:
        assert spent(throttled, rest + MINUTE) > 0.95 * (STOP_AT - share) * 10 * TB


def test_when_seeding_is_stopped_downloads_keep_a_trickle_that_the_month_has_room_for() -> None:
    stopped = policy(STOP_AT)
    assert stopped.upload_limit == FLOOR
    assert spent(stopped, timedelta(days=31)) < 0.01 * 10 * TB


@pytest.mark.parametrize("share", [0.0, THROTTLE_AT, STOP_AT])
@pytest.mark.parametrize("most", [1, 2000, 15 * 1024, 10**12])
def test_what_the_engine_is_told_is_a_limit_that_it_can_have(share: float, most: int) -> None:
    limit = policy(share, most=most).upload_limit
    assert limit is not None
    assert limit % 1024 == 0
    assert 1024 <= limit <= max(most, 1024)


def test_what_nobody_has_reported_for_long_may_last_until_the_months_end() -> None:
    """However late it is: a rest that is spread anew in each moment is spent many times over."""
    reported, end = NOON, datetime(2026, 5, 1, tzinfo=UTC)
    now, sent = reported + 11 * MINUTE, 0.0
    while now < end:
        silent = peer_policy(share=0.3, reported_at=reported, allowance=10 * TB, most=None, now=now)
        assert (silent.seeding, silent.silent) == (Seeding.THROTTLED, True)
        sent += spent(silent, timedelta(hours=1))
        now += timedelta(hours=1)
    assert sent <= (STOP_AT - 0.3) * 10 * TB


def test_a_report_ends_the_silence() -> None:
    assert policy(0.3, ago=11 * MINUTE).seeding == Seeding.THROTTLED
    assert policy(0.3, ago=9 * MINUTE) == PeerPolicy(Seeding.NORMAL, None)


def test_what_was_stopped_stays_so_though_nobody_reports() -> None:
    assert policy(0.96, ago=timedelta(days=5)).seeding == Seeding.STOPPED


def test_the_next_month_begins_by_itself_with_the_whole_allowance() -> None:
    may = datetime(2026, 5, 1, tzinfo=UTC)
    last = may - MINUTE
    at = {
        now: peer_policy(share=1.2, reported_at=last, allowance=10 * TB, most=None, now=now)
        for now in (last, may)
    }
    assert at[last].seeding == Seeding.STOPPED
    assert at[may].seeding == Seeding.NORMAL


def test_the_month_is_that_of_utc() -> None:
    in_tokyo = datetime.fromisoformat("2026-05-01T08:59:00+09:00")
    assert egress.month_of(in_tokyo) == (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert egress.month_of(datetime(2026, 12, 31, tzinfo=UTC))[1] == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("share", [-0.1, float("nan"), float("inf")])
def test_what_is_no_share_is_not_noted(share: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        egress.report_egress(share)
    assert egress.current_policy().seeding == Seeding.NORMAL


# --- on the engine


@pytest.fixture
def pass_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    def to(moment: datetime) -> None:
        monkeypatch.setattr("torrents.egress.timezone.now", lambda: moment)

    to(NOON)
    return to


@pytest.fixture
def finished_show(
    pass_to: Callable[[datetime], None], box: Box, alice: User, show: Source, tmp_path: Path
) -> Claim:
    claim = add(alice, show)
    download(box, show, tmp_path)
    assert box.held()[claim.torrent_id].state == EngineState.SEEDING
    return seen(claim)


def upload_limit(box: Box) -> int | None:
    return box.engine.poll().status.upload_limit


def test_at_80_percent_the_engine_sends_less_and_goes_on_seeding(box: Box, finished_show: Claim) -> None:
    egress.report_egress(0.85)
    box.rounds()
    limit = upload_limit(box)
    assert limit is not None
    assert limit == pytest.approx(1e12 / (14.5 * 86400), rel=0.01)
    assert box.held()[finished_show.torrent_id].state == EngineState.SEEDING


def test_at_95_percent_finished_torrents_stop_and_downloads_go_on(
    box: Box, finished_show: Claim, bob: User, tmp_path: Path
) -> None:
    egress.report_egress(0.95)
    metainfo = make_torrent(write_content(tmp_path / "Film", "film.mkv"))
    box.engine.offer(metainfo)
    theirs = add(bob, parse_torrent(metainfo))
    box.rounds(3)
    assert upload_limit(box) == FLOOR
    assert box.held()[finished_show.torrent_id].state == EngineState.STOPPED
    assert box.held()[theirs.torrent_id].state == EngineState.DOWNLOADING
    assert seen(finished_show).completed_at is not None


def test_what_was_reported_survives_a_restart_of_the_reconciler_and_of_the_engine(
    box: Box, finished_show: Claim
) -> None:
    egress.report_egress(0.95)
    box.rounds()
    box.engine.set_total_upload_limit(None)
    box.restart()
    box.rounds(1)
    assert upload_limit(box) == FLOOR
    assert box.held()[finished_show.torrent_id].state == EngineState.STOPPED


def test_in_the_next_month_it_seeds_again_by_itself(
    box: Box, finished_show: Claim, pass_to: Callable[[datetime], None], settings: Settings
) -> None:
    settings.UPLOAD_SPEED_LIMIT = 0
    settings.SEEDING_HOURS = settings.SEEDING_MAX_HOURS = 30 * 24.0
    egress.report_egress(0.95)
    box.rounds()
    pass_to(datetime(2026, 5, 1, 0, 20, tzinfo=UTC))
    box.rounds()
    assert box.held()[finished_show.torrent_id].state == EngineState.SEEDING
    egress.report_egress(0.0)
    box.rounds()
    assert upload_limit(box) is None


def test_the_limit_of_speed_holds_from_the_first_round(box: Box, settings: Settings) -> None:
    settings.UPLOAD_SPEED_LIMIT = 5_000_000
    box.rounds(1)
    assert upload_limit(box) == 5_000_000 // 1024 * 1024


def test_the_engine_is_told_its_limit_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int | None] = []
    tell = box.engine.set_total_upload_limit

    def listen(limit: int | None) -> None:
        told.append(limit)
        tell(limit)

    monkeypatch.setattr(box.engine, "set_total_upload_limit", listen)
    box.rounds(5)
    assert told == [egress.current_policy().upload_limit]


# --- in words


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (0.5, ""),
        (0.85, "sends slowly to other peers until 1 May"),
        (0.97, "not given to other peers until 1 May"),
    ],
)
def test_people_read_why_other_peers_get_less(
    alice: User, pass_to: Callable[[datetime], None], share: float, says: str
) -> None:
    egress.report_egress(share)
    notice = client_of(alice).get("/api/v1/me/limits/").json()["seeding_notice"]
    assert says in notice
    assert ("you can fetch your files as usual" in notice) is bool(says)


def test_people_read_that_the_box_lost_count(alice: User, pass_to: Callable[[datetime], None]) -> None:
    egress.report_egress(0.1)
    pass_to(NOON + timedelta(hours=2))
    notice = client_of(alice).get("/api/v1/me/limits/").json()["seeding_notice"]
    assert "does not know how much it has sent" in notice
