"""The servers that fetch() is tried against."""

from collections.abc import Iterator

import pytest

from proxy_site.tests.outbound.hostile_server import HostileServer, run_server


@pytest.fixture
def server() -> Iterator[HostileServer]:
    yield from run_server()


@pytest.fixture
def other_server() -> Iterator[HostileServer]:
    yield from run_server("127.0.0.6")
