"""The units of deploy/systemd, as systemd itself reads them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[1] / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
SYSTEM = Path("/lib/systemd/system")
MOST_EXPOSED = 3.0  # of 10, by `systemd-analyze security`
COMMAND = re.compile(r"^Exec\w+=[+]?(/\S+)", re.MULTILINE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine's files: our units, systemd's own targets, and the programs that ours start."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing")
    shutil.copytree(UNITS, tmp_path / "etc/systemd/system")
    targets = tmp_path / SYSTEM.relative_to("/")
    targets.mkdir(parents=True)
    for target in SYSTEM.glob("*.target"):
        shutil.copy(target, targets)
    for program in {found for name in SERVICES for found in COMMAND.findall((UNITS / name).read_text())}:
        copy = tmp_path / program.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch(mode=0o755)
    return tmp_path


def analyze(root: Path, *arguments: str) -> str:
    command = ["systemd-analyze", *arguments, f"--root={root}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_systemd_has_nothing_to_say_about_the_units(root: Path) -> None:
    names = [path.name for path in UNITS.iterdir() if path.is_file()]

    assert analyze(root, "verify", "--man=no", *names) == ""


def test_a_mistake_in_what_the_units_have_in_common_would_be_told(root: Path) -> None:
    common = root / "etc/systemd/system/torrentproxy-.service.d/50-common.conf"
    common.write_text(common.read_text().replace("PrivateTmp=", "PrivateTemporary="))

    assert "Unknown key" in analyze(root, "verify", "--man=no", "torrentproxy-web.service")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_little_beyond_its_work(root: Path, name: str) -> None:
    told = analyze(root, "security", "--offline=true", name)

    found = re.search(rf"Overall exposure level for {re.escape(name)}: (\d+\.\d)", told)
    assert found is not None, told
    assert float(found[1]) <= MOST_EXPOSED


def test_the_target_starts_every_service_that_is_to_run_and_timers_the_others() -> None:
    wanted = set(re.findall(r"torrentproxy-\S+\.service", (UNITS / "torrentproxy.target").read_text()))
    timed = {path.with_suffix(".service").name for path in UNITS.glob("*.timer")}

    assert wanted | timed == set(SERVICES)


@pytest.mark.parametrize("timer", sorted(UNITS.glob("*.timer")), ids=lambda path: path.stem)
def test_what_a_timer_starts_is_tried_again_where_it_failed(timer: Path) -> None:
    service = timer.with_suffix(".service").read_text()

    assert re.search(r"^Restart=on-failure$", service, re.MULTILINE)
    assert re.search(r"^RestartSec=1h$", service, re.MULTILINE)
