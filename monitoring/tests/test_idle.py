"""Whether the machine looks idle to Oracle."""

import pytest

from monitoring.host.idle import Usage, cpu_share, idle_risk, network_share
from monitoring.host.readings import CpuTimes


@pytest.mark.parametrize(
    ("usage", "at_risk"),
    [
        (Usage(0.19, 0.19, 0.19), True),
        (Usage(0.20, 0.0, 0.0), False),
        (Usage(0.0, 0.20, 0.0), False),
        (Usage(0.0, 0.0, 0.20), False),
        (Usage(0.9, 0.9, 0.9), False),
    ],
)
def test_a_machine_is_idle_only_if_all_three_are_low(usage: Usage, at_risk: bool) -> None:
    assert idle_risk(usage) is at_risk


def test_without_enough_samples_nobody_knows() -> None:
    assert idle_risk(None) is None


def test_cpus_are_busy_for_a_share_of_the_time_between() -> None:
    assert cpu_share(CpuTimes(100, 1000), CpuTimes(130, 1100)) == 0.3
    assert cpu_share(CpuTimes(100, 1000), CpuTimes(100, 1000)) == 0.0


def test_a_network_has_one_gigabit_for_each_ocpu_in_each_direction() -> None:
    assert network_share(sent=125_000_000 * 60, received=5, seconds=60, ocpus=2) == 0.5
    assert network_share(sent=0, received=125_000_000 * 60, seconds=60, ocpus=1) == 1.0
