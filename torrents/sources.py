"""From what a person pastes or uploads to a `Source` that can be added."""

from django.conf import settings

from proxy_site import outbound
from torrents.metainfo import MAX_TORRENT_BYTES, MetainfoError, Source, parse_magnet, parse_torrent

FETCH_SECONDS = 20.0  # a person waits for it
TORRENT_TYPES = "application/x-bittorrent, application/octet-stream;q=0.9, */*;q=0.5"


def source_from_text(text: str) -> Source:
    """A magnet link, or the http(s) address of a .torrent, which is fetched now.

    Raises MetainfoError or OutboundError, each with a sentence for the person.
    """
    text = text.strip()
    if text[:7].lower() == "magnet:":
        return parse_magnet(text)
    if text[:7].lower() == "http://" or text[:8].lower() == "https://":
        return _fetch(text)
    raise MetainfoError(
        "This is neither a magnet link (magnet:?xt=…) nor the address of a .torrent file (https://…).",
        code="not_a_torrent",
    )


def _fetch(url: str) -> Source:
    response = outbound.fetch(
        url,
        max_bytes=MAX_TORRENT_BYTES,
        deadline=FETCH_SECONDS,
        allow_private=settings.OUTBOUND_ALLOW_PRIVATE,
        accept=TORRENT_TYPES,
        stop_at_magnet=True,  # indexers like to redirect their download link to a magnet
    )
    return source_from_response(response)


def source_from_response(response: outbound.Response) -> Source:
    """What a fetched address holds; raises MetainfoError."""
    return parse_magnet(response.magnet) if response.magnet else parse_torrent(response.body)
