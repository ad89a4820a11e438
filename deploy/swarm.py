"""Real BitTorrent peers on this machine, for tests and for the demonstration's first download.

They are ordinary members of a swarm: the engine is told nothing about them. A peer knocks at the engine's
torrent port itself, as a seed on the internet does once a tracker has told it the address.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

import libtorrent

Version = Literal["v1", "v2", "hybrid"]

KNOCK_SECONDS = 0.5
ENGINE_ADDRESS = "127.0.0.1"
_CREATE_FLAGS = {
    "v1": libtorrent.create_torrent.v1_only,
    "v2": libtorrent.create_torrent.v2_only,
    "hybrid": 0,
}
# libtorrent's pex_flags_t, which its Python binding does not name.
_PEX_SUPPORTS_V2 = 0x80


def make_torrent(
    path: Path,
    *,
    version: Version = "hybrid",
    web_seeds: Sequence[str] = (),
    trackers: Sequence[str] = (),
    private: bool = False,
    piece_size: int = 64 * 1024,
) -> bytes:
    """The .torrent of the file or folder `path`; `piece_size` in bytes is a power of two, 16384 or more."""
    creator = libtorrent.create_torrent(libtorrent.list_files(str(path)), piece_size, _CREATE_FLAGS[version])
    creator.set_priv(private)
    for url in trackers:
        creator.add_tracker(url)
    for url in web_seeds:
        creator.add_url_seed(url)
    libtorrent.set_piece_hashes(creator, str(path.parent))
    return bytes(libtorrent.bencode(creator.generate()))


def infohashes(metainfo: bytes) -> tuple[str | None, str | None]:
    """The v1 and the v2 infohash in hexadecimal, None where the torrent has none."""
    hashes = libtorrent.load_torrent_buffer(metainfo).info_hashes
    return str(hashes.v1) if hashes.has_v1() else None, str(hashes.v2) if hashes.has_v2() else None


def magnet_for(metainfo: bytes, *, v1: bool = True, v2: bool = True, name: str = "") -> str:
    """A magnet with those infohashes that the torrent has and the caller wants."""
    hash_v1, hash_v2 = infohashes(metainfo)
    topics = []
    if v1 and hash_v1:
        topics.append(f"xt=urn:btih:{hash_v1}")
    if v2 and hash_v2:
        topics.append(f"xt=urn:btmh:1220{hash_v2}")
    if not topics:
        raise ValueError("The torrent has no infohash of the wanted kind.")
    return "magnet:?" + "&".join([*topics, *([f"dn={quote(name)}"] if name else [])])


class _Offer:
    """One torrent in one session of a peer. `flags` are those to connect with."""

    def __init__(self, session: Any, metainfo: bytes, path: Path, flags: int) -> None:
        self._session = session
        self._metainfo = metainfo
        self._path = path
        self._flags = flags
        self._handle = _add_seed(session, metainfo, path)

    def knock(self, engine: tuple[str, int]) -> None:
        """Call the engine, as somebody who has never heard of it: libtorrent waits longer after each refusal, and
        does not call again at all on one that had everything it wanted once."""
        if self._handle.status().num_connections == 0:
            self._session.remove_torrent(self._handle)
            self._handle = _add_seed(self._session, self._metainfo, self._path)
        self._handle.connect_peer(engine, 0, self._flags)


class Peer:
    """One BitTorrent client that seeds, and keeps knocking at engines that may want what it has.

    `listen` is its address; an engine that filters 127.0.0.0/8 must let this one through. `upload_limit` is
    in bytes per second, 0 for none. Use it as a context manager.
    """

    def __init__(self, listen: str = "127.0.0.77", port: int = 0, *, upload_limit: int = 0) -> None:
        self._session = _session(listen, port, upload_limit)
        # An outgoing handshake names one infohash, and libtorrent sticks to its choice for an address. An
        # engine that knows only a hybrid's v2 infohash is met by a second session, which names that one.
        self._v2_session = _session(listen, 0, upload_limit)
        self._offers: list[_Offer] = []
        self._engines: set[tuple[str, int]] = set()
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._knocking = threading.Thread(target=self._knock, name="swarm-peer", daemon=True)

    def seed(self, metainfo: bytes, path: Path) -> None:
        """Offer `path`, the file or folder that `metainfo` was made from."""
        offers = [_Offer(self._session, metainfo, path, 0)]
        if all(infohashes(metainfo)):
            offers.append(_Offer(self._v2_session, metainfo, path, _PEX_SUPPORTS_V2))
        with self._lock:
            self._offers += offers

    def knock_at(self, engine_port: int, address: str = ENGINE_ADDRESS) -> None:
        """From now on, stay connected to the engine that listens there."""
        with self._lock:
            self._engines.add((address, engine_port))

    @property
    def port(self) -> int:
        """Where it listens, for engines that are told its address."""
        return int(self._session.listen_port())

    def __enter__(self) -> Self:
        self._knocking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._knocking.join()
        self._offers.clear()
        self._session = self._v2_session = None  # the last reference closes it, and waits until it has closed

    def _knock(self) -> None:
        while not self._leaving.is_set():
            with self._lock:
                calls = [(offer, engine) for offer in self._offers for engine in self._engines]
            for offer, engine in calls:
                offer.knock(engine)
            self._leaving.wait(KNOCK_SECONDS)


def _session(listen: str, port: int, upload_limit: int) -> Any:
    session = libtorrent.session(
        {
            "listen_interfaces": f"{listen}:{port}",
            "outgoing_interfaces": listen,
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "allow_multiple_connections_per_ip": True,
            # By TCP alone: after an engine hung up on uTP, a call takes 15 seconds to come through again.
            "enable_outgoing_utp": False,
            "enable_incoming_utp": False,
            "upload_rate_limit": upload_limit,
            # An engine that does not know the torrent yet hangs up; knock again soon, and never give up.
            "min_reconnect_time": 1,
            "max_failcount": 1_000_000,
            "alert_mask": 0,
        }
    )
    # libtorrent exempts local networks, loopback among them, from limits: put all in the limited class.
    everybody = libtorrent.ip_filter()
    everybody.add_rule("0.0.0.0", "255.255.255.255", 1 << session.global_peer_class_id)  # noqa: S104
    session.set_peer_class_filter(everybody)
    return session


def _add_seed(session: Any, metainfo: bytes, path: Path) -> Any:
    params = libtorrent.load_torrent_buffer(metainfo)
    params.save_path = str(path.parent)
    params.flags |= libtorrent.torrent_flags.seed_mode
    params.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)
    params.url_seeds, params.trackers = [], []
    return session.add_torrent(params)
