"""Real processes for tests: this project's commands, in an environment that holds nothing of the developer's."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil

from proxy_site.environment import PROJECT_DIR


def environment(**settings: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHON_DOTENV_DISABLED": "1", "PYTHONUNBUFFERED": "1", **settings}


def start(
    arguments: Sequence[str], *, output: int = subprocess.PIPE, cwd: str = str(PROJECT_DIR), **settings: str
) -> subprocess.Popen[str]:
    """A command that the test talks to by its standard input and output; errors come out with the output."""
    return subprocess.Popen(
        arguments,
        cwd=cwd,
        env=environment(**settings),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def run(arguments: Sequence[str], **settings: str) -> subprocess.CompletedProcess[str]:
    """A command to its end, which comes within a minute. `stderr` is apart."""
    return subprocess.run(
        arguments,
        cwd=PROJECT_DIR,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-W", "error::ResourceWarning", "-c", code, *arguments]


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(PROJECT_DIR / "manage.py"), *arguments]


def using(text: str) -> list[str]:
    """Every process of the machine, ended ones apart, with `text` in its command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
            if process.status() != psutil.STATUS_ZOMBIE and any(text in word for word in words):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        except psutil.Error:
            continue
    return found


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether somebody takes connections at this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
