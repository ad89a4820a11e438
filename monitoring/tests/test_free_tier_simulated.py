"""Months of far more demand than the free tier has room for: it is never outrun."""

from dataclasses import replace

import pytest

from benchmarks.free_tier import ALLOWANCE, SCENARIOS, Month, Scenario, World

*ORDINARY, TOO_MUCH = (
    replace(scenario, days=60) for scenario in SCENARIOS
)  # January, February, and into March


def months_of(scenario: Scenario) -> list[Month]:
    return list(World(scenario).run().values())


@pytest.mark.parametrize("scenario", ORDINARY, ids=lambda scenario: scenario.name)
def test_no_month_outruns_its_allowance_and_each_begins_anew(scenario: Scenario) -> None:
    january, february, march = months_of(scenario)
    for month in (january, february):
        assert 0.9 < month.share <= 1.0
        assert month.throttled_after is not None
        assert month.stopped_after is not None
        assert month.throttled_after < month.stopped_after
    for month in (february, march):
        assert month.normal_after is not None
        assert (
            month.normal_after < 0.3
        )  # a worker that is out over the first of the month comes back in the morning


def test_hand_over_alone_may_outrun_it_and_then_that_is_told() -> None:
    january, february, _ = months_of(TOO_MUCH)
    for month, days in ((january, 31), (february, 28)):
        assert month.to_people == TOO_MUCH.handover * days * 86400
        assert month.to_peers < 0.75 * ALLOWANCE
        assert month.counted > ALLOWANCE
        assert month.stopped_after is not None
