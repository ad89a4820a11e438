"""Plain RSS is read as feedparser reads it, and what is not plain is left to feedparser."""

import codecs
import io
import os
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.parsing import FeedError
from feeds.parsing.entries import NAMED, item_of
from feeds.parsing.plain import plain_entries
from feeds.parsing.scan import Malformed, scan
from feeds.tests.feed_samples import INFOHASH, item, rss

URL = "https://feeds.example/rss/all?passkey=secret"
XML = "application/xml"
READ = ("title", "summary", "id", "link", "comments", "published_parsed")

NYAA = item(
    "[Group] Lighthouse - 01 [1080p] &amp; Töne",
    more=f"<pubDate>Fri, 02 Oct 2026 08:53:46 -0000</pubDate><nyaa:infoHash>{INFOHASH}</nyaa:infoHash>"
    "<nyaa:categoryId>1_2</nyaa:categoryId><nyaa:size>1.4 GiB</nyaa:size><nyaa:trusted>No</nyaa:trusted>"
    "<description><![CDATA[<a href='https://feeds.example/view/1'>#1</a> | 1.4 GiB]]></description>",
)
TORZNAB = item(
    link="https://feeds.example/dl?id=1&file=2",
    more="<comments>/details/1</comments><size>734003200</size><category>5070</category><category>5000</category>"
    "<jackettindexer id='one'>One</jackettindexer><enclosure url='https://feeds.example/1.torrent' length='7'"
    " type='Application/x-BitTorrent' /><torznab:attr name='seeders' value='3' />",
)


def by_feedparser(document: bytes, content_type: str) -> Any:
    headers = {"content-type": content_type, "content-location": URL}
    return feedparser.parse(
        io.BytesIO(document), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    ).entries


def is_plain(document: bytes, content_type: str = XML) -> bool:
    """Whether it is read without feedparser; then what is read is the same."""
    found = plain_entries(document, content_type=content_type, url=URL)
    if found is None:
        return False
    expected = by_feedparser(document, content_type)
    assert [asked_for(entry) for entry in found] == [asked_for(entry) for entry in expected]
    assert [item_of(entry, "", {}, URL) for entry in found] == [
        item_of(entry, "", {}, URL) for entry in expected
    ]
    return True


def asked_for(entry: Any) -> dict[str, Any]:
    fields = {name: entry.get(name) for name in READ}
    fields["enclosures"] = [
        [link.get(name) or "" for name in ("href", "type", "length")]
        for link in entry.get("links") or []
        if link.get("rel") == "enclosure"
    ]
    fields["named"] = [
        (name, value)
        for name, value in entry.items()
        if name in NAMED or (isinstance(value, str) and name.rpartition("_")[2] in NAMED)
    ]
    return fields


@pytest.mark.parametrize("content_type", [XML, "application/rss+xml; charset=utf-8", "text/xml"])
@pytest.mark.parametrize("items", [(NYAA,), (TORZNAB,), (NYAA, TORZNAB)])
def test_what_indexers_write_is_plain(items: tuple[str, ...], content_type: str) -> None:
    image = "<image><url>https://feeds.example/i.png</url><title>Other</title><link>x</link></image>"
    atom = "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' href='/rss' rel='self'/>".replace(
        " xmlns", " xmlns"
    )
    assert is_plain(rss(*items, more=image + "<ttl>5</ttl><language>en</language>"), content_type)
    assert not is_plain(rss(*items, more=atom), content_type)


@pytest.mark.parametrize("begin", [b"", codecs.BOM_UTF8, codecs.BOM_UTF8 + b"<?xml version='1.0'?>"])
def test_feeds_that_do_not_say_that_they_are_utf8_are_plain(begin: bytes) -> None:
    assert is_plain(begin + rss(NYAA).partition(b"?>")[2])


@pytest.mark.parametrize(
    "more",
    [
        "<description>x</description><description>y</description>",
        "<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>x</content:encoded>",
        "<description>a<b>c</b></description>",
        "<size unit='MiB'>7</size>",
        "<comments xml:base='https://other.example/'>x</comments>",
        "<torrent xmlns='http://xmlns.ezrss.it/0.1/'><magnetURI>x</magnetURI></torrent>",
        "<summary>x</summary>",
        "<source url='x'>y</source>",
        "<item/>",
        "<pubDate>x\x96y</pubDate>",
    ],
)
def test_what_might_mean_more_is_left_to_feedparser(more: str) -> None:
    assert not is_plain(rss(item(more=more)))


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        (rss(NYAA), "application/xml; charset=iso-8859-1"),
        (rss(NYAA).replace(b"utf-8", b"windows-1252"), XML),
        (rss(NYAA).partition(b"?>")[2], "text/xml"),
        (rss(NYAA).replace(b"?>", b"?><!DOCTYPE rss>"), XML),
        (rss(NYAA).replace(b"?>", b"?><?other encoding='latin-1'?>"), XML),
        (rss(NYAA).replace(b"<rss", b"<rss xmlns='http://purl.org/rss/1.0/'"), XML),
        (rss(NYAA).replace(b"<rss", b"<rss xml:base='https://other.example/'"), XML),
        (rss(NYAA).replace(b"https://nyaa.si/xmlns/nyaa", b"http://purl.org/dc/elements/1.1/"), XML),
        (rss(NYAA).replace(b"https://nyaa.si/xmlns/nyaa", b"a b"), XML),
        (rss(NYAA).replace(b"rss", b"rdf"), XML),
        (rss(NYAA).replace(b"nyaa:size", b"other:size"), XML),
    ],
)
def test_documents_that_could_be_read_in_two_ways_are_left_to_feedparser(
    document: bytes, content_type: str
) -> None:
    assert not is_plain(document, content_type)


PREFIXES = ["", "", "nyaa:", "torznab:", "media:", "atom:", "dc:"]
LOCAL_NAMES = [
    *(
        "title",
        "link",
        "guid",
        "description",
        "pubDate",
        "comments",
        "enclosure",
        "category",
        "author",
        "updated",
    ),
    *(
        "size",
        "infoHash",
        "contentLength",
        "magnetURI",
        "attr",
        "hash",
        "info_hash",
        "seeders",
        "content",
        "Title",
    ),
    *("links", "published_parsed", "id", "source", "summary"),
]
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
    st.text("a&;<>é Ã¤\x80\x96\u2019/?:#=\n", max_size=12),
    st.sampled_from(
        [
            "Fri, 02 Oct 2026 08:53:46 +0200",
            "2026-10-02T08:53:46Z",
            "10/2/2026 8:53:46 AM",
            f"magnet:?xt=urn:btih:{INFOHASH}&dn=x&amp;tr=y",
            "https://feeds.example/1.torrent",
            "../get/1.torrent?a=1&b;=2",
            "id-1",
            "Size: 1.4 GiB",
            " ",
            "[Group] Lighthouse - 01 &lt;b&gt;x&lt;/b&gt; &amp;eacute;",
        ]
    ),
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["url", "length", "type", "isPermaLink", "href", "rel", "base", "lang", "name", "xml:lang"]
    ),
    st.sampled_from(
        ["true", "false", "", "7", "text/html", "Application/X-BitTorrent", "https://a.example/1"]
    ),
    max_size=2,
)


def escaped(text: str, *, quoted: bool) -> str:
    text = "".join(character for character in text if character >= " " or character == "\n")
    if quoted and "]]>" not in text:
        return f"<![CDATA[{text}]]>"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@st.composite
def elements(draw: st.DrawFn, names: list[str], *, nested: bool = True) -> str:
    name = draw(st.sampled_from(PREFIXES)) + draw(st.sampled_from(names))
    attributes = draw(st.one_of(st.just({}), st.just({}), ATTRIBUTES))
    written = "".join(f' {key}="{escaped(value, quoted=False)}"' for key, value in attributes.items())
    text = escaped(draw(TEXTS), quoted=draw(st.booleans()))
    if nested and draw(st.integers(0, 30)) == 0:
        text += draw(elements(names, nested=False))
    return f"<{name}{written}>{text}</{name}>"


PLAIN = [
    *(
        "title",
        "title",
        "link",
        "guid",
        "guid isPermaLink='false'",
        "description",
        "pubDate",
        "comments",
        "category",
    ),
    *(
        "size",
        "nyaa:infoHash",
        "nyaa:size",
        "torznab:magnetUrl",
        "nyaa:seeders",
        "torznab:attr name='x'",
        "seeders",
    ),
    *("enclosure url='/1.torrent' type='Application/X'", "enclosure length='7' url=''"),
]


@st.composite
def plain_elements(draw: st.DrawFn) -> str:
    start = draw(st.sampled_from(PLAIN))
    return f"<{start}>{escaped(draw(TEXTS), quoted=draw(st.booleans()))}</{start.split()[0]}>"


AROUND = [
    "title",
    "link",
    "ttl",
    "language",
    "image",
    "textInput",
    "source",
    "description",
    "author",
    "category",
]


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    element = st.one_of(*[plain_elements()] * 15, elements(LOCAL_NAMES))
    items = draw(st.lists(st.lists(element, max_size=6).map("".join), min_size=1, max_size=3))
    around = "".join(draw(st.lists(elements(AROUND), max_size=2))) if draw(st.integers(0, 4)) == 0 else ""
    encoding = draw(st.sampled_from([' encoding="utf-8"', " encoding='UTF-8'", ""]))
    namespaces = (
        'xmlns:nyaa="https://nyaa.si/xmlns/nyaa" xmlns:torznab="http://torznab.com/schemas/2015/feed"'
        ' xmlns:media="urn:unknown" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    body = "".join(f"<item>{inside}</item>" for inside in items)
    return (
        f'<?xml version="1.0"{encoding}?><rss version="2.0" {namespaces}><channel>{around}{body}</channel></rss>'
    ).encode()


@settings(max_examples=400, deadline=None)
@given(documents(), st.sampled_from([XML, "text/xml", "text/html; charset=UTF-8", "application/rss+xml"]))
def test_whatever_is_read_without_feedparser_is_read_as_by_it(document: bytes, content_type: str) -> None:
    is_plain(document, content_type)


@pytest.mark.skipif("FEED_SAMPLES" not in os.environ, reason="FEED_SAMPLES names no folder of recorded feeds")
def test_recorded_feeds_are_read_as_by_feedparser() -> None:
    plain = 0
    for path in sorted(Path(os.environ["FEED_SAMPLES"]).rglob("*.xml")):
        try:
            found = scan(path.read_bytes())
        except (FeedError, Malformed):
            continue
        for document in (found.body, *(found.with_only([one]) for one in found.items)):
            plain += is_plain(document)
    assert plain > 0
