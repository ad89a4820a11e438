"""Moments as the database backend reads them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, connection

pytestmark = pytest.mark.django_db


def read(expression: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-04 05:06:07.891011+00", datetime(2026, 3, 4, 5, 6, 7, 891011, UTC)),
        ("2026-03-04 05:06:07.5+02", datetime(2026, 3, 4, 3, 6, 7, 500000, UTC)),
        ("0099-12-31 00:00:00+00", datetime(99, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc_to_the_microsecond(text: str, moment: datetime) -> None:
    found = read(f"'{text}'::timestamptz")
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "12345-01-01 00:00:00+00", "0044-03-15 00:00:00+00 BC"])
def test_a_moment_that_python_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        read(f"'{text}'::timestamptz")


def test_no_moment_is_none() -> None:
    assert read("NULL::timestamptz") is None
