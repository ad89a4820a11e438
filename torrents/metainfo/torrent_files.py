""".torrent files: BEP 3, with BEP 12 (tiers), BEP 27 (private) and BEP 52 (v2 and hybrids).

Three gates: a scan that bounds depth and entries before anything is built; bencode2 for the canonical form, so
that the engine cannot read another torrent out of the same bytes; libtorrent for hashes and files.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import bencode2
import libtorrent

from torrents.metainfo.errors import MetainfoError
from torrents.metainfo.magnets import build_magnet
from torrents.metainfo.names import check_paths_fit_together, clean_relative_path, display_name
from torrents.metainfo.source import Source
from torrents.metainfo.trackers import MAX_TRACKERS, vet_trackers

MAX_TORRENT_BYTES = 10 * 2**20
MAX_FILES = 20_000
_MAX_DEPTH = 100  # libtorrent's own limit
# A hybrid of 20,000 padded files has about 700,000. Unbounded, 10 MiB of "de" became 430 MB of dictionaries.
_MAX_ENTRIES = 1_000_000
_MAX_TIERS = 100

_ENTRY = re.compile(rb"([0-9]{1,8}):|i-?[0-9]{1,19}e|([dl])|(e)")
_STRING, _OPEN, _CLOSE = 1, 2, 3

_GET_ANOTHER = "Download it again, or use the magnet link."


def parse_torrent(data: bytes) -> Source:
    """What a .torrent file says, and the file rebuilt from what is needed; MetainfoError if it is not sound.

    Kept: `info` byte for byte, vetted trackers in their tiers, piece layers. Dropped: web seeds (`url-list`,
    `httpseeds`), `nodes`, comments and every other key outside `info`.
    """
    content = _decode(data)
    info = content.get(b"info")
    if not isinstance(info, dict):
        raise MetainfoError(
            f"That .torrent file does not describe any files (it has no info). {_GET_ANOTHER}", "no_info"
        )
    tiers = _tracker_tiers(content)
    trackers = tuple(url for tier in tiers for url in tier)
    kept: dict[bytes, Any] = {b"info": info}
    if trackers:
        kept |= {b"announce": trackers[0], b"announce-list": tiers}
    layers = content.get(b"piece layers")
    if isinstance(layers, dict) and b"meta version" in info:
        kept[b"piece layers"] = layers
    metainfo = bencode2.bencode(kept)

    try:
        torrent = libtorrent.load_torrent_buffer(metainfo).ti
    except RuntimeError as error:
        reason = str(error).partition(" [")[0]
        message = f"That .torrent file is malformed: {reason}. {_GET_ANOTHER}"
        raise MetainfoError(message, "malformed") from error
    assert torrent is not None
    infohash_v1, infohash_v2 = _infohashes(torrent, bencode2.bencode(info))
    files = _files(torrent)
    if infohash_v2 is not None:
        _check_piece_layers(torrent, kept.get(b"piece layers", {}))
    name = display_name(torrent.name())
    return Source(
        infohash_v1=infohash_v1,
        infohash_v2=infohash_v2,
        name=name,
        magnet=build_magnet(infohash_v1=infohash_v1, infohash_v2=infohash_v2, name=name, trackers=trackers),
        trackers=trackers,
        metainfo=metainfo,
        private=torrent.priv(),
        size=sum(size for _path, size in files),  # libtorrent refuses more than 16 TiB
        files=files,
    )


def with_trackers(metainfo: bytes, trackers: Sequence[str]) -> bytes:
    """A .torrent that `parse_torrent` rebuilt, with these vetted trackers and no others."""
    content: dict[bytes, Any] = bencode2.bdecode(metainfo)
    kept = {key: value for key, value in content.items() if key not in (b"announce", b"announce-list")}
    if trackers:
        kept |= {b"announce": trackers[0], b"announce-list": [list(trackers)]}
    return bencode2.bencode(kept)


def _decode(data: bytes) -> dict[bytes, Any]:
    if len(data) > MAX_TORRENT_BYTES:
        raise MetainfoError(
            f"That .torrent file is larger than {MAX_TORRENT_BYTES // 2**20} MiB. Use the magnet link.",
            "file_too_large",
        )
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise MetainfoError(f"That file is empty. {_GET_ANOTHER}", "empty")
    if start.startswith(b"<"):
        raise MetainfoError(
            "That is a web page, not a .torrent file: the site may want you to log in. "
            "Download the .torrent in your browser and send the file, or use the magnet link.",
            "web_page",
        )
    if not data.startswith(b"d"):
        raise MetainfoError("That is not a .torrent file. Choose another file.", "not_a_torrent")
    _check_bounds(data)
    try:
        content: dict[bytes, Any] = bencode2.bdecode(data)
        canonical = bencode2.bencode(content) == data
    except ValueError:
        canonical = False
    if not canonical:
        raise MetainfoError(
            "That .torrent file is not in the one form that every program reads alike (keys sorted and "
            "unique, nothing after the end). Use the magnet link, or get the file from another site.",
            "not_canonical",
        )
    return content


def _check_bounds(data: bytes) -> None:
    """Refuse what is cut short, too deep or has too many entries, in linear time and constant memory."""
    position = depth = 0
    for _ in range(_MAX_ENTRIES):
        entry = _ENTRY.match(data, position)
        if entry is None:
            raise MetainfoError(f"That .torrent file is damaged or incomplete. {_GET_ANOTHER}", "damaged")
        position = entry.end()
        if entry.lastindex == _STRING:
            position += int(entry[_STRING])
        elif entry.lastindex == _OPEN:
            depth += 1
            if depth > _MAX_DEPTH:
                raise MetainfoError(
                    f"That .torrent file is nested absurdly deep, so it is not read. {_GET_ANOTHER}",
                    "too_deep",
                )
        elif entry.lastindex == _CLOSE:
            depth -= 1
            if depth == 0:
                return
    raise _too_many_files()


def _too_many_files() -> MetainfoError:
    return MetainfoError(
        f"That torrent has too many files: at most {MAX_FILES:,} are accepted. "
        "Look for one that holds them in an archive.",
        "too_many_files",
    )


def _tracker_tiers(content: dict[bytes, Any]) -> list[list[str]]:
    """The vetted trackers, each once, at most 20, in the tiers of BEP 12."""
    listed = content.get(b"announce-list")
    # Where there is a list, `announce` is only for those who cannot read it.
    found = [tier for tier in listed if isinstance(tier, list)] if isinstance(listed, list) else []
    if not any(found):
        found = [[content.get(b"announce")]]
    tiers: list[list[str]] = []
    seen: set[str] = set()
    for tier in found[:_MAX_TIERS]:
        urls = (url.decode("utf-8", "replace") for url in tier if isinstance(url, bytes))
        fresh = [url for url in vet_trackers(urls) if url not in seen][: MAX_TRACKERS - len(seen)]
        if fresh:
            tiers.append(fresh)
            seen.update(fresh)
    return tiers


def _infohashes(torrent: libtorrent.torrent_info, info: bytes) -> tuple[str | None, str | None]:
    """Our own hashes of `info`, where libtorrent agrees with them."""
    theirs = torrent.info_hashes()
    infohash_v1 = hashlib.sha1(info, usedforsecurity=False).hexdigest() if theirs.has_v1() else None
    infohash_v2 = hashlib.sha256(info).hexdigest() if theirs.has_v2() else None
    if infohash_v1 not in (None, str(theirs.v1)) or infohash_v2 not in (None, str(theirs.v2)):
        raise MetainfoError(f"That .torrent file has no clear identity. {_GET_ANOTHER}", "ambiguous_infohash")
    return infohash_v1, infohash_v2


def _files(torrent: libtorrent.torrent_info) -> tuple[tuple[str, int], ...]:
    layout = torrent.layout()
    if layout.num_files() > 2 * MAX_FILES + 1:  # each file may be followed by padding
        raise _too_many_files()
    files = tuple(
        (clean_relative_path(layout.file_path(index)), layout.file_size(index))
        for index in range(layout.num_files())
        if not layout.file_flags(index) & libtorrent.file_flags_t.flag_pad_file
    )
    if len(files) > MAX_FILES:
        raise _too_many_files()
    check_paths_fit_together(path for path, _ in files)
    if not files:
        raise MetainfoError(f"That torrent holds only padding and no file. {_GET_ANOTHER}", "no_files")
    return files


def _check_piece_layers(torrent: libtorrent.torrent_info, layers: dict[bytes, bytes]) -> None:
    """libtorrent refuses wrong piece layers (BEP 52), but takes missing ones."""
    layout = torrent.layout()
    needed = {
        layout.root(index).to_bytes()
        for index in range(layout.num_files())
        if layout.file_size(index) > layout.piece_length()
        and not layout.file_flags(index) & libtorrent.file_flags_t.flag_pad_file
    }
    if not needed <= layers.keys():
        raise MetainfoError(
            "That .torrent file (v2) lacks its piece layers, so its data could not be checked. "
            "Use the magnet link.",
            "no_piece_layers",
        )
