"""Writes Grafana's dashboards as the code makes them."""

import argparse
import sys
from pathlib import Path

from monitoring.dashboards.files import DIRECTORY, files, stale


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m monitoring.dashboards", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if something is stale"
    )
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="default: %(default)s")
    wanted = parser.parse_args()
    old = stale(wanted.directory)
    if wanted.check:
        if old:
            print("Not as the code makes them:", ", ".join(old), file=sys.stderr)
            print("Run: python -m monitoring.dashboards", file=sys.stderr)
        return 1 if old else 0
    made = files()
    wanted.directory.mkdir(parents=True, exist_ok=True)
    for name in old:
        if name in made:
            (wanted.directory / name).write_text(made[name])
        else:
            (wanted.directory / name).unlink()
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
