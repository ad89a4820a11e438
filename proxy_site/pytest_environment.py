"""A pytest plugin: the environment of every test, ready before Django reads its settings.

Loaded by `-p` in pyproject.toml, because conftest.py comes too late for that. A private state directory, and a
PostgreSQL from the wheel unless TEST_DATABASE_URL names one.
"""

import os
import shutil
import tempfile
from pathlib import Path

from proxy_site import embedded_postgres

_state = Path(tempfile.mkdtemp(prefix="proxy-test-"))

for name in ("ENVIRONMENT", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "ENGINE"):
    os.environ.pop(name, None)
os.environ["DATA_DIR"] = str(_state)
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or embedded_postgres.own(_state / "postgres")


def pytest_unconfigure() -> None:
    # PostgreSQL stops when this process exits; it writes to its directory until then, so only the rest goes now.
    for entry in _state.iterdir():
        if entry.name != "postgres":
            shutil.rmtree(entry, ignore_errors=True)
