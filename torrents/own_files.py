"""The files of a torrent that are one person's: those that they chose. Nobody is shown or handed others as theirs.

What is shown of a claim's size and progress is of its own files; `ClaimQuerySet.of` reads the sums along.
"""

import math
from collections.abc import Collection

from django.db.models import QuerySet

from torrents.models import Claim, Torrent, TorrentFile


def files_of(claim: Claim) -> QuerySet[TorrentFile]:
    """In the torrent's order."""
    files = claim.torrent.files.order_by("index")  # they know their torrent without asking for it again
    return files if claim.chosen_files is None else files.filter(index__in=claim.chosen_files)


def is_chosen(claim: Claim, index: int) -> bool:
    return claim.chosen_files is None or index in claim.chosen_files


def are_there(torrent: Torrent, chosen: Collection[int] | None) -> bool:
    """Whether all these files (None: all of the torrent's) are on the disk and checked, as far as the rows know."""
    if torrent.completed_at is not None:
        return True
    files = dict(torrent.files.values_list("index", "progress"))
    return bool(files) and all(files.get(index, 0) >= 1 for index in (files if chosen is None else chosen))


def known_indexes(torrent: Torrent) -> frozenset[int]:
    """The indexes of the torrent's files; none before its metadata is known."""
    indexes = frozenset(torrent.files.values_list("index", flat=True))
    if not indexes and torrent.metainfo is not None:  # the engine has not told its own list yet
        from torrents.metainfo import parse_torrent  # whoever only hands files over needs no libtorrent

        indexes = frozenset(range(len(parse_torrent(bytes(torrent.metainfo)).files or ())))
    return indexes


def size_of(claim: Claim) -> int | None:
    """Bytes; None until known. Of a claim from `Claim.objects.of`, like the two below."""
    return claim.torrent.size if _is_whole(claim) else int(vars(claim)["chosen_size"])


def progress_of(claim: Claim) -> float:
    """0 to 1."""
    if _is_whole(claim):
        return claim.torrent.live.progress
    if claim.completed_at is not None or claim.torrent.completed_at is not None:
        return 1.0
    size = vars(claim)["chosen_size"]
    return min(float(vars(claim)["chosen_there"]) / size, 0.999) if size else 0.0


def eta_of(claim: Claim) -> int | None:
    """Seconds until all their files are there, at the torrent's present speed; None where that means nothing."""
    live = claim.torrent.live
    if _is_whole(claim):
        return live.eta
    if claim.completed_at is not None or not live.download_speed:
        return None
    return math.ceil((1 - progress_of(claim)) * (size_of(claim) or 0) / live.download_speed)


def _is_whole(claim: Claim) -> bool:
    return claim.chosen_files is None or vars(claim).get("chosen_size") is None
