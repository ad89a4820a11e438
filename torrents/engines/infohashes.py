"""By which infohashes the engine is to know what it is given, told from that itself and from nothing else."""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import bencode2

from torrents.engines.base import TorrentRejected


@dataclass(frozen=True)
class Infohashes:
    v1: frozenset[str]
    v2: frozenset[str]

    def keys(self) -> set[str]:
        """The engine's ids for it may be the v1 infohash or the first 40 digits of the v2 one."""
        return {*self.v1, *(infohash[:40] for infohash in self.v2)}

    def match(self, v1: str | None, v2: str | None) -> bool:
        return v1 in self.v1 or v2 in self.v2


def infohashes_of_metainfo(metainfo: bytes) -> Infohashes:
    """Both digests of its `info`; the one of a version that the torrent is not of matches nothing."""
    try:
        info = bencode2.bencode(bencode2.bdecode(metainfo)[b"info"])
    except (ValueError, TypeError, LookupError) as error:
        raise TorrentRejected(f"This is not a .torrent in canonical form: {error}.") from error
    return Infohashes(
        v1=frozenset({hashlib.sha1(info, usedforsecurity=False).hexdigest()}),
        v2=frozenset({hashlib.sha256(info).hexdigest()}),
    )


def infohashes_of_magnet(magnet: str) -> Infohashes:
    """The infohashes of a magnet that we built; anything else must never reach the engine's `urls`.

    There, a line break adds a second torrent, and the engine fetches any path or URL, `ws` and `xs` included.
    """
    parameters = (
        parse_qsl(magnet.removeprefix("magnet:?"), keep_blank_values=True) if _is_bare(magnet) else []
    )
    topics = [value for name, value in parameters if name == "xt"]
    v1 = frozenset(topic[9:] for topic in topics if re.fullmatch(r"urn:btih:[0-9a-f]{40}", topic))
    v2 = frozenset(topic[13:] for topic in topics if re.fullmatch(r"urn:btmh:1220[0-9a-f]{64}", topic))
    if (
        not topics
        or len(v1) + len(v2) != len(topics)
        or {name for name, _ in parameters} - {"xt", "dn", "tr"}
    ):
        raise TorrentRejected("This is not a magnet of infohashes, a name and trackers only.")
    return Infohashes(v1, v2)


def _is_bare(magnet: str) -> bool:
    return (
        magnet.startswith("magnet:?xt=urn:bt")
        and magnet.isascii()
        and magnet.isprintable()
        and " " not in magnet
    )
