"""The app in a real terminal."""

from pathlib import Path

import pytest

from deploy.box import Box
from deploy.walk import walk


@pytest.mark.journey
def test_a_newcomer_gets_through_the_app_by_the_keys_that_stand_on_the_screen(
    box: Box, tmp_path: Path
) -> None:
    walk(box, tmp_path / "person", show=False)
