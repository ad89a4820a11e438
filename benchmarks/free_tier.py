"""Whether the free tier is ever outrun: `python -m benchmarks.free_tier [--quick] [--json]`.

Months of a machine whose peers would take all that its line can carry, minute by minute in made-up time: by the code
that counts (monitoring.host.egress) and the code that decides (torrents.egress), with workers that are out for hours,
reboots in the middle of that, counters that start again or wrap, and people who fetch their files all the while.
Nothing runs but this, and no figure depends on the machine.
"""

import argparse
import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.common import Figures, Promise, report
from monitoring.host.egress import Known, of_month, passed
from monitoring.host.readings import Counters, CpuTimes, Reading

if TYPE_CHECKING:
    from torrents.egress import PeerPolicy

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ALLOWANCE = 10 * 10**12
LINE = 250_000_000  # bytes a second: 2 OCPUs
SPEED_LIMIT = 20_000_000
WORLDS = 20  # of each kind


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    days: int = 90
    handover: int = 400_000  # bytes a second: 1 TB a month
    most: int | None = SPEED_LIMIT
    counter_bits: int = 64
    outages: int = 12  # of the worker, up to six hours each; every second one ends with a reboot
    resets: int = 12  # of the counters alone
    over_month_end: bool = True  # the worker is out when the second month begins
    seed: int = 1


SCENARIOS = (
    Scenario("as it is shipped"),
    Scenario("without a limit of speed", most=None),
    Scenario("counters of 32 bits", counter_bits=32),
    Scenario("nothing ever goes wrong", outages=0, resets=0, over_month_end=False),
    Scenario("people fetch more than the month has", handover=6_000_000),
)


@dataclass(slots=True)
class Month:
    """Bytes that really went out, and when (in days of the month) what happened."""

    to_peers: int = 0
    to_people: int = 0
    counted: int = 0
    throttled_after: float | None = None
    stopped_after: float | None = None
    normal_after: float | None = None

    @property
    def share(self) -> float:
        return (self.to_peers + self.to_people) / ALLOWANCE


@dataclass(slots=True)
class World:
    scenario: Scenario
    now: datetime = START
    boots: int = 0
    shown: int = 0  # by the interface
    known: Known | None = None
    days: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    reported: tuple[float, datetime] | None = None
    months: dict[date, Month] = field(default_factory=dict)

    def run(self) -> dict[date, Month]:
        out, reboots, resets = _events(self.scenario)
        for minute in range(self.scenario.days * 24 * 60):
            if minute in reboots:
                self.boots += 1
            if minute in reboots or minute in resets:
                self.shown = 0
            self._pass_a_minute()
            if minute not in out:
                self._measure()
        return self.months

    def _pass_a_minute(self) -> None:
        policy = self._policy()
        month = self.months.setdefault(self.now.date().replace(day=1), Month())
        self._note(month, policy)
        people = self.scenario.handover * 60
        limit = LINE if policy.upload_limit is None else policy.upload_limit
        peers = min(limit, LINE - self.scenario.handover) * 60
        month.to_people += people
        month.to_peers += peers
        self.shown = (self.shown + people + peers) % 2**self.scenario.counter_bits
        self.now += MINUTE

    def _policy(self) -> "PeerPolicy":
        from torrents.egress import peer_policy

        share, at = self.reported or (None, None)
        return peer_policy(
            share=share, reported_at=at, allowance=ALLOWANCE, most=self.scenario.most, now=self.now
        )

    def _note(self, month: Month, policy: "PeerPolicy") -> None:
        day = round((self.now - self.now.replace(day=1, hour=0, minute=0)) / timedelta(days=1), 2)
        if policy.seeding == "stopped" and month.stopped_after is None:
            month.stopped_after = day
        elif policy.seeding == "throttled" and not policy.silent and month.throttled_after is None:
            month.throttled_after = day
        elif policy.seeding == "normal" and month.normal_after is None:
            month.normal_after = day

    def _measure(self) -> None:
        counters = {"enp0s6": Counters(sent=self.shown, received=0)}
        reading = Reading(str(self.boots), START, CpuTimes(0, 1), 0.5, counters)
        self.days[self.now.date()] += passed(self.known, reading, at=self.now, line_rate=LINE).sent
        self.known = Known(reading.boot_id, self.now, counters)
        counted = of_month(self.days, self.now.date())
        self.reported = (counted / ALLOWANCE, self.now)
        if month := self.months.get(self.now.date().replace(day=1)):
            month.counted = counted


def _events(scenario: Scenario) -> tuple[set[int], set[int], set[int]]:
    """Minutes in which the worker is out, the machine is booted anew, and the counters alone start again."""
    chance = random.Random(scenario.seed)  # noqa: S311  a reproducible world, not a secret
    minutes = scenario.days * 24 * 60
    out: set[int] = set()
    reboots: set[int] = set()
    for number in range(scenario.outages):
        first = chance.randrange(minutes)
        length = chance.randrange(30, 6 * 60)
        out.update(range(first, first + length))
        if number % 2:
            reboots.add(first + length - 1)
    if scenario.over_month_end:
        end_of_january = 31 * 24 * 60
        out.update(range(end_of_january - 120, end_of_january + 180))
    return out, reboots, set(chance.sample(range(minutes), scenario.resets))


def figures_of(months: Mapping[date, Month]) -> Figures:
    return {
        f"{first:%B}": {
            "share": round(month.share, 4),
            "counted_share": round(month.counted / ALLOWANCE, 4),
            "people_tb": round(month.to_people / 10**12, 2),
            "throttled_after_days": month.throttled_after,
            "stopped_after_days": month.stopped_after,
        }
        for first, month in months.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one object for programs")
    parser.add_argument("--quick", action="store_true", help="one world of each kind, and two months of it")
    options = parser.parse_args(arguments)
    _set_up()
    figures: Figures = {}
    promises = []
    for scenario in SCENARIOS:
        known = replace(scenario, days=60) if options.quick else scenario
        months = World(known).run()
        figures[scenario.name] = figures_of(months)
        # That people's own downloads do not outrun the month is no promise: those are never held back.
        if scenario.handover * 31 * 86400 < ALLOWANCE:
            worst = max(month.share for month in [*months.values(), *_others(known, quick=options.quick)])
            promises.append(Promise(f"share of the worst month: {scenario.name}", round(worst, 4), 1.0))
    print(report(name="free_tier", figures=figures, promises=promises, as_json=options.json))
    return 0


def _others(scenario: Scenario, *, quick: bool) -> Iterator[Month]:
    """The months of other worlds of the same kind, where chance has a part in them."""
    if scenario.outages and not quick:
        for seed in range(2, WORLDS + 1):
            yield from World(replace(scenario, seed=seed)).run().values()


def _set_up() -> None:
    """What decides stands beside Django's models, though it asks none."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy_site.settings")
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/never-asked")
    django.setup()


if __name__ == "__main__":
    sys.exit(main())
