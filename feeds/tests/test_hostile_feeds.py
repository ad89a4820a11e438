"""Feeds that mean harm, through the real checker: bounded time and memory, words for the person, and no connection to
where none may be made."""

import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from feeds import checker, reading
from feeds.models import FeedSource, Item
from feeds.parsing.isolated import Parser
from feeds.services import subscribe
from feeds.tests.feed_samples import item, rss
from feeds.tests.feed_server import FeedServer
from proxy_site import outbound_many
from proxy_site.outbound import Hop, is_public_address
from proxy_site.tests.outbound.hostile_server import HostileServer, run_server

pytestmark = pytest.mark.django_db

SECONDS_FOR_ONE = 5.0  # of the child's processor time; a feed that is refused early needs next to nothing


@pytest.fixture
def hostile(settings: Settings) -> Iterator[HostileServer]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    yield from run_server()


@pytest.fixture(autouse=True)
def short_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "FETCH_SECONDS", 3.0)


def checked(user: User, *urls: str) -> list[FeedSource]:
    """After one run over all of them, in their order."""
    sources = [subscribe(user=user, url=url).source_id for url in urls]
    checker.check_due()
    return [FeedSource.objects.get(pk=pk) for pk in sources]


HEAD = '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>'
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))
DOCUMENTS: dict[str, tuple[bytes, str]] = {
    "100,000 items": (rss("<item><title>x</title></item>" * 100_000), "more than 2,000 items"),
    "100,000 items that are not well-formed": (
        b"<rss><channel>" + b"<item><title>x</title></item>" * 17_000 + b"&",
        "more than 2,000 items",
    ),
    "items within items": (
        rss(*["<item><title>x</title>" + "<item/>" * 30_000 + "</item>"] * 10),
        "as attacks are",
    ),
    "items where none are looked for": (rss("<a><b>" + "<item/>" * 300_000 + "</b></a>"), "2,000 items"),
    "elements around the items": (rss(item(), "<x/>" * 500_000), "as attacks are"),
    "elements in the items": (rss("<item><title>x</title>" + "<x/>" * 60_000 + "</item>"), "as attacks are"),
    "bases within bases": (
        rss(
            *["<item><title>x</title>" + f"<x xml:base='{'a/' * 100}'>" * 50 + "</x>" * 50 + "</item>"] * 400
        ),
        "as attacks are",
    ),
    "100,000 attributes": (
        rss("<item " + " ".join(f"a{n}=''" for n in range(100_000)) + "/>"),
        "as attacks are",
    ),
    "billion laughs": (f"<!DOCTYPE rss [{ENTITIES}]><rss><channel>&e9;</channel></rss>".encode(), "entities"),
    "laughs in two bytes": (
        f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE rss [{ENTITIES}]><rss>&e9;</rss>'.encode("utf-16"),
        "",
    ),
    "a web page": (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
    "nothing": (b"", "nothing at all"),
    "noise": (bytes(range(256)) * 4000, "too much to be repaired"),
    "an indexer's words": (b'<error code="1" description="No&#x9b;&#10;entry"/>', "No entry"),
}


def test_hostile_documents_are_refused_quickly_in_words_and_hold_up_no_other_feed(
    alice: User, feed_server: FeedServer
) -> None:
    urls = [feed_server.serve(f"/{n}", body) for n, (body, _words) in enumerate(DOCUMENTS.values())]
    fine = feed_server.serve("/fine", rss(item("Lighthouse - 01")))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    *hostile, good = checked(alice, *urls, fine)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < SECONDS_FOR_ONE * 2
    for name, source, (_body, words) in zip(DOCUMENTS, hostile, DOCUMENTS.values(), strict=True):
        assert words in source.message, (name, source.message)
        assert source.message.isprintable()
        assert not Item.objects.filter(source=source).exists() or not source.failures
    assert (good.failures, good.last_number) == (0, 1)


def test_no_file_is_read_for_an_entity(alice: User, feed_server: FeedServer, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("very secret")
    body = f'<!DOCTYPE rss SYSTEM "{feed_server.url("/dtd")}" [<!ENTITY x SYSTEM "file://{secret}">]>'
    (source,) = checked(alice, feed_server.serve("/a", f"{body}<rss><channel>&x;</channel></rss>".encode()))
    external = f'<!DOCTYPE rss SYSTEM "{feed_server.url("/dtd")}">'.encode()
    checked(alice, feed_server.serve("/b", external + rss(item()).partition(b"?>")[2]))
    assert "entities" in source.message
    assert feed_server.times_asked("/dtd") == 0


def test_servers_that_mean_harm_end_in_words_while_memory_stays_bounded(
    alice: User, hostile: HostileServer, feed_server: FeedServer
) -> None:
    paths = ["bomb", "endless", "endless_404", "drip", "headers", "cut", "no_http", "loop"]
    fine = feed_server.serve("/fine", rss(item()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.monotonic()
    *sources, good = checked(alice, *(f"{hostile.url}/{path}" for path in paths), fine)
    assert time.monotonic() - begun < 60  # the dripping one takes its three seconds
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
    assert all(source.message.endswith((".", "here.")) for source in sources)
    assert good.failures == 0


FORBIDDEN = [
    "http://169.254.169.254/opc/v2/",
    "http://192.0.0.192/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[fd00:c1::a9fe:a9fe]/",
    "http://127.0.0.1:1/",
    "http://0x7f.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:1/",
]


def only_our_server(server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lets fetches reach the server of this test as if it were a public one; all that was asked to be reached."""
    asked: list[str] = []
    reach: Callable[..., Any] = outbound_many.fetch_many

    def allowed(address: str) -> bool:
        asked.append(address)
        return address == str(server.server_address[0]) or is_public_address(address)

    monkeypatch.setattr(
        checker, "fetch_many", lambda *given, **options: reach(*given, address_allowed=allowed)
    )
    return asked


@pytest.fixture
def public_server() -> Iterator[FeedServer]:
    """On an address of loopback of its own, so that it can be told from 127.0.0.1."""
    from feeds.tests.feed_server import run_feed_server

    yield from run_feed_server("127.0.0.9")


def test_no_redirect_leads_to_where_nobody_may_go(
    alice: User, public_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_our_server(public_server, monkeypatch)
    opened: list[str] = []
    connect = Hop._open_socket

    def watched(hop: Any, stack: Any, purpose: int, address: Any) -> Any:
        made = connect(hop, stack, purpose, address)
        if not isinstance(made, int):
            opened.append(address.addr[0])
        return made

    monkeypatch.setattr(Hop, "_open_socket", watched)
    urls = [public_server.redirect(f"/{n}", to, 302) for n, to in enumerate(FORBIDDEN)]
    sources = checked(alice, *urls)
    assert [source.failures for source in sources] == [1] * len(FORBIDDEN)
    assert all(source.message for source in sources)
    assert set(opened) == {"127.0.0.9"}


def test_an_address_that_was_public_when_the_name_was_asked_is_looked_at_again_for_each_connection(
    alice: User, public_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = only_our_server(public_server, monkeypatch)
    (source,) = checked(alice, public_server.serve("/a", rss(item())))
    assert source.failures == 0
    # The same name, which now leads elsewhere.
    FeedSource.objects.update(url=public_server.url("/a").replace("127.0.0.9", "127.0.0.10"))
    FeedSource.objects.update(next_check_at="2020-01-01T00:00Z")
    checker.check_due()
    assert asked == ["127.0.0.9", "127.0.0.10"]
    assert "private network" in FeedSource.objects.get().message


def test_thousands_of_titles_that_are_hard_to_read_take_moments(alice: User, feed_server: FeedServer) -> None:
    hard = [
        " / OVA1 a Part 1 0.5İ- 01 AKA 第一01 ~AKA 0.50.5全10",
        "((【2nd Season 1 of 1 [[{}[1080p] Batch",
        "S01E01",
        "01 ",
    ]
    titles = [(hard[number % 4] * 200)[:499] for number in range(2000)]
    url = feed_server.serve("/a", rss(*(item(title, number) for number, title in enumerate(titles))))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    (source,) = checked(alice, url)
    assert source.last_number == 2000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < SECONDS_FOR_ONE * 2


UNSTORABLE = b"a&#xD800;b&#0;c\x00d\x1be&#x110000;f"


@pytest.mark.parametrize("field", ["title", "link", "guid", "pubDate", "size", "infoHash", "comments"])
def test_characters_that_no_database_takes_reach_none(
    alice: User, feed_server: FeedServer, field: str
) -> None:
    name = field.encode()
    fields = {b"title": b"Lighthouse - 01", name: b"http://a.example/download/" + UNSTORABLE}
    body = b"".join(b"<%s>%s</%s>" % (key, text, key) for key, text in fields.items())
    url = feed_server.serve(
        "/a", b"<rss><channel><title>" + UNSTORABLE + b"</title><item>" + body + b"</item>"
    )
    (source,) = checked(alice, url)
    assert (source.message, source.last_number) == ("", 1)


def test_items_that_share_an_id_are_several_and_stay_so(alice: User, feed_server: FeedServer) -> None:
    def same(*titles: str) -> bytes:
        return rss(*(f"<item><guid>1</guid><title>{title}</title></item>" for title in titles))

    (source,) = checked(alice, feed_server.serve("/a", same("One", "Two", "Two")))
    assert source.last_number == 2
    feed_server.serve("/a", same("Three", "One", "Two"))
    FeedSource.objects.update(next_check_at="2020-01-01T00:00Z")
    checker.check_due()
    assert FeedSource.objects.get().last_number == 3


def test_a_run_that_took_too_long_leaves_the_rest_to_the_next(
    alice: User, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "LONGEST_SECONDS", 0.0)
    monkeypatch.setattr(reading, "ITEMS_AHEAD", 1)  # so that they are not stored all at once
    for number in range(3):
        subscribe(user=alice, url=feed_server.serve(f"/{number}", rss(item())))
    assert [checker.check_due().checked for _ in range(4)] == [1, 1, 1, 0]
    assert not FeedSource.objects.exclude(leased_until=None).exists()
    assert not FeedSource.objects.exclude(attempts=0).exists()


def test_what_reads_feeds_and_who_asked_for_it_grow_little(feed_server: FeedServer) -> None:
    addresses = rss(*(item(f"t{number}", number, link=f"{number}download") for number in range(2000)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Parser() as parser:
        feed = parser.read(addresses, content_type="", url="http://a.example/" + "p" * 2000 + "/", known=[])
        assert len(feed.items) == 2000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
