"""Which trackers the engine may talk to.

The engine announces to whatever it is told, from inside our network. A host name that resolves to a private
address cannot be seen here: the engine's own address filter stops that.
"""

import re
from collections.abc import Iterable
from itertools import islice
from urllib.parse import unquote, urlsplit

from proxy_site.outbound import is_public_address

MAX_TRACKERS = 20  # of one source
MAX_MERGED = 100  # of all sources of a torrent, so that a first one with dead trackers starves nobody
MAX_LOOKED_AT = 200
MAX_LENGTH = 1000  # characters

_SCHEMES = frozenset({"http", "https", "udp"})
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
# What the resolver takes for an IPv4 address: 127.1, 2130706433, 0x7f.1, 0177.0.0.1.
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_LOCAL_NAMES = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa")


def vet_tracker(url: str) -> str | None:
    """The announce URL, normalised, or None if the engine must not be told of it."""
    url = url.strip()
    if len(url) > MAX_LENGTH or not _VISIBLE_ASCII.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not host or "@" in parts.netloc:
        return None
    if port == 0 or (port is None and parts.scheme == "udp"):
        return None
    host = host.removesuffix(".")
    if not _is_public_host(host) or _climbs(parts.path):
        return None
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc += f":{port}"
    return parts._replace(netloc=netloc, fragment="").geturl()


def vet_trackers(urls: Iterable[str]) -> tuple[str, ...]:
    """The first 20 acceptable ones, each once, in their order."""
    vetted = (vet_tracker(url) for url in islice(urls, MAX_LOOKED_AT))
    return tuple(islice(dict.fromkeys(url for url in vetted if url is not None), MAX_TRACKERS))


def merge_trackers(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    """Both lists of vetted trackers, each once, at most 100. For public torrents only."""
    return tuple(islice(dict.fromkeys((*first, *second)), MAX_MERGED))


def _is_public_host(host: str) -> bool:
    if ":" in host or _ENDS_IN_NUMBER.fullmatch(host):
        return is_public_address(host)
    return _HOST_NAME.fullmatch(host) is not None and not host.endswith(_LOCAL_NAMES)


def _climbs(path: str) -> bool:
    """Whether `..` is a segment, however often percent-encoded.

    `/announce/../api` passes the engine's rule that a local tracker's path begins with /announce.
    """
    for _ in range(4):
        if ".." in re.split(r"[/\\;]", path):
            return True
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True  # nobody honest encodes a path that often
