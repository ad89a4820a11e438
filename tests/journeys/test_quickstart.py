"""The two things that the README promises to a stranger."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from deploy.box import PROJECT

pytestmark = pytest.mark.journey
CHECK = ["bash", "deploy/quickstart.sh", "--check"]


def processes_with(mark: Path) -> list[int]:
    """Processes that carry this path in their arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(mark) in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place where nothing is installed yet."""
    return tmp_path_factory.mktemp("state")


def test_the_check_holds_and_leaves_nothing_running(state: Path) -> None:
    done = subprocess.run(
        CHECK,
        cwd=PROJECT,
        env={**os.environ, "PROXY_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "All of it held." in done.stdout
    assert processes_with(state) == []
    assert sorted(path.name for path in state.iterdir()) == ["venv"]


def test_a_check_that_is_interrupted_says_so_and_leaves_nothing_running(state: Path) -> None:
    running = subprocess.Popen(
        CHECK,
        cwd=PROJECT,
        env={**os.environ, "PROXY_STATE_DIR": str(state), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if "download on the box" in line:
            break
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=90)

    assert running.returncode == 1, rest
    assert "It did NOT hold." in rest
    assert processes_with(state) == []
    assert sorted(path.name for path in state.iterdir()) == ["venv"]
