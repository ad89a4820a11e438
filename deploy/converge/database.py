"""PostgreSQL of this machine: its memory, our role and database, and the way back for an upgrade that fails."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.converge import places
from deploy.converge.commands import output, run
from deploy.converge.files import File
from deploy.converge.run import Resource
from deploy.converge.systemd import Running

GIB = 1024**3
VARIABLES = {"dbname": "PGDATABASE"}  # all others are PG and their own name
EXPORTER = "prometheus"  # postgres_exporter's user in Debian and Ubuntu


def memory_settings(memory: int) -> str:
    """PostgreSQL's own advice, a quarter of the machine's memory (bytes), where there is enough of it.

    On Oracle's 12 GB that is 3 GB, which also keeps the machine from looking idle (docs/free-tier.md).
    """
    share = memory // 4 if memory >= 4 * GIB else memory // 8
    megabytes = max(64, min(share, 4 * GIB) // 1024**2)
    return (
        "# Written by deploy/install.sh. Settings of yours belong in a file whose name comes after this one.\n"
        f"shared_buffers = {megabytes}MB\n"
        f"effective_cache_size = {2 * megabytes}MB\n"
        "max_connections = 200\n"
    )


def machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def cluster_version() -> str | None:
    """Of the newest cluster named `main`; None where there is none yet."""
    found = [line.split() for line in output(["pg_lsclusters", "--no-header"]).splitlines()]
    versions = [columns[0] for columns in found if len(columns) > 1 and columns[1] == "main"]
    return max(versions, key=float) if versions else None


@dataclass
class Statement:
    """Something that a statement of a superuser makes, unless `there` (a query) gives a row."""

    phrase: str
    there: str
    statement: str

    def differs(self) -> list[str]:
        return [] if as_superuser(self.there) == "1" else [self.phrase]

    def apply(self) -> None:
        run(
            ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", "postgres"],
            user="postgres",
            text=self.statement,
            failure=f"PostgreSQL refused to {self.phrase}:",
        )


def as_superuser(query: str) -> str:
    if shutil.which("psql") is None:
        return ""
    return output(["psql", "-qAtX", "-d", "postgres", "-c", query], user="postgres")


def server(version: str | None) -> list[Resource]:
    """PostgreSQL itself, with the memory that this machine has for it. `version` None: nothing is installed yet."""
    if version is None:
        return []
    settings = Path(f"/etc/postgresql/{version}/main/conf.d/50-oci-torrent-proxy.conf")
    return [
        File(settings, content=memory_settings(machine_memory())),
        Running(f"postgresql@{version}-main.service", needs=(settings,)),
    ]


DATABASE_THERE = "SELECT 1 FROM pg_database WHERE datname = '{}'"
ROLE = "SELECT 1 FROM pg_roles WHERE rolname = '{}'"
# CREATEDB: a backup is proved by restoring it into a database of its own.
BOX_ROLE = f'CREATE ROLE "{places.BOX_USER}" LOGIN CREATEDB;'
# Whatever the language of the machine is, names of all languages fit in.
BOX_DATABASE = f"""CREATE DATABASE "{places.DATABASE}" OWNER "{places.BOX_USER}" TEMPLATE template0
ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';"""


def contents(exporter_role: str) -> list[Resource]:
    """`exporter_role`: deploy/prometheus/postgres-role.sql, which says what it makes."""
    return [
        Statement(f"make PostgreSQL's role {places.BOX_USER}", ROLE.format(places.BOX_USER), BOX_ROLE),
        Statement(
            f"make the database {places.DATABASE}",
            DATABASE_THERE.format(places.DATABASE),
            BOX_DATABASE,
        ),
        Statement(
            f"make PostgreSQL's role {EXPORTER}, which reads its statistics",
            ROLE.format(EXPORTER) + " AND pg_has_role(oid, 'pg_monitor', 'member')",
            exporter_role,
        ),
    ]


def libpq(url: str) -> dict[str, str]:
    """Makes PostgreSQL's programs use that database: by variables, because argument lists are for all to see."""
    parts = urlsplit(url)
    given = {
        "host": parts.hostname,
        "port": str(parts.port) if parts.port else None,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "dbname": unquote(parts.path.lstrip("/")),
        **dict(parse_qsl(parts.query)),
    }
    return {VARIABLES.get(name, f"PG{name.upper()}"): value for name, value in given.items() if value}


def query(url: str, statement: str) -> list[str]:
    """Lines of the answer. Raises InstallError where the database does not answer."""
    done = run(
        ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1"],
        user=places.BOX_USER,
        environment=libpq(url),
        text=statement,
        failure="The database does not answer. See that PostgreSQL runs (systemctl status postgresql), then run this "
        "again:",
    )
    return done.stdout.splitlines()


def applied_migrations(url: str) -> set[str]:
    """As "app.name"; none in a new database."""
    if query(url, "SELECT to_regclass('django_migrations') IS NOT NULL") != ["t"]:
        return set()
    return set(query(url, "SELECT app || '.' || name FROM django_migrations"))


def dump(url: str, path: Path) -> None:
    """Everything in the database, for `restore`. Raises InstallError."""
    draft = path.with_suffix(".part")
    run(
        ["pg_dump", "--format=custom", "--no-owner", f"--file={draft}"],
        user=places.BOX_USER,
        environment=libpq(url),
        failure="The database could not be saved, so nothing was upgraded:",
    )
    draft.replace(path)


# One transaction: all of it happens, or nothing. The schema itself is not ours to make.
RESTORE = """
{ echo 'DROP OWNED BY CURRENT_USER CASCADE; CREATE SCHEMA IF NOT EXISTS public;'
  pg_restore --list "$0" | grep -v ' SCHEMA - public ' |
    pg_restore --use-list=/dev/stdin --no-owner --exit-on-error --file=- "$0" || echo 'SELECT 1/0;'
} | psql -qX --single-transaction -v ON_ERROR_STOP=1 >/dev/null
"""


def restore(url: str, path: Path) -> None:
    """The database as it was when `path` was dumped; nobody else may be using it. Raises InstallError."""
    run(
        ["/bin/sh", "-c", RESTORE, path],
        user=places.BOX_USER,
        environment=libpq(url),
        failure=f"The database could not be put back as it was; it is in {path}:",
    )
