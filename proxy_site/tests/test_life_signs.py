"""What systemd hears from the processes that it starts."""

import socket
from pathlib import Path

import pytest

from proxy_site import life_signs


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    monkeypatch.chdir(tmp_path)  # addresses of sockets are short
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind("notify")
    listening.settimeout(10)
    monkeypatch.setenv("NOTIFY_SOCKET", "notify")
    return listening


def test_systemd_is_told_that_a_process_works_and_goes_on_working(systemd: socket.socket) -> None:
    with systemd:
        life_signs.ready()
        life_signs.alive()

        assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = f"life-signs-{tmp_path}"[-100:]
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(10)

        life_signs.alive()

        assert listening.recv(100) == b"WATCHDOG=1"


def test_a_process_that_systemd_did_not_start_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    life_signs.ready()
    life_signs.alive()
