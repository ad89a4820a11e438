"""fetch() reaches the internet only: never this machine or a private network, by whatever name."""

import socket
import time

import pytest

from proxy_site.outbound import OutboundError, fetch, is_public_address
from proxy_site.tests.outbound.hostile_server import HostileServer


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "140.238.0.1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:1.1.1.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "localhost",
        "2130706433",
        "127.1",
        "",
    ],
)
def test_an_address_that_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public_address(address)


def test_each_redirect_is_checked_before_connecting(
    server: HostileServer, other_server: HostileServer
) -> None:
    server.location = other_server.url + "/hello"
    with pytest.raises(OutboundError) as caught:
        fetch(
            server.url + "/to",
            max_bytes=10,
            deadline=5,
            address_allowed=lambda address: address != "127.0.0.6",
        )
    assert caught.value.code == "private_address"
    assert (len(server.requests), other_server.requests) == (1, [])


def test_a_redirect_to_the_metadata_service_is_refused(server: HostileServer) -> None:
    server.location = "http://169.254.169.254/opc/v2/instance/"
    started = time.monotonic()
    with pytest.raises(OutboundError) as caught:
        fetch(
            server.url + "/to",
            max_bytes=10,
            deadline=5,
            address_allowed=lambda address: address == "127.0.0.1" or is_public_address(address),
        )
    assert caught.value.code == "private_address"
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "127。0。0。1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
    ],
)
def test_our_own_machine_is_refused_without_a_connection(host: str) -> None:
    with dual_stack_canary() as canary:
        port = canary.getsockname()[1]
        with pytest.raises(OutboundError) as caught:
            fetch(f"http://{host}:{port}/?passkey=secret", max_bytes=10, deadline=5)
        assert caught.value.code == "private_address"
        assert caught.value.permanent
        assert "private network" in str(caught.value)
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()


def dual_stack_canary() -> socket.socket:
    """Listens on every address of this machine."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", 0))
