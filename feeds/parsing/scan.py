"""A strict look at a feed before anything cleverer sees it: what attacks is refused, and items are found as slices of
the body with what identifies them, so that only new ones have to be read.

The limits are those of the attacks: feedparser needs 5 s for one element with 20,000 attributes and 23 s and 330 MB for
100,000 items; entities can grow a body a million times.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from feeds.parsing import MAX_ITEMS, FeedError
from feeds.parsing.entries import one_line

MAX_ATTRIBUTES = 64
MAX_DEPTH = 64
MAX_ELEMENTS = 200_000  # real feeds have 40 an item; feedparser needs 10 µs for each
MAX_ELEMENTS_OF_ITEM = 1_000
MAX_ELEMENTS_OUTSIDE = (
    5_000  # of items; they are read with every hundred items. RDF has one there for each item
)
MAX_BASES = 2 * MAX_ITEMS  # xml:base: each is joined with those around it
MAX_ITEM_BYTES = 256 * 1024  # larger ones are left out; real ones have a few kB
HOSTILE = "This feed is built as attacks are, not as feeds are. It was not read."
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_ITEMS = frozenset({"item", "entry"})
_IDENTIFYING = frozenset({"guid", "id", "link", "title"})


class Malformed(Exception):
    """Not well-formed XML, which says nothing about whether people depend on it."""


@dataclass(slots=True)
class RawItem:
    """One item as it stands in the body, bytes `start` to `end`."""

    start: int
    end: int = 0
    identifiers: dict[str, str] = field(default_factory=dict)  # guid, id, link, title, where it has them
    attributes: dict[str, str] = field(default_factory=dict)  # torznab's and newznab's, by name in lower case


@dataclass(frozen=True, slots=True)
class Scan:
    body: bytes
    items: list[RawItem]
    keys: list[str]  # one an item
    begin: int  # of the first item in the body, also one that was left out
    finish: int  # of the last

    def with_only(self, wanted: Sequence[RawItem]) -> bytes:
        """The document with these items alone."""
        cut = (self.body[item.start : item.end] for item in wanted)
        return b"".join((self.body[: self.begin], *cut, self.body[self.finish :]))


def scan(body: bytes) -> Scan:
    """Raises FeedError for what must not be read, Malformed for what is not XML."""
    if _ENTITY.search(body):
        raise FeedError("This feed defines XML entities, as attacks do. It was not read.", "entities")
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in body[:4]:
        raise Malformed("two-byte characters")  # its items cannot be cut out by bytes
    found = _Finder(body)
    found.run()
    items = [item for item in found.items if item.identifiers and item.end - item.start <= MAX_ITEM_BYTES]
    begin, finish = (found.items[0].start, found.items[-1].end) if found.items else (len(body), len(body))
    return Scan(body, items, keys_of([item.identifiers for item in items]), begin, finish)


def too_many_items() -> FeedError:
    return FeedError(
        f"This feed has more than {MAX_ITEMS:,} items. Subscribe to a search that has fewer.",
        "too_many_items",
    )


def keys_of(identifiers: Sequence[dict[str, str]]) -> list[str]:
    """What tells an item from the others of its feed, now and next time: its id; without one, or where several share
    it, also its link and title."""
    ids = [identifier.get("guid") or identifier.get("id") or "" for identifier in identifiers]
    shared = Counter(ids)
    keys = []
    for identity, identifier in zip(ids, identifiers, strict=True):
        parts = [identity]
        if not identity or shared[identity] > 1:
            parts += [identifier.get("link", ""), identifier.get("title", "")]
        keys.append(
            hashlib.blake2b("\n".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()
        )
    return keys


class _Finder:
    def __init__(self, body: bytes) -> None:
        self.items: list[RawItem] = []
        self._body = body
        self._depth = self._elements = self._elements_of_item = self._elements_outside = 0
        self._named_as_items = self._bases = 0
        self._item: RawItem | None = None
        self._item_depth = 0
        self._text: list[str] | None = None
        self._text_of = ""
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def run(self) -> None:
        try:
            self._parser.Parse(self._body, True)
        except (
            expat.ExpatError,
            LookupError,
            ValueError,
        ) as error:  # also encodings that Python does not have
            raise Malformed(str(error)) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        local = name.rpartition(":")[2].lower()
        if self._depth == 1 and local == "caps":
            raise FeedError(
                "This is an indexer's list of what it can do. Use the address of a search (t=search).",
                "caps",
            )
        if self._depth == 1 and local == "error":
            said = one_line(attributes.get("description") or attributes.get("code") or "", 300)
            raise FeedError(f"The indexer refuses: {said or 'no reason'}", "refused")
        if self._depth > MAX_DEPTH or len(attributes) > MAX_ATTRIBUTES:
            raise FeedError(HOSTILE, "hostile")
        self._count(local, attributes)
        if self._item is None:
            if local in _ITEMS and self._depth in (2, 3):
                self._elements_of_item = 0
                self._item, self._item_depth = RawItem(self._parser.CurrentByteIndex), self._depth
        elif self._depth == self._item_depth + 1:
            if local == "attr":
                self._item.attributes[attributes.get("name", "").lower()] = attributes.get("value", "")
            elif local in _IDENTIFYING and local not in self._item.identifiers:
                self._text, self._text_of = [attributes.get("href", "")], local

    def _count(self, local: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._bases += "xml:base" in attributes
        if self._item is not None:
            self._elements_of_item += 1
        else:
            self._elements_outside += 1
        if local in _ITEMS:  # also within others, where feedparser may see items that we do not
            self._named_as_items += 1
        if self._named_as_items > MAX_ITEMS:
            raise too_many_items()
        if (
            self._elements > MAX_ELEMENTS
            or self._elements_of_item > MAX_ELEMENTS_OF_ITEM
            or self._elements_outside > MAX_ELEMENTS_OUTSIDE
            or self._bases > MAX_BASES
        ):
            raise FeedError(HOSTILE, "hostile")

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if self._item is not None:
            if self._depth == self._item_depth:
                self._item.end = self._body.index(b">", self._parser.CurrentByteIndex) + 1
                self.items.append(self._item)
                self._item = None
            elif self._text is not None and self._depth == self._item_depth + 1:
                if text := "".join(self._text).strip():
                    self._item.identifiers[self._text_of] = text
                self._text = None
        self._depth -= 1
