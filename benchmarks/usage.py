"""What processes cost: processor time and memory, also of children that come and go."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import psutil

from deploy.box import Box

SAMPLE_SECONDS = 0.05
# By what stands in its command line, the first that fits; the rest is `up` itself and PostgreSQL's pieces.
_MARKS = {
    "postgres": "postgres",
    "web": "gunicorn",
    "worker": "run_worker",
    "engine": "run_engine",
    "sftp": "run_sftp",
    "traffic": "count_handover",
    "qbittorrent": "qbittorrent",
    "caddy": "caddy run",
    "up": "manage.py up",
}


def parts_of(box: Box) -> dict[str, list[psutil.Process]]:
    """The box's processes, by what they are; raises RuntimeError where one is none of those we know."""
    found: dict[str, list[psutil.Process]] = {part: [] for part in _MARKS}
    mark = str(box.directory)
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if mark not in words and mark not in process.environ().get("DATA_DIR", ""):
                continue
        except psutil.Error:
            continue
        if process.pid == os.getpid() or not words:
            continue
        part = next((name for name, word in _MARKS.items() if word in words), None)
        if part is None:
            raise RuntimeError(f"What is this process of the box? {words}")
        # PostgreSQL's processes write what they do over their command lines and environments.
        found[part] += tree(process.pid) if part == "postgres" else [process]
    return found


def tree(pid: int) -> list[psutil.Process]:
    """The process and all below it; empty when it has ended."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """Of these processes and of all that they have ever waited for; what still runs below them is not in it."""
    total = 0.0
    for pid in pids:
        spent = psutil.Process(pid).cpu_times()
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def pss_bytes(process: psutil.Process) -> int:
    """Memory of its own, and its share of what it shares; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


class PeakMemory:
    """The most that trees of processes held together, seen several times a second. A context manager."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = list(pids)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.most = 0

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.is_set():
            self.most = max(self.most, sum(pss_bytes(one) for pid in self._pids for one in tree(pid)))
            self._done.wait(SAMPLE_SECONDS)
