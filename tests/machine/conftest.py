"""Machines for the drills. Their files are no `test_*.py`: only `bash deploy/drill.sh` runs them."""

from collections.abc import Iterator

import pytest

from tests.machine.machine import Machine, booted


@pytest.fixture
def machine() -> Iterator[Machine]:
    """One as Oracle offers it, new."""
    with booted() as machine:
        yield machine
