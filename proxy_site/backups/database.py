"""The databases of a server: what one holds, dumping it, making another of a dump, and putting that in its place."""

import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import psycopg
from django.conf import settings
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from proxy_site.backups.errors import BackupError
from proxy_site.backups.manifest import Contents
from proxy_site.backups.programs import programs_for

APPLICATION = "oci-torrent-proxy backups"  # in pg_stat_activity
LONGEST_BASE = 32  # characters; with what comes behind, PostgreSQL's 63 are not exceeded
PURPOSES = ("verify", "restoring")  # of databases that are made for a while
SESSIONS_END_EVERY = 0.2  # seconds; PostgreSQL itself waits 5 for the last session to end

_TABLES = """
SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
"""

_SIZE = "SELECT pg_database_size(current_database())"
_SIZE_OF_TABLES = """
SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE relkind = 'r' AND relname !~ '^pg_'
"""
_MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"
# Of two small tables that are written whenever the box works.
_NEWEST_ROW = """
SELECT greatest((SELECT max(applied) FROM django_migrations), (SELECT max(stopped) FROM django_q_task))
"""
_NEEDED = ("public.django_migrations", "public.django_q_task")
_SESSIONS_PIDS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = ANY(%s) AND backend_type = 'client backend'"
)
_SESSIONS = """
SELECT format('%%s (%%s, process %%s)', usename, coalesce(nullif(application_name, ''), 'no name'), pid)
FROM pg_stat_activity WHERE datname = ANY(%s)
"""


@dataclass(frozen=True)
class Database:
    """One database and the way to it. Methods raise BackupError where the server is away or refuses."""

    name: str
    parameters: Mapping[str, str]  # libpq's, without dbname

    @classmethod
    def of_box(cls) -> Self:
        configured: dict[str, Any] = settings.DATABASES["default"]
        known = {default.keyword.decode() for default in pq.Conninfo.get_defaults()}
        told = {
            **configured.get("OPTIONS", {}),
            "user": configured["USER"],
            "password": configured["PASSWORD"],
            "host": configured["HOST"],
            "port": configured["PORT"],
            "application_name": APPLICATION,
        }
        return cls(
            configured["NAME"],
            {name: str(value) for name, value in told.items() if name in known and value != ""},
        )

    def named(self, name: str) -> Self:
        return replace(self, name=name)

    def environment(self) -> dict[str, str]:
        """libpq's variables, for its programs."""
        variables = {d.keyword.decode(): d.envvar.decode() for d in pq.Conninfo.get_defaults() if d.envvar}
        told = {**self.parameters, "dbname": self.name}
        return {variables[name]: value for name, value in told.items() if name in variables}

    def url(self) -> str:
        """For DATABASE_URL."""
        return f"postgresql:///{quote(self.name, safe='')}?" + "&".join(
            f"{name}={quote(value, safe='')}" for name, value in self.parameters.items()
        )

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """In autocommit mode."""
        try:
            with psycopg.connect(
                make_conninfo(**self.parameters, dbname=self.name), autocommit=True
            ) as connection:
                yield connection
        except psycopg.Error as error:
            raise BackupError(_in_words(error)) from error

    @contextmanager
    def beside(self) -> Iterator[psycopg.Connection[Any]]:
        """Connected to another database of the server, so that this one may be renamed or not exist."""
        reasons = []
        for name in ("postgres", "template1"):
            if name == self.name:
                continue
            try:
                connection = psycopg.connect(make_conninfo(**self.parameters, dbname=name), autocommit=True)
            except psycopg.Error as error:
                reasons.append(str(error).strip())
                continue
            with connection:
                try:
                    yield connection
                except psycopg.Error as error:
                    raise BackupError(_in_words(error)) from error
            return
        raise BackupError(f"PostgreSQL lets us into no database beside {self.name}: {' '.join(reasons)}")

    def exists(self) -> bool:
        with self.beside() as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            return connection.execute(query, [self.name]).fetchone() is not None

    def server_major(self) -> int:
        with self.beside() as connection:
            return connection.info.server_version // 10000

    # --- what it holds

    def contents(self) -> Contents:
        with self.connected() as connection, _one_moment(connection):
            return _contents(connection)

    def dump(self, to: Path) -> tuple[Contents, int]:
        """Write it to a file in PostgreSQL's custom format. What it held at that moment; the server's major version."""
        with self.connected() as connection, _one_moment(connection):
            server_major = connection.info.server_version // 10000
            programs = programs_for(server_major)
            snapshot = _value(connection, "SELECT pg_export_snapshot()")
            contents = _contents(connection)
            programs.dump(to, snapshot=snapshot, environment=self.environment())
        return contents, server_major

    def sizes(self) -> tuple[int, int]:
        """Bytes: all of it on the server's disk, and of tables alone, which a dump does not exceed by much."""
        with self.connected() as connection:
            return _value(connection, _SIZE), int(_value(connection, _SIZE_OF_TABLES))

    def volume(self) -> Path | None:
        """A folder on the volume where the server keeps its data, as far as we may know; None: on another machine."""
        host = self.parameters.get("host", "")
        if not (host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1")):
            return None
        place = Path("/var/lib/postgresql")
        with suppress(BackupError), self.beside() as connection:  # who is no superuser may not know
            place = Path(_value(connection, "SHOW data_directory"))
        return next(path for path in (place, *place.parents) if path.is_dir() and os.access(path, os.X_OK))

    # --- others beside it

    @contextmanager
    def scratch(self, purpose: str) -> Iterator[Self]:
        """A new, empty database, which is gone afterwards whatever happens, unless it was renamed. What runs that were
        killed left of theirs is gone before. `purpose` is one of PURPOSES."""
        self._drop_leftovers()
        made = self.named(self._beside_name(purpose, secrets.token_hex(6)))
        self._execute("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", made.name)
        try:
            yield made
        finally:
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", made.name)

    def fill_from(self, dump: Path) -> None:
        programs_for(self.server_major()).restore(dump, environment=self.environment())

    def kept(self) -> list[tuple[str, int]]:
        """Databases that restoring put aside, and their sizes in bytes."""
        query = (
            "SELECT datname, pg_database_size(oid) FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1"
        )
        with self.beside() as connection:
            return connection.execute(query, [self._beside_name("before_restore", "")]).fetchall()

    def drop_kept(self, name: str) -> None:
        names = [kept for kept, _ in self.kept()]
        if name not in names:
            there_are = f"There are: {', '.join(names)}." if names else "There is none."
            raise BackupError(f"No database {name!r} was put aside by a restore. {there_are}")
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    # --- putting one in its place

    def ours_connected(self) -> int:
        """Sessions of the box's own processes: web, worker, reconciler, SFTP."""
        ours = settings.DATABASES["default"]["OPTIONS"]["application_name"]
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = %s"
        with self.beside() as connection:
            return int(_value(connection, query, self.name, ours))

    def replace_by(self, other: Self, *, at: datetime) -> str:
        """Give `other` this one's name, both in one transaction; the name under which this one stays, "" if there was
        none. Sessions of both end, and none begins meanwhile: renaming locks the database, and who connects waits.
        """
        aside = self._beside_name("before_restore", f"{at:%Y%m%d_%H%M%S}") if self.exists() else ""
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        with _sessions_ending(self, other), self.beside() as connection, connection.transaction():
            if aside:
                connection.execute(rename.format(sql.Identifier(self.name), sql.Identifier(aside)))
            connection.execute(rename.format(sql.Identifier(other.name), sql.Identifier(self.name)))
        return aside

    def _beside_name(self, purpose: str, end: str) -> str:
        return f"{self.name[:LONGEST_BASE]}_{purpose}_{end}"

    def _execute(self, statement: str, name: str) -> None:
        with self.beside() as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def _drop_leftovers(self) -> None:
        """Those alone that are named as ours are, to the last digit: others may call theirs what they like."""
        ours = re.compile(rf"({'|'.join(PURPOSES)})_[0-9a-f]{{12}}")
        beginning = f"{self.name[:LONGEST_BASE]}_"
        query = (
            "SELECT datname FROM pg_database d WHERE starts_with(datname, %s) AND NOT EXISTS "
            "(SELECT 1 FROM pg_stat_activity a WHERE a.datid = d.oid)"
        )
        with self.beside() as connection:
            for (name,) in connection.execute(query, [beginning]).fetchall():
                if ours.fullmatch(name.removeprefix(beginning)):
                    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


@contextmanager
def _one_moment(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A transaction that sees one state of the database, for as long as it takes."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


def _contents(connection: psycopg.Connection[Any]) -> Contents:
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    if not set(_NEEDED) <= set(tables):
        raise BackupError(
            f"The database {connection.info.dbname} has no tables of ours: python manage.py migrate"
        )
    return Contents(
        tables={name: _value(connection, f"SELECT count(*) FROM {name}") for name in tables},  # noqa: S608  quoted by format()
        migrations=tuple(name for (name,) in connection.execute(_MIGRATIONS).fetchall()),
        newest_row_at=_value(connection, _NEWEST_ROW),
    )


def _value(connection: psycopg.Connection[Any], query: str, *values: object) -> Any:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def _sessions_ending(*databases: Database) -> Iterator[None]:
    """End the sessions of these databases, and those that come, until it is over. Raises BackupError that names those
    who stay, where that is why it failed."""
    done = threading.Event()
    names = [database.name for database in databases]

    def end() -> None:
        with suppress(BackupError), databases[0].beside() as connection:
            while True:
                for (pid,) in connection.execute(_SESSIONS_PIDS, [names]).fetchall():
                    # One that we may not end is waited for, and named then.
                    with suppress(psycopg.errors.InsufficientPrivilege):
                        connection.execute("SELECT pg_terminate_backend(%s)", [pid])
                if done.wait(SESSIONS_END_EVERY):
                    return

    thread = threading.Thread(target=end, name="end sessions", daemon=True)
    thread.start()
    try:
        yield
    except BackupError as error:
        if isinstance(error.__cause__, psycopg.errors.ObjectInUse):
            with databases[0].beside() as connection:
                who = [told for (told,) in connection.execute(_SESSIONS, [names]).fetchall()]
            raise BackupError(
                f"Somebody is still connected whom we may not disconnect: {', '.join(who) or 'not known'}. "
                "End that, then try again; nothing was changed."
            ) from error
        raise
    finally:
        done.set()
        thread.join()


def _in_words(error: psycopg.Error) -> str:
    said = str(error).strip() or type(error).__name__
    if isinstance(error, psycopg.errors.InsufficientPrivilege) and "create database" in said:
        return (
            "The role that DATABASE_URL names may not make databases, which this needs. As PostgreSQL's administrator: "
            "ALTER ROLE its_name CREATEDB"
        )
    return f"PostgreSQL said: {said}"
