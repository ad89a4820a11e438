"""How fast the API answers beside the engine it stands for: `python -m benchmarks.api [--quick] [--json]`.

A real qBittorrent with 50, 1,000 and 5,000 torrents, 20 of which one person holds; gunicorn and PostgreSQL as
`manage.py up` runs them. Raw qBittorrent and the API are asked in turns, over kept connections and with the same
client, so that both meet the same machine: first with one that takes next to nothing itself, by which the promises are
kept, then with requests; raw qBittorrent also by its own library. Then the same beside 50 torrents that download, and
clients that poll once a second.

Needs, beyond the requirements, a qBittorrent and a Linux with /proc: see deploy/test.sh.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.clients import (
    Client,
    PlainClient,
    RequestsClient,
    ask_by_library,
    engine_headers,
    timed,
)
from benchmarks.common import Figures, Promise, median_and_p95, percentile, report
from benchmarks.crowd import crowd
from benchmarks.populated import (
    WebProcesses,
    access_token,
    active_torrents,
    add_stopped,
    analyze,
    current_change,
    person,
    running_box,
    touch,
    wait_until_stopped,
)
from deploy.box import Box

if TYPE_CHECKING:
    from accounts.models import User

Questions = dict[str, Callable[[], object]]
BY_REQUESTS = "_by_requests"

HELD = 20  # torrents of the one who asks
TOO_SLOW = 1.0  # seconds at the 95th percentile: the crowd is too large
RATIO_BARS = {  # ours / raw qBittorrent, medians
    ("list", 50): 1.0,
    ("list", 5000): 0.5,
    ("unchanged", 50): 0.6,
    ("unchanged", 5000): 0.3,
}
GROWTH_BAR = 1.2
CROWD_P95_BAR = 50.0  # ms, with 50 clients


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    say = _say if not options.json else _nothing
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # whatever ends us, the box ends too
    with running_box() as box:
        figures: Figures = {}
        if options.sizes:
            figures["torrents"] = beside_raw(box, options.sizes, options.rounds, say)
        if options.clients:
            figures |= beside_active(box, options, say)
    promises = [*_promises_beside_raw(figures), *_promises_of_the_crowd(figures)]
    print(report(name="api", figures=figures, promises=promises, as_json=options.json))
    return 0


def beside_raw(box: Box, sizes: Sequence[int], rounds: int, say: Callable[[str], None]) -> Figures:
    """Milliseconds by number of torrents in the engine and kind of question."""
    reader, others = person("reader"), person("others")
    hashes = add_stopped(reader, range(HELD))
    web = WebProcesses(box)
    token = access_token(reader)
    pairs = {"": Pair.of(PlainClient, box, token), BY_REQUESTS: Pair.of(RequestsClient, box, token)}
    figures: Figures = {}
    held = HELD
    for size in sizes:
        say(f"filling the engine: {size} torrents")
        add_stopped(others, range(held, size))
        held = max(held, size)
        wait_until_stopped(size)
        analyze()
        starts = [current_change(reader)]
        for touched in (hashes, hashes[:1]):
            touch(touched)
            starts.append(current_change(reader))
        say(f"asking, {rounds} times each in turns")
        questions: Questions = {}
        for suffix, pair in pairs.items():
            pair.close()  # both servers have hung up meanwhile
            questions |= _questions(pair, hashes, starts, suffix)
        questions["raw_by_library"] = ask_by_library(hashes)
        figures[str(size)] = _in_turns(questions, rounds, web)
    for pair in pairs.values():
        pair.close()
    return figures


@dataclass(frozen=True)
class Pair:
    """Two clients of one make."""

    ours: Client
    raw: Client

    @classmethod
    def of(cls, make: Callable[[str, dict[str, str]], Client], box: Box, token: str) -> "Pair":
        return cls(
            ours=make(box.url, {"Authorization": f"Bearer {token}"}),
            raw=make(box.environment["QBITTORRENT_URL"], engine_headers()),
        )

    def close(self) -> None:
        self.ours.close()
        self.raw.close()

    def ask_raw(self, hashes: Sequence[str]) -> bytes:
        return self.raw.get("/api/v2/torrents/info?hashes=" + "|".join(hashes))

    def list(self) -> bytes:
        return self.ours.get(f"/api/v1/torrents/?limit={HELD}")

    def changes(self, since: int) -> bytes:
        return self.ours.get(f"/api/v1/torrents/changes/?since={since}")


def _questions(pair: Pair, hashes: Sequence[str], starts: Sequence[int], suffix: str) -> Questions:
    """`starts` are change numbers: before a change of all 20, before one of a single torrent, and the current one."""
    before_all, before_one, current = starts
    return {
        f"raw{suffix}": lambda: pair.ask_raw(hashes),
        f"list{suffix}": pair.list,
        f"unchanged{suffix}": lambda: pair.changes(current),
        f"delta_of_1{suffix}": lambda: pair.changes(before_one),
        f"delta_of_20{suffix}": lambda: pair.changes(before_all),
    }


def _in_turns(questions: Questions, rounds: int, web: WebProcesses) -> Figures:
    for _ in range(min(rounds, 30)):  # whoever is to answer has connected and prepared its queries
        for ask in questions.values():
            ask()
    seconds: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(rounds):
        for name, ask in questions.items():
            seconds[name].append(timed(ask))
    figures: Figures = {name: median_and_p95(taken) for name, taken in seconds.items()}
    for name, ask in questions.items():
        if not name.startswith("raw"):
            raw = "raw" + BY_REQUESTS if name.endswith(BY_REQUESTS) else "raw"
            figures[name]["of_raw"] = round(figures[name]["median_ms"] / figures[raw]["median_ms"], 3)
            before = web.cpu_seconds()
            for _ in range(rounds):
                ask()
            figures[name]["cpu_ms"] = round((web.cpu_seconds() - before) / rounds * 1000, 2)
    return figures


def beside_active(box: Box, options: argparse.Namespace, say: Callable[[str], None]) -> Figures:
    """What one person asks, in turns, and then what crowds ask, while torrents download. There are as many people as
    torrents, each with 20 of them; a person's second client is another device."""
    people = [person(f"person{number}") for number in range(options.active)]
    say(f"starting {options.active} downloads")
    with active_torrents(box, people, options.active, each=HELD) as hashes:
        pair = Pair.of(PlainClient, box, access_token(people[0]))
        since = current_change(people[0])

        def poll() -> None:
            """As a client does: what is new since the last time. That is mostly nothing, as often as we ask."""
            nonlocal since
            since = json.loads(pair.changes(since))["change"]

        say(f"asking, {options.rounds} times each in turns")
        questions: Questions = {"raw": lambda: pair.ask_raw(hashes), "list": pair.list, "poll": poll}
        asked = _in_turns(questions, options.rounds, WebProcesses(box))
        pair.close()
        return {"active": asked, "clients": _crowds(box, people, options.clients, options.seconds, say)}


def _crowds(
    box: Box, people: Sequence["User"], counts: Sequence[int], seconds: float, say: Callable[[str], None]
) -> Figures:
    """How crowds of growing size fare, until one is too large."""
    tokens = [access_token(people[number % len(people)]) for number in range(max(counts))]
    web = WebProcesses(box)
    figures: Figures = {}
    for count in counts:
        say(f"{count} clients for {seconds:g} s")
        before = web.cpu_seconds()
        tally = asyncio.run(crowd(box.url, tokens[:count], seconds=seconds))
        answers = len(tally.seconds)
        figures[str(count)] = {
            **(median_and_p95(tally.seconds) if answers else {}),
            "answers": answers,
            "with_changes": tally.changed,
            "errors": len(tally.errors),
            "cpu_ms": round((web.cpu_seconds() - before) / max(tally.asked, 1) * 1000, 2),
        }
        if tally.errors:
            figures[str(count)]["first_error"] = tally.errors[0]
        if tally.errors or not answers or percentile(tally.seconds, 0.95) > TOO_SLOW:
            figures["too_many"] = count
            break
    return figures


def _promises_beside_raw(figures: Figures) -> list[Promise]:
    sizes: Figures = figures.get("torrents", {})
    promises = [
        Promise(
            f"{kind} beside {size} torrents, in times of raw qBittorrent",
            sizes[str(size)][kind]["of_raw"],
            bar,
        )
        for (kind, size), bar in RATIO_BARS.items()
        if str(size) in sizes
    ]
    if {"50", "5000"} <= set(sizes):
        for kind in ("list", "unchanged"):
            growth = sizes["5000"][kind]["median_ms"] / sizes["50"][kind]["median_ms"]
            promises.append(
                Promise(f"{kind} beside 5000 torrents, in times of beside 50", round(growth, 3), GROWTH_BAR)
            )
    return promises


def _promises_of_the_crowd(figures: Figures) -> list[Promise]:
    crowds: Figures = figures.get("clients", {})
    promises = []
    if fifty := crowds.get("50"):
        promises.append(Promise("95th percentile of 50 clients at 1 Hz, ms", fifty["p95_ms"], CROWD_P95_BAR))
    promises += [
        Promise(f"errors of {count} clients at 1 Hz", crowds[count]["errors"], 0)
        for count in ("50", "300")
        if count in crowds
    ]
    return promises


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.api", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--quick", action="store_true", help="50 torrents, 5 clients: does it work at all?")
    parser.add_argument("--sizes", type=_numbers, help="numbers of torrents, growing (50,1000,5000)")
    parser.add_argument("--rounds", type=int, help="questions of each kind (400)")
    parser.add_argument(
        "--clients", type=_numbers, help="sizes of crowds, growing (50,100,200,…,2000); empty: no crowd"
    )
    parser.add_argument("--seconds", type=float, help="that each crowd is watched (15)")
    parser.add_argument("--active", type=int, help="torrents that download beside the crowd (50)")
    full = {"sizes": [50, 1000, 5000], "rounds": 400, "seconds": 15.0, "active": 50}
    full["clients"] = [50, *range(100, 2001, 100)]
    quick = {"sizes": [50], "rounds": 20, "seconds": 3.0, "active": 5, "clients": [5]}
    options = parser.parse_args(arguments)
    for name, value in (quick if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _nothing(line: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
