"""A pytest plugin: the environment of every test, ready before Django reads its settings.

Loaded by `-p` in pyproject.toml, because conftest.py comes too late for that. A private state directory, and a
PostgreSQL from the wheel unless TEST_DATABASE_URL names one. No setting of the developer's own gets in.
"""

import os
import re
import shutil
import signal
import tempfile
from pathlib import Path

from proxy_site import embedded_postgres
from proxy_site.environment import PROJECT_DIR

# Where a script starts us in the background Ctrl-C is ignored, and whatever we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_state = Path(tempfile.mkdtemp(prefix="proxy-test-"))

for name in re.findall(r"^#?([A-Z][A-Z_]+)=", (PROJECT_DIR / ".env.example").read_text(), re.MULTILINE):
    os.environ.pop(name, None)
if _binary := os.environ.get(
    "TEST_QBITTORRENT_BINARY"
):  # the tests of engines and journeys with another version
    os.environ["QBITTORRENT_BINARY"] = _binary
os.environ["PYTHON_DOTENV_DISABLED"] = "1"  # in commands that tests start, too
os.environ["ANILIST_URL"] = os.environ["ANIME_RELATIONS_URL"] = "http://127.0.0.1:9/"  # where nobody answers
os.environ["DATA_DIR"] = str(_state)
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or embedded_postgres.own(_state / "postgres")


def pytest_unconfigure() -> None:
    # PostgreSQL stops when this process exits; it writes to its directory until then, so only the rest goes now.
    for entry in _state.iterdir():
        if entry.name not in ("postgres", "run"):
            shutil.rmtree(entry, ignore_errors=True)
