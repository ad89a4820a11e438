"""The firewall by itself, on a machine with the rules of Oracle's images and on one without any."""

import socket
from collections.abc import Iterator
from typing import cast

import pytest

from tests.machine.installed import CHECKOUT
from tests.machine.internet import BOX_V6, SOMEBODY, SOMEBODY_V6
from tests.machine.machine import Kind, Machine, booted

LOAD = f"TORRENT_PORT=51413 SFTP_ADDRESS=0.0.0.0:8022 bash {CHECKOUT}/deploy/nftables/load.sh"
RULES = "cat /etc/iptables/rules.v4 2>/dev/null; iptables -S 2>/dev/null; nft list tables | sort"
SERVE = (
    "import socket, time; listening = [socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True)"
    " for port in (8000, 8022, 9999)]; time.sleep(1000)"
)


@pytest.fixture(params=["oci", "debian"])
def walled(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Something listens on 8000, 8022 and 9999."""
    with booted(cast(Kind, request.param)) as machine:
        machine.copy_checkout(CHECKOUT)
        machine.run(
            "apt-get -qq update && apt-get -qq install -y nftables && useradd -r torrentproxy-bt", timeout=120
        )
        listen(machine)
        machine.run(LOAD)
        yield machine


def listen(machine: Machine) -> None:
    machine.run(
        f'systemd-run --quiet python3 -c "{SERVE}"; until ss -ltn | grep -q :9999; do sleep 0.05; done'
    )


def answering(machine: Machine, address: str, somebody: str) -> set[int]:
    """Which of these ports somebody elsewhere can connect to."""
    found = set()
    with machine.internet.inside():
        for port in (22, 8000, 8022, 9999):
            try:
                socket.create_connection((address, port), timeout=10, source_address=(somebody, 0)).close()
            except OSError:
                continue
            found.add(port)
    return found


def test_what_the_box_offers_is_reached_and_nothing_else(walled: Machine) -> None:
    assert answering(walled, walled.address, SOMEBODY) == {22, 8022}
    assert answering(walled, BOX_V6, SOMEBODY_V6) == {22, 8022}


def test_loading_it_again_changes_nothing(walled: Machine) -> None:
    before = walled.says(RULES)

    walled.run(LOAD)

    assert walled.says(RULES) == before


def test_a_port_that_the_operator_opened_is_open_until_they_close_it(walled: Machine) -> None:
    before = walled.says(RULES)
    walled.run(f"mkdir -p /etc/oci-torrent-proxy; echo 9999/tcp >/etc/oci-torrent-proxy/open-ports; {LOAD}")
    opened = answering(walled, walled.address, SOMEBODY)

    walled.run(f"rm /etc/oci-torrent-proxy/open-ports; {LOAD}")

    assert opened == {22, 8022, 9999}
    assert answering(walled, walled.address, SOMEBODY) == {22, 8022}
    assert walled.says(RULES) == before


def test_the_rules_of_oracles_image_let_the_ports_in_after_a_reboot(machine: Machine) -> None:
    machine.copy_checkout(CHECKOUT)
    machine.run(
        "apt-get -qq update && apt-get -qq install -y nftables && useradd -r torrentproxy-bt", timeout=120
    )
    machine.run(LOAD)

    machine.reboot()

    listen(machine)
    assert answering(machine, machine.address, SOMEBODY) == {22, 8022}
