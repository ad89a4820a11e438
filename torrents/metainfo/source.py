from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """Where a torrent comes from, vetted. Fields that may hold a passkey are kept out of `repr`."""

    infohash_v1: str | None  # 40 lower-case hexadecimal digits; at least one of the two is set
    infohash_v2: str | None  # 64
    name: str  # for display; "" where a magnet has none
    magnet: str = field(repr=False)  # rebuilt: both infohashes, name, trackers, nothing else
    trackers: tuple[str, ...] = field(repr=False)
    metainfo: bytes | None = field(
        default=None, repr=False
    )  # a .torrent rebuilt to upload; None for a magnet
    private: bool | None = None  # BEP 27; None: unknown until the metadata arrives
    size: int | None = None  # bytes, padding excluded
    files: tuple[tuple[str, int], ...] | None = field(default=None, repr=False)  # (relative path, bytes)
