"""How feeds are checked and rules decide: `python -m benchmarks.feeds [--quick] [--json] [--parts checking,kills,…]`.

`rules`: how fast a thousand decide. `checking`: a thousand feeds on loopback, some of them slow or broken, checked by
the real worker on a real PostgreSQL. `kills`: that worker is killed while items appear. `flexget`: the same feeds and
filters there.

Needs, beyond the requirements, a Linux with setpriv and all of 127.0.0.0/8; for `flexget` also a FlexGet in a virtual
environment of its own: python -m venv FOLDER && FOLDER/bin/pip install flexget, then --flexget FOLDER.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import feed_checking, feed_flexget, feed_kills, feed_rules
from benchmarks.common import Figures, Promise, report
from benchmarks.feed_box import feed_box
from benchmarks.feed_server import feed_server

PARTS = ("rules", "checking", "kills", "flexget")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    say = _say if not options.json else _nothing
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # whatever ends us, the box ends too
    figures: Figures = {}
    promises: list[Promise] = []
    if "rules" in options.parts:
        figures["rules"] = feed_rules.deciding(options.items, say)
        promises += feed_rules.promises(figures["rules"])
    if set(options.parts) - {"rules"}:
        with feed_box() as box, feed_server() as server:
            if "checking" in options.parts:
                figures["checking"] = feed_checking.checking(
                    box, server, options.sources, options.window, say
                )
                promises += feed_checking.promises(figures["checking"])
            if "kills" in options.parts:
                figures["kills"] = feed_kills.kills(box, server, options.killed_feeds, options.kills, say)
                promises += feed_kills.promises(figures["kills"])
            if "flexget" in options.parts:
                figures["flexget"] = feed_flexget.beside_flexget(
                    box, server, options.flexget, options.compared, say
                )
                promises += feed_flexget.promises(figures["flexget"])
    print(report(name="feeds", figures=figures, promises=promises, as_json=options.json))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.feeds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few of everything: does it work at all?")
    parser.add_argument("--parts", type=_parts, help="of " + ",".join(PARTS) + " (all; flexget where named)")
    parser.add_argument("--flexget", type=Path, help="its virtual environment")
    parser.add_argument("--sources", type=int, help="that are checked (1000)")
    parser.add_argument("--window", type=float, help="seconds within which all are due once (300)")
    parser.add_argument("--kills", type=int, help="how often the worker is killed (20)")
    parser.add_argument("--killed-feeds", type=int, help="how many feeds it follows then (12)")
    parser.add_argument("--items", type=int, help="that rules decide on (3000)")
    parser.add_argument("--compared", type=int, help="feeds that FlexGet and we read (100)")
    full = {"sources": 1000, "window": 300.0, "kills": 20, "killed_feeds": 12, "items": 3000, "compared": 100}
    quick = {"sources": 20, "window": 3.0, "kills": 2, "killed_feeds": 3, "items": 200, "compared": 5}
    options = parser.parse_args(arguments)
    for name, value in (quick if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.parts is None:
        options.parts = [part for part in PARTS if part != "flexget" or options.flexget]
    if "flexget" in options.parts and options.flexget is None:
        parser.error("--flexget names the virtual environment: python -m venv F && F/bin/pip install flexget")
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
