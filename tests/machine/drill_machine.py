"""The machines that the other drills rely on are what they say."""

import socket
from pathlib import Path

import pytest

from tests.machine.internet import PRIVATE, RESOLVER, SOMEBODY
from tests.machine.machine import Machine, MachineError


def test_it_boots_and_nothing_has_failed(machine: Machine) -> None:
    assert machine.says("systemctl is-system-running") == "running"
    assert machine.says("systemctl --failed --no-legend") == ""
    assert machine.says("cat /etc/debian_version").startswith("12.")


def test_from_outside_only_its_ssh_port_answers(machine: Machine) -> None:
    machine.run("systemd-run --quiet python3 -m http.server 8000", timeout=30)
    machine.run("until ss -ltn | grep -q :8000; do sleep 0.05; done")
    with machine.internet.inside():
        with socket.create_connection((machine.address, 22), timeout=10) as ssh:
            assert ssh.recv(4) == b"SSH-"
        with pytest.raises(OSError, match=r"No route to host|timed out"):
            socket.create_connection((machine.address, 8000), timeout=10)


def test_what_was_installed_and_written_survives_a_reboot_and_processes_do_not(machine: Machine) -> None:
    machine.run("apt-get -qq update && apt-get -qq install -y tree", timeout=120)
    machine.run("echo kept >/root/kept; systemd-run --quiet --unit=short sleep 1000")
    before = machine.says("cat /proc/sys/kernel/random/boot_id /proc/1/stat | cut -d' ' -f22 | tail -1")

    machine.reboot()

    assert machine.says("cat /root/kept; command -v tree") == "kept\n/usr/bin/tree"
    assert machine.run("systemctl is-active short", check=False).stdout.strip() == "inactive"
    assert machine.says("cat /proc/1/stat | cut -d' ' -f22") != before
    assert "REJECT" in machine.says("iptables -S INPUT")  # loaded from the disk: its network is a new one


def test_it_comes_back_from_a_power_cut(machine: Machine) -> None:
    machine.run("echo kept >/root/kept; sync")

    machine.cut_power()
    machine.start()

    assert machine.says("cat /root/kept; systemctl is-system-running") == "kept\nrunning"


def test_it_reaches_the_surroundings_of_a_cloud_and_names_of_its_mirrors(machine: Machine) -> None:
    for address in (RESOLVER, SOMEBODY, PRIVATE):
        machine.run(f"ping -c 1 -W 5 {address}")
    assert machine.says("getent hosts box.example.org").split()[0] == machine.address
    assert machine.run("getent hosts example.net", check=False).returncode == 2


def test_a_command_that_takes_too_long_is_ended(machine: Machine) -> None:
    with pytest.raises(MachineError, match="not done after 1 s"):
        machine.run("sleep 1000", timeout=1)
    machine.run("until ! pgrep -x sleep; do sleep 0.05; done")


def test_nothing_is_left_of_it(machine: Machine) -> None:
    root, group = machine.path("/"), Path("/sys/fs/cgroup/systemd") / machine.name

    machine.destroy()

    assert not root.exists()
    assert not group.exists()
