"""Making the engine follow people's wishes for each torrent: limits, order, files and trackers.

What a snapshot shows is compared in every round. Files and trackers, which cost a question each, are seen to when
the wish changed, when the torrent or its metadata is new to the engine, and when the engine may have been restarted.
"""

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from torrents.engines.base import MAX_LIMIT, EngineError, EngineTorrent
from torrents.engines.base import Engine as EngineAdapter
from torrents.models import Claim, Engine, Interest, Torrent
from torrents.wishes import ClaimWish, EngineWish, HeldWish, UserLimits, merge_all

logger = logging.getLogger(__name__)
RETRY_AFTER = 30.0  # seconds, for a torrent of which the engine refused something
SETTLE_SECONDS = 0.5  # for files and trackers in one round: after a restart all torrents ask for it at once
PAUSED_LOOKUPS = 20  # magnets at a time that look for their metadata though everybody paused them

NOTHING = EngineWish(False, None, None, None, False, ())


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the rows say, as of the last reload. Sets of torrents."""

    merged: Mapping[uuid.UUID, EngineWish]
    partial: frozenset[uuid.UUID]  # somebody chose some of the files
    unfinished: frozenset[uuid.UUID]  # somebody lets it run who has not got all their files
    looked_at: frozenset[uuid.UUID]
    lookups: frozenset[uuid.UUID]  # their metadata may be looked for

    def of(self, torrent_id: uuid.UUID) -> EngineWish:
        return self.merged.get(torrent_id, NOTHING)


NO_WISHES = Wishes({}, frozenset(), frozenset(), frozenset(), frozenset())


def read_wishes(engine: Engine) -> Wishes:
    held: list[HeldWish] = []
    partial, unfinished, paused = set(), set(), []
    for row in Claim.objects.wishes(engine):
        torrent, user, wanted, waits_for, files, download, upload, sequential, completed_at, has_metainfo = (
            row
        )
        running = wanted == Claim.Wanted.RUNNING and not waits_for
        wish = ClaimWish(running, None if files is None else frozenset(files), download, upload, sequential)
        held.append(HeldWish(torrent, user, completed_at is not None, wish))
        if files is not None:
            partial.add(torrent)
        if running and completed_at is None:
            unfinished.add(torrent)
        if wanted == Claim.Wanted.PAUSED and not has_metainfo:
            paused.append(torrent)
    trackers = dict(Torrent.objects.filter(engine=engine).public_trackers())
    merged = merge_all(held, limits=_limits(), trackers=trackers)
    running_ones = {torrent for torrent, wish in merged.items() if wish.running}
    # The newest first: whoever wants to choose files waits for it now.
    look_for = [torrent for torrent in dict.fromkeys(paused) if torrent not in running_ones][:PAUSED_LOOKUPS]
    interest = Interest.objects.filter(torrent__engine=engine, until__gt=timezone.now())
    return Wishes(
        merged=merged,
        partial=frozenset(partial),
        unfinished=frozenset(unfinished),
        looked_at=frozenset(interest.values_list("torrent_id", flat=True)),
        lookups=frozenset(running_ones.union(look_for)),
    )


def _limits() -> dict[int, UserLimits]:
    limited = User.objects.exclude(download_limit=None, upload_limit=None)
    return {
        user.pk: UserLimits(user.download_limit, user.upload_limit)
        for user in limited.only("download_limit", "upload_limit")
    }


class EngineWishes:
    """Applies wishes to one engine, and remembers what is known to be so there."""

    def __init__(self, engine: EngineAdapter) -> None:
        self._engine = engine
        self._settled: dict[uuid.UUID, Hashable] = {}
        self._not_before: dict[
            uuid.UUID, float
        ] = {}  # time.monotonic(), of those that were refused something
        self._round_ends = 0.0

    def forget(self) -> None:
        """The engine may be another process than before, which remembers less."""
        self._settled.clear()

    def apply(self, wishes: Wishes, held: Mapping[uuid.UUID, EngineTorrent]) -> None:
        """Set limits and order where a torrent's differ from the wish; then see to files and trackers, as far as
        there is time. Torrents that nobody wants to run are left as they are."""
        self._round_ends = time.monotonic() + SETTLE_SECONDS
        for gone in self._settled.keys() - held.keys():
            del self._settled[gone]
        wanted = [(seen, wish) for id, seen in held.items() if (wish := wishes.of(id)).running]
        self._set_limits(wanted)
        for sequential in (True, False):
            others = [
                seen.key
                for seen, wish in wanted
                if wish.sequential is sequential and seen.sequential is not sequential
            ]
            self._engine.set_sequential(others, sequential=sequential)

    def settle_all(self, wishes: Wishes, held: Mapping[uuid.UUID, EngineTorrent]) -> None:
        for id, seen in held.items():
            if time.monotonic() > self._round_ends:
                return  # the next round goes on
            if wishes.of(id).running:
                self.settle(id, seen, wishes)

    def settle(self, torrent_id: uuid.UUID, seen: EngineTorrent, wishes: Wishes) -> bool:
        """See to files and trackers of one torrent, unless they are known to be as wished; False: not now."""
        wish = wishes.of(torrent_id)
        state = (seen.key, seen.has_metadata, wish.files, wish.trackers)
        if self._settled.get(torrent_id) == state:
            return True
        if self._not_before.get(torrent_id, 0.0) > time.monotonic():
            return False
        try:
            if wish.trackers:
                self._engine.add_trackers(seen.key, wish.trackers)
            if seen.has_metadata:
                self._engine.set_wanted_files(seen.key, wish.files)
        except EngineError as error:
            # Perhaps this torrent alone is to blame: the others must not wait. If not, the next poll tells.
            logger.warning("The wishes for %s cannot be granted now: %s", torrent_id, error)
            self._not_before[torrent_id] = time.monotonic() + RETRY_AFTER
            return False
        self._not_before.pop(torrent_id, None)
        self._settled[torrent_id] = state
        return True

    def _set_limits(self, wanted: Iterable[tuple[EngineTorrent, EngineWish]]) -> None:
        by_limits: defaultdict[tuple[int | None, int | None], list[str]] = defaultdict(list)
        for seen, wish in wanted:
            limits = (_possible(wish.download_limit), _possible(wish.upload_limit))
            if (seen.download_limit, seen.upload_limit) != limits:
                by_limits[limits].append(seen.key)
        for (download, upload), keys in by_limits.items():
            self._engine.set_limits(keys, download=download, upload=upload)


def _possible(limit: int | None) -> int | None:
    return None if limit is None or limit > MAX_LIMIT else limit
