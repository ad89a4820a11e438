"""What a Source holds, whatever it was made from."""

import re
from collections.abc import Callable
from typing import TypeVar

from torrents.metainfo import (
    MetainfoError,
    Source,
    clean_relative_path,
    parse_magnet,
    parse_torrent,
    vet_tracker,
)

T = TypeVar("T", str, bytes)


def check(parse: Callable[[T], Source], given: T) -> None:
    """Either a Source that holds what it promises, or MetainfoError."""
    try:
        source = parse(given)
    except MetainfoError:
        return
    assert source.infohash_v1 or source.infohash_v2
    assert re.fullmatch("[0-9a-f]{40}", source.infohash_v1 or "0" * 40)
    assert re.fullmatch("[0-9a-f]{64}", source.infohash_v2 or "0" * 64)
    assert source.magnet.isascii()
    assert source.magnet.isprintable()
    assert [vet_tracker(tracker) for tracker in source.trackers] == list(source.trackers)
    reread = parse_magnet(source.magnet)
    assert (reread.infohash_v1, reread.infohash_v2) == (source.infohash_v1, source.infohash_v2)
    assert reread.trackers == source.trackers
    assert reread.name == source.name
    if source.metainfo is not None:
        assert parse_torrent(source.metainfo) == source
        assert all(clean_relative_path(path) == path and size >= 0 for path, size in source.files or ())
