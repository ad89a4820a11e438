"""Search for input that breaks something: python -m tests.fuzz --minutes 10 [pytest arguments, such as -k api]

Each search takes that long. It ends at the first failure, which says how to see it again.
"""

import argparse
import os
import secrets
import sys

import pytest


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10, help="for each search")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(2**32), help="of an earlier run, to repeat it"
    )
    options, pytest_arguments = parser.parse_known_args()
    os.environ |= {"FUZZ_MINUTES": str(options.minutes), "FUZZ_SEED": str(options.seed)}
    print(f"Seed {options.seed}", flush=True)
    return pytest.main(["tests/fuzz", "-s", *pytest_arguments])


sys.exit(main())
