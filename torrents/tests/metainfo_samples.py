"""Torrents to test with, good ones made by libtorrent and others by hand."""

from pathlib import Path
from typing import Any

import bencode2
import libtorrent

PIECE = 16384


def single_file(info: dict[bytes, Any] | None = None, outside: dict[str, Any] | None = None) -> bytes:
    """A v1 torrent of one 5-byte file called "name"; `info` overrides, a value of None removes the key."""
    described = {b"name": b"name", b"piece length": PIECE, b"pieces": b"x" * 20, b"length": 5} | (info or {})
    kept = {key: value for key, value in described.items() if value is not None}
    return bencode2.bencode({"info": kept} | (outside or {}))


def many_files(count: int, path: tuple[bytes, ...] = ()) -> bytes:
    """A v1 torrent of `count` files of one byte, named by their number."""
    files = [{b"length": 1, b"path": [*path, b"%d" % number]} for number in range(count)]
    pieces = b"x" * 20 * (-(-count // PIECE))
    return single_file({b"files": files, b"length": None, b"pieces": pieces})


def real_torrent(folder: Path, flags: Any, *, tracker: str | None = None, private: bool = False) -> bytes:
    """What libtorrent makes of show/episode.mkv (100,000 bytes) and show/extra/notes.txt (5 bytes)."""
    show = folder / "show"
    (show / "extra").mkdir(parents=True, exist_ok=True)
    (show / "episode.mkv").write_bytes(bytes(range(250)) * 400)
    (show / "extra" / "notes.txt").write_bytes(b"notes")
    creator = libtorrent.create_torrent(libtorrent.list_files(str(show)), PIECE, flags)
    if tracker is not None:
        creator.add_tracker(tracker)
    creator.set_priv(private)
    libtorrent.set_piece_hashes(creator, str(folder))
    return bencode2.bencode(creator.generate())
