"""Keeps the parts of the box running on one machine: starts them, shows what they say, brings back what dies.

A server has systemd for this. Here a part that ends is started again by itself, unless it says by its exit code that
this is of no use, and no part outlives us: each is asked to stop when we end, even when we are killed.
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
HURRY_AFTER = (
    1.0  # a second signal sooner than this is the first one again, passed on by a shell or a wrapper
)
TEND_SECONDS = 5.0
TICK = 0.2
CANNOT_WORK = os.EX_CONFIG  # exit code of a part that cannot work before somebody changes something
LONGEST_LINE = 8192  # bytes; the rest of a longer line is not shown


@dataclass
class Part:
    """One process of the box. `command` is its argument list; its output is shown under `name`."""

    name: str
    command: Sequence[str]
    stop_seconds: float | None = None  # how long it may take to stop; None: STOP_SECONDS
    process: subprocess.Popen[bytes] | None = None
    output: io.RawIOBase | None = None
    started_at: float = 0.0
    start_at: float | None = 0.0  # when to start it (again); None while it runs, and when it cannot work
    pause: float = FIRST_PAUSE
    partial_line: bytes = field(default=b"", repr=False)


class Supervisor:
    """Runs parts until SIGTERM, SIGINT or SIGHUP. A second SIGTERM or SIGINT does not wait any longer."""

    def __init__(self, parts: Sequence[Part], *, say: Callable[[str], None]) -> None:
        self._parts = list(parts)
        self._say = say
        self._selector = selectors.DefaultSelector()
        self._told_to_stop_at: float | None = None
        self._in_a_hurry = False
        self._width = max(len(part.name) for part in parts)

    def run(
        self,
        *,
        ready: Callable[[], bool],
        when_ready: Callable[[], None],
        tend: Callable[[], None] = lambda: None,
    ) -> None:
        """Returns when all parts have ended.

        `when_ready` is called once, when `ready` first says so; `tend` every few seconds.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, self._ask_to_stop)
        announced = False
        tend_at = time.monotonic() + TEND_SECONDS
        try:
            while self._told_to_stop_at is None:
                self._start_due_parts()
                self._show_output(TICK)
                self._notice_deaths()
                if not announced and ready():
                    announced = True
                    when_ready()
                if time.monotonic() >= tend_at:
                    tend()
                    tend_at = time.monotonic() + TEND_SECONDS
        finally:
            self._stop_all()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._told_to_stop_at is None:
            self._told_to_stop_at = now
        elif number != signal.SIGHUP and now - self._told_to_stop_at >= HURRY_AFTER:
            self._in_a_hurry = True

    def _start_due_parts(self) -> None:
        for part in self._parts:
            if part.start_at is not None and time.monotonic() >= part.start_at:
                self._start(part)

    def _start(self, part: Part) -> None:
        part.started_at = time.monotonic()
        try:
            process = subprocess.Popen(
                [*_die_with_parent(), *part.command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                bufsize=0,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we pass it on in order
            )
        except OSError as error:
            self._start_later(part, f"cannot be started ({error})")
            return
        part.process, part.output, part.start_at = process, cast(io.RawIOBase, process.stdout), None
        os.set_blocking(part.output.fileno(), False)
        self._selector.register(part.output, selectors.EVENT_READ, part)

    def _start_later(self, part: Part, what_happened: str) -> None:
        if time.monotonic() - part.started_at > STEADY:
            part.pause = FIRST_PAUSE
        self._show(part, f"{what_happened}; starting it again in {part.pause:g} s.")
        part.start_at = time.monotonic() + part.pause
        part.pause = min(part.pause * 2, LONGEST_PAUSE)

    def _show_output(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def _read(self, part: Part) -> bool:
        """Show what one read gives. False when there is nothing (more) to read now."""
        assert part.output is not None
        block = part.output.read(65536)
        if not block:
            if block is not None:  # the end
                self._close_output(part)
            return False
        *lines, rest = block.split(b"\n")
        for line in lines:
            self._show(part, part.partial_line + line)
            part.partial_line = b""
        part.partial_line = (part.partial_line + rest)[: LONGEST_LINE + 1]
        return True

    def _close_output(self, part: Part) -> None:
        if part.output is not None:
            self._selector.unregister(part.output)
            part.output.close()
            part.output = None
        if part.partial_line:
            self._show(part, part.partial_line)
            part.partial_line = b""

    def _show(self, part: Part, line: bytes | str) -> None:
        if isinstance(line, bytes):
            cut = " … (cut)" if len(line) > LONGEST_LINE else ""
            line = line[:LONGEST_LINE].decode(errors="replace").rstrip() + cut
        # A torrent's name may hold what a terminal takes for commands.
        text = "".join(char if char.isprintable() or char == "\t" else "�" for char in line)
        self._say(f"{part.name:<{self._width}} | {text}")

    def _notice_deaths(self) -> None:
        for part in self._parts:
            if part.process is not None and part.process.poll() is not None:
                code = part.process.returncode
                self._bury(part)
                if code == CANNOT_WORK:
                    self._show(
                        part, "cannot work like this. The rest goes on without it: mend it, then start anew."
                    )
                else:
                    self._start_later(part, _ending(code))

    def _bury(self, part: Part) -> None:
        """Kill what is left of a part that has ended or will not, and show its last words."""
        assert part.process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(part.process.pid, signal.SIGKILL)
        part.process.wait()
        part.process = None
        for _ in range(16):  # a pipe holds no more
            if part.output is None or not self._read(part):
                break
        self._close_output(part)

    def _stop_all(self) -> None:
        self._say("Stopping.")
        began = time.monotonic()
        for part in self._parts:
            if part.process is not None:
                # The parent alone: a Django-Q cluster whose workers get the signal too can hang.
                with contextlib.suppress(ProcessLookupError):
                    part.process.terminate()
        while running := [part for part in self._parts if part.process and part.process.poll() is None]:
            self._show_output(TICK)
            took = time.monotonic() - began
            for part in running:
                patience = STOP_SECONDS if part.stop_seconds is None else part.stop_seconds
                if self._in_a_hurry or took > patience:
                    self._bury(part)
        for part in self._parts:
            if part.process is not None:
                self._bury(part)
        self._selector.close()


def _die_with_parent() -> list[str]:
    """A prefix that has Linux send SIGTERM to the part when we die, however we die."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _ending(code: int) -> str:
    return f"ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
