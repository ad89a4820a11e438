"""Prepared queries give what a cursor gives, and fail as it does."""

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.utils import DataError
from django.test.utils import CaptureQueriesContext

from proxy_site.postgresql.prepared import MOST, Prepared
from proxy_site.tests.lost_connection import end_connection

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


def together(*queries: tuple[str, list[Any]]) -> list[list[tuple[Any, ...]]]:
    rows: list[list[tuple[Any, ...]]] = connection.fetch_together(queries)  # type: ignore[attr-defined]  # of our backend
    return rows


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


class TestTogether:
    def test_each_gives_what_it_gives_alone(self) -> None:
        queries: list[tuple[str, list[Any]]]
        queries = [("SELECT %s", [1]), ("SELECT 2 WHERE %s", [False]), ("SELECT generate_series(1, %s)", [3])]
        for _ in range(2):
            assert together(*queries) == [[(1,)], [], [(1,), (2,), (3,)]]
        assert fetch("SELECT %s", 4) == [(4,)]

    def test_they_may_be_large(self) -> None:
        much = "x" * 5_000_000
        assert together(
            ("SELECT %s", [much]), ("SELECT repeat('y', %s)", [5_000_000]), ("SELECT %s", [much])
        ) == [
            [(much,)],
            [("y" * 5_000_000,)],
            [(much,)],
        ]

    def test_they_are_planned_once_and_nothing_else_is_for_that(self) -> None:
        sql = "SELECT count(*) FROM generate_series(1, %s)"
        for number in range(1, 4):
            assert together((sql, [number])) == [[(number,)]]
        plans = by_cursor(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%generate_series%%'"
        )
        assert plans == [(3, 0)]
        assert by_cursor("SHOW plan_cache_mode") == [("auto",)]

    def test_one_that_fails_raises_djangos_error_and_leaves_the_connection_usable(self) -> None:
        for _ in range(2):
            with pytest.raises(DataError, match="division by zero"):
                together(("SELECT 1", []), ("SELECT 1 / %s", [0]), ("SELECT 3", []))
        with pytest.raises(ProgrammingError, match="nothing_of_that_name"):
            together(("SELECT 1", []), ("SELECT * FROM nothing_of_that_name", []))
        assert together(("SELECT 1", []), ("SELECT 1 / %s", [1])) == [[(1,)], [(1,)]]

    def test_one_that_takes_too_long_is_not_asked_again(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 2000")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="statement timeout"):
            together(("SELECT 1", []), ("SELECT pg_sleep(20)", []), ("SELECT 3", []))
        assert time.monotonic() - began < 4  # twice as long as it may take

    def test_a_connection_that_cannot_be_asked_to_the_end_is_given_up(self) -> None:
        together(("SELECT 1", []))
        prepared = connection._prepared  # type: ignore[attr-defined]  # of our backend
        query, _, transformer = prepared._asked("SELECT %s", ["x"])
        with pytest.raises(TypeError):
            prepared._pipelined([(query, ["no bytes"], transformer)])
        connection.errors_occurred = True
        connection.close_if_unusable_or_obsolete()
        assert together(("SELECT 1", [])) == [[(1,)]]

    def test_what_the_server_forgot_is_prepared_anew(self) -> None:
        queries = [("SELECT %s", [1]), ("SELECT 2", [])]
        together(*queries)
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        for _ in range(2):
            assert together(*queries) == [[(1,)], [(2,)]]

    def test_in_a_transaction_they_see_what_it_did(self) -> None:
        with transaction.atomic():
            (current,) = by_cursor("SELECT txid_current()")
            assert together(("SELECT txid_current()", []), ("SELECT 1", [])) == [[current], [(1,)]]
        assert prepared_statements() == []

    def test_whoever_watches_the_queries_sees_each(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            together(("SELECT 1", []), ("SELECT 2", []))
        assert len(queries) == 2

    def test_a_lost_connection_is_told_and_the_next_request_has_another(self) -> None:
        queries = [("SELECT %s", [1]), ("SELECT 2", [])]
        together(*queries)
        end_connection()
        with pytest.raises(OperationalError):
            together(*queries)
        connection.close_if_unusable_or_obsolete()
        assert together(*queries) == [[(1,)], [(2,)]]

    def test_a_connection_that_is_lost_while_they_are_answered_is_told(self) -> None:
        with pytest.raises(OperationalError):
            together(
                ("SELECT 1", []), ("SELECT pg_terminate_backend(pg_backend_pid())", []), ("SELECT 3", [])
            )
        connection.close_if_unusable_or_obsolete()
        assert together(("SELECT 1", [])) == [[(1,)]]


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
    assert len(prepared_statements()) == 1


def test_a_transaction_that_is_rolled_back_fails_no_query_after_it() -> None:
    connection.ensure_connection()
    for _ in range(connection.connection.prepare_threshold + 1):
        by_cursor("SELECT 1")  # until psycopg prepares it, too
    assert fetch("SELECT %s", 1) == [(1,)]
    with transaction.atomic():
        by_cursor("SELECT 2")
        transaction.set_rollback(True)
    assert fetch("SELECT %s", 2) == [(2,)]


def test_a_lost_connection_is_told_apart_from_a_query_that_fails() -> None:
    assert fetch("SELECT %s", 1) == [(1,)]
    prepared = Prepared(connection.connection)
    end_connection()
    with pytest.raises(psycopg.OperationalError, match="The connection is lost"):
        prepared.fetch("SELECT 1", ())
    connection.close_if_unusable_or_obsolete()  # as before each request
    assert fetch("SELECT %s", 2) == [(2,)]
