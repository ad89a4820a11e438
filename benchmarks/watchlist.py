"""How the watchlist keeps up: `python -m benchmarks.watchlist [--quick] [--json] [--parts sync,…]`.

`sync`: a day of 50 people with 100 shows each at a pretended AniList that counts, with storms of 429 and 403 in it. The
day is simulated: the product's own code runs against a real PostgreSQL and a real HTTP server that executes its
queries, and reads a clock that jumps from minute to minute and moves on with every request.

`deciding`: 100 new items for 50 people who follow 2,000 shows together, from stored to decided.
"""

import argparse
import signal
import sys
from collections.abc import Sequence

from django.apps import apps
from django.core.management import call_command

from benchmarks import watchlist_deciding, watchlist_sync
from benchmarks.common import Figures, Promise, report

PARTS = ("sync", "deciding")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    say = _say if not options.json else _nothing
    signal.signal(
        signal.SIGTERM, lambda number, frame: sys.exit(1)
    )  # whatever ends us, the database ends too
    figures: Figures = {}
    promises: list[Promise] = []
    if "sync" in options.parts:
        figures["sync"] = watchlist_sync.a_day(
            people=options.people,
            shows=options.shows,
            distinct=options.distinct,
            hours=options.hours,
            say=say,
        )
        promises += watchlist_sync.promises(figures["sync"])
    if "deciding" in options.parts:
        say("deciding on new items")
        if apps.ready:  # Django reads once where its database is: this one is the other part's
            call_command("flush", interactive=False, verbosity=0)
        figures["deciding"], decided = watchlist_deciding.run(options.quick)
        promises += decided
    print(report(name="watchlist", figures=figures, promises=promises, as_json=options.json))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.watchlist",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few of everything: does it work at all?")
    parser.add_argument("--parts", type=_parts, default=PARTS, help="of " + ",".join(PARTS) + " (all)")
    parser.add_argument("--people", type=int, help="who have linked a list (50)")
    parser.add_argument("--shows", type=int, help="that stand on each list (100)")
    parser.add_argument("--distinct", type=int, help="different shows among them (a quarter)")
    parser.add_argument("--hours", type=int, help="that are simulated (24)")
    full = {"people": 50, "shows": 100, "hours": 24}
    quick = {"people": 3, "shows": 8, "hours": 1}
    options = parser.parse_args(arguments)
    for name, value in (quick if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return parts


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _nothing(line: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
