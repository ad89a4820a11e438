"""Everything that reads text or bytes of strangers, each with what must hold; and a search that follows the code.

`python -m tests.fuzz.parsers NAME CORPUS… [libFuzzer's options]` searches with atheris, which sees which branches an
input reaches. What it finds goes into `corpus/NAME/`, where test_parsers_fuzz.py tries it ever after.
"""

import importlib
import json
import sys
import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

# Their branches are followed. All else is taken as it is.
FOLLOWED = [
    "torrents.metainfo.names",
    "torrents.metainfo.trackers",
    "torrents.metainfo.magnets",
    "torrents.metainfo.torrent_files",
    "proxy_site.outbound",
    "feeds.parsing.document",
    "feeds.parsing.entries",
    "feeds.parsing.scan",
    "feeds.rules.patterns",
    "feeds.rules.text",
    "feeds.releases.explicit",
    "feeds.releases.parsing",
    "feeds.releases.positional",
    "feeds.releases.series",
    "feeds.releases.tidy",
    "watchlist.providers.anilist_reading",
    "torrents.api.handover",
    "torrents.api.pagination",
    "accounts.ssh_keys",
    "accounts.device_names",
    "torrent_proxy_client.names",
    "torrent_proxy_client.words",
]


def text_of(data: bytes) -> str:
    """Any text, lone surrogates too."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def torrent(data: bytes) -> None:
    from torrents.metainfo import parse_torrent
    from torrents.tests.metainfo_promises import check

    check(parse_torrent, data)


def magnet(data: bytes) -> None:
    from torrents.metainfo import parse_magnet
    from torrents.tests.metainfo_promises import check

    check(parse_magnet, text_of(data))


def tracker(data: bytes) -> None:
    from torrents.metainfo import vet_tracker

    vetted = vet_tracker(text_of(data))
    if vetted is not None:
        assert vet_tracker(vetted) == vetted
        assert vetted.isascii()
        assert vetted.isprintable()


def address(data: bytes) -> None:
    from proxy_site import outbound

    text = text_of(data)
    secret = text.partition("?")[2]
    redacted = outbound.redact(text)
    assert "?" not in redacted
    try:
        fetchable = outbound.fetchable(text)
        again = outbound.fetchable(outbound.redirect_target(fetchable, text))
    except outbound.OutboundError as error:
        if len(secret) > 8 and secret in str(error):
            raise AssertionError("a refusal holds a query string") from error
        return
    for url in (fetchable, again):
        assert url.isascii()
        assert url.isprintable()
        assert urlsplit(url).scheme in ("http", "https")


def feed(data: bytes) -> None:
    from feeds.parsing import MAX_ADDRESS, MAX_ITEMS, MAX_TITLE, FeedError
    from feeds.parsing.document import read

    try:
        found = read(data, content_type="", url="https://feeds.example/rss", known=frozenset())
    except FeedError:
        return
    assert len(found.items) <= len(found.keys) <= MAX_ITEMS
    for item in found.items:
        assert 0 < len(item.title) <= MAX_TITLE
        assert max(len(item.page), len(item.download)) <= MAX_ADDRESS
        assert len(item.infohash) in (0, 40, 64)
        stored = json.dumps(
            [item.release, item.title, item.page, item.download, item.published_at], ensure_ascii=False
        )
        assert "\0" not in stored.encode().decode()
        assert "\\u0000" not in stored


def rule_text(data: bytes) -> None:
    from feeds.rules import RuleError
    from feeds.rules.text import expression, normalised

    text = text_of(data)[:1000]
    try:
        found = expression(text, field="must_contain")
    except RuleError:
        return
    if found is None:
        assert not text.strip()
        return
    title = normalised(text)
    if found.matches(title):
        words = set(title.split())
        assert all(anchors & words for anchors in found.anchors)


def pattern(data: bytes) -> None:
    from feeds.rules import RuleError
    from feeds.rules.patterns import compiled

    text = data[:1000].decode(errors="replace")
    try:
        found = compiled(text, field="regex")
    except RuleError:
        return
    if found is not None:
        found.search(text)


def release(data: bytes) -> None:
    from feeds.releases import parse
    from feeds.releases.objects import to_object
    from feeds.specs import episode_identity

    said = to_object(parse(text_of(data)))
    assert "\\u0000" not in json.dumps(said, allow_nan=False)
    assert len(episode_identity(said)) <= 255


def anilist(data: bytes) -> None:
    """A show, a list and a schedule, as AniList might send them: what can be stored and shown, or Nonsense."""
    from watchlist.providers import anilist_reading as reading

    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return
    lists = reading.Lists()
    for read in (reading.show, reading.airing, reading.account, lists.add):
        try:
            told = repr(read(answer))
        except reading.Nonsense:
            continue
        told.encode()
        assert "\\x00" not in told
    for record in lists.records():
        assert len(record.show.romaji) <= 300
        assert 0 <= record.progress < 2**31


def byte_range(data: bytes) -> None:
    from torrents.api.handover import requested_range

    part = requested_range(text_of(data), 1000)
    assert part is None or 0 <= part[0] <= part[1] <= 1000


def cursor(data: bytes) -> None:
    from rest_framework.exceptions import NotFound

    from torrents.api.pagination import read_cursor, write_cursor
    from torrents.listing import SORTS

    for sort in SORTS:
        try:
            position = read_cursor(text_of(data), sort)
        except NotFound:
            continue
        assert read_cursor(write_cursor(position), sort) == position


def ssh_key(data: bytes) -> None:
    from accounts import ssh_keys
    from accounts.device_names import plain_name

    try:
        key, comment = ssh_keys._parse(text_of(data))
    except ssh_keys.KeyRefused:
        return
    assert ssh_keys.fingerprint(key)
    assert plain_name(comment).isprintable()


def local_name(data: bytes) -> None:
    from torrent_proxy_client.names import LONGEST_NAME, local_paths, safe_name
    from torrent_proxy_client.words import clean

    text = text_of(data)
    name = safe_name(text)
    assert safe_name(name) == name
    assert 0 < len(name.encode()) <= LONGEST_NAME
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"}.intersection(map(unicodedata.category, name))
    assert not set('<>:"/\\|?*').intersection(name)
    assert "\x1b" not in clean(text)
    lines = text.split("\n")[:50]
    assert len({tuple(part.casefold() for part in path) for path in local_paths(lines)}) == len(lines)


PARSERS: dict[str, Callable[[bytes], None]] = {
    parser.__name__: parser
    for parser in (
        *(torrent, magnet, tracker, address, byte_range, cursor, ssh_key, local_name),
        *(feed, rule_text, pattern, release, anilist),
    )
}


def main() -> None:
    import atheris
    import django

    name, *arguments = sys.argv[1:]
    django.setup()
    with atheris.instrument_imports(include=FOLLOWED):
        for module in FOLLOWED:
            importlib.import_module(module)
    atheris.Setup([sys.argv[0], *arguments], PARSERS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
