"""One body to one ParsedFeed."""

import io
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

import feedparser

from feeds.parsing import MAX_ITEMS, FeedError, ParsedFeed, ParsedItem
from feeds.parsing.entries import item_of, one_line
from feeds.parsing.plain import plain_entries
from feeds.parsing.scan import Malformed, RawItem, Scan, keys_of, scan, too_many_items

MAX_MALFORMED_BYTES = 512 * 1024  # feedparser's loose parser takes many times that in memory
_AT_ONCE = 100  # items that feedparser holds at a time
_HTML = re.compile(rb"\A\s*(?:<!doctype html|<html)", re.IGNORECASE)
_FEED = re.compile(rb"<(?:rss|feed|rdf:rdf|channel)[\s>]", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:x(?P<hex>[0-9a-f]+)|(?P<decimal>[0-9]+));?", re.IGNORECASE)
_LONGEST_TTL = 7 * 24 * 60  # minutes


def read(body: bytes, *, content_type: str, url: str, known: Set[str]) -> ParsedFeed:
    """The feed, with those of its items whose keys are not in `known`. Raises FeedError."""
    if not body.strip():
        raise FeedError("The address sends nothing at all.", "empty")
    if _HTML.match(body):
        raise FeedError("The address leads to a web page, not to a feed. Look for its RSS link.", "html")
    headers = {"content-type": content_type or "application/xml", "content-location": url}
    try:
        found = scan(body)
    except Malformed:
        return _read_loosely(body, headers, url, known)
    return _read_strictly(found, headers, url, known)


def _read_strictly(found: Scan, headers: Mapping[str, str], url: str, known: Set[str]) -> ParsedFeed:
    new: dict[str, RawItem] = {}
    for key, item in zip(found.keys, found.items, strict=True):
        if key not in known:
            new.setdefault(key, item)
    around = _parsed(found.with_only([]), headers)
    if not found.items:
        _refuse_no_feed(around, found.body)
    keys, items = list(new), list[ParsedItem]()
    for first in range(0, len(keys), _AT_ONCE):
        some = keys[first : first + _AT_ONCE]
        raw = [new[key] for key in some]
        document = found.with_only(raw)
        entries = plain_entries(document, content_type=headers["content-type"], url=url)
        if entries is None:
            entries = _parsed(document, headers).entries
        if len(entries) != len(raw):
            # Items within items, or something else that the two read differently.
            whole = _parsed(found.body, headers)
            _refuse_no_feed(whole, found.body)
            return _items_of(whole, url, known)
        for key, item, entry in zip(some, raw, entries, strict=True):
            if (parsed := item_of(entry, key, item.attributes, url)) is not None:
                items.append(parsed)
    return _feed(around.feed, list(dict.fromkeys(found.keys)), items)


def _read_loosely(body: bytes, headers: Mapping[str, str], url: str, known: Set[str]) -> ParsedFeed:
    if len(body) > MAX_MALFORMED_BYTES:
        raise FeedError("This is not well-formed XML, and too much to be repaired.", "malformed")
    if not _FEED.search(body[:65536].replace(b"\0", b"")):
        raise FeedError("What the address sends is not a feed.", "not_a_feed")
    parsed = _parsed(_REFERENCE.sub(_possible, body), headers)
    _refuse_no_feed(parsed, body)
    return _items_of(parsed, url, known)


def _possible(reference: re.Match[bytes]) -> bytes:
    """The same, or a question mark for what is no character: feedparser gives up over it."""
    digits, base = (reference["hex"], 16) if reference["hex"] else (reference["decimal"], 10)
    code = int(digits, base) if len(digits) < 10 else -1
    return reference[0] if 0 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF else b"?"


def _items_of(parsed: Any, url: str, known: Set[str]) -> ParsedFeed:
    entries: Sequence[Mapping[str, Any]] = parsed.entries
    if len(entries) > MAX_ITEMS:
        raise too_many_items()
    keys = keys_of(
        [{name: str(entry.get(name) or "").strip() for name in ("id", "link", "title")} for entry in entries]
    )
    items: dict[str, ParsedItem] = {}
    for key, entry in zip(keys, entries, strict=True):
        if key not in known and key not in items and (item := item_of(entry, key, {}, url)) is not None:
            items[key] = item
    return _feed(parsed.feed, list(dict.fromkeys(keys)), list(items.values()))


def _parsed(document: bytes, headers: Mapping[str, str]) -> Any:
    # As a file: a string would be taken for an address, which feedparser would fetch by itself.
    source = io.BytesIO(document)
    try:
        return feedparser.parse(
            source, response_headers=dict(headers), sanitize_html=False, resolve_relative_uris=False
        )
    except ValueError as error:  # xml.sax splits names at white space, also at what namespaces have of it
        raise FeedError("The names in this feed's XML cannot be read.", "malformed") from error


def _refuse_no_feed(parsed: Any, body: bytes) -> None:
    if not parsed.version and not parsed.entries and not _FEED.search(body[:65536]):
        raise FeedError("What the address sends is not a feed.", "not_a_feed")


def _feed(feed: Mapping[str, Any], keys: list[str], items: list[ParsedItem]) -> ParsedFeed:
    return ParsedFeed(
        title=one_line(str(feed.get("title") or ""), 255), ttl=_ttl(feed), keys=keys, items=items[::-1]
    )


def _ttl(feed: Mapping[str, Any]) -> int | None:
    text = str(feed.get("ttl") or "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        return None
    return min(int(text), _LONGEST_TTL) * 60 or None
