"""Prepared queries give what a cursor gives, and fail as it does."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.db.utils import DataError
from django.test.utils import CaptureQueriesContext

from proxy_site.postgresql.prepared import MOST, Prepared

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def outside_of_transactions() -> Iterator[None]:
    """Also after a test that broke the connection."""
    assert connection.get_autocommit()
    yield
    connection.close()


def fetch(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = connection.fetch(sql, params)  # type: ignore[attr-defined]  # of our backend
    return rows


def by_cursor(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def prepared_statements() -> list[tuple[Any, ...]]:
    return by_cursor("SELECT name FROM pg_prepared_statements WHERE name LIKE 'fetch%%'")


@pytest.mark.parametrize(
    "value",
    [
        *(0, 1, -1, 2**15, 2**31, 2**62, 1.5, True, None, "", "%s %% ' \N{SNOWMAN}"),
        *(uuid.UUID(int=5), datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC), [1, 2], b"\0\xff"),
    ],
)
def test_values_come_back_as_by_a_cursor(value: Any) -> None:
    sql = "SELECT %s, %s, '100 %%', NULL, now() - now()"
    for _ in range(2):
        assert fetch(sql, value, 7) == by_cursor(sql, value, 7)


def test_a_query_is_prepared_once_for_each_type_of_its_values() -> None:
    for number in (1, 2, 3, 2**40, 2**40 + 1):
        assert fetch("SELECT %s", number) == [(number,)]
    assert len(prepared_statements()) == 2


def test_however_many_queries_there_are_few_stay_prepared() -> None:
    for number in range(MOST + 10):
        assert fetch(f"SELECT {number}") == [(number,)]
    for _ in range(3):
        with pytest.raises(DataError):
            fetch("SELECT 1 / %s", 0)
    assert len(prepared_statements()) <= MOST
    assert fetch("SELECT 0") == [(0,)]


def test_no_rows_are_no_rows() -> None:
    assert fetch("SELECT 1 WHERE %s", False) == []


def test_in_a_transaction_it_sees_what_the_transaction_did() -> None:
    with transaction.atomic():
        assert fetch("SELECT txid_current()") == by_cursor("SELECT txid_current()")
    assert prepared_statements() == []


def test_it_is_seen_by_whoever_watches_the_queries() -> None:
    with CaptureQueriesContext(connection) as queries:
        fetch("SELECT 1")
    assert len(queries) == 1


def test_a_query_that_fails_raises_djangos_errors_and_leaves_the_connection_usable() -> None:
    with pytest.raises(ProgrammingError, match="nothing_of_that_name"):
        fetch("SELECT * FROM nothing_of_that_name")
    with pytest.raises(DataError, match="division by zero"):
        fetch("SELECT 1 / %s", 0)
    assert fetch("SELECT 1 / %s", 1) == [(1,)]


def test_what_the_server_forgot_is_prepared_anew() -> None:
    assert fetch("SELECT %s", 1) == [(1,)]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    assert fetch("SELECT %s", 1) == [(1,)]


def test_a_transaction_that_is_rolled_back_costs_no_prepared_query() -> None:
    """psycopg then has the server forget whatever is prepared."""
    assert fetch("SELECT %s", 1) == [(1,)]
    for number in range(10):  # after some times, psycopg prepares a query, too
        by_cursor("SELECT %s + 1", number)
    with transaction.atomic():
        by_cursor("SELECT 1")
        transaction.set_rollback(True)
    by_cursor("SELECT 1")
    assert prepared_statements() == []
    assert fetch("SELECT %s", 1) == [(1,)]


def test_a_lost_connection_is_told_apart_from_a_query_that_fails() -> None:
    assert fetch("SELECT %s", 1) == [(1,)]
    prepared = Prepared(connection.connection)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    finally:
        other.close()
    with pytest.raises(psycopg.OperationalError, match="The connection is lost"):
        prepared.fetch("SELECT 1", ())
    connection.close_if_unusable_or_obsolete()  # as before each request
    assert fetch("SELECT %s", 2) == [(2,)]
