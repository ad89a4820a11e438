"""Magnet links: BEP 9, with the v2 infohashes of BEP 52."""

import base64
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote

from torrents.metainfo.errors import MetainfoError
from torrents.metainfo.names import display_name
from torrents.metainfo.source import Source
from torrents.metainfo.trackers import vet_trackers

MAX_MAGNET_LENGTH = 16_384  # characters
_SCHEME = "magnet:?"
_BTIH = "urn:btih:"
_BTMH = "urn:btmh:"
_V1_HEX = re.compile(r"[0-9a-f]{40}")
_V1_BASE32 = re.compile(r"[a-z2-7]{32}")
_V2_HEX = re.compile(r"1220([0-9a-f]{64})")  # multihash: 12 is SHA-256, 20 its length
# Control characters, line and paragraph separators, lone surrogates.
_FORBIDDEN = frozenset({"Cc", "Zl", "Zp", "Cs"})


def parse_magnet(text: str) -> Source:
    """What a magnet link says that we trust; MetainfoError for anything else.

    Kept: infohashes, the name, vetted trackers. Dropped: web seeds, sources, peers and all other parameters.
    """
    text = text.strip()
    if text[: len(_SCHEME)].lower() != _SCHEME:
        raise MetainfoError(
            "That is not a magnet link. A magnet link begins with magnet:?xt=urn:btih:", "not_a_magnet"
        )
    if len(text) > MAX_MAGNET_LENGTH:
        raise MetainfoError(
            "That magnet link is too long. Remove some of its trackers (&tr=…).", "magnet_too_long"
        )
    if any(unicodedata.category(character) in _FORBIDDEN for character in text):
        raise MetainfoError(
            "That magnet link holds a line break or another control character. Paste one link at a time.",
            "control_character",
        )

    hashes_v1: set[str] = set()
    hashes_v2: set[str] = set()
    names: list[str] = []
    trackers: list[str] = []
    for key, value in parse_qsl(text[len(_SCHEME) :]):
        match key.lower().partition(".")[0]:  # several of a kind may be numbered: xt.1, tr.2
            case "xt" if value.lower().startswith(_BTIH):
                hashes_v1.add(_infohash_v1(value[len(_BTIH) :].lower()))
            case "xt" if value.lower().startswith(_BTMH):
                hashes_v2.add(_infohash_v2(value[len(_BTMH) :].lower()))
            case "dn":
                names.append(value)
            case "tr":
                trackers.append(value)

    if not hashes_v1 and not hashes_v2:
        raise MetainfoError(
            "That magnet link has no infohash (xt=urn:btih:…), so nobody can tell which torrent it means. "
            "Copy the whole link.",
            "no_infohash",
        )
    if len(hashes_v1) > 1 or len(hashes_v2) > 1:
        raise MetainfoError(
            "That magnet link names several torrents. Add them one at a time.", "several_infohashes"
        )
    infohash_v1 = next(iter(hashes_v1), None)
    infohash_v2 = next(iter(hashes_v2), None)
    name = display_name(names[0], fallback="") if names else ""
    vetted = vet_trackers(trackers)
    return Source(
        infohash_v1=infohash_v1,
        infohash_v2=infohash_v2,
        name=name,
        magnet=build_magnet(infohash_v1=infohash_v1, infohash_v2=infohash_v2, name=name, trackers=vetted),
        trackers=vetted,
    )


def build_magnet(
    *, infohash_v1: str | None, infohash_v2: str | None, name: str = "", trackers: Iterable[str] = ()
) -> str:
    """A magnet link from parts that are already vetted; at least one infohash is needed."""
    if infohash_v1 is None and infohash_v2 is None:
        raise ValueError("a magnet link needs an infohash")
    parts = []
    if infohash_v1 is not None:
        parts.append(f"xt={_BTIH}{infohash_v1}")
    if infohash_v2 is not None:
        parts.append(f"xt={_BTMH}1220{infohash_v2}")
    if name:
        parts.append(f"dn={quote(name, safe='')}")
    parts.extend(f"tr={quote(tracker, safe='')}" for tracker in trackers)
    return _SCHEME + "&".join(parts)


def _infohash_v1(text: str) -> str:
    if _V1_BASE32.fullmatch(text):
        text = base64.b32decode(text.upper()).hex()
    return _checked(text, _V1_HEX.fullmatch(text) is not None)


def _infohash_v2(text: str) -> str:
    found = _V2_HEX.fullmatch(text)
    return _checked(found[1] if found else "", found is not None)


def _checked(infohash: str, well_formed: bool) -> str:
    # The engine takes an infohash of zeros for none at all.
    if not well_formed or not infohash.strip("0"):
        raise MetainfoError(
            "The infohash in that magnet link is damaged: it must be 40 hexadecimal digits or 32 letters "
            "(v1), or 1220 and 64 hexadecimal digits (v2). Copy the whole link.",
            "bad_infohash",
        )
    return infohash
