"""From feedparser's entry, which keeps what each dialect calls things, to one ParsedItem.

Dialects: RSS 2.0, Atom, RDF; nyaa, ezrss ("torrent"), showrss and SubsPlease elements, which feedparser names
prefix_element; torznab and newznab attributes, which it loses, so the scan brings them.
"""

import base64
import binascii
import calendar
import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from feeds.parsing import MAX_ADDRESS, MAX_TITLE, ParsedItem
from feeds.releases import parse
from feeds.releases.objects import to_object

MAGNETS = ("magneturi", "magneturl", "magnet")
INFOHASHES = ("infohash", "info_hash", "hash")
SIZES = ("contentlength", "size")
NAMED = frozenset((*MAGNETS, *INFOHASHES, *SIZES))  # elements that are read whatever their prefix

_HEX = re.compile(r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\Z", re.IGNORECASE)
_BASE32 = re.compile(r"\A[a-z2-7]{32}\Z", re.IGNORECASE)
_MAGNET = re.compile(r"magnet:\?[^\s\"'<>]+", re.IGNORECASE)
_SIZE = re.compile(r"\A\s*(\d{1,15}(?:[.,]\d{1,6})?)(?!\d)\s*([kmgt]?i?b?)", re.IGNORECASE)
_SIZE_IN_WORDS = re.compile(r"\bsize\s*:?\s*(\d{1,15}(?:[.,]\d{1,6})?\s*[kmgt]i?b)\b", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SMALLEST_CREDIBLE = 64 * 1024  # bytes; feeds that do not know a size write 0, 1 or something as small
_TORRENT_TYPES = frozenset({"application/x-bittorrent", "application/x-torrent"})
_OTHER_TYPES = re.compile(r"nzb|\Aimage/|\Aaudio/|\Avideo/", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def item_of(
    entry: Mapping[str, Any], key: str, attributes: Mapping[str, str], base: str
) -> ParsedItem | None:
    """None for an entry without a title, which nobody could choose by. `attributes` are torznab's."""
    title = _title(entry)
    if not title:
        return None
    description = str(entry.get("summary") or "")
    guid = str(entry.get("id") or "").strip()
    magnet = _magnet(entry, attributes, guid, description)
    address = _torrent_address(entry, base)
    infohash = _infohash(entry, attributes, guid, magnet)
    if not magnet and infohash and not address:
        magnet = (
            f"magnet:?xt=urn:btih:{infohash}"
            if len(infohash) == 40
            else f"magnet:?xt=urn:btmh:1220{infohash}"
        )
    download = address or magnet
    return ParsedItem(
        key=key,
        title=title,
        page=_page(entry, guid, download, base),
        download=download if len(download) <= MAX_ADDRESS else "",
        infohash=infohash,
        size=_size(entry, attributes, description),
        published_at=_published(entry),
        release=to_object(parse(title)),
    )


def infohash_of(text: str) -> str:
    """Forty or sixty-four hexadecimal digits, or v1 in base 32; empty for anything else."""
    text = text.strip()
    if _HEX.match(text):
        return text.lower()
    if _BASE32.match(text):
        try:
            return base64.b32decode(text.upper()).hex()
        except binascii.Error:
            return ""
    return ""


def size_of(text: str) -> int | None:
    """Bytes of `734003200`, `122.1 MiB` or `1.3GB`; None for what is no size of a torrent. Kilo is 1024 everywhere:
    indexers that write MB mean MiB."""
    if (match := _SIZE.match(text)) is None:
        return None
    number = float(match[1].replace(",", "."))
    size = int(number * 1024 ** _POWERS[match[2][:1].lower().replace("b", "")])
    return size if _SMALLEST_CREDIBLE <= size < 2**62 else None


def one_line(text: str, length: int) -> str:
    return _CONTROL.sub(" ", _encodable(text)).strip()[:length]


def _encodable(text: str) -> str:
    """Without halves of characters, which some references leave and no database takes."""
    return text.encode("utf-8", "replace").decode()


def _title(entry: Mapping[str, Any]) -> str:
    # Written into XML as HTML, and escaped once more by some.
    return one_line(html.unescape(str(entry.get("title") or "")), MAX_TITLE)


def _named(entry: Mapping[str, Any], *endings: str) -> Iterator[str]:
    """Texts of elements of any prefix with one of these names."""
    for name, value in entry.items():
        if (isinstance(value, str) and name.rpartition("_")[2] in endings) or name in endings:
            yield str(value)


def _magnet(entry: Mapping[str, Any], attributes: Mapping[str, str], guid: str, description: str) -> str:
    places = [
        *(str(enclosure.get("href") or "") for enclosure in _enclosures(entry)),
        *_named(entry, *MAGNETS),
        attributes.get("magneturl", ""),
        str(entry.get("link") or ""),
        guid,
        str(entry.get("comments") or ""),
        html.unescape(description),
    ]
    for place in places:
        if (match := _MAGNET.search(place)) is not None:
            return _CONTROL.sub("", _encodable(match[0]))
    return ""


def _enclosures(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        link
        for link in entry.get("links") or []
        if link.get("rel") == "enclosure" and not _OTHER_TYPES.search(str(link.get("type") or ""))
    ]


def _torrent_address(entry: Mapping[str, Any], base: str) -> str:
    """An enclosure that says it is a torrent, then any, then the link where there is no enclosure of another kind."""
    enclosures = sorted(_enclosures(entry), key=lambda link: link.get("type") not in _TORRENT_TYPES)
    for enclosure in enclosures:
        if address := _web_address(str(enclosure.get("href") or ""), base):
            return address
    if any(link.get("rel") == "enclosure" for link in entry.get("links") or []):
        return ""
    link = _web_address(str(entry.get("link") or ""), base)
    return link if link and _looks_like_torrent(link) else ""


def _looks_like_torrent(address: str) -> bool:
    path = urlsplit(address).path.lower()
    return path.endswith((".torrent", "/torrent")) or "download" in address.lower()


def _web_address(text: str, base: str) -> str:
    try:
        if text.lstrip()[:7].lower() == "magnet:" or _CONTROL.search(text.strip()):
            return ""
        address = urljoin(base, _encodable(text).strip())
        return address if text.strip() and urlsplit(address).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _infohash(entry: Mapping[str, Any], attributes: Mapping[str, str], guid: str, magnet: str) -> str:
    named = (*_named(entry, *INFOHASHES), attributes.get("infohash", ""))
    for candidate in chain(named, _exact_topics(magnet), (guid,)):
        if infohash := infohash_of(candidate):
            return infohash
    return ""


def _exact_topics(magnet: str) -> Iterator[str]:
    for name, topic in _magnet_fields(magnet):
        if name.lower() == "xt" and topic.lower().startswith(("urn:btih:", "urn:btmh:1220")):
            yield topic.removeprefix("urn:btih:").removeprefix("urn:btmh:1220")


def _magnet_fields(magnet: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(magnet.partition("?")[2], max_num_fields=200)
    except ValueError:
        return []


def _size(entry: Mapping[str, Any], attributes: Mapping[str, str], description: str) -> int | None:
    named = (*_named(entry, *SIZES), attributes.get("size", ""))
    enclosed = (str(enclosure.get("length") or "") for enclosure in _enclosures(entry))
    for place in chain(named, enclosed, _written_sizes(description)):
        if (size := size_of(place)) is not None:
            return size
    return None


def _written_sizes(description: str) -> Iterator[str]:
    if (written := _SIZE_IN_WORDS.search(description[:4000])) is not None:
        yield written[1]


def _page(entry: Mapping[str, Any], guid: str, download: str, base: str) -> str:
    link = str(entry.get("link") or "")
    if guid and not guid.startswith("http") and link.endswith(guid):
        link = ""  # feedparser takes an id for an address unless the feed denies it
    for place in (link, guid if guid.startswith("http") else "", str(entry.get("comments") or "")):
        address = _web_address(place, base)
        if address and address != download and len(address) <= MAX_ADDRESS:
            return address
    return ""


def _published(entry: Mapping[str, Any]) -> str:
    parsed = entry.get("published_parsed")
    if not parsed and "updated_parsed" in entry:  # else feedparser warns, and says what was published
        parsed = entry["updated_parsed"]
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat() if parsed else ""
    except (ValueError, OverflowError, TypeError):
        return ""
