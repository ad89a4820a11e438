"""A database from before sessions were rows of our own."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

OLD_TABLES = ("token_blacklist_outstandingtoken", "token_blacklist_blacklistedtoken")


@pytest.fixture
def before(transactional_db: None) -> Iterator[None]:
    call_command("migrate", "accounts", "0001", verbosity=0)
    yield
    call_command("migrate", verbosity=0)


def test_the_tables_of_the_token_blacklist_go(before: None) -> None:
    outstanding, blacklisted = OLD_TABLES
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {outstanding} (id int PRIMARY KEY, user_id bigint REFERENCES accounts_user)"
        )
        cursor.execute(f"CREATE TABLE {blacklisted} (token_id int REFERENCES {outstanding})")
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('token_blacklist', '0001', now())"
        )
    call_command("migrate", verbosity=0)
    assert not set(OLD_TABLES) & set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations WHERE app = 'token_blacklist'")
        assert cursor.fetchone() == (0,)
