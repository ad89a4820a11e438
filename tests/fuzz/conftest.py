from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.fuzz.target import Target
from tests.journeys.conftest import Canary
from tests.journeys.served import served


@pytest.fixture
def target(tmp_path: Path, settings: Settings, transactional_db: None) -> Iterator[Target]:
    """A box of its own, with Alice in it, who is attacked, and somebody who attacks."""
    with served(tmp_path / "box") as box, Canary() as canary:
        settings.DOWNLOADS_DIR = box.downloads
        target = Target(box, canary)
        yield target
        print(f"\n{target.figures()}")
