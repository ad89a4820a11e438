"""Machines for the drills. Their files are no `test_*.py`: only `bash deploy/drill.sh` runs them."""

from collections.abc import Iterator

import pytest

from tests.machine.machine import Machine
from tests.machine.parts import NoMachine


@pytest.fixture
def machine() -> Iterator[Machine]:
    """One as Oracle offers it, new."""
    yield from booted("oci")


def booted(kind: str) -> Iterator[Machine]:
    try:
        machine = Machine.boot(kind="oci" if kind == "oci" else "debian")
    except NoMachine as reason:
        pytest.skip(str(reason))
    with machine:
        yield machine
