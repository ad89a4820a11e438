"""Where a request comes from."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def address_of(request: HttpRequest | Request) -> str:
    """The client's IP address; "" where there is none, as on a Unix socket.

    Only behind our own proxy anything is believed of X-Forwarded-For: its last entry, which the proxy appended.
    """
    if settings.BEHIND_HTTPS_PROXY:
        forwarded = plain(request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2])
        if forwarded:
            return forwarded
    return plain(request.META.get("REMOTE_ADDR", ""))


def plain(address: str) -> str:
    """An address as we store it: no zone, IPv4 as such even where it came mapped into IPv6; "" for anything else."""
    try:
        parsed = ipaddress.ip_address(address.strip().partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def network(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 connection has to itself."""
    parsed = plain(address)
    if ":" not in parsed:
        return parsed
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
