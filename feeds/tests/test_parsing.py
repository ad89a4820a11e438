"""What feeds of every dialect say, read."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from feeds.parsing import FeedError, ParsedFeed, ParsedItem
from feeds.parsing.child import send
from feeds.parsing.document import read
from feeds.parsing.entries import infohash_of, size_of
from feeds.parsing.isolated import Parser
from feeds.tests.feed_samples import INFOHASH, item, rss

URL = "https://feeds.example/rss/all?passkey=secret"


def parsed(body: bytes, *, known: frozenset[str] = frozenset(), content_type: str = "") -> ParsedFeed:
    return read(body, content_type=content_type, url=URL, known=known)


def only(body: bytes) -> ParsedItem:
    (found,) = parsed(body).items
    return found


def test_an_rss_item_is_read() -> None:
    date = "<pubDate>Fri, 02 Oct 2026 08:53:46 +0200</pubDate>"
    found = only(rss(item("Lighthouse &amp; Co - 01", more=date)))
    assert found.title == "Lighthouse & Co - 01"
    assert found.download == "https://feeds.example/download/1.torrent"
    assert found.published_at == "2026-10-02T06:53:46+00:00"
    assert found.infohash == ""
    assert found.size is None


def test_an_atom_entry_is_read() -> None:
    found = only(
        b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Atom</title><entry><id>urn:1</id>
        <title>Lighthouse 2</title>
        <link href="https://feeds.example/page/1"/><updated>2026-10-02T08:00:00Z</updated>
        <link rel="enclosure" type="application/x-bittorrent" href="/get/1.torrent" length="734003200"/>
        </entry></feed>"""
    )
    assert (found.title, found.size) == ("Lighthouse 2", 734003200)
    assert found.download == "https://feeds.example/get/1.torrent"
    assert found.page == "https://feeds.example/page/1"


def test_an_rdf_item_is_read() -> None:
    found = only(
        b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
        <channel><title>Rdf</title></channel><item rdf:about="x"><title>Lighthouse 3</title>
        <link>https://feeds.example/3.torrent</link></item></rdf:RDF>"""
    )
    assert found.download == "https://feeds.example/3.torrent"


def test_elements_of_nyaa_give_infohash_and_size() -> None:
    more = f"<nyaa:infoHash>{INFOHASH.upper()}</nyaa:infoHash><nyaa:size>122.1 MiB</nyaa:size>"
    found = only(rss(item(more=more)))
    assert (found.infohash, found.size) == (INFOHASH, int(122.1 * 2**20))


def test_all_attributes_of_torznab_are_read_though_they_share_a_name() -> None:
    more = "".join(
        f"<torznab:attr name='{name}' value='{value}'/>"
        for name, value in (("seeders", "7"), ("infohash", INFOHASH), ("size", "734003200"), ("peers", "9"))
    )
    found = only(rss(item(more=more)))
    assert (found.infohash, found.size) == (INFOHASH, 734003200)


def test_elements_of_ezrss_give_a_magnet() -> None:
    magnet = f"magnet:?xt=urn:btih:{INFOHASH}"
    more = (
        f"<torrent xmlns='http://xmlns.ezrss.it/0.1/'><magnetURI><![CDATA[{magnet}]]></magnetURI></torrent>"
    )
    found = only(rss(item(link="https://feeds.example/show/1", more=more)))
    assert (found.download, found.infohash, found.page) == (magnet, INFOHASH, "https://feeds.example/show/1")


@pytest.mark.parametrize(
    "body",
    [
        rss(item(link=f"magnet:?xt=urn:btih:{INFOHASH}")),
        rss(f"<item><title>x</title><guid>magnet:?xt=urn:btih:{INFOHASH}</guid></item>"),
        rss(
            "<item><title>x</title><description>&lt;a href='magnet:?xt=urn:btih:"
            f"{INFOHASH}&amp;amp;dn=x'&gt;</description></item>"
        ),
        rss(f"<item><title>x</title><enclosure length='1' url='magnet:?xt=urn:btih:{INFOHASH}'/></item>"),
    ],
    ids=["link", "guid", "description", "enclosure"],
)
def test_a_magnet_is_found_wherever_feeds_put_it(body: bytes) -> None:
    found = only(body)
    assert found.download.startswith(f"magnet:?xt=urn:btih:{INFOHASH}")
    assert found.infohash == INFOHASH
    assert found.size is None


def test_an_infohash_alone_makes_a_magnet() -> None:
    found = only(rss(f"<item><title>x</title><guid isPermaLink='false'>{INFOHASH}</guid></item>"))
    assert found.download == f"magnet:?xt=urn:btih:{INFOHASH}"


def test_an_enclosure_of_another_kind_is_no_torrent() -> None:
    found = only(
        rss(item(more="<enclosure url='https://feeds.example/1.nzb' type='application/x-nzb' length='9'/>"))
    )
    assert found.download == ""


def test_relative_addresses_are_those_of_the_feeds_host() -> None:
    assert only(rss(item(link="get/1.torrent"))).download == "https://feeds.example/rss/get/1.torrent"


def test_an_item_without_date_id_and_link_is_still_one() -> None:
    found = only(rss("<item><title>Lighthouse</title></item>"))
    assert (found.title, found.published_at, found.download, found.page) == ("Lighthouse", "", "", "")


def test_an_item_without_a_title_is_left_out() -> None:
    assert parsed(rss("<item><guid>1</guid></item>", item())).items[0].title.startswith("[Group]")


def test_items_are_recognised_when_they_come_again_with_other_figures() -> None:
    first = parsed(rss(item(number=1, more="<nyaa:seeders>1</nyaa:seeders>"), item(number=2)))
    again = parsed(
        rss(item(number=3), item(number=1, more="<nyaa:seeders>99</nyaa:seeders>"), item(number=2)),
        known=frozenset(first.keys),
    )
    assert len(again.keys) == 3
    assert [found.download[-9:] for found in again.items] == ["3.torrent"]


def test_items_that_share_an_id_are_told_apart() -> None:
    shared = "<guid>https://feeds.example/</guid>"
    feed = parsed(rss(f"<item><title>One</title>{shared}</item>", f"<item><title>Two</title>{shared}</item>"))
    assert {found.title for found in feed.items} == {"One", "Two"}


def test_the_newest_item_comes_last() -> None:
    assert [found.title for found in parsed(rss(item("New", 2), item("Old", 1))).items] == ["Old", "New"]


def test_the_feeds_own_title_and_ttl_are_read() -> None:
    feed = parsed(rss(item(), title="My feed", more="<ttl>30</ttl>"))
    assert (feed.title, feed.ttl) == ("My feed", 1800)


def test_a_feed_that_is_not_well_formed_is_read_nonetheless() -> None:
    body = rss(item("Fish & Chips"), item("Other", 2)).replace(b"&amp; Chips", b"& Chips")
    assert {found.title for found in parsed(body).items} == {"Fish & Chips", "Other"}


def test_a_feed_in_an_old_encoding_is_read() -> None:
    body = '<?xml version="1.0" encoding="iso-8859-1"?><rss><channel><item><title>Käse</title></item></channel></rss>'
    assert only(body.encode("latin-1")).title == "Käse"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "html"),
        (b'{"a": 1}', "not_a_feed"),
        (bytes(range(256)) * 40, "not_a_feed"),
        (b"<caps><server/></caps>", "caps"),
        (b'<error code="100" description="Incorrect credentials"/>', "refused"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]>' + rss(item("&x;")), "entities"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + rss(item()), "entities"),
        (rss(*(item(number=number) for number in range(2001))), "too_many_items"),
        (rss("<item " + " ".join(f'a{number}="1"' for number in range(65)) + "/>"), "hostile"),
        (b"<rss>" + b"<a>" * 100, "hostile"),
        (
            b'<?xml version="1.0"?><rss version="2.0" xmlns:x="http://\x86\x90\x8d\x85.example/">'
            b"<channel><item><title>a</title><x:y/></item></channel></rss>",
            "malformed",
        ),
    ],
)
def test_what_is_no_feed_is_refused_in_words(body: bytes, code: str) -> None:
    with pytest.raises(FeedError) as refusal:
        parsed(body)
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".") or code == "refused"


def test_what_no_database_takes_is_left_out_of_titles() -> None:
    found = only(rss("<item><title>a&amp;#55296;b&amp;#0;c\u2028d</title><guid>1</guid></item>"))
    found.title.encode()
    assert not set(found.title) & set("\0\u2028")


def test_an_item_larger_than_any_real_one_is_left_out() -> None:
    huge = "<item><title>Huge</title><description>" + "a" * 300_000 + "</description></item>"
    assert only(rss(huge, item())).title.startswith("[Group]")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("734003200", 734003200),
        ("122.1 MiB", int(122.1 * 2**20)),
        ("1,3 GB", int(1.3 * 2**30)),
        ("2T", 2 * 2**40),
        ("0", None),
        ("1", None),
        ("N/A", None),
        ("-5", None),
        ("9" * 40, None),
    ],
)
def test_sizes_are_read_as_feeds_write_them(text: str, size: int | None) -> None:
    assert size_of(text) == size


def test_an_infohash_in_base_32_is_read() -> None:
    assert infohash_of("YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK") == INFOHASH


class TestReadingInAChild:
    def test_the_child_reads_one_feed_after_another(self) -> None:
        with Parser() as parser:
            for number in range(3):
                feed = parser.read(rss(item(number=number)), content_type="", url=URL, known=[])
                assert len(feed.items) == 1

    def test_a_feed_that_takes_too_long_is_given_up_and_the_next_one_read(self) -> None:
        endless = b"<rss>&" + b"<a>" * 100_000
        with Parser(deadline=0.3) as hasty, pytest.raises(FeedError) as refusal:
            hasty.read(endless, content_type="", url=URL, known=[])
        assert refusal.value.code == "too_slow"
        with Parser() as parser:
            assert parser.read(rss(item()), content_type="", url=URL, known=[]).items

    def test_a_child_that_died_is_replaced(self) -> None:
        with Parser() as parser:
            parser.read(rss(item()), content_type="", url=URL, known=[])
            assert parser._child is not None
            parser._child.kill()
            parser._child.wait()
            assert parser.read(rss(item()), content_type="", url=URL, known=[]).items

    def test_a_feed_is_not_blamed_for_the_memory_that_another_took(self) -> None:
        greedy = b"<rss><channel><item " + b"a " * 200_000 + b"><title>x"
        with Parser() as parser:
            for _ in range(3):
                with pytest.raises(FeedError):
                    parser.read(greedy, content_type="", url=URL, known=[])
                large = rss(item(more=f"<description>{'a' * 200_000}</description>") * 20)
                assert parser.read(large, content_type="", url=URL, known=[]).items

    def test_a_child_that_nobody_waits_for_ends_by_itself(self) -> None:
        slow = (
            "import time; from feeds.parsing import child; "
            "child.ORPHANED_AFTER = 1; child.answer = lambda *asked: time.sleep(60); child.main()"
        )
        ours, theirs = socket.socketpair()
        with ours, theirs:
            descriptor = theirs.fileno()
            orphan = subprocess.Popen([sys.executable, "-c", slow, str(descriptor)], pass_fds=[descriptor])
            send(ours, b"{}")
            send(ours, b"<rss/>")
            assert orphan.wait(60) == -signal.SIGALRM

    def test_nothing_is_left_of_the_child(self) -> None:
        with Parser() as parser:
            parser.read(rss(item()), content_type="", url=URL, known=[])
            child = parser._child
        assert child is not None
        assert child.returncode is not None

    def test_the_child_does_not_know_our_secrets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "very secret")
        with Parser() as parser:
            parser.read(rss(item()), content_type="", url=URL, known=[])
            assert parser._child is not None
            environment = Path(f"/proc/{parser._child.pid}/environ").read_text()
        assert "very secret" not in environment

    @pytest.mark.parametrize(
        "body",
        [
            rss(
                *(
                    item("x" * 400, number, more=f"<description>{'a' * 2000}</description>")
                    for number in range(2000)
                )
            ),
            b"<rss>&" + b"<a>" * 150_000,
            b"<rss><channel>" + b"<" * 500_000,
            rss("<b>&</b><item " + " ".join(f'a{number}="1"' for number in range(20_000)) + "/>"),
            rss("&<item><title>x</title><description>" + "&lt;a " * 80_000 + "</description></item>"),
        ],
        ids=["many large items", "deep", "brackets", "attributes", "tags"],
    )
    def test_memory_stays_bounded_whatever_is_read(self, body: bytes) -> None:
        with Parser(deadline=60) as parser:
            parser.read(rss(item()), content_type="", url=URL, known=[])
            assert parser._child is not None
            before = _peak_mib(parser._child.pid)
            with contextlib.suppress(FeedError):
                parser.read(body, content_type="", url=URL, known=[])
            assert parser._child is not None
            assert _peak_mib(parser._child.pid) - before < 50


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@pytest.mark.skipif("FEED_SAMPLES" not in os.environ, reason="FEED_SAMPLES names no folder of recorded feeds")
def test_every_recorded_feed_is_read_or_refused_in_words() -> None:
    for path in sorted(Path(os.environ["FEED_SAMPLES"]).rglob("*.xml")):
        begun = time.process_time()
        said = ""
        try:
            said = " ".join(found.title for found in parsed(path.read_bytes()).items)
        except FeedError as error:
            said = str(error)
        assert said or b"<item" not in path.read_bytes()
        assert time.process_time() - begun < 2


def test_an_address_with_what_no_address_holds_is_none() -> None:
    feed = (
        b"<rss><channel><item><title>x</title><guid>http://a.example/1&#0;</guid><link>/2&#1;</link></item>&"
    )
    (found,) = read(feed, content_type="", url=URL, known=frozenset()).items
    assert (found.page, found.download) == ("", "")
