"""`python -m tests.machine [--suite trixie] [COMMAND…]`: a machine to try things in, with this checkout in /root.

Runs each command, or without any those that are typed, and throws the machine away.
"""

import argparse
import signal
import sys

from tests.machine import parts
from tests.machine.machine import KIND, LIFETIME, Machine


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.machine", description=__doc__)
    parser.add_argument("--kind", choices=("oci", "debian"), default=KIND)
    parser.add_argument("--suite", choices=tuple(parts.PYTHONS), default=parts.SUITE)
    parser.add_argument("commands", nargs="*", metavar="COMMAND")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # the machine is thrown away then, too
    with Machine.boot(kind=arguments.kind, suite=arguments.suite) as machine:
        machine.copy_checkout("/root/oci-torrent-proxy")
        print(f"Booted in {machine.seconds_to_boot:.1f} s.", file=sys.stderr, flush=True)
        for command in arguments.commands or sys.stdin:
            done = machine.run(command, timeout=LIFETIME, check=False)
            print(done.stdout + done.stderr, end="", flush=True)
            if done.returncode != 0:
                print(f"exit code {done.returncode}", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
