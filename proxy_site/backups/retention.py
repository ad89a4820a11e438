"""Which archives stay."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

Period = tuple[int, ...]


@dataclass(frozen=True)
class Retention:
    """The newest archive of each of that many days, weeks (ISO) and months that have one, in UTC."""

    daily: int
    weekly: int
    monthly: int

    def kept(self, moments: Iterable[datetime], *, at: datetime) -> set[datetime]:
        """What is dated after `at` was named by a clock that was wrong: it stays until its time has come, and takes
        nobody's place. Of the others the newest is always among them."""
        every = set(moments)
        later = {moment for moment in every if moment > at}
        newest_first = sorted(every - later, reverse=True)
        kept = {*later, *newest_first[:1]}
        for number, period in ((self.daily, _day), (self.weekly, _week), (self.monthly, _month)):
            kept.update(_newest_of_each(newest_first, period)[:number])
        return kept


def _newest_of_each(newest_first: list[datetime], period: Callable[[datetime], Period]) -> list[datetime]:
    newest: dict[Period, datetime] = {}
    for moment in newest_first:
        newest.setdefault(period(moment), moment)
    return list(newest.values())


def _day(moment: datetime) -> Period:
    return moment.year, moment.month, moment.day


def _week(moment: datetime) -> Period:
    return tuple(moment.isocalendar()[:2])


def _month(moment: datetime) -> Period:
    return moment.year, moment.month
