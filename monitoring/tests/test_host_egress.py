"""From counters that begin again to bytes of a month, and where that leads."""

from datetime import UTC, date, datetime, timedelta

import pytest

from monitoring.host.egress import WRAP, Known, Passed, forecast, of_month, passed
from monitoring.host.readings import Counters, CpuTimes, Reading

NOW = datetime(2026, 4, 16, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LINE = 250_000_000


def reading(boot: str = "a", booted_at: datetime = NOW - timedelta(days=60), **sent: int) -> Reading:
    interfaces = {name: Counters(count, 0) for name, count in sent.items()}
    return Reading(boot, booted_at, CpuTimes(0, 1), 0.5, interfaces)


def known(boot: str = "a", read_at: datetime = NOW - MINUTE, **sent: int) -> Known:
    return Known(boot, read_at, {name: Counters(count, 0) for name, count in sent.items()})


def sent(before: Known | None, now: Reading) -> int:
    return passed(before, now, at=NOW, line_rate=LINE).sent


def test_what_counters_grew_by_counts_of_all_interfaces() -> None:
    assert sent(known(eth0=100, eth1=5), reading(eth0=150, eth1=6)) == 51


def test_after_a_reboot_all_that_is_shown_counts_though_it_is_more_than_before() -> None:
    assert sent(known("a", eth0=100), reading("b", eth0=400)) == 400
    assert sent(known("a", eth0=100), reading("b", eth0=40)) == 40


def test_a_counter_that_was_reset_counts_from_nothing() -> None:
    assert sent(known(eth0=WRAP * 5), reading(eth0=40)) == 40


def test_a_counter_of_32_bits_goes_on_where_it_wraps() -> None:
    assert sent(known(eth0=WRAP - 10), reading(eth0=40)) == 50


def test_a_smaller_counter_that_no_line_could_have_wrapped_was_reset() -> None:
    a_moment_ago = known(read_at=NOW - timedelta(seconds=1), eth0=1_000_000)
    assert sent(a_moment_ago, reading(eth0=40)) == 40


def test_a_new_interface_counts_with_all_that_it_shows() -> None:
    assert sent(known(eth0=100), reading(eth0=100, eth1=7)) == 7


def test_an_interface_that_is_gone_counts_nothing() -> None:
    assert sent(known(eth0=100, eth1=7), reading(eth0=101)) == 1


@pytest.mark.parametrize(
    ("booted_at", "expected"),
    [(datetime(2026, 4, 1, tzinfo=UTC), 500), (datetime(2026, 3, 31, tzinfo=UTC), 0)],
)
def test_a_machine_seen_for_the_first_time_counts_from_a_boot_of_this_month(
    booted_at: datetime, expected: int
) -> None:
    assert sent(None, reading(booted_at=booted_at, eth0=500)) == expected


def test_what_was_received_counts_for_itself() -> None:
    before = Known("a", NOW - MINUTE, {"eth0": Counters(10, 20)})
    after = Reading("a", NOW, CpuTimes(0, 1), 0.5, {"eth0": Counters(11, 25)})
    assert passed(before, after, at=NOW, line_rate=LINE) == Passed(sent=1, received=5)


# --- the month


def test_a_month_is_that_of_its_days_up_to_today() -> None:
    days = {date(2026, 3, 31): 1, date(2026, 4, 1): 10, date(2026, 4, 16): 100, date(2025, 4, 2): 1000}
    assert of_month(days, date(2026, 4, 16)) == 110


def test_the_forecast_is_what_was_sent_and_the_rest_at_the_rate_of_seven_days() -> None:
    quiet_then_busy = {date(2026, 4, day): 1 if day < 10 else 100 for day in range(1, 16)} | {
        date(2026, 4, 16): 50
    }
    assert forecast(quiet_then_busy, now=NOW, since=None) == 9 + 650 + 1450


def test_the_rate_reaches_back_into_the_month_before() -> None:
    now = datetime(2026, 4, 2, tzinfo=UTC)
    days = {date(2026, 3, day): 70 for day in range(20, 32)} | {date(2026, 4, 1): 70}
    assert forecast(days, now=now, since=None) == 70 + 70 * 29


def test_days_on_which_nobody_counted_yet_do_not_lower_the_rate() -> None:
    since = NOW - timedelta(days=1)
    assert forecast({date(2026, 4, 16): 100}, now=NOW, since=since) == 100 + 1450


def test_at_the_months_end_the_forecast_is_what_was_sent() -> None:
    last = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert forecast({date(2026, 12, 31): 86_000}, now=last, since=last - timedelta(days=1)) == 86_000
