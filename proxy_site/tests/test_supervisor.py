"""The supervisor, with small real programs as the parts of the box."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from proxy_site.tests import processes

# Each argument is NAME=CODE, the code of a Python program, or NAME=/PROGRAM; the pauses are those of a test.
SUPERVISE = """
import sys, time
from proxy_site import supervisor
supervisor.FIRST_PAUSE, supervisor.LONGEST_PAUSE, supervisor.STOP_SECONDS = 0.1, 0.4, {stop_seconds}
parts = [
    supervisor.Part(
        name,
        [what] if what.startswith("/") else [sys.executable, "-u", "-c", what],
        pause=supervisor.FIRST_PAUSE,
    )
    for name, _, what in (part.partition("=") for part in sys.argv[1:])
]
supervisor.Supervisor(parts, say=lambda line: print(line, flush=True)).run(
    ready=lambda: True, when_ready=lambda: print("ready", flush=True)
)
print("all ended", flush=True)
"""
LIVES = "import time; print('lives', flush=True); time.sleep(60)"
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LIVES


class Box:
    """A supervisor at work, and what it has said so far."""

    def __init__(self, log: Path, pid: int) -> None:
        self.log, self.pid = log, pid
        self.process = psutil.Process(pid)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, times: int = 1) -> None:
        processes.wait_until(lambda: self.output().count(text) >= times, f"{text!r} in {self.output()!r}", 10)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def ended_within(self, seconds: float) -> float:
        """How long it took to end after this call, in seconds."""
        started = time.monotonic()
        self.process.wait(timeout=seconds)
        return time.monotonic() - started


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A word in the environment of every process of this test, to find them by."""
    return f"mark-{tmp_path}"


@contextmanager
def box(tmp_path: Path, *parts: str, stop_seconds: float = 10.0, **settings: str) -> Iterator[Box]:
    log = tmp_path / "log"
    command = processes.python(SUPERVISE.format(stop_seconds=stop_seconds), *parts)
    with log.open("w") as output:
        process = processes.start(command, output=output.fileno(), TEST_MARK=f"mark-{tmp_path}", **settings)
    try:
        yield Box(log, process.pid)
    finally:
        process.kill()
        process.communicate(timeout=10)
        processes.wait_until(lambda: not processes.using(f"mark-{tmp_path}"), "every process has ended")
        assert "Traceback" not in log.read_text(errors="replace"), log.read_text(errors="replace")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_every_part_and_then_us(tmp_path: Path, number: signal.Signals) -> None:
    says = (
        "import signal, sys, time; signal.signal(15, lambda *_: (print('told'), sys.exit())); print('lives');"
    )
    with box(tmp_path, f"one={says}time.sleep(60)", f"two={says}time.sleep(60)") as supervised:
        supervised.wait_for("| lives", times=2)
        supervised.signal(number)
        supervised.ended_within(5)
        lines = supervised.output().splitlines()
        assert sorted(lines[-3:-1]) == ["one | told", "two | told"]
        assert lines[-4] == "Stopping."
        assert lines[-1] == "all ended"


def test_output_is_shown_under_the_name_of_its_part(tmp_path: Path) -> None:
    writes = "import sys; print('to stdout'); print('to stderr', file=sys.stderr);" + LIVES
    with box(tmp_path, f"engine={LIVES}", f"web={writes}") as supervised:
        supervised.wait_for("web    | lives")
        supervised.wait_for("engine | lives")
        assert "web    | to stdout\n" in supervised.output()
        assert "web    | to stderr\n" in supervised.output()


def test_readiness_is_announced_once(tmp_path: Path) -> None:
    with box(tmp_path, "part=pass") as supervised:
        supervised.wait_for("ended with exit code 0", times=3)
        assert supervised.output().count("ready\n") == 1


def test_a_part_that_dies_comes_back_after_growing_pauses(tmp_path: Path) -> None:
    with box(tmp_path, "part=import sys; sys.exit(3)") as supervised:
        supervised.wait_for("ended", times=4)
        pauses = re.findall(
            r"part \| ended with exit code 3; starting it again in (\S+) s\.", supervised.output()
        )
        assert pauses[:4] == ["0.1", "0.2", "0.4", "0.4"]


def test_a_part_that_says_it_cannot_work_is_not_tried_again_and_the_others_go_on(tmp_path: Path) -> None:
    with box(tmp_path, "broken=import sys; sys.exit(78)", "part=import sys; sys.exit(3)") as supervised:
        supervised.wait_for("part   | ended", times=4)
        broken = [line for line in supervised.output().splitlines() if line.startswith("broken")]
        assert broken == [
            "broken | cannot work like this. The rest goes on without it: mend it, then start anew."
        ]


def test_a_part_that_is_killed_comes_back(tmp_path: Path) -> None:
    with box(tmp_path, f"part={LIVES}") as supervised:
        supervised.wait_for("lives")
        (part,) = supervised.process.children()
        part.kill()
        supervised.wait_for("ended by signal SIGKILL")
        supervised.wait_for("lives", times=2)


def test_the_last_words_of_a_part_come_before_the_news_of_its_end(tmp_path: Path) -> None:
    with box(
        tmp_path, "part=import sys; print('x' * 100 + '\\n' * 3000); sys.stdout.write('last words')"
    ) as box_:
        box_.wait_for("ended")
        output = box_.output()
        assert "part | last words\npart | ended" in output


def test_a_part_that_ignores_sigterm_is_killed_after_the_bound(tmp_path: Path) -> None:
    with box(tmp_path, f"deaf={IGNORES_SIGTERM}", stop_seconds=2) as supervised:
        supervised.wait_for("lives")
        supervised.signal(signal.SIGTERM)
        assert 1.5 < supervised.ended_within(5) < 4


def test_a_second_signal_does_not_wait_any_longer(tmp_path: Path) -> None:
    with box(tmp_path, f"deaf={IGNORES_SIGTERM}") as supervised:
        supervised.wait_for("lives")
        supervised.signal(signal.SIGINT)
        time.sleep(1.2)
        supervised.signal(signal.SIGINT)
        supervised.ended_within(2)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_comes_twice_at_once_counts_as_one(tmp_path: Path, number: signal.Signals) -> None:
    """As from a closing terminal, whose shell and kernel both tell us, or from a wrapper that passes Ctrl-C on."""
    slow = (
        "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(1), print('saved'), sys.exit()));"
    )
    with box(tmp_path, f"slow={slow}{LIVES}") as supervised:
        supervised.wait_for("lives")
        supervised.signal(number)
        time.sleep(0.3)
        supervised.signal(number)
        supervised.ended_within(5)
        assert "slow | saved" in supervised.output()


def test_a_signal_that_we_were_started_to_ignore_is_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with box(tmp_path, f"part={LIVES}") as supervised:
            supervised.wait_for("lives")
            supervised.signal(signal.SIGHUP)
            time.sleep(0.5)
            assert "Stopping." not in supervised.output()
            supervised.signal(signal.SIGTERM)
            supervised.ended_within(5)
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_children_of_a_part_do_not_outlive_it(tmp_path: Path, mark: str) -> None:
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {IGNORES_SIGTERM!r}]); "
    with box(
        tmp_path, f"part={parent}sys.stdin.read(); import time; time.sleep(1); sys.exit(1)"
    ) as supervised:
        supervised.wait_for("| ended with exit code 1")
        supervised.wait_for("lives")
        supervised.signal(signal.SIGTERM)
        supervised.ended_within(5)
        assert processes.using(mark) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_parts_end_when_we_are_killed(tmp_path: Path, mark: str) -> None:
    with box(tmp_path, f"one={LIVES}", f"two={LIVES}") as supervised:
        supervised.wait_for("| lives", times=2)
        supervised.signal(signal.SIGKILL)
        processes.wait_until(lambda: not processes.using(mark), "the parts have ended", 3)


def test_a_line_without_an_end_is_cut_and_takes_no_memory(tmp_path: Path) -> None:
    floods = (
        "import sys\nfor _ in range(1600): sys.stdout.write('x' * 65536)\n"
        "print(flush=True); print('after', flush=True)\n"
    )
    with box(tmp_path, f"flood={floods}{LIVES}") as supervised:
        supervised.wait_for("flood | after")
        long_line = next(line for line in supervised.output().splitlines() if "xxx" in line)
        assert len(long_line) < 10_000
        assert long_line.endswith("… (cut)")
        assert supervised.process.memory_info().rss < 100 * 2**20


def test_garbage_is_made_harmless_for_the_terminal(tmp_path: Path) -> None:
    garbage = (
        "import sys; sys.stdout.buffer.write(b'\\x1b]0;owned\\x07\\xff\\x00\\r\\n'); sys.stdout.flush();"
    )
    with box(tmp_path, f"part={garbage}{LIVES}") as supervised:
        supervised.wait_for("part | lives")
        assert "part | �]0;owned���\n" in supervised.output()


def test_a_program_that_cannot_be_started_is_tried_again_without_ending_the_others(tmp_path: Path) -> None:
    with box(tmp_path, f"part={LIVES}", "missing=/nonexistent", PATH="/nonexistent") as supervised:
        supervised.wait_for("missing | cannot be started", times=2)
        supervised.wait_for("part    | lives")
        assert "part    | ended" not in supervised.output()
        supervised.signal(signal.SIGTERM)  # without setpriv in PATH a kill would leave the part
        supervised.ended_within(5)


def test_no_child_is_left_as_a_zombie(tmp_path: Path) -> None:
    with box(tmp_path, "part=pass") as supervised:
        supervised.wait_for("ended", times=4)
        states = [child.status() for child in supervised.process.children()]
        assert psutil.STATUS_ZOMBIE not in states
