"""What a round of the reconciler costs: `python -m benchmarks.reconciler [--quick] [--json]`.

5,000 torrents of 20 people in a real qBittorrent, one of 25 finished and seeded for as long as anybody asked (it checks
about one a second), the others paused, some with chosen files: first with nothing going on, then beside 50 that
download. A round reads everything that people wish again when somebody wished something, and every 30 seconds; the
rounds between work from memory. Both are counted out here, a second apart, in CPU time of the reconciler and of
PostgreSQL, in milliseconds a round.

Needs what benchmarks.api needs.
"""

import argparse
import hashlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from benchmarks.common import Figures, Promise, report
from benchmarks.populated import (
    PIECE,
    active_torrents,
    add_stopped,
    metainfo,
    person,
    running_box,
    wait_until_finished,
    wait_until_stopped,
)

if TYPE_CHECKING:
    from accounts.models import User
    from torrents.reconciler import Reconciler

PEOPLE = 20
BATCH = 200  # torrents in a transaction
PAUSE = 1.0  # seconds between two rounds, as the reconciler has it
ZEROS = hashlib.sha1(bytes(PIECE)).digest()  # noqa: S324  BitTorrent v1
CPU_BAR = 300.0  # ms a round


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # whatever ends us, the box ends too
    with running_box(MAX_ACTIVE_TORRENTS="10000", DEFAULT_ACTIVE_TORRENTS="10000") as box:
        people = [person(f"person{number}") for number in range(PEOPLE)]
        finished = options.torrents // 25
        add_finished(people, finished)
        for place, user in enumerate(people):
            add_stopped(user, range(finished + place, options.torrents, len(people)))
        wait_until_finished(finished)
        wait_until_stopped(options.torrents - finished)
        choose_files()
        postgres = _processes_in(f"{box.directory}/data/postgres")
        with taken_over() as reconciler:
            figures: Figures = {"idle": measured(reconciler, postgres, options.rounds)}
        with (
            active_torrents(box, people, options.active, each=5),
            taken_over() as reconciler,
        ):
            figures["active"] = measured(reconciler, postgres, options.rounds)
    promises = [
        Promise(
            f"CPU ms of the reconciler in a round that reads all, {when}", rounds["reload"]["cpu_ms"], CPU_BAR
        )
        for when, rounds in figures.items()
    ]
    print(report(name="reconciler", figures=figures, promises=promises, as_json=options.json))
    return 0


def add_finished(people: Sequence["User"], count: int) -> None:
    """Torrents whose data, zeros in sparse files, is there before the engine is told of them."""
    from django.db import transaction

    from torrents.claim_wishes import add_with_wishes
    from torrents.metainfo import parse_torrent
    from torrents.models import Claim

    for start in range(0, count, BATCH):
        with transaction.atomic():
            for number in range(start, min(start + BATCH, count)):
                claim, _ = add_with_wishes(
                    user=people[number % len(people)],
                    source=parse_torrent(metainfo(f"Film {number:05}.mkv", PIECE, pieces=ZEROS)),
                    wanted=Claim.Wanted.RUNNING,
                    wishes={"seed_seconds": 0},
                )
                claim.torrent.data_dir.mkdir(parents=True)
                with (claim.torrent.data_dir / f"Film {number:05}.mkv").open("wb") as file:
                    file.truncate(PIECE)


def choose_files() -> None:
    """Of some torrents that are paused, their only file by its number: few, for each is read once after a start."""
    from torrents.models import Claim

    paused = Claim.objects.filter(wanted=Claim.Wanted.PAUSED).order_by("pk")
    half = paused.values_list("pk", flat=True)[: paused.count() // 50]
    Claim.objects.filter(pk__in=list(half)).update(chosen_files=[0])


@contextmanager
def taken_over() -> Iterator["Reconciler"]:
    """A reconciler in this process, in place of the box's own, which queues for the lock meanwhile."""
    from django.db import connection

    from torrents.engines.registry import create_engine
    from torrents.reconciler import Reconciler
    from torrents.reconciler_lock import LOCK_CLASS, ReconcilerLock
    from torrents.services import default_engine

    row = default_engine()
    engine = create_engine()
    with ReconcilerLock(row.pk) as lock:
        while not lock.try_acquire():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
                    " AND granted",
                    [LOCK_CLASS],
                )
        yield Reconciler(engine=engine, row=row, lock=lock)
    engine.close()


def measured(
    reconciler: "Reconciler", postgres: Sequence[psutil.Process], rounds: int
) -> dict[str, dict[str, float]]:
    for _ in range(10):  # it has compared everything, and its connection has prepared its queries
        reconciler.round(woken=True)
        time.sleep(PAUSE)
    figures = {}
    for name, woken in (("reload", True), ("between", False)):
        own = wall = 0.0
        before = _cpu_seconds(postgres)
        for _ in range(rounds):
            cpu, started = time.process_time(), time.perf_counter()
            reconciler.round(woken=woken)
            own += time.process_time() - cpu
            wall += time.perf_counter() - started
            time.sleep(PAUSE)
        spent = {"cpu_ms": own, "postgres_cpu_ms": _cpu_seconds(postgres) - before, "wall_ms": wall}
        figures[name] = {what: round(seconds / rounds * 1000, 1) for what, seconds in spent.items()}
    return figures


def _processes_in(folder: str) -> list[psutil.Process]:
    """Those whose working directory it is, as of all of PostgreSQL's."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == folder:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """Of these, and of the backends that they have started since."""
    total = 0.0
    everyone = {child for process in processes for child in (process, *_children(process))}
    for one in everyone:
        try:
            spent = one.cpu_times()
        except psutil.Error:
            continue
        total += spent.user + spent.system
    return total


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.Error:
        return []


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reconciler", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--quick", action="store_true", help="50 torrents: does it work at all?")
    parser.add_argument("--torrents", type=int, help="in the engine (5000)")
    parser.add_argument("--active", type=int, help="that download (50)")
    parser.add_argument("--rounds", type=int, help="of each kind (20)")
    options = parser.parse_args(arguments)
    for name, full, quick in (("torrents", 5000, 50), ("active", 50, 5), ("rounds", 20, 3)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    return options


if __name__ == "__main__":
    sys.exit(main())
