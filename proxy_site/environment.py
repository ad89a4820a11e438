"""What must be true before settings can be read: `.env` is loaded and there is a PostgreSQL to name.

Settings themselves only read variables; whoever starts a process by hand (manage.py, the tests) comes here first.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from dotenv import load_dotenv

from proxy_site import embedded_postgres

PROJECT_DIR = Path(__file__).resolve().parent.parent

# These never ask the database anything, so they need not wait two seconds for one.
COMMANDS_WITHOUT_DATABASE = frozenset(
    {"help", "version", "check", "spectacular", "run_qbittorrent", "diffsettings"}
)
NO_DATABASE_URL = "postgresql://postgres@/postgres?host=/nonexistent"


class EnvironmentNotReadyError(Exception):
    """Nothing can start; the text says why and what to do."""


def default_data_dir() -> Path:
    """Where state lives unless DATA_DIR says otherwise.

    For root it is not the home directory: the embedded PostgreSQL opens every parent of its data to all users.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/oci-torrent-proxy/data")
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "oci-torrent-proxy" / "data"


def directory(name: str, default: Path) -> Path:
    """The absolute path that variable `name` holds. A relative one starts at this project, like `.env` itself:
    the processes of one box differ in their working directory."""
    return (PROJECT_DIR / Path(os.environ.get(name) or default).expanduser()).resolve()


def data_dir() -> Path:
    return directory("DATA_DIR", default_data_dir())


def prepare(arguments: Sequence[str]) -> None:
    """Load `.env` and make DATABASE_URL name a PostgreSQL that answers, starting our own if none is named.

    Raises EnvironmentNotReadyError where that is refused or fails.
    """
    try:
        load_dotenv(PROJECT_DIR / ".env")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentNotReadyError(f"{PROJECT_DIR / '.env'} cannot be read: {error}") from error
    if os.environ.get("DATABASE_URL"):
        return
    command = arguments[0] if arguments else "help"
    if command in COMMANDS_WITHOUT_DATABASE or "--help" in arguments or "-h" in arguments:
        os.environ["DATABASE_URL"] = NO_DATABASE_URL
        return
    if os.environ.get("ENVIRONMENT") == "production":
        raise EnvironmentNotReadyError(
            "DATABASE_URL is not set. A production server needs a PostgreSQL (15 or newer) of its own, "
            "for example DATABASE_URL=postgresql://proxy:PASSWORD@127.0.0.1/proxy."
        )
    try:
        # `up` stops the server when it ends, so it has to own it; everybody else uses a running one as it is.
        start = embedded_postgres.own if command == "up" else embedded_postgres.attach_or_own
        os.environ["DATABASE_URL"] = start(data_dir() / "postgres")
    except embedded_postgres.EmbeddedPostgresError as error:
        raise EnvironmentNotReadyError(str(error)) from error
