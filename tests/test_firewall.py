"""What deploy/nftables/load.sh makes of the settings. tests/machine/drill_firewall.py has the rest."""

import shutil
import subprocess
from pathlib import Path

import pytest

LOAD = Path(__file__).resolve().parents[1] / "deploy/nftables/load.sh"
PROGRAMS = (
    "awk",
    "sed",
    "sort",
    "paste",
    "tail",
    "tr",
    "dirname",
    "cat",
)  # no iptables: nothing here is changed


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """For PATH: what it needs, and an `nft` that only says what it was told, and an sshd as most."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    for name, script in (("nft", 'for one in "$@"; do echo "$one"; done'), ("sshd", "echo port 22")):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def load(programs: Path, box_env: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (programs.parent / "box.env").write_text(box_env)
    environment = {"PATH": str(programs), "BOX_ENV": str(programs.parent / "box.env"), **variables}
    return subprocess.run(
        ["/bin/bash", LOAD], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_the_ports_of_the_settings_are_open(programs: Path, quote: str) -> None:
    told = load(
        programs, f"# x\nTORRENT_PORT={quote}6881{quote}\nSFTP_ADDRESS={quote}0.0.0.0:2022{quote}\n"
    ).stdout
    assert "tcp_ports={ 22,80,443,2022,6881 }" in told
    assert "udp_ports={ 6881 }" in told


@pytest.mark.parametrize("address", ["", "127.0.0.1:8022", "[::1]:8022"])
def test_sftp_for_this_machine_alone_opens_no_port(programs: Path, address: str) -> None:
    assert "tcp_ports={ 22,80,443,51413 }" in load(programs, f"SFTP_ADDRESS={address}\n").stdout


@pytest.mark.parametrize(
    "line",
    ["TORRENT_PORT=1 --modprobe=/tmp/x", "TORRENT_PORT=1, 2", "SFTP_ADDRESS=0.0.0.0", "SFTP_ADDRESS=:ssh"],
)
def test_what_is_no_port_is_refused_before_anything_is_loaded(programs: Path, line: str) -> None:
    done = load(programs, f"{line}\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no port" in done.stderr


def test_no_other_line_of_the_settings_is_code_for_root(programs: Path) -> None:
    mark = programs.parent / "mark"
    (programs.parent / "evil").write_text(f"echo > {mark}\n")
    done = load(programs, f"BASH_ENV={programs.parent}/evil\nPATH=$(echo > {mark})\nTORRENT_PORT=6881\n")
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
    unit = (LOAD.parents[1] / "systemd/torrentproxy-firewall.service").read_text()
    assert "EnvironmentFile" not in unit
