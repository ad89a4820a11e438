"""The real worker on a real PostgreSQL, killed with all its children while items go on appearing."""

import json
import subprocess
import sys
import tempfile

import pytest

from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes

pytestmark = pytest.mark.journey


def test_no_item_is_lost_or_taken_twice_however_often_the_worker_is_killed() -> None:
    arguments = ["--parts", "kills", "--kills", "4", "--killed-feeds", "6", "--json"]
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # PostgreSQL's socket needs a short path
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.feeds", *arguments],
            cwd=PROJECT_DIR,
            env=processes.environment(TMPDIR=folder),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["figures"]["kills"]
    assert found["kills"] == 4
    assert found["grabs"]["wanted"] > 0
    right = {"lost": 0, "doubled_or_strange": 0}
    assert found["items"] == {"shown": found["items"]["shown"], **right}
    assert found["grabs"] == {"wanted": found["grabs"]["wanted"], **right}
    assert found["torrents"] == {"wanted": found["torrents"]["wanted"], **right}
    assert found["grabs_not_added"] == 0
