"""What qBittorrent says about a torrent's swarm, as counts."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from torrents.engines.base import SwarmCounts

N = TypeVar("N", int, float)

# A tracker's `status`. All others, of which newer versions have more, are ways to fail.
DISABLED, NOT_ASKED, WORKING, BEING_ASKED = range(4)


def swarm_counts(trackers: Sequence[Mapping[str, Any]], torrent: Mapping[str, Any]) -> SwarmCounts:
    """From an answer of `torrents/trackers` and the torrent's entry in `sync/maindata`."""
    # DHT, PeX and LSD stand among the trackers under names like "** [DHT] **".
    states = [int(tracker["status"]) for tracker in trackers if not tracker["url"].startswith("** [")]
    working = states.count(WORKING)
    waiting = states.count(NOT_ASKED) + states.count(BEING_ASKED)
    return SwarmCounts(
        trackers_working=working,
        trackers_failing=len(states) - working - waiting - states.count(DISABLED),
        trackers_waiting=waiting,
        known_seeds=_known(torrent.get("num_complete")),
        known_peers=_known(torrent.get("num_incomplete")),
        availability=_known(torrent.get("availability")),
    )


def _known(count: N | None) -> N | None:
    return None if count is None or count < 0 else count
