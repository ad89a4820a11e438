"""Keeps the parts of the box running on one machine: starts them, shows what they say, brings back what dies.

A server has systemd for this. Here a part that ends is started again by itself, and no part outlives us: each is
asked to stop when we end, even when we are killed.
"""

import contextlib
import io
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import cast

FIRST_PAUSE = 1.0  # seconds before a part that died is started again; doubles up to LONGEST_PAUSE
LONGEST_PAUSE = 30.0
STEADY = 60.0  # after running this long a part has recovered and its next pause is short again
STOP_SECONDS = 30.0  # qBittorrent writes its resume data; downloads under way are cut
TICK = 0.2


@dataclass
class Part:
    """One process of the box. `command` is its argument list; its output is shown under `name`."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float | None = 0.0  # when to start it (again); None while it runs
    pause: float = FIRST_PAUSE
    partial_line: bytes = field(default=b"", repr=False)


class Supervisor:
    """Runs parts until SIGTERM, SIGINT or SIGHUP. A second signal does not wait any longer."""

    def __init__(self, parts: Sequence[Part], *, say: Callable[[str], None]) -> None:
        self._parts = list(parts)
        self._say = say
        self._selector = selectors.DefaultSelector()
        self._stopping = 0
        self._width = max(len(part.name) for part in parts)

    def run(self, *, ready: Callable[[], bool], when_ready: Callable[[], None]) -> None:
        """Returns when all parts have ended. `when_ready` is called once, when `ready` first says so."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        announced = False
        while not self._stopping:
            self._start_due_parts()
            self._show_output(TICK)
            self._notice_deaths()
            if not announced and ready():
                announced = True
                when_ready()
        self._stop_all()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping += 1

    def _start_due_parts(self) -> None:
        for part in self._parts:
            if part.start_at is not None and time.monotonic() >= part.start_at:
                self._start(part)

    def _start(self, part: Part) -> None:
        process = subprocess.Popen(
            [*_die_with_parent(), *part.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            bufsize=0,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches us alone; we pass it on in order
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, part)
        part.process, part.started_at, part.start_at = process, time.monotonic(), None

    def _show_output(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            self._read(cast(io.RawIOBase, key.fileobj), key.data)

    def _read(self, stream: io.RawIOBase, part: Part) -> None:
        block = stream.read(65536)
        if block is None:  # nothing to read after all
            return
        if not block:
            self._selector.unregister(stream)
            stream.close()
        *lines, part.partial_line = (part.partial_line + block).split(b"\n")
        if not block and part.partial_line:
            lines, part.partial_line = [*lines, part.partial_line], b""
        for line in lines:
            self._say(f"{part.name:<{self._width}} | {line.decode(errors='replace').rstrip()}")

    def _notice_deaths(self) -> None:
        for part in self._parts:
            if part.process is None or part.process.poll() is None:
                continue
            ran = time.monotonic() - part.started_at
            if ran > STEADY:
                part.pause = FIRST_PAUSE
            self._say(
                f"{part.name:<{self._width}} | {_ending(part.process.returncode)}; "
                f"starting it again in {part.pause:.0f} s."
            )
            _kill_group(part.process)
            part.start_at = time.monotonic() + part.pause
            part.pause = min(part.pause * 2, LONGEST_PAUSE)
            part.process = None

    def _stop_all(self) -> None:
        self._say("Stopping.")
        deadline = time.monotonic() + STOP_SECONDS
        for part in self._parts:
            if part.process is not None:
                # The parent alone: a Django-Q cluster whose workers get the signal too can hang.
                with contextlib.suppress(ProcessLookupError):
                    part.process.terminate()
        while any(part.process and part.process.poll() is None for part in self._parts):
            self._show_output(TICK)
            if self._stopping > 1 or time.monotonic() > deadline:
                break
        for part in self._parts:
            if part.process is not None:
                _kill_group(part.process)
                part.process.wait()
        self._show_output(0)
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            cast(io.RawIOBase, key.fileobj).close()
        self._selector.close()


def _die_with_parent() -> list[str]:
    """A prefix that has Linux send SIGTERM to the part when we die, however we die."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """What is left of a part that has ended or will not."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _ending(code: int) -> str:
    return f"ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
