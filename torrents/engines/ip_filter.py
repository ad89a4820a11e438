"""Which addresses an engine must never connect to, as a filter file that qBittorrent reads."""

import ipaddress

# Everything but the public internet, by IANA's special-purpose registries; of IPv6, 2000::/3 is given out.
# `ipaddress.is_global` lets several of these pass (multicast, IPv4-compatible, NAT64, 6to4).
NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "::/3",  # unspecified, loopback, IPv4-mapped and -compatible, NAT64, discard-only
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "4000::/2",
        "8000::/1",  # unique local, link-local, site-local, multicast
    )
)


def ip_filter(loopback_peers: tuple[str, ...] = ()) -> str:
    """A filter of everything not public, as eMule's .dat: the text format in which qBittorrent reads IPv6.

    Addresses of `loopback_peers` are let through; ValueError for one that is not of 127.0.0.0/8.
    """
    networks: list[ipaddress.IPv4Network] = list(NOT_PUBLIC_V4)
    for text in loopback_peers:
        allowed = ipaddress.IPv4Network(text)
        if not allowed.is_loopback:
            raise ValueError(f"{text} is not in 127.0.0.0/8")
        networks = [
            part
            for network in networks
            for part in (network.address_exclude(allowed) if allowed.subnet_of(network) else (network,))
        ]
    # The third column is an access level; qBittorrent ignores ranges above 127.
    filtered: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = [*sorted(networks), *NOT_PUBLIC_V6]
    return "".join(f"{network[0]} - {network[-1]} , 000 , not public\n" for network in filtered)
