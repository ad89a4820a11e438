"""Items of plain RSS, read without feedparser, which takes ten times as long.

Plain is what most indexers write: RSS in UTF-8, whose items are elements with text and nothing else in them, none of
which means more to feedparser than what stands here. Of such items this says what feedparser says, as far as
`entries.item_of` asks, and of all others nothing; tests compare the two.
"""

import codecs
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from feedparser.api import StrictFeedParser
from feedparser.datetimes import _parse_date
from feedparser.urls import _urljoin, make_safe_absolute_uri

from feeds.parsing.entries import NAMED

Entry = dict[str, Any]

_DECLARATION = re.compile(
    rb"<\?xml\s+version=['\"]1\.0['\"](?P<utf8>\s+encoding=['\"]utf-8['\"])?(?:\s+standalone=['\"]\w+['\"])?\s*\?>",
    re.IGNORECASE,
)
_CHARSET = re.compile(r"\s*charset=['\"]?utf-8['\"]?\s*", re.IGNORECASE)
_WINDOWS = re.compile("[\x80-\x9f]")
_REFERENCE = re.compile("&([A-Za-z0-9_]+);")
_KNOWN_NAMESPACES = frozenset(uri.lower() for uri in StrictFeedParser.namespaces)
_ATOM_LINK = "http://www.w3.org/2005/Atom link "
# Elements of a channel with nothing but text in them.
_AROUND = frozenset(
    {
        "title",
        "link",
        "description",
        "language",
        "copyright",
        "managingeditor",
        "webmaster",
        "pubdate",
        "lastbuilddate",
        "category",
        "generator",
        "docs",
        "ttl",
    }
)
_IN_IMAGE = frozenset({"title", "link", "url", "description", "width", "height"})
_ENCLOSURE = "enclosure"
_OF_NO_USE = ""
# As an entry calls them. Any other without a prefix might mean something to feedparser.
_IN_ITEM: dict[str, str] = {
    "title": "title",
    "link": "link",
    "guid": "id",
    "description": "summary",
    "comments": "comments",
    "pubdate": "published",
    "enclosure": _ENCLOSURE,
    **{name: name for name in NAMED},
    **dict.fromkeys(
        (
            "category",
            "type",
            "grabs",
            "files",
            "seeders",
            "leechers",
            "peers",
            "jackettindexer",
            "prowlarrindexer",
        ),
        _OF_NO_USE,
    ),
}
_ONCE = frozenset({"title", "link", "comments", "summary", "id", "published"})


class _NotPlain(Exception):
    """Feedparser is to read it."""


def plain_entries(document: bytes, *, content_type: str, url: str) -> list[Entry] | None:
    """Its items in their order as feedparser's entries, or None. `document` is within the limits of `scan`."""
    if not _is_surely_utf8(document, content_type):
        return None
    try:
        return _Reader(url).entries_of(document)
    except (_NotPlain, expat.ExpatError):
        return None


def _is_surely_utf8(document: bytes, content_type: str) -> bool:
    """Feedparser weighs what header, declaration and bytes say against each other. Here none says anything else."""
    kind, parameter, charset = content_type.partition(";")
    unmarked = document.removeprefix(codecs.BOM_UTF8)
    declaration = _DECLARATION.match(unmarked)
    if (
        (parameter and not _CHARSET.fullmatch(charset))
        or document.count(b"?>") != (declaration is not None)
        or b"<!DOCTYPE" in document
    ):
        return False
    says_so = parameter or unmarked != document or (declaration is not None and declaration["utf8"])
    return bool(says_so) or document.isascii() or not kind.strip().lower().startswith("text/")


def _key(name: str) -> str | None:
    """What an entry calls an element of an item (as expat names it: namespace, name, prefix), `_OF_NO_USE` for what
    nobody asks for, None for what is not plain."""
    parts = name.split(" ")
    if len(parts) == 1:
        return _IN_ITEM.get(name.lower())
    if len(parts) != 3:
        return None
    namespace, local, prefix = parts
    key = f"{prefix}_{local.lower()}"
    if (
        namespace.lower() in _KNOWN_NAMESPACES
        or "backend.userland.com" in namespace.lower()
        or hasattr(StrictFeedParser, f"_start_{key}")
        or hasattr(StrictFeedParser, f"_end_{key}")
        or key.endswith("_parsed")  # so feedparser calls what it has made of others
    ):
        return None
    return key if key in NAMED or key.rpartition("_")[2] in NAMED else _OF_NO_USE


def _changes_others(attributes: Mapping[str, str]) -> bool:
    """Whether what is around them, or in them, means something else with these."""
    return any(" " in name or name.lower() in ("base", "lang") for name in attributes)


class _Reader:
    def __init__(self, url: str) -> None:
        base = make_safe_absolute_uri(url)
        self._base = make_safe_absolute_uri(base, base) or base
        self._entries: list[Entry] = []
        self._entry: Entry | None = None
        self._depth = 0
        self._in_image = False
        self._keys: dict[str, str | None] = {}
        self._key: str = _OF_NO_USE
        self._seen: set[str] = set()
        self._text: list[str] = []
        self._id_is_link = False

    def entries_of(self, document: bytes) -> list[Entry]:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(document, True)
        return self._entries

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if self._depth or not prefix or not uri or prefix != prefix.lower():
            raise _NotPlain

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._entry is not None:
            self._start_in_item(name, attributes)
        elif self._depth == 3 and name == "item" and not attributes:
            self._entry, self._seen = {}, set()
        elif not self._is_plain_around(name, attributes):
            raise _NotPlain

    def _is_plain_around(self, name: str, attributes: Mapping[str, str]) -> bool:
        match self._depth:
            case 1:
                return name == "rss" and attributes.keys() <= {"version"}
            case 2:
                return name == "channel" and not attributes
            case 3:
                self._in_image = name == "image"
                known = self._in_image or name.lower() in _AROUND or name.startswith(_ATOM_LINK)
                return (known or (" " in name and _key(name) is not None)) and not _changes_others(attributes)
            case 4:
                return self._in_image and name in _IN_IMAGE and not attributes
            case _:
                return False

    def _start_in_item(self, name: str, attributes: dict[str, str]) -> None:
        if name not in self._keys:
            self._keys[name] = _key(name)
        key = self._keys[name]
        if self._depth != 4 or key is None or key in self._seen:
            raise _NotPlain
        if key in _ONCE:
            self._seen.add(key)
        self._key = key
        self._text = []
        if key == _ENCLOSURE:
            self._enclose(attributes)
        elif key == "id":
            self._id_is_link = _is_permanent_link(attributes)
        elif attributes and (key != _OF_NO_USE or _changes_others(attributes)):
            raise _NotPlain

    def _enclose(self, attributes: Mapping[str, str]) -> None:
        assert self._entry is not None
        if not attributes.keys() <= {"url", "length", "type"}:
            raise _NotPlain
        link = {"rel": "enclosure", "type": attributes.get("type", "").lower()}
        link |= {"href": attributes.get("url", ""), "length": attributes.get("length", "")}
        self._entry.setdefault("links", []).append(link)

    def _characters(self, text: str) -> None:
        if self._entry is not None:
            self._text.append(text)

    def _end(self, _name: str) -> None:
        if self._entry is not None:
            if self._depth == 4:
                self._end_in_item(self._entry)
            else:
                self._entries.append(self._entry)
                self._entry = None
        self._depth -= 1

    def _end_in_item(self, entry: Entry) -> None:
        key = self._key
        if key in (_OF_NO_USE, _ENCLOSURE):
            return
        text = "".join(self._text).strip()
        is_address = key in ("link", "comments") or (key == "id" and self._id_is_link)
        if is_address and text and not text.startswith("magnet:?"):
            text = _urljoin(self._base, text)
        text = _mended(text)
        if key == "link":
            text = _REFERENCE.sub(r"&\g<1>", text.replace("&amp;", "&"))
        if key == "published":
            entry["published_parsed"] = _parse_date(text)
        else:
            entry[key] = text
        if key == "id" and self._id_is_link:
            entry.setdefault("link", text)


def _is_permanent_link(attributes: Mapping[str, str]) -> bool:
    """Of an id; it is, unless it says otherwise."""
    if len(attributes) > 1 or any(name.lower() != "ispermalink" for name in attributes):
        raise _NotPlain
    return all(value == "true" for value in attributes.values())


def _mended(text: str) -> str:
    """Where UTF-8 was taken for Latin-1 and encoded once more."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode()
    if _WINDOWS.search(text):
        raise _NotPlain
    return text
