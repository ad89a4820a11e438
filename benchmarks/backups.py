"""How long a backup and having it back take: `python -m benchmarks.backups [--mb 1000] [--quick] [--json]`.

The commands themselves, on a PostgreSQL from the wheel with that much in a table that compresses badly (hashes in
hexadecimal). Needs five times that on the disk of the temporary folder.
"""

import argparse
import atexit
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pyrage

from benchmarks.common import Figures, Promise, report
from proxy_site import embedded_postgres
from proxy_site.environment import PROJECT_DIR

RESTORE_BAR = 600  # seconds; of the hour in which the box is to be back, most goes to getting a machine
MEMORY_BAR = 200  # MiB
ROW = 1920  # bytes
FILL = """
INSERT INTO django_session (session_key, session_data, expire_date)
SELECT md5(row::text), now()::text || (
    SELECT string_agg(md5(random()::text || row || part), '') FROM generate_series(1, 60) part
), now()
FROM generate_series(1, %s) row
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backups", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--mb", type=int, default=1000, help="size of the database (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few megabytes: does it work at all?")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # whatever ends us, the rest ends too
    figures = _measured(2 if options.quick else options.mb)
    promises = [
        Promise("a restore, seconds", figures["restore_s"], RESTORE_BAR),
        Promise("any command's memory, MiB", figures["peak_mib"], MEMORY_BAR),
    ]
    print(report(name="backups", figures=figures, promises=promises, as_json=options.json))
    return 0


def _measured(megabytes: int) -> Figures:
    """On a database that goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after PostgreSQL, which comes next
    url = embedded_postgres.own(folder / "data" / "postgres")
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DATA_DIR": str(folder / "data"),
        "BACKUP_KEY": str(pyrage.x25519.Identity.generate()),
        "ENVIRONMENT": "development",
        "PYTHON_DOTENV_DISABLED": "1",
    }
    _run("migrate", "--verbosity", "0", environment=environment)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL, [megabytes * 1_000_000 // ROW])
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    figures: Figures = {"database_mb": row[0] // 1_000_000 if row else 0}
    for name, arguments in (
        ("backup", ["backup", "--json"]),
        ("verify", ["verify_backup", "--json"]),
        ("restore", ["restore", "newest", "--yes", "--json"]),
    ):
        began = time.perf_counter()
        told = json.loads(_run(*arguments, environment=environment))
        figures[f"{name}_s"] = round(time.perf_counter() - began, 1)
        if name == "backup":
            figures["archive_mb"] = round(told["size"] / 1_000_000, 1)
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return figures


def _run(*arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, PROJECT_DIR / "manage.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"manage.py {arguments[0]}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
