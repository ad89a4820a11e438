"""Magnets and .torrent files from people and from the net, made safe. Pure functions, no I/O.

    source = parse_magnet(text)    # or parse_torrent(data)

Both raise MetainfoError, and only that, and are bounded in time and memory whatever they are given. What they
return is rebuilt from what was understood: nothing that was not understood reaches the engine.
"""

from torrents.metainfo.errors import MetainfoError
from torrents.metainfo.magnets import build_magnet, parse_magnet
from torrents.metainfo.names import clean_relative_path, display_name
from torrents.metainfo.source import Source
from torrents.metainfo.torrent_files import MAX_FILES, MAX_TORRENT_BYTES, parse_torrent, with_trackers
from torrents.metainfo.trackers import merge_trackers, vet_tracker

__all__ = [
    "MAX_FILES",
    "MAX_TORRENT_BYTES",
    "MetainfoError",
    "Source",
    "build_magnet",
    "clean_relative_path",
    "display_name",
    "merge_trackers",
    "parse_magnet",
    "parse_torrent",
    "vet_tracker",
    "with_trackers",
]
