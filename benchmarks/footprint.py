"""How much memory the box takes: `python -m benchmarks.footprint [--quick] [--json]`.

The proportional set size (what a process has of its own, and its share of what it shares) of every process of a box
as `manage.py up` starts it: idle, and with torrents that download from a real peer while people ask once a second.

Needs, beyond the requirements, a qBittorrent and a Linux with /proc: see deploy/test.sh.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.common import Figures, Promise, report
from benchmarks.crowd import crowd
from benchmarks.populated import access_token, active_torrents, person, running_box
from benchmarks.usage import parts_of, pss_bytes
from deploy.box import Box

HELD = 20  # torrents of each of those who poll
OURS = ("web", "worker", "engine", "sftp")
IDLE_BAR, LOAD_BAR = 512, 700  # MiB


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    say = _say if not options.json else _nothing
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # whatever ends us, the box ends too
    with running_box() as box:
        say(f"idle for {options.seconds:g} s")
        time.sleep(options.seconds)
        figures: Figures = {"idle": footprint(box)}
        figures["load"] = under_load(box, options.active, options.clients, options.seconds, say)
    print(report(name="footprint", figures=figures, promises=_promises(figures), as_json=options.json))
    return 0


def footprint(box: Box) -> Figures:
    """MiB of each part, with the number of its processes."""
    figures: Figures = {}
    for part, processes in parts_of(box).items():
        if processes:
            taken = sum(pss_bytes(process) for process in processes) / 2**20
            figures[part] = {"mib": round(taken, 1), "processes": len(processes)}
    figures["ours"] = round(sum(figures[part]["mib"] for part in OURS), 1)
    figures["ours_and_qbittorrent"] = round(figures["ours"] + figures["qbittorrent"]["mib"], 1)
    return figures


def under_load(box: Box, active: int, clients: int, seconds: float, say: Callable[[str], None]) -> Figures:
    """The most of each part that was seen while torrents download and clients poll once a second."""
    people = [person(f"person{number}") for number in range(active)]
    say(f"starting {active} downloads")
    with active_torrents(box, people, active, each=min(HELD, active)):
        tokens = [access_token(people[number % active]) for number in range(clients)]
        say(f"{clients} clients for {seconds:g} s")

        async def watched() -> Figures:
            polling = asyncio.create_task(crowd(box.url, tokens, seconds=seconds))
            most: Figures = {}
            while not polling.done():
                seen = await asyncio.to_thread(footprint, box)
                most = max(most, seen, key=lambda one: one.get("ours_and_qbittorrent", 0))
                await asyncio.sleep(1)
            tally = await polling
            return {**most, "errors": len(tally.errors)}

        return asyncio.run(watched())


def _promises(figures: Figures) -> list[Promise]:
    return [
        Promise(f"{words}, {when}, MiB", figures[state][sum_of], bar)
        for state, when, bar in (("idle", "idle", IDLE_BAR), ("load", "under load", LOAD_BAR))
        for sum_of, words in (
            ("ours", "web, worker, engine and sftp"),
            ("ours_and_qbittorrent", "the same with qBittorrent"),
        )
    ]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.footprint", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--quick", action="store_true", help="5 torrents, 5 clients: does it work at all?")
    parser.add_argument("--active", type=int, help="torrents that download (50)")
    parser.add_argument("--clients", type=int, help="that poll once a second (50)")
    parser.add_argument("--seconds", type=float, help="of idleness, and of load (20)")
    options = parser.parse_args(arguments)
    full = {"active": 50, "clients": 50, "seconds": 20.0}
    for name, value in ({"active": 5, "clients": 5, "seconds": 2.0} if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _nothing(line: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
