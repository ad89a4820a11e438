"""Where a request comes from."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from accounts.addresses import address_of, network


@pytest.mark.parametrize(
    ("remote", "forwarded", "direct", "proxied"),
    [
        ("192.0.2.1", "", "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "203.0.113.1", "127.0.0.1", "203.0.113.1"),
        ("127.0.0.1", "made-up, 10.0.0.1, 2001:db8::1", "127.0.0.1", "2001:db8::1"),
        ("127.0.0.1", "203.0.113.1, garbage", "127.0.0.1", "127.0.0.1"),
        ("::ffff:192.0.2.1", "", "192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "", "fe80::1", "fe80::1"),
        ("", "", "", ""),
    ],
)
def test_only_our_own_proxy_is_believed(
    settings: Settings, remote: str, forwarded: str, direct: str, proxied: str
) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=remote)
    settings.BEHIND_HTTPS_PROXY = False
    assert address_of(request) == direct
    settings.BEHIND_HTTPS_PROXY = True
    assert address_of(request) == proxied


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_an_ipv6_network_counts_as_one_place(address: str, counted: str) -> None:
    assert network(address) == counted
