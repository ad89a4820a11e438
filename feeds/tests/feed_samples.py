"""Feeds that we wrote ourselves."""

from xml.sax.saxutils import escape

INFOHASH = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a"


def item(
    title: str = "[Group] Lighthouse - 01 [1080p]", number: int = 1, *, link: str = "", more: str = ""
) -> str:
    link = link or f"https://feeds.example/download/{number}.torrent"
    return (
        f"<item><title>{escape(title)}</title><link>{escape(link)}</link>"
        f"<guid isPermaLink='false'>id-{number}</guid>{more}</item>"
    )


def rss(*items: str, title: str = "Lighthouse feed", more: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<rss version="2.0" xmlns:nyaa="https://nyaa.si/xmlns/nyaa" xmlns:torznab="http://torznab.com/schemas/2015/feed">'
        f"<channel><title>{escape(title)}</title>{more}{''.join(items)}</channel></rss>"
    ).encode()
