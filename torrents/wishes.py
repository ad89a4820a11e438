"""Several wishes, one torrent: what the engine is asked for when people want different things. Pure functions.

Whoever is generous wins: nobody's wish may cost another person files, speed or a tracker that works.
"""

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ClaimWish:
    """What one person wants of a torrent. Limits in bytes a second, None: none; `files` by index, None: all."""

    running: bool  # wanted, and let in
    files: frozenset[int] | None = None
    download_limit: int | None = None
    upload_limit: int | None = None
    sequential: bool = False


@dataclass(frozen=True, slots=True)
class EngineWish:
    """What the engine is asked for. Where nobody wants the torrent to run, nothing else matters."""

    running: bool
    files: frozenset[int] | None
    download_limit: int | None
    upload_limit: int | None
    sequential: bool
    trackers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldWish:
    """A claim's wish, with what decides how its owner's limits are shared out."""

    torrent: uuid.UUID
    user: int
    finished: bool
    wish: ClaimWish


@dataclass(frozen=True, slots=True)
class UserLimits:
    """Of one person over all their torrents, in bytes a second; None: none."""

    download: int | None = None
    upload: int | None = None


def merge(wishes: Sequence[ClaimWish], *, trackers: Sequence[str] = ()) -> EngineWish:
    """One wish for the engine from those of all who hold a torrent.

    `trackers`: the vetted ones of all who brought some; none for a private torrent, whose own stand in its metainfo.
    """
    running = [wish for wish in wishes if wish.running]
    if not running:  # most are paused, and all are merged in every reload
        return EngineWish(False, None, None, None, False, tuple(trackers))
    return EngineWish(
        running=True,
        files=_union(wish.files for wish in running),
        download_limit=_highest(wish.download_limit for wish in running),
        upload_limit=_highest(wish.upload_limit for wish in running),
        sequential=any(wish.sequential for wish in running),
        trackers=tuple(trackers),
    )


def merge_all(
    held: Iterable[HeldWish],
    *,
    limits: Mapping[int, UserLimits],
    trackers: Mapping[uuid.UUID, Sequence[str]],
) -> dict[uuid.UUID, EngineWish]:
    """The wish of every torrent that somebody holds. `limits` by user, `trackers` by torrent; absent: none."""
    by_torrent: defaultdict[uuid.UUID, list[HeldWish]] = defaultdict(list)
    for claim in held:
        by_torrent[claim.torrent].append(claim)
    wishes = {torrent: [claim.wish for claim in claims] for torrent, claims in by_torrent.items()}
    alone = [claims[0] for claims in by_torrent.values() if len(claims) == 1]
    for torrent, wish in within_limits(alone, limits).items():
        wishes[torrent] = [wish]
    return {torrent: merge(some, trackers=trackers.get(torrent, ())) for torrent, some in wishes.items()}


def within_limits(alone: Iterable[HeldWish], limits: Mapping[int, UserLimits]) -> dict[uuid.UUID, ClaimWish]:
    """The wishes for torrents that one person alone holds and lets run, with that person's limits in them.

    The engine has no limits by person. So a limit is shared out over the unfinished torrents; a finished one, which
    mostly idles and must not take from them, may use as much as the limit itself.
    """
    by_user: defaultdict[int, list[HeldWish]] = defaultdict(list)
    for claim in alone:
        if claim.wish.running and limits.get(claim.user, UserLimits()) != UserLimits():
            by_user[claim.user].append(claim)
    limited = {}
    for user, claims in by_user.items():
        limit = limits[user]
        unfinished = {claim.torrent: claim.wish for claim in claims if not claim.finished}
        download = share_out(limit.download, {key: wish.download_limit for key, wish in unfinished.items()})
        upload = share_out(limit.upload, {key: wish.upload_limit for key, wish in unfinished.items()})
        for claim in claims:
            own = (claim.wish.download_limit, claim.wish.upload_limit)
            limited[claim.torrent] = replace(
                claim.wish,
                download_limit=download.get(claim.torrent, _lowest(own[0], limit.download)),
                upload_limit=upload.get(claim.torrent, _lowest(own[1], limit.upload)),
            )
    return limited


def share_out(limit: int | None, own: Mapping[K, int | None]) -> dict[K, int | None]:
    """Shares of `limit` that nobody could use better: who has a lower limit of their own leaves the rest to the
    others, who get the same each.

    The shares' sum is at most `limit`, except that nobody gets less than 1, for 0 means no limit to the engine.

    >>> share_out(100, {"a": None, "b": 10, "c": None})
    {'b': 10, 'a': 45, 'c': 45}
    """
    if limit is None:
        return dict(own)
    shares: dict[K, int | None] = {}
    left = limit
    modest_first = sorted(own.items(), key=lambda item: (item[1] is None, item[1] or 0))
    for number, (key, lowest) in enumerate(modest_first):
        share = max(left // (len(own) - number), 1)
        shares[key] = given = share if lowest is None else min(share, lowest)
        left = max(left - given, 0)
    return shares


def _union(choices: Iterable[frozenset[int] | None]) -> frozenset[int] | None:
    union: frozenset[int] = frozenset()
    empty = True
    for choice in choices:
        if choice is None:
            return None
        union |= choice
        empty = False
    return None if empty else union


def _highest(limits: Iterable[int | None]) -> int | None:
    """No limit is the highest of all."""
    highest = 0
    for limit in limits:
        if limit is None:
            return None
        highest = max(highest, limit)
    return highest or None


def _lowest(first: int | None, second: int | None) -> int | None:
    given = [limit for limit in (first, second) if limit is not None]
    return min(given, default=None)
