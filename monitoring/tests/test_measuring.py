"""The machine as it is measured once a minute: the ledger of its egress, and how busy it was."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connections
from django_q.models import Schedule
from pytest_django import Settings

from monitoring import measuring, services, tasks
from monitoring.apps import declare_schedules
from monitoring.models import EgressDay, Host, HostSample
from monitoring.tests.machine import Machine
from torrents import egress
from watchlist.tests.clock import BEGINNING, Clock, simulated_time

GB = 10**9
TODAY = BEGINNING.date()


@pytest.fixture
def clock() -> Iterator[Clock]:
    with simulated_time() as clock:
        yield clock


@pytest.fixture
def machine(tmp_path: Path, settings: Settings) -> Machine:
    settings.DOWNLOADS_DIR = tmp_path
    settings.EGRESS_LIMIT = 1000 * GB
    return Machine(tmp_path, datetime(2026, 3, 1, tzinfo=UTC))


def measured(machine: Machine) -> str:
    return services.measure(machine.show())


def after_a_minute(machine: Machine, clock: Clock, sent: int, *, minutes: float = 1) -> None:
    machine.sent["enp0s6"] += sent
    clock.move(minutes=minutes)
    measured(machine)


def ledger() -> dict[date, int]:
    return dict(EgressDay.objects.values_list("day", "sent"))


@pytest.mark.django_db
def test_what_interfaces_sent_is_added_to_its_day(machine: Machine, clock: Clock) -> None:
    measured(machine)
    after_a_minute(machine, clock, 5 * GB)
    after_a_minute(machine, clock, 2 * GB)
    clock.move(days=1)
    after_a_minute(machine, clock, 1 * GB)
    assert ledger() == {TODAY: 7 * GB, TODAY + timedelta(days=1): 1 * GB}


@pytest.mark.django_db
def test_the_ledger_survives_reboots_and_resets(machine: Machine, clock: Clock) -> None:
    measured(machine)
    after_a_minute(machine, clock, 50 * GB)
    machine.reboot(clock.now())
    after_a_minute(machine, clock, 60 * GB)
    machine.sent["enp0s6"] = 0
    after_a_minute(machine, clock, 3 * GB)
    assert ledger() == {TODAY: 113 * GB}


@pytest.mark.django_db
def test_an_interface_that_was_away_goes_on_where_it_was(machine: Machine, clock: Clock) -> None:
    machine.sent = {"enp0s6": 10, "enp1s0": 70 * GB}
    measured(machine)
    machine.virtual = ("lo", "enp1s0")
    (machine.root / "sys/class/net/enp1s0/device").rmdir()
    after_a_minute(machine, clock, 0)
    machine.virtual = ("lo",)
    machine.sent["enp1s0"] += 5
    after_a_minute(machine, clock, 0)
    assert ledger() == {TODAY: 5}


@pytest.mark.django_db
def test_counters_of_64_bits_fit(machine: Machine, clock: Clock) -> None:
    machine.sent["enp0s6"] = 2**64 - 100
    measured(machine)
    after_a_minute(machine, clock, 50)
    assert ledger() == {TODAY: 50}


@pytest.mark.django_db
def test_whoever_comes_right_after_another_worker_measures_nothing(machine: Machine, clock: Clock) -> None:
    measured(machine)
    machine.sent["enp0s6"] += 5
    clock.move(seconds=10)
    assert measuring.measure(machine.show()) is None
    assert ledger() == {}


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_count_once(machine: Machine) -> None:
    root = machine.show()
    services.measure(root)
    Host.objects.update(read_at=datetime(2026, 1, 1, tzinfo=UTC))
    machine.sent["enp0s6"] += 5 * GB
    machine.show()
    ready = threading.Barrier(4)

    def work(_: int) -> bool:
        try:
            ready.wait(30)
            return measuring.measure(root) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 1
    assert sum(ledger().values()) == 5 * GB


@pytest.mark.django_db
def test_two_machines_share_the_months_allowance(machine: Machine, clock: Clock, tmp_path: Path) -> None:
    measured(machine)
    other = tmp_path / "other"
    second = Machine(other, datetime(2026, 3, 1, tzinfo=UTC))
    second.show()
    (other / "etc/machine-id").write_text("another\n")
    measuring.measure(other)
    clock.move(minutes=1)
    (other / "sys/class/net/enp0s6/statistics/tx_bytes").write_text(f"{3 * GB}\n")
    measuring.measure(other)
    machine.sent["enp0s6"] += 4 * GB
    measured(machine)
    assert ledger() == {TODAY: 7 * GB}


# --- what follows


@pytest.mark.django_db
@pytest.mark.parametrize(("sent", "expected"), [(790, "normal"), (800, "throttled"), (950, "stopped")])
def test_torrents_hear_how_much_of_the_month_is_used(
    machine: Machine, clock: Clock, sent: int, expected: str
) -> None:
    measured(machine)
    after_a_minute(machine, clock, sent * GB)
    assert egress.current_policy().seeding == expected
    assert services.free_tier(machine.root).seeding == expected


@pytest.mark.django_db
def test_the_next_month_starts_again_from_nothing(machine: Machine, clock: Clock) -> None:
    measured(machine)
    after_a_minute(machine, clock, 990 * GB)
    clock.move(days=30)
    after_a_minute(machine, clock, 1 * GB)
    assert services.free_tier(machine.root).egress_bytes == 1 * GB
    assert services.free_tier(machine.root).seeding == "normal"


@pytest.mark.django_db
def test_a_machine_without_an_interface_that_counts_reports_nothing(machine: Machine, clock: Clock) -> None:
    machine.sent = {}
    assert measured(machine) == "nothing to count"
    assert services.free_tier(machine.root).interfaces == ()
    clock.move(hours=1)
    assert egress.current_policy().seeding == "normal"


@pytest.mark.django_db
def test_the_free_tier_in_figures(machine: Machine, clock: Clock, settings: Settings) -> None:
    settings.DISK_FLOOR = 77
    measured(machine)
    after_a_minute(machine, clock, 200 * GB)
    free = services.free_tier(machine.root)
    assert (free.egress_bytes, free.egress_limit_bytes, free.share) == (200 * GB, 1000 * GB, 0.2)
    assert free.forecast_bytes > 200 * GB
    assert (free.since, free.measured_at) == (BEGINNING, BEGINNING + timedelta(minutes=1))
    assert free.interfaces == ("enp0s6",)
    assert (free.disk_free_bytes or 0) > 0
    assert free.disk_floor_bytes == 77
    assert (free.cpu_p95, free.idle_risk) == (None, None)


@pytest.mark.django_db
def test_before_anybody_measured_nothing_is_claimed(machine: Machine) -> None:
    free = services.free_tier(machine.show())
    assert (free.egress_bytes, free.seeding, free.since, free.disk_free_bytes) == (0, "normal", None, None)


# --- how busy it is


def samples(host: Host, count: int, *, cpu: float, network: float = 0.0, memory: float = 0.0) -> None:
    now = BEGINNING
    HostSample.objects.bulk_create(
        HostSample(host=host, at=now - timedelta(minutes=minute), cpu=cpu, network=network, memory=memory)
        for minute in range(count)
    )


@pytest.mark.django_db
def test_a_sample_is_of_the_minute_before(machine: Machine, clock: Clock) -> None:
    measured(machine)
    machine.busy, machine.idle, machine.memory_used = 30, 70, 0.25
    after_a_minute(machine, clock, 250_000_000 * 60 // 4)
    sample = HostSample.objects.get()
    assert (sample.cpu, sample.network, sample.memory) == (0.3, 0.25, 0.25)


@pytest.mark.django_db
def test_there_is_no_sample_across_a_reboot_or_a_long_pause(machine: Machine, clock: Clock) -> None:
    measured(machine)
    after_a_minute(machine, clock, 0, minutes=60)
    machine.reboot(clock.now())
    after_a_minute(machine, clock, 0)
    assert not HostSample.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("memory", "at_risk"), [(0.1, True), (0.3, False)])
def test_half_a_week_of_samples_tells_whether_it_looks_idle(
    machine: Machine, clock: Clock, memory: float, at_risk: bool
) -> None:
    measured(machine)
    samples(Host.objects.get(), 5040, cpu=0.05, network=0.01, memory=memory)
    after_a_minute(machine, clock, 0)
    free = services.free_tier(machine.root)
    assert (free.cpu_p95, free.network_p95, free.memory_p95) == (0.05, 0.01, memory)
    assert free.idle_risk is at_risk


@pytest.mark.django_db
def test_one_busy_minute_in_twenty_is_no_use_and_a_few_more_are(machine: Machine, clock: Clock) -> None:
    measured(machine)
    host = Host.objects.get()
    samples(host, 9600, cpu=0.05)
    samples(host, 450, cpu=0.9)
    after_a_minute(machine, clock, 0)
    assert services.free_tier(machine.root).cpu_p95 == 0.05
    samples(host, 100, cpu=0.9)
    after_a_minute(machine, clock, 0)
    assert services.free_tier(machine.root).cpu_p95 == 0.9


@pytest.mark.django_db
def test_samples_are_kept_for_eight_days(machine: Machine, clock: Clock) -> None:
    measured(machine)
    samples(Host.objects.get(), 3, cpu=0.5)
    after_a_minute(machine, clock, 0, minutes=8 * 24 * 60 - 1)
    assert HostSample.objects.count() == 2
    after_a_minute(machine, clock, 0, minutes=10)
    assert HostSample.objects.count() == 0


@pytest.mark.django_db
def test_the_worker_measures_this_machine_every_minute() -> None:
    declare_schedules()
    schedule = Schedule.objects.get(func="monitoring.tasks.measure")
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 1)
    assert tasks.measure()
