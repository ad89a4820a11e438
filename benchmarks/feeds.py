"""How feeds are checked and rules decide: `python -m benchmarks.feeds [--quick] [--json] [--parts a,b,c]`.

Needs, beyond the requirements, a Linux (all of 127.0.0.0/8, /proc, setpriv); for part c a FlexGet.
"""

import argparse
import signal
import sys
from collections.abc import Sequence

from benchmarks import feed_checking
from benchmarks.common import Figures, Promise, report
from benchmarks.feed_box import feed_box
from benchmarks.feed_server import feed_server


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    say = _say if not options.json else _nothing
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    figures: Figures = {}
    promises: list[Promise] = []
    with feed_box() as box:
        with feed_server() as server:
            figures["checking"] = feed_checking.checking(box, server, options.sources, options.window, say)
        promises += feed_checking.promises(figures["checking"])
    print(report(name="feeds", figures=figures, promises=promises, as_json=options.json))
    return 0


def _options(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--window", type=float, default=300)
    return parser.parse_args(arguments)

def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _nothing(line: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
