"""One stack for all tests that look at the box from outside."""

from collections.abc import Iterator

import pytest

from tests.journeys.postgres_cluster import binaries
from tests.observability.programs import missing_programs
from tests.observability.stack import Stack, started

STARTS_WITHIN = 600  # seconds: whichever test is the first waits for everything


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(STARTS_WITHIN))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole box with traffic, and Prometheus, Alertmanager and exporters that look at it. A test that stops a part
    of it starts it again, and waits until that is to be seen."""
    if missing := missing_programs():
        pytest.skip(f"needs {', '.join(missing)}: deploy/test.sh installs them")
    if binaries() is None:
        pytest.skip("needs the system's PostgreSQL: deploy/test.sh installs it")
    with started(tmp_path_factory.mktemp("observed")) as stack:
        yield stack
