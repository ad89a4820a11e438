"""What is read from /proc and /sys, on made-up machines and on this one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.host.readings import CpuTimes, Reading, free_bytes, machine_id, read_host
from monitoring.tests.machine import Machine

BOOT = datetime(2026, 4, 6, 12, tzinfo=UTC)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, BOOT)


def read(machine: Machine, *names: str) -> Reading:
    root = machine.show()
    return read_host(proc=root / "proc", sys=root / "sys", names=names)


def test_a_machine_tells_its_boot_its_cpus_and_its_memory(machine: Machine) -> None:
    machine.busy, machine.idle, machine.memory_used = 301, 700, 0.25
    reading = read(machine)
    assert reading.boot_id == "00000001-aaaa-bbbb-cccc-dddddddddddd"
    assert reading.booted_at == BOOT
    assert reading.cpu == CpuTimes(busy=301, total=1001)
    assert reading.memory_used == 0.25


def test_all_physical_interfaces_count_and_no_others(machine: Machine) -> None:
    machine.sent = {"enp0s6": 5, "enp1s0": 6}
    machine.received = {"enp1s0": 8}
    machine.virtual = ("lo", "docker0", "veth12ab", "wg0", "br-1")
    found = read(machine).interfaces
    assert {name: (seen.sent, seen.received) for name, seen in found.items()} == {
        "enp0s6": (5, 0),
        "enp1s0": (6, 8),
    }


def test_named_interfaces_count_whatever_they_are(machine: Machine) -> None:
    machine.virtual = ("lo", "eth0")
    assert read(machine, "eth0", "eth9").interfaces.keys() == {"eth0"}


@pytest.mark.parametrize(
    ("file", "text"),
    [("proc/stat", "cpu 1 2\n"), ("proc/stat", "intr 5\n"), ("proc/meminfo", "MemTotal: 5 kB\n")],
)
def test_a_machine_that_cannot_be_read_is_an_error(machine: Machine, file: str, text: str) -> None:
    root = machine.show()
    (root / file).write_text(text)
    with pytest.raises(ValueError, match=file):
        read_host(proc=root / "proc", sys=root / "sys", names=())


def test_this_machine_can_be_read() -> None:
    reading = read_host(proc=Path("/proc"), sys=Path("/sys"), names=["lo"])
    assert reading.booted_at < datetime.now(UTC)
    assert 0 < reading.cpu.busy <= reading.cpu.total
    assert 0 < reading.memory_used < 1
    assert reading.interfaces.keys() == {"lo"}


def test_a_machine_without_an_id_is_known_by_its_name(machine: Machine) -> None:
    root = machine.show()
    assert machine_id(root / "etc") == "0123456789abcdef0123456789abcdef"
    (root / "etc/machine-id").unlink()
    assert machine_id(root / "etc")


def test_free_space_is_unknown_before_there_is_a_folder(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "nowhere") is None
    assert (free_bytes(tmp_path) or 0) > 0
