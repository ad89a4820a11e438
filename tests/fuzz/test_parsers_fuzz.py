"""Whatever strangers write: each parser gives what it promises or refuses in its own way, and nothing else."""

import os
import sys
from pathlib import Path

import pytest

from proxy_site.tests import processes
from tests.fuzz.duration import MINUTES, SEED, TEST_TIMEOUT
from tests.fuzz.parsers import PARSERS

CORPUS = Path(__file__).parent / "corpus"
SAMPLES = sorted(CORPUS.glob("*/*"))
SHORT = 2000  # inputs
SLOWEST = 10  # seconds for one input; libFuzzer's default is 20 minutes


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.parent.name}-{sample.name[:12]}")
def test_what_was_found_once_stays_mended(sample: Path) -> None:
    PARSERS[sample.parent.name](sample.read_bytes())


@pytest.mark.timeout(TEST_TIMEOUT)
@pytest.mark.parametrize("name", PARSERS)
def test_a_search_that_follows_the_code_finds_nothing(name: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has wheels for Linux on x86-64 only")
    found = tmp_path / "found"
    found.mkdir()
    length = f"-max_total_time={MINUTES * 60:.0f}" if MINUTES else f"-runs={SHORT}"
    options = [
        length,
        f"-seed={SEED % 2**31 or 1}",
        f"-timeout={SLOWEST}",
        "-max_len=16384",
        f"-artifact_prefix={tmp_path}/",
    ]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = processes.start(
            [sys.executable, "-m", "tests.fuzz.parsers", name, str(found), str(CORPUS / name), *options],
            output=output.fileno(),
            DATABASE_URL=os.environ["DATABASE_URL"],
            DATA_DIR=os.environ["DATA_DIR"],
            DJANGO_SETTINGS_MODULE="proxy_site.settings",
            PYTHONPATH="tui_client/src",
        )
        with process:
            process.wait()
    told = log.read_text(errors="replace")
    print(f"\n{name}: " + (told.strip().splitlines() or ["nothing"])[-1])
    assert process.returncode == 0, told[-6000:]
