"""Which archives stay."""

from datetime import UTC, datetime, timedelta

import pytest

from proxy_site.backups.places import archive_name, moment_of
from proxy_site.backups.retention import Retention

USUAL = Retention(daily=7, weekly=4, monthly=6)
NOW = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)  # a Monday


def days_ago(*numbers: int) -> list[datetime]:
    return [NOW - timedelta(days=number) for number in numbers]


def test_of_a_year_of_days_the_last_week_some_weeks_and_some_months_stay() -> None:
    kept = sorted(USUAL.kept(days_ago(*range(365)), at=NOW), reverse=True)
    told = [f"{moment:%m-%d}" for moment in kept]
    week = ["11-23", "11-22", "11-21", "11-20", "11-19", "11-18", "11-17"]
    assert told == [*week, "11-15", "11-08", "10-31", "09-30", "08-31", "07-31", "06-30"]


def test_of_several_on_one_day_the_newest_stays() -> None:
    moments = [NOW - timedelta(hours=hour) for hour in range(4)]
    assert USUAL.kept(moments, at=NOW) == {NOW}


def test_days_without_an_archive_do_not_count() -> None:
    moments = days_ago(0, 3, 6, 9, 12, 15, 18)
    assert Retention(daily=7, weekly=0, monthly=0).kept(moments, at=NOW) == set(moments)


def test_the_newest_always_stays() -> None:
    assert Retention(daily=1, weekly=0, monthly=0).kept(days_ago(400, 500), at=NOW) == set(days_ago(400))


def test_archives_of_a_clock_that_was_wrong_take_nobodys_place() -> None:
    future = {NOW + timedelta(days=31 * number) for number in range(1, 30)}
    assert USUAL.kept({*future, *days_ago(*range(365))}, at=NOW) == future | USUAL.kept(
        days_ago(*range(365)), at=NOW
    )


def test_nothing_of_nothing_stays() -> None:
    assert USUAL.kept([], at=NOW) == set()


def test_what_stays_once_stays_while_nothing_new_comes() -> None:
    kept = USUAL.kept(days_ago(*range(365)), at=NOW)
    assert USUAL.kept(kept, at=NOW) == kept


def test_a_year_of_daily_runs_never_keeps_more_than_was_asked() -> None:
    there: set[datetime] = set()
    for day in range(400):
        today = NOW + timedelta(days=day)
        there = USUAL.kept({*there, today}, at=today)
        assert len(there) <= 7 + 4 + 6
    oldest = min(there)
    assert NOW + timedelta(days=399) - oldest > timedelta(days=140)


def test_an_archive_is_named_after_its_second_in_utc() -> None:
    assert archive_name(NOW) == "box-20261123T031500Z.age"
    assert moment_of(archive_name(NOW)) == NOW


@pytest.mark.parametrize(
    "name",
    [
        "",
        "box.age",
        "box-20261323T031500Z.age",
        "box-20261123T031500Z.age.part",
        "a/box-20261123T031500Z.age",
    ],
)
def test_other_names_are_no_archives(name: str) -> None:
    assert moment_of(name) is None
